internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps

/// Lets a command of somebody else's train a student: hands it the run as one line of JSON, reads records from its standard output, publishes the
/// files that it names (`docs/trainers.md`).
enum ExternalBody {
  /// Between the wish to stop and the end of patience.
  private static let graceSeconds = 30.0
  /// A longer line is no record.
  private static let longestLine = 1 << 20

  static func run(_ stage: StudentStage, _ trainer: TrainerSpec, in workspace: Workspace) throws {
    try workspace.record(.started(step: 0, ProgramIdentity.provenance()))
    let home = TrainerFiles.folder(of: trainer, in: workspace.store)
    for file in trainer.files {
      let bytes = try AtomicFile.read("\(home)/\(file.name)")
      guard ContentKey(hashing: bytes) == file.digest else {
        throw TrainerChanged(file: "\(home)/\(file.name)")
      }
    }
    let folder = "\(workspace.stage.path)/trainer"
    try AtomicFile.createFolder(folder)
    let reported = try reportedEpochs(workspace.stage)
    let child = try ExternalProcess(
      trainer.command, in: trainer.files.isEmpty ? folder : home,
      saying: request(stage, folder: absolute(folder), reported: reported, in: workspace))
    var session = Session(epochs: stage.run.recipe.epochs, reported: reported)
    var asked: Date?
    while let lines = child.lines(within: 0.2, longest: longestLine) {
      for line in lines { try take(line, &session, workspace) }
      if workspace.isStopRequested {
        if asked == nil { child.signal(SIGTERM) }
        asked = asked ?? .now
        if Date.now.timeIntervalSince(asked ?? .now) > graceSeconds { child.signal(SIGKILL) }
      }
    }
    let end = child.end()
    if let failure = session.failure { throw TrainerFailed(failure: failure) }
    if let finished = session.finished, end == .exited(0) {
      var files = try finished.files.map { (name: $0, bytes: try AtomicFile.read("\(folder)/\($0)")) }
      files.append((name: "metrics.json", bytes: finished.metrics.canonicalBytes))
      guard session.reported == session.epochs else {
        throw TrainerProtocolError(
          line: "\"finished\"",
          expected: "\(session.epochs) epochs, of which \(session.reported) were reported")
      }
      return try workspace.publish(files, finished.metrics)
    }
    if asked != nil {
      try workspace.record(.stopped(step: session.step))
      throw WorkerStopped()
    }
    throw TrainerEnded(command: trainer.command, end: end)
  }

  /// How many epochs, from the first on and without a hole, earlier attempts have on disk. A trainer that was killed may have come further
  /// than its records did.
  private static func reportedEpochs(_ stage: StageFolder) throws -> Int {
    var epochs: Set<Int> = []
    for attempt in try stage.attempts() {
      var reader = RecordReader(attempt.records)
      do {
        for case .epoch(let epoch) in try reader.next().map(\.record) { epochs.insert(epoch.epoch) }
      } catch let error as RecordDamage {
        FileHandle.standardError.write(Data("\(error) Its epochs are asked for again.\n".utf8))
      }
    }
    var count = 0
    while epochs.contains(count) { count += 1 }
    return count
  }

  /// What the trainer reads: one line.
  private static func request(
    _ stage: StudentStage, folder: String, reported: Int, in workspace: Workspace
  ) throws -> [UInt8] {
    let inputs = stage.inputs
    func output(_ key: ContentKey, _ file: String) -> JSONValue {
      .string(absolute("\(workspace.store.stage(key).output)/\(file)"))
    }
    // Read once, so that what the trainer opens is what was published.
    _ = try workspace.input(inputs[0], DatasetBody.file)
    let teachers = try inputs.dropFirst().map { key -> JSONValue in
      _ = try workspace.input(key, TrainingBody.bestFile)
      return output(key, TrainingBody.bestFile)
    }
    let run = try JSONReader.read(stage.run.canonicalBytes).value
    let document: JSONValue = [
      "dataset": output(inputs[0], DatasetBody.file), "folder": .string(folder),
      "key": .string(stage.key.description), "protocol": .number(DecimalNumber(1)),
      "reported": .number(DecimalNumber(reported)), "run": run,
      "teachers": .array(teachers),
    ]
    return CanonicalJSON.bytes(of: document) + [UInt8(ascii: "\n")]
  }

  private static func absolute(_ path: String) -> String {
    URL(filePath: path).standardizedFileURL.path
  }

  /// What has been heard so far.
  private struct Session {
    let epochs: Int
    /// Epochs from the first on, without a hole, that are on disk: those of earlier attempts too.
    var reported: Int
    var lastEpoch = -1
    var step = 0
    var finished: TrainerLine.Finished?
    var failure: FailureRecord?
  }

  private static func take(_ text: String, _ session: inout Session, _ workspace: Workspace) throws {
    switch try TrainerLine(text) {
    case .talk(let text): FileHandle.standardError.write(Data("\(text)\n".utf8))
    case .epoch(let epoch):
      guard epoch.epoch > session.lastEpoch, epoch.epoch < session.epochs, epoch.step >= session.step else {
        throw TrainerProtocolError(
          line: text, expected: "epochs in ascending order below \(session.epochs), with steps that grow")
      }
      // A hole would leave out a best epoch, and nobody would know.
      guard epoch.epoch <= session.reported else {
        throw TrainerProtocolError(
          line: text, expected: "epoch \(session.reported) first, which nobody has reported yet")
      }
      (session.lastEpoch, session.step) = (epoch.epoch, epoch.step)
      try workspace.record(.epoch(epoch))
      session.reported = max(session.reported, epoch.epoch + 1)
    case .progress(let step, let steps, let loss):
      session.step = max(session.step, step)
      try workspace.report(
        WorkerProgress(
          epoch: session.lastEpoch + 1, epochs: session.epochs, step: step, steps: steps, loss: loss,
          imagesPerSecond: nil, cpuSeconds: 0, stepsHere: 0))
    case .finished(let finished): session.finished = finished
    case .failed(let failure): session.failure = failure
    }
  }
}

/// One line of a trainer's standard output.
enum TrainerLine: Hashable {
  struct Finished: Hashable {
    let metrics: Metrics
    /// In the trainer's folder, to be published.
    let files: [String]
  }

  case epoch(EpochRecord)
  case progress(step: Int, steps: Int, loss: Double?)
  case finished(Finished)
  case failed(FailureRecord)
  /// Anything that does not begin with a brace: for the log.
  case talk(String)

  init(_ text: String) throws(TrainerProtocolError) {
    guard text.hasPrefix("{") else {
      self = .talk(text)
      return
    }
    do {
      let object = try SpecObject(JSONReader.read(Array(text.utf8)).value)
      switch try object.string("record") {
      case "epoch":
        let (epoch, step) = (try object.integer("epoch"), try object.integer("step"))
        let metrics = try Metrics(object["metrics"] ?? .null, at: "metrics")
        // A trainer that cannot digest its state is compared by its numbers.
        let state =
          try object.optional("state", SpecObject.key) ?? ContentKey(hashing: metrics.canonicalBytes)
        self = .epoch(EpochRecord(epoch: epoch, step: step, metrics: metrics, state: state))
      case "progress":
        self = .progress(
          step: try object.integer("step"), steps: try object.integer("steps"),
          loss: object["loss"]?.number?.double)
      case "finished":
        let files = try (object.optional("files", SpecObject.array) ?? []).map { value in
          guard let name = value.string, TrainerSpec.isPlain(name), name != "metrics.json" else {
            throw SpecError(path: "files", expected: "names of files in the run's folder")
          }
          return name
        }
        guard Set(files).count == files.count else {
          throw SpecError(path: "files", expected: "different names")
        }
        self = .finished(
          Finished(metrics: try Metrics(object["metrics"] ?? .object([:]), at: "metrics"), files: files))
      case "failed":
        let cause =
          try object.optional("cause", SpecObject.string).flatMap(FailureRecord.Cause.init) ?? .other
        self = .failed(
          FailureRecord(
            cause: cause, reason: try object.string("reason"),
            epoch: try object.optional("epoch", SpecObject.integer),
            step: try object.optional("step", SpecObject.integer)))
      default: throw SpecError(path: "record", expected: "epoch, progress, finished or failed")
      }
    } catch {
      throw TrainerProtocolError(line: text, expected: "\(error)")
    }
  }
}

/// A line that begins like a record and is none.
struct TrainerProtocolError: Error, Hashable, CustomStringConvertible {
  let line: String
  let expected: String
  var description: String {
    "The trainer wrote \(line.prefix(200)): \(expected). docs/trainers.md describes its lines."
  }
}

/// A trainer that ended without a result.
struct TrainerEnded: Error, CustomStringConvertible {
  let command: [String]
  let end: JobEnd
  var description: String {
    "The trainer \(command.joined(separator: " ")) ended (\(end)) without having said \"finished\" or \"failed\"."
  }
}

/// What a trainer said of its own failure, which is a result.
struct TrainerFailed: Error { let failure: FailureRecord }

/// The trainer's process: it ends with this one, however this one ends.
private final class ExternalProcess {
  private let process = Process()
  private let output: Int32
  private var rest: [UInt8] = []
  private var isOver = false

  /// - Parameter request: what it finds on its standard input, which stays open behind it: its end means that nobody listens any more.
  init(_ command: [String], in folder: String, saying request: [UInt8]) throws {
    let (input, out) = (Pipe(), Pipe())
    // The kernel's signal at the death of the parent is the only one that reaches a program that knows nothing of us.
    let guarding = ["/usr/bin/setpriv", "/bin/setpriv"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = (guarding.map { [$0, "--pdeathsig", "KILL", "--"] } ?? []) + command
    process.currentDirectoryURL = URL(filePath: folder)
    (process.standardInput, process.standardOutput) = (input, out)
    process.standardError = FileHandle.standardError
    output = dup(out.fileHandleForReading.fileDescriptor)
    try process.run()
    do {
      try input.fileHandleForWriting.write(contentsOf: Data(request))
    } catch {
      // A trainer that ended before it read says so by its exit code.
    }
    keptOpen = input
  }

  private let keptOpen: Pipe

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    close(output)
  }

  func signal(_ number: Int32) { if process.isRunning { kill(process.processIdentifier, number) } }

  /// Whole lines that have come, waiting a while for the first; nil when the process has closed its output.
  func lines(within seconds: Double, longest: Int) -> [String]? {
    if isOver { return nil }
    var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&poll, 1, Int32(seconds * 1000)) > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(output, &buffer, buffer.count)
    if count < 0, errno == EINTR { return [] }
    var lines: [String] = []
    if count > 0 { rest += buffer[..<count] }
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: rest[..<end], as: UTF8.self))
      rest.removeSubrange(...end)
    }
    if count <= 0 || rest.count > longest {
      if !rest.isEmpty { lines.append(String(decoding: rest.prefix(longest), as: UTF8.self)) }
      rest = []
      isOver = count <= 0
    }
    return lines
  }

  func end() -> JobEnd {
    process.waitUntilExit()
    return process.terminationReason == .exit
      ? .exited(Int(process.terminationStatus)) : .killed(signal: Int(process.terminationStatus))
  }
}
