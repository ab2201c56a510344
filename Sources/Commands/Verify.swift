import ArgumentParser
import Foundation
import Pipeline
import Specs
import Storage
import Sweeps

/// `mtkd-sweep verify`: executes finished runs again and compares every bit.
struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Execute finished runs again from their recorded inputs and compare every epoch, bit for bit.",
    discussion: """
      Exit code 0 where all bits agree, 3 where some differ, 4 where a run cannot be compared: other numerics, missing inputs, not finished.
      The outcome of each run is recorded as its seal as soon as it is known, so the store is held meanwhile. After an interruption, --resume
      passes over runs that this program has sealed.
      """)

  @OptionGroup var location: StoreLocation
  @OptionGroup var data: DataFolders

  @Argument(help: ArgumentHelp("Run keys or unique prefixes.", valueName: "run"))
  var keys: [String] = []

  @Flag(help: "Every finished run of the store, and every teacher.")
  var all = false

  @Option(help: ArgumentHelp("Verify N finished runs; the sample is reproducible.", valueName: "n"))
  var sample: Int?

  @Flag(help: "Pass over runs whose newest seal says that this very program came to the same bits.")
  var resume = false

  @Flag(
    help: "Read cached outputs of teachers instead of asking the teachers: much faster, and trusts more.")
  var readOutputs = false

  @Option(help: "How many runs are executed at a time, one thread each.")
  var workers = 1

  @Flag(help: "JSON on standard output.")
  var json = false

  func validate() throws {
    guard workers >= 1 else { throw ValidationError("--workers is 1 or more.") }
    guard [!keys.isEmpty, all, sample != nil].count(where: \.self) == 1 else {
      throw ValidationError("Name runs, or say --all or --sample N.")
    }
    if let sample, sample < 1 { throw ValidationError("--sample is 1 or more.") }
  }

  func run() async throws {
    // What is wrong with the command is said before anything is held.
    let readable = try location.open()
    let chosen = try stages(readable)
    try readable.close()
    guard ProgramIdentity.executable != nil else {
      throw NothingThere(description: "Cannot tell which file this program is: /proc is not mounted.")
    }
    let lease = try location.lease()
    let store = try ResultStore(at: location.folder, .writing)
    try store.claim()
    let report = VerificationReport(try open(chosen, store), store, isForMachines: json)
    try await verify(report, store)
    try store.release()
    withExtendedLifetime(lease) {}
    if json {
      Out.put(Commands.json(["schema": "mtkd-sweep-verify-1", "runs": .array(report.rows)]))
    }
    if report.different > 0 { throw ExitCode(.different) }
    if report.incomparable > 0 { throw ExitCode(.notComparable) }
  }

  private struct Verified: Sendable {
    let place: Int
    let outcome: VerificationOutcome
    let by: Provenance?
  }

  /// Executes the runs and reports them in their order, whoever is ready first.
  private func verify(_ report: VerificationReport, _ store: ResultStore) async throws {
    let own = "/proc/\(getpid())/exe"
    let verifier = try Verifier(
      location.folder.absolute, store,
      executor: LocalProcesses(executable: own, environment: ProgramIdentity.environment(of: own)),
      dataFolders: data.folders, readsOutputs: readOutputs)
    defer { try? verifier.end() }
    try await withThrowingTaskGroup(of: Verified.self) { group in
      var (ready, said): ([Int: Verified], Int) = ([:], 0)
      func take(_ verified: Verified) throws {
        try report.seal(verified.place, verified.outcome, verified.by)
        ready[verified.place] = verified
        while let next = ready.removeValue(forKey: said) {
          report.say(said, next.outcome)
          said += 1
        }
      }
      for (place, stage) in report.stages.enumerated() {
        if place >= workers, let verified = try await group.next() { try take(verified) }
        group.addTask {
          let (outcome, by) = try await verifier.verify(stage.key)
          return Verified(place: place, outcome: outcome, by: by)
        }
      }
      while let verified = try await group.next() { try take(verified) }
    }
  }

  private func stages(_ store: ResultStore) throws -> [StageRecord] {
    if !keys.isEmpty { return try keys.map { try location.stage($0, in: store).stage } }
    let trained = try store.stages().filter { stage, state in
      state == .finished && (stage.isResult || all && stage.hasCheckpoints)
    }.map(\.stage)
    guard let sample, sample < trained.count else { return trained }
    // Keys are digests, so that every n-th of their order is a sample without a pattern.
    return (0..<sample).map { trained[$0 * trained.count / sample] }
  }

  /// Those that are left to do.
  private func open(_ stages: [StageRecord], _ store: ResultStore) throws -> [StageRecord] {
    guard resume else { return stages }
    let seals = try store.seals()
    let own = ProgramIdentity.provenance().program
    let left = stages.filter { stage in
      guard let seal = seals[stage.key] else { return true }
      return !seal.isEqual || own == nil || seal.provenance.program != own
    }
    if left.count < stages.count, !json {
      Talk.say("\(count(stages.count - left.count, "run")) sealed by this program already.")
    }
    return left
  }
}

/// What verifications came to: lines or JSON, seals, counts.
private final class VerificationReport {
  let stages: [StageRecord]
  private let store: ResultStore
  private let isForMachines: Bool
  private(set) var rows: [JSONValue] = []
  private(set) var different = 0
  private(set) var incomparable = 0

  init(_ stages: [StageRecord], _ store: ResultStore, isForMachines: Bool) {
    self.stages = stages
    self.store = store
    self.isForMachines = isForMachines
  }

  /// Records an outcome at once: an interruption loses none.
  func seal(_ place: Int, _ outcome: VerificationOutcome, _ by: Provenance?) throws {
    guard let by else { return }
    let (isEqual, epochs): (Bool, Int)
    switch outcome {
    case .equal(let compared, _): (isEqual, epochs) = (true, compared)
    case .different(let difference): (isEqual, epochs) = (false, difference.epochsCompared)
    case .notComparable: return
    }
    let now = Int(Date.now.timeIntervalSince1970)
    try store.seal(
      stages[place].key, Seal(at: now, isEqual: isEqual, epochs: epochs, provenance: by))
  }

  func say(_ place: Int, _ outcome: VerificationOutcome) {
    let stage = stages[place]
    let verdict: (word: String, text: String)
    switch outcome {
    case .equal(let epochs, let checkpoints):
      let states = checkpoints == 0 ? "; the store keeps no checkpoint of it" : " and all checkpoints"
      verdict = ("equal", count(epochs, "epoch") + states)
    case .different(let difference):
      different += 1
      let epoch = difference.epoch.map { "first in epoch \($0 + 1): " } ?? ""
      let why =
        difference.circumstances.isEmpty
        ? "same program, CPU and kernels" : difference.circumstances.joined(separator: "; ")
      verdict = ("different", "\(epoch)\(difference.what) (\(why))")
    case .notComparable(let reason):
      incomparable += 1
      verdict = ("not comparable", reason)
    }
    rows.append([
      "key": .string(stage.key.description), "title": .string(stage.title),
      "outcome": .string(verdict.word), "detail": .string(verdict.text),
    ])
    if !isForMachines {
      Out.put(
        "\(place + 1)/\(stages.count)  \(stage.key.short)  \(verdict.word)  \(stage.title): \(verdict.text)\n"
      )
    }
  }
}
