internal import Foundation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps

/// What a worker was asked to leave for.
struct WorkerStopped: Error {}

/// A snapshot that was written under other arithmetic than this machine's: going on from it
/// gives the bits of neither.
struct OtherProfile: Error, Equatable, CustomStringConvertible {
  let snapshot: String
  let here: String

  var description: String {
    "Its snapshot was written under the numerics profile '\(snapshot)' and this machine has '\(here)'. Go "
      + "on where it was written, or with `run --allow-other-profile`: then the result is recorded as of "
      + "both and is not bit-exact."
  }
}

/// An input of a stage that is not there, or is not what it should be.
struct MissingInput: Error, CustomStringConvertible {
  let key: ContentKey
  var description: String {
    "The stage \(key.short) has no output yet. Run the sweep again: it makes what is missing."
  }
}

/// A stage's place in the store: its inputs, its attempt's files, and the wish to stop. `StageKind.run(in:)`
/// is handed one.
public final class Workspace {
  /// The longest that a kill may cost.
  private static let snapshotSeconds = 60.0
  private static let progressSeconds = 0.5

  let store: StoreFolder
  let stage: StageFolder
  let attempt: AttemptFolder
  /// A folder of datasets' files, where a grid named one.
  let dataFolder: String?
  /// Whether teachers are asked even where their outputs were written down.
  let asksTeachers: Bool
  /// The attempt's log, where the process's standard error is the log of another attempt.
  var ownLog: String?
  private let records: RecordWriter
  private let stop: StopSignal
  private let started = Workspace.now
  private var lastSnapshot = Workspace.now
  private var lastProgress = -Double.infinity
  /// Whether a run may go on from a snapshot of another numerics profile.
  let allowsOtherProfile: Bool
  /// Of how many of the newest epochs a trainer's weights are kept.
  let keepsWeights: Int
  /// For tests: called after every step of a run.
  var afterStep: () throws -> Void = {}

  init(
    store: StoreFolder, stage: StageFolder, attempt: AttemptFolder, dataFolder: String?,
    asksTeachers: Bool = false, allowsOtherProfile: Bool = false, keepsWeights: Int = 1,
    stop: StopSignal
  ) throws {
    self.store = store
    self.stage = stage
    self.attempt = attempt
    self.dataFolder = dataFolder
    self.stop = stop
    self.asksTeachers = asksTeachers
    self.allowsOtherProfile = allowsOtherProfile
    self.keepsWeights = keepsWeights
    records = try RecordWriter(attempt.records)
  }

  /// Seconds of a clock that nobody sets; for intervals only.
  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// Whether somebody asked for an end: a long stage looks now and then, and leaves by `leaveIfAsked`.
  public var isStopRequested: Bool { stop.isRequested }

  func requestStop() { stop.request() }

  /// - Throws: `OtherProfile`
  func checkProfile() throws {
    let here = ProgramIdentity.profile
    if allowsOtherProfile { return }
    if let other = try stage.profilesOfSnapshots().last(where: { $0 != here }) {
      throw OtherProfile(snapshot: other, here: here)
    }
  }

  /// One file of an input's output, compared with its digest.
  func input(_ key: ContentKey, _ name: String) throws -> [UInt8] {
    guard let output = try store.stage(key).published() else { throw MissingInput(key: key) }
    return try output.read(name)
  }

  /// Epochs and endings are synced: what was reported is there after a loss of power. A start alone is no
  /// report; it is synced with whatever follows it.
  ///
  /// - Parameter isFollowed: whether something comes at once with which this one is synced.
  func record(_ record: RunRecord, isFollowed: Bool = false) throws {
    if case .started = record { return try records.append(record, sync: false) }
    try records.append(record, sync: !isFollowed)
    // Nothing comes after it that would sync the folders on the way to it.
    if case .failed = record { try stage.keep(attempt) }
  }

  /// Whether enough time has passed since the last snapshot that losing it would hurt.
  var isSnapshotDue: Bool { Self.now - lastSnapshot >= Self.snapshotSeconds }

  func write(_ snapshot: Storage.Snapshot) throws {
    // Who goes on from it asks the records under which arithmetic it was made.
    try records.sync()
    try attempt.snapshots.write(snapshot)
    lastSnapshot = Self.now
  }

  func writeBest(_ state: Storage.Snapshot) throws { try attempt.snapshots.writeBest(state) }

  /// Tells the coordinator where the run stands, about twice a second.
  func report(_ progress: @autoclosure () -> WorkerProgress, always: Bool = false) throws {
    try afterStep()
    guard always || Self.now - lastProgress >= Self.progressSeconds else { return }
    lastProgress = Self.now
    try AtomicFile.replace(progress().canonicalBytes, at: WorkerProgress.path(in: attempt))
  }

  /// Makes the attempt's files the stage's output, all or nothing, and says so just before: whoever
  /// finds an output finds its numbers too, and a record of an end without an output is a worker that
  /// was killed between the two.
  ///
  /// - Parameter metrics: of the whole stage.
  func publish(_ files: [(name: String, bytes: [UInt8])], _ metrics: Metrics) throws {
    try attempt.prepareOutput(files)
    try record(.finished(metrics: metrics), isFollowed: true)
    try publish()
  }

  /// Makes the attempt's finished parts and some more files the stage's output; the parts of all attempts go.
  ///
  /// - Parameter metrics: of the whole stage, from the bytes of its output.
  func publish(
    parts: [String], and files: [(name: String, bytes: [UInt8])], _ metrics: (_ bytes: Int) -> Metrics
  ) throws {
    try attempt.prepareOutput(parts: parts, and: files)
    try record(.finished(metrics: metrics(attempt.outputBytes)), isFollowed: true)
    try publish()
    for attempt in try stage.attempts() { try attempt.removeParts() }
  }

  private func publish() throws {
    try stage.publish(attempt)
    // A snapshot that stays takes room and does no harm.
    try? stage.dropSnapshots(after: attempt)
  }

  /// Writes a line into the attempt's log.
  public func note(_ text: String) {
    guard let ownLog else { return Self.say(text) }
    // What cannot be said there is said where the process says the rest.
    do { try AttemptLog(ownLog).append(text) } catch { Self.say(text) }
  }

  /// Standard error of a worker is its attempt's log.
  static func say(_ text: String) { WorkerLog.say(text) }

  /// Wall seconds since the worker began.
  var elapsed: Double { Self.now - started }
}

/// Where a worker stands: a small file that it rewrites.
struct WorkerProgress: CanonicallyEncodable {
  var epoch: Int
  var epochs: Int
  var step: Int
  var steps: Int
  var loss: Double?
  var imagesPerSecond: Double?
  /// CPU seconds of the worker and steps of this attempt so far, from which forecasts learn.
  var cpuSeconds: Double
  var stepsHere: Int
  /// The part of `cpuSeconds` in which teachers were asked; nil for none.
  var teachingSeconds: Double?
  /// The most memory that the worker has held.
  var peakBytes: Int?
  /// Sentences that people should hear once; those of before come first.
  var notes: [String] = []

  static func path(in attempt: AttemptFolder) -> String { "\(attempt.path)/progress.json" }

  init(
    epoch: Int, epochs: Int, step: Int, steps: Int, loss: Double?, imagesPerSecond: Double?,
    cpuSeconds: Double,
    stepsHere: Int
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.steps = steps
    self.loss = loss
    self.imagesPerSecond = imagesPerSecond
    self.cpuSeconds = cpuSeconds
    self.stepsHere = stepsHere
    peakBytes = Self.peakBytes()
  }

  func append(to bytes: inout [UInt8]) {
    func number(_ value: Double?) -> JSONValue? { value.flatMap { DecimalNumber($0) }.map { .number($0) } }
    var object = ObjectWriter(to: &bytes)
    object.member("cpuSeconds", number(cpuSeconds), to: &bytes)
    object.member("epoch", epoch, to: &bytes)
    object.member("epochs", epochs, to: &bytes)
    object.member("imagesPerSecond", number(imagesPerSecond), to: &bytes)
    object.member("loss", number(loss), to: &bytes)
    object.member("notes", notes.isEmpty ? nil : .array(notes.map { .string($0) }), to: &bytes)
    object.member("peakBytes", peakBytes.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.member("step", step, to: &bytes)
    object.member("steps", steps, to: &bytes)
    object.member("stepsHere", stepsHere, to: &bytes)
    object.member("teachingSeconds", number(teachingSeconds), to: &bytes)
    object.end(&bytes)
  }

  init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      epoch: try object.integer("epoch"), epochs: try object.integer("epochs"),
      step: try object.integer("step"),
      steps: try object.integer("steps"), loss: object["loss"]?.number?.double,
      imagesPerSecond: object["imagesPerSecond"]?.number?.double,
      cpuSeconds: try object.number("cpuSeconds").double,
      stepsHere: try object.integer("stepsHere"))
    teachingSeconds = object["teachingSeconds"]?.number?.double
    peakBytes = object["peakBytes"]?.integer
    notes = (try object.optional("notes", SpecObject.array) ?? []).compactMap(\.string)
  }

  /// Of this process.
  static func peakBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// Of an attempt; nil before its worker has said anything.
  init?(of attempt: AttemptFolder) {
    guard let bytes = try? AtomicFile.read(Self.path(in: attempt)),
      let json = try? JSONReader.read(bytes).value,
      let progress = try? WorkerProgress(json, at: "")
    else { return nil }
    self = progress
  }
}
