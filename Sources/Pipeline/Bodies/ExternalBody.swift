internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps

/// The command that a grid names trains the student. What it knows it keeps to itself:
/// it takes what it is given.
struct CommandTrainer: Trainer {
  let spec: TrainerSpec
  var description: TrainerDescription? { nil }

  func run(_ stage: StudentStage, in workspace: Workspace) throws {
    try ExternalBody.run(TrainerTask(stage), spec, in: workspace)
  }
}

/// Lets a command of somebody else's do a task: hands it over as one line of JSON, reads records from its
/// standard output, publishes the files that it names (`docs/trainers.md`).
enum ExternalBody {
  /// Between the wish to stop and the end of patience.
  private static let graceSeconds = 30.0

  static func run(_ task: TrainerTask, _ trainer: TrainerSpec, in workspace: Workspace) throws {
    var made = ProgramIdentity.provenance()
    for device in DeviceFacts.ofThisProcess() { made.cpu += ", \(device)" }
    let home = TrainerFiles.folder(of: trainer, in: workspace.store)
    for file in trainer.files {
      guard try TrainerFiles.digest(of: "\(home)/\(file.name)") == file.digest else {
        throw TrainerChanged(file: "\(home)/\(file.name)")
      }
    }
    let folder = "\(workspace.stage.path)/trainer"
    try AtomicFile.createFolder(folder)
    // What a killed worker left of an earlier attempt would write into the same folder.
    TrainerRemains.end(of: workspace.stage.path) { workspace.note($0) }
    let earlier = try reportedEpochs(workspace.stage)
    let reported = (0...).first { earlier[$0] == nil } ?? 0
    let outputs = try KeptOutputs(of: task, in: workspace)
    let request = try task.request(
      folder: absolute(folder), reported: reported, version: trainer.version, outputs, in: workspace)
    let child = try TrainerProcess(
      trainer.command, in: trainer.files.isEmpty ? folder : home, saying: request,
      mark: TrainerRemains.mark(of: workspace.stage.path))
    defer { child.endGroup() }
    let weights =
      trainer.version < 2
      ? nil
      : KeptWeights(
        of: workspace.stage, from: folder,
        best: try TrainerFiles.headline(of: trainer, in: workspace.store),
        count: workspace.keepsWeights, earlier: earlier.values.sorted { $0.epoch < $1.epoch })
    var session = TrainerSession(epochs: task.epochs, reported: reported, made: made, weights: weights)
    var asked: Double?
    while let lines = child.lines(isAsked: asked != nil) {
      for line in lines { try session.take(line, workspace) }
      try session.hint(workspace)
      if workspace.isStopRequested {
        if asked == nil { child.signal(SIGTERM) }
        let begin = asked ?? workspace.elapsed
        asked = begin
        if workspace.elapsed - begin > graceSeconds { child.signal(SIGKILL) }
      }
    }
    try session.begin(workspace)
    try withExtendedLifetime(outputs) {
      try finish(task, trainer, session, child, wasAsked: asked != nil, in: workspace)
    }
  }

  /// What a trainer that has ended leaves: a result, a failure, or an attempt that is
  /// to be followed by another.
  private static func finish(
    _ task: TrainerTask, _ trainer: TrainerSpec, _ session: TrainerSession, _ child: TrainerProcess,
    wasAsked: Bool, in workspace: Workspace
  ) throws {
    let end = child.end
    if let failure = session.failure { throw TrainerFailed(failure: failure) }
    if let finished = session.finished, end == .exited(0) {
      guard session.reported == session.epochs else {
        throw TrainerFault(
          reason:
            "The trainer wrote \"finished\" after \(session.reported) of "
            + "\(counted(session.epochs, "epoch")). It reports every epoch first (docs/trainers.md).")
      }
      if case .outputs(let stage) = task.kind {
        // What is checked from here on nobody writes to any more.
        child.endGroup()
        return try ForeignOutputs.takeIn(stage, finished, session.profile, in: workspace)
      }
      let folder = "\(workspace.stage.path)/trainer"
      var files = try finished.files.map {
        (name: $0, bytes: try PublishedFile.read($0, in: folder))
      }
      let weights = try session.weights?.files(epochs: session.epochs) ?? []
      for kept in weights {
        guard !files.contains(where: { $0.name == kept.name }) else {
          throw TrainerFault(
            reason:
              "The trainer names the file \(kept.name) in \"finished\" and weights with its epochs, of "
              + "which this program writes a file of that name. Choose another one.")
        }
        files.append(kept)
      }
      if case .teacher = task.kind, !weights.contains(where: { TrainerTask.weightFiles.contains($0.name) }) {
        throw TrainerFault(
          reason:
            "The trainer was asked for a teacher and named no weights with its last epoch. Students are "
            + "handed those of its best epoch, or else of its last (\"weights\" in docs/trainers.md).")
      }
      files.append((name: "metrics.json", bytes: finished.metrics.canonicalBytes))
      try workspace.publish(files, finished.metrics)
      return try session.weights?.remove() ?? ()
    }
    if wasAsked {
      try workspace.record(.stopped(step: session.step))
      throw WorkerStopped()
    }
    let said =
      session.finished == nil ? "without having said \"finished\" or \"failed\"" : "after \"finished\""
    let words = AttemptLog(workspace.attempt.log).lastWords
    let ended = TrainerEnded(
      reason: "The trainer \(trainer.command.joined(separator: " ")) ended with \(describe(end)), \(said)"
        + (words.isEmpty ? "." : ": \(words)"))
    let isRepeated = try session.lastEpoch < 0 && isLastWord("\(ended)", ofAttemptBefore: workspace)
    throw isRepeated ? TrainerEndedAgain(reason: "\(ended)") : ended
  }

  static func describe(_ end: JobEnd) -> String {
    switch end {
    case .exited(127): "code 127, which shells use for a command that is not there"
    case .exited(let code): "code \(code)"
    case .killed(let signal): "signal \(signal)"
    case .notStarted(let reason), .noRoom(let reason): reason
    }
  }

  /// Whether the attempt before this one ended with the same sentence: then the next would too.
  private static func isLastWord(_ sentence: String, ofAttemptBefore workspace: Workspace) throws -> Bool {
    let earlier = try workspace.stage.attempts().last { $0.number < workspace.attempt.number }
    return earlier.map { AttemptLog($0.log).lastWords == ForeignText.line(sentence) } ?? false
  }

  /// The epochs that earlier attempts have on disk, by their numbers. A trainer that was killed may have come
  /// further than its records did.
  private static func reportedEpochs(_ stage: StageFolder) throws -> [Int: EpochRecord] {
    var epochs: [Int: EpochRecord] = [:]
    for attempt in try stage.attempts() {
      var reader = RecordReader(attempt.records)
      do {
        for case .epoch(let epoch) in try reader.next().map(\.record) {
          epochs[epoch.epoch] = epoch
        }
      } catch let error as RecordDamage {
        WorkerLog.say("\(error) Its epochs are asked for again.")
      }
    }
    return epochs
  }

  static func absolute(_ path: String) -> String {
    URL(filePath: path).standardizedFileURL.path
  }
}

/// Which of the workers that run at the same time a process is, from 1: so that trainers share graphics
/// cards, for example. Trainers find it in their environment and in their request.
enum WorkerSlot {
  static let variable = "MTKD_SWEEP_SLOT"
}

/// What a trainer handed over is not what it should be: a failure of its run, and of no other.
struct TrainerFault: Error, Equatable, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

/// A trainer that ended without a result.
struct TrainerEnded: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

/// A trainer that ended without a result, before its first epoch, and in the same way as the attempt before.
struct TrainerEndedAgain: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

/// What a trainer said of its own failure, which is a result.
struct TrainerFailed: Error { let failure: FailureRecord }

/// A file that a trainer hands over.
enum PublishedFile {
  /// The bytes of a regular file, without waiting for anybody.
  ///
  /// - Throws: `TrainerFault` where it is none; `FileError` with a code that may pass.
  ///
  /// - Parameter place: where the trainer names it.
  static func read(_ name: String, in folder: String, named place: String = "in \"finished\"")
    throws -> [UInt8]
  {
    let path = "\(folder)/\(name)"
    func fault(_ what: String) -> TrainerFault {
      TrainerFault(reason: "The trainer names the file \(name) \(place), and \(what) in \(folder).")
    }
    let file = SystemCall.retrying { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard file >= 0 else {
      let error = FileError("read", path)
      if error.isPassing { throw error }
      throw fault(
        error.isAbsent ? "it is not" : "it cannot be read (\(String(cString: strerror(error.code))))")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw fault("something other than a file has that name")
    }
    do { return try AtomicFile.read(path) } catch {
      if error.isPassing { throw error }
      throw fault("it cannot be read (\(String(cString: strerror(error.code))))")
    }
  }
}
