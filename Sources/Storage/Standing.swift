package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// How an attempt's worker ended, as its parent saw it: `exit.json`. Where it is missing, nobody was left to see it.
package struct ExitNote: CanonicallyEncodable {
  /// nil where a signal ended it.
  package let code: Int?
  package let signal: Int?
  /// A sentence, where there is more to say than a number.
  package let reason: String?

  /// Codes of workers that left their stage to whoever comes next: on request, for a newer attempt, and where the system had
  /// no room for them.
  package static let unfinished: Set<Int> = [75, 78, 81]

  /// Of an attempt whose files were damaged and moved aside.
  static let setAside = ExitNote(code: 75, reason: "its files were damaged and moved aside")

  package init(code: Int? = nil, signal: Int? = nil, reason: String? = nil) {
    (self.code, self.signal, self.reason) = (code, signal, reason)
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("code", code.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.member("reason", reason.map { .string($0) }, to: &bytes)
    object.member("signal", signal.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      code: try object.optional("code", SpecObject.integer),
      signal: try object.optional("signal", SpecObject.integer),
      reason: try object.optional("reason", SpecObject.string))
  }
}

/// Whether somebody may still be at work on an attempt, as far as its files tell.
package enum Standing: Hashable, Sendable {
  case ended(ExitNote)
  case working
  /// Its worker is gone and nobody saw how: a kill, a lost node.
  case lost
}

extension AttemptFolder {
  /// Heartbeats come every `beatSeconds`; this many of them missed mean that the worker is gone.
  package static let beatSeconds = 15.0
  package static let patience = 4 * beatSeconds

  /// - Parameter clock: `StoreFolder.clock()` of the same moment, so that no two machines' clocks are compared.
  package func standing(clock: Double, patience: Double = AttemptFolder.patience) -> Standing {
    if let note = exitNote { return .ended(note) }
    // Being alive is not enough: a stopped process (SIGSTOP) is, and would keep its stage for ever.
    if holder?.identity.isAlive == false { return .lost }
    // Claimed a moment ago there is no heartbeat yet, and the folder itself is as old as the claim.
    guard let beat = Self.changed(heartbeat) ?? Self.changed(path) else { return .lost }
    return clock - beat < patience ? .working : .lost
  }

  /// nil before the worker's end, and where its parent ended with it.
  package var exitNote: ExitNote? {
    guard let bytes = try? AtomicFile.read(exit, limit: AtomicFile.textLimit),
      let json = try? JSONReader.read(bytes).value
    else {
      return nil
    }
    return try? ExitNote(json, at: exit)
  }

  /// Leaves the note. Where a loss of power takes it away, the worker counts as lost, as without a parent.
  package func close(_ note: ExitNote) throws(FileError) {
    try AtomicFile.replace(note.canonicalBytes, at: exit)
  }

  /// Seconds since 1970 by the clock of the file system.
  static func changed(_ path: String) -> Double? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9
  }
}

extension StoreFolder {
  /// What time the file system has that the store lies on: that of a file touched now.
  package func clock() throws(FileError) -> Double {
    let probe = "\(path)/\(StoreNames.clock(ProcessIdentity.current.host))"
    try AtomicFile.writeSynced([], to: probe)
    defer { unlink(probe) }
    guard let now = AttemptFolder.changed(probe) else { throw FileError("read", probe) }
    return now
  }
}

extension StageFolder {
  /// Whether a newer attempt has been made, which makes this one's work useless: attempt numbers are fencing tokens.
  package func isSuperseded(_ attempt: AttemptFolder) throws(FileError) -> Bool {
    // Listed rather than looked up: a network file system remembers for a while that a name was absent.
    guard let newest = try attempts().last else { return true }
    return newest.number > attempt.number
  }

  /// Takes the stage for whoever asks, if it is free.
  ///
  /// - Parameters:
  ///   - known: attempts up to this one count as over, whatever their files say: those that were known when the work was handed out.
  ///   - formerLives: jobs of which the asker is the successor: a requeued job finds its own claim, and the scheduler has ended that life or
  ///     lost it.
  ///   - limit: how many later attempts may die before nobody tries again.
  package func claim(
    after known: Int = 0, formerLives: Set<String> = [], limit: Int = 3, clock: Double
  ) throws(FileError) -> Claim {
    if AtomicFile.isFolder(output) { return .finished }
    let all = try attempts()
    let later = all.filter { $0.number > known }
    var deaths = 0
    for attempt in later {
      switch attempt.standing(clock: clock) {
      case .working:
        let isOwn = attempt.holder?.job.map(formerLives.contains) ?? false
        if attempt == later.last, !isOwn { return .taken(by: attempt) }
        deaths += 1
      case .lost: deaths += 1
      case .ended(let note):
        guard let code = note.code else {
          deaths += 1
          continue
        }
        // Whoever stopped on request, or for a newer attempt, left the stage to the next.
        if attempt == later.last, !ExitNote.unfinished.contains(code) { return .settled(attempt) }
      }
    }
    if let last = later.last, deaths >= limit { return .settled(last) }
    return try make(max(all.last?.number ?? 0, known) + 1).map { .granted($0) } ?? .lostRace
  }
}

/// The answer to a worker that wants a stage.
package enum Claim: Hashable, Sendable {
  case granted(AttemptFolder)
  /// It has its output.
  case finished
  case taken(by: AttemptFolder)
  /// It ended in a way that is not to be tried again, or has died too often.
  case settled(AttemptFolder)
  /// Somebody else made the same attempt a moment before.
  case lostRace
}
