package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// What can be wrong with a store. Each case holds the place; the sentence names it and the next step.
package enum StoreError: UserError, Equatable {
  /// There is nothing to read yet.
  case absent(String)
  /// The file is something else.
  case notAStore(String)
  /// Written by a program that knows more tables; `migrations` are those that this one does not know.
  case newer(String, migrations: [String])
  /// Written by an older program, and opened for reading only.
  case older(String)
  /// A file that is no regular one stands in the place of the database; `kind` says what it is, such as `a
  /// FIFO`.
  case notRegular(String, kind: String)
  /// A killed writer left a commit half done, and this user may not undo it.
  case halfCommitted(String)
  case held(String, by: Holder?)
  /// Another process took the store from this one, which writes nothing more.
  case superseded(String, by: Holder?)
  case full(String)
  case readOnly(String)
  case denied(String)
  /// Another process kept it locked for longer than we wait.
  case busy(String)
  case damaged(String, reason: String)
  /// What the tables hold was changed after it was written; a sentence for each change.
  case altered(String, [String])
  case failed(String, reason: String)
  case file(FileError)
  case unknownSweep(String, known: [String])
  case unknownStage(ContentKey)
  /// A sweep of that name that asks for other runs.
  case otherSweep(String, name: String)
  case notAnArchive(String, reason: String)
  case checkpointAbsent(ContentKey, kind: CheckpointKind)
  case checkpointDamaged(ContentKey, kind: CheckpointKind, reason: String)

  package var description: String {
    switch self {
    case .absent(let path):
      "There is no store at \(path). `mtkd-sweep run FILE` makes one; --store names another folder."
    case .notAStore(let path): "\(path) is no store of mtkd-sweep. Name another folder with --store."
    case .newer(let path, let migrations):
      "\(path) was written by a newer version of mtkd-sweep (it knows "
        + "\(migrations.joined(separator: ", "))). Use that version, or name another folder with --store."
    case .older(let path):
      "\(path) lacks tables that this version of mtkd-sweep reads: an older version wrote it, or whoever "
        + "made it was ended halfway. `mtkd-sweep run GRID` with a grid of it adds them; nothing "
        + "in it is lost."
    case .notRegular(let path, let kind):
      "\(path) is \(kind) and not a regular file. Move it away, or name another folder with --store."
    case .halfCommitted(let path):
      "\(path) was left in the middle of a commit, which only a user who may write it can undo: let one of "
        + "them run `mtkd-sweep list` on it, or copy its folder to a place of your own and name the "
        + "copy with --store."
    case .superseded(let path, let holder):
      "\(path) was taken over by \(Self.name(holder)), so that this process writes no more. What its "
        + "workers have finished is taken in there."
    case .held(let path, let holder): Self.sentence(path, holder)
    case .full(let path):
      "No space left on the disk of \(path). Make room there and run the same command again: what was "
        + "finished is kept."
    case .readOnly(let path):
      "\(path) cannot be written: it is read-only. Name a folder that can be with --store."
    case .denied(let path): "No permission to write \(path). Ask for it, or name another folder with --store."
    case .busy(let path):
      "\(path) has been locked by another process for too long. Try again when it is done."
    case .damaged(let path, let reason):
      "\(path) is damaged (\(reason)). `mtkd-sweep rebuild` makes it again from the folders of its stages."
    case .altered(let path, let changes):
      "\(path) is not what was written there: \(changes.prefix(3).joined(separator: "; "))"
        + (changes.count > 3 ? "; and \(changes.count - 3) more" : "")
        + ". `mtkd-sweep fsck` lists all changes, `mtkd-sweep rebuild` makes the database again from the "
        + "folders of its stages."
    case .failed(let path, let reason): "\(path): \(reason). Run the same command again."
    case .file(let error): error.description
    case .unknownSweep(let name, let known):
      UnknownName(kind: "sweep", name: name, known: known).description + " `mtkd-sweep list` lists them."
    case .unknownStage(let key): "The store has no stage \(key.short). `mtkd-sweep list` names what it has."
    case .otherSweep(let path, let name):
      "\(path) has a sweep named \(name) that asks for other runs. Name another folder with --store."
    case .notAnArchive(let path, let reason):
      "\(path) is no archive of mtkd-sweep, or not a whole one (\(reason)). "
        + "`mtkd-sweep archive SWEEP` writes one."
    case .checkpointAbsent(let key, let kind):
      "Run \(key.short) has no \(kind.rawValue) checkpoint. `mtkd-sweep show \(key.short)` names what it has."
    case .checkpointDamaged(let key, let kind, let reason):
      "The \(kind.rawValue) checkpoint of \(key.short) is not what was written (\(reason)). "
        + "Run the sweep into another --store to make it again."
    }
  }

  private static func sentence(_ path: String, _ holder: Holder?) -> String {
    let since = holder.flatMap { $0.since > 0 ? ", since \(TimeOfDay.local($0.since))" : nil } ?? ""
    // Only its own host can tell whether it lives.
    let isElsewhere = holder.map { $0.identity.isAlive == nil } ?? false
    let unlock =
      isElsewhere
      ? " Where that process is gone, it counts as such \(Int(Lease.patience)) s after its last sign of "
        + "life; `mtkd-sweep unlock --store \(shellWord(path))` says how old that is."
      : ""
    return
      "The store \(path) is held by \(name(holder))\(since). `mtkd-sweep status --store \(shellWord(path))` "
      + "shows what it does.\(unlock)"
  }

  private static func name(_ holder: Holder?) -> String {
    holder.map { "process \($0.identity.process) on \($0.identity.host)" } ?? "another process"
  }
}

extension StoreError {
  package var exitStatus: ExitStatus {
    switch self {
    case .absent, .unknownSweep, .unknownStage, .checkpointAbsent: .missingInput
    case .held, .busy, .superseded: .unavailable
    case .readOnly: .cannotCreate
    case .denied, .halfCommitted: .permission
    case .file(let error): error.exitStatus
    case .otherSweep: .cannotCreate
    case .notAnArchive, .notAStore, .notRegular, .newer, .older, .full, .damaged, .altered, .failed,
      .checkpointDamaged:
      .inputOutput
    }
  }
}

/// Seconds since 1970 as people read them.
package enum TimeOfDay {
  /// Such as `2031-05-04 19:08:09 CEST`, as the clock of whoever reads it shows it.
  package static func local(_ seconds: Int) -> String {
    var (time, parts) = (time_t(seconds), tm())
    guard localtime_r(&time, &parts) != nil else { return text(seconds) }
    return text(seconds, offset: parts.tm_gmtoff, zone: String(cString: parts.tm_zone))
  }

  /// The same where clocks are `offset` seconds ahead of UTC, by the rules of the Gregorian calendar.
  package static func text(_ seconds: Int, offset: Int = 0, zone: String = "UTC") -> String {
    let (day, second) = ((seconds + offset) / 86400, (seconds + offset) % 86400)
    // Days since 1 March of year 0, where each era of 400 years has 146 097 days and leap days come last.
    let shifted = day + 719468
    let (era, ofEra) = (shifted / 146097, shifted % 146097)
    let year = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let date = ofYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    let calendarYear = era * 400 + year + (calendarMonth <= 2 ? 1 : 0)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(calendarYear)-\(two(calendarMonth))-\(two(date)) "
      + "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)) \(zone)"
  }
}
