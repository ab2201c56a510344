extension StageFolder {
  /// Whether a newer attempt has been made, which makes this one's work useless: attempt numbers are fencing
  /// tokens.
  package func isSuperseded(_ attempt: AttemptFolder) throws(FileError) -> Bool {
    // Listed rather than looked up: a network file system remembers for a while that a name was absent.
    guard let newest = try attempts().last else { return true }
    return newest.number > attempt.number
  }

  /// Whether an attempt before this one ended without a word of its worker's, by a signal or with its
  /// machine, and nobody has forgiven that.
  ///
  /// Who of several runs in one process brought it down is not known: from then on each of them goes alone.
  package func hasDied(before number: Int = .max) throws(FileError) -> Bool {
    let forgiven = forgiven
    return try attempts().contains {
      $0.number > forgiven && $0.number < number && $0.exitNote?.code == nil
    }
  }

  /// Takes the stage for whoever asks, if it is free.
  ///
  /// - Parameters:
  ///   - known: attempts up to this one count as over, whatever their files say: those that were known when
  ///     the work was handed out.
  ///   - formerLives: jobs of which the asker is the successor: a requeued job finds its own claim, and the
  ///     scheduler has ended that life or lost it.
  ///   - limit: how many later attempts may die before nobody tries again.
  package func claim(
    after known: Int = 0, formerLives: Set<String> = [], limit: Int = 3, clock: Double
  ) throws(FileError) -> Claim {
    if AtomicFile.isFolder(output) { return .finished }
    let all = try attempts()
    let later = all.filter { $0.number > known }
    var deaths = 0
    for attempt in later {
      switch attempt.activity(clock: clock) {
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
