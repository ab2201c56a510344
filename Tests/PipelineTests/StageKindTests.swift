import Datasets
import Foundation
import Networks
import Specs
import Storage
import Synchronization
import Tensors
import Testing
import Training

@testable import Pipeline
@testable import Sweeps

/// Measures a finished student anew, twice: a kind of stage that takes a student as its input,
/// all of it in this place.
private struct ReevaluationStage: StageKind {
  static let kind = "reevaluation"
  static let role = StageRole.result
  static let revision = 1

  let run: RunSpec
  /// The dataset, then the student.
  var inputs: [ContentKey] { [DatasetStage(run.dataset).key, StudentStage(run).key] }
  func title(_ names: WrittenNames) -> String { "reevaluation of \(StudentStage(run).title(names))" }

  init(_ run: RunSpec) { self.run = run }
  init(_ json: JSONValue, at path: String) throws(SpecError) { run = try RunSpec(json, at: path) }
  func append(to bytes: inout [UInt8]) { run.append(to: &bytes) }

  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? {
    StageCost(
      multiplyAdds: 2 * Double(try meter.student(run).own), topics: [Self.kind, Forecast.topic], diskBytes: 0)
  }

  func run(in workspace: Workspace) throws {
    let first = try workspace.stage.newestSnapshot().snapshot?.step ?? 0
    try workspace.record(.started(step: first, ProgramIdentity.provenance()))
    let dataset = try DatasetBody.dataset(inputs[0], in: workspace)
    let built = try BuiltNetwork(run.student, dataset.task)
    var state = ModelState(unfilled: built.declarations)
    let weights = try workspace.input(inputs[1], TrainingBody.finalFile)
    try state.load(Safetensors(decoding: weights))
    var accuracy = 0.0
    for epoch in first..<2 {
      let evaluation = try Evaluation(
        built.network, state, on: DatasetBatches(dataset, batchSize: 4, seed: 0))
      accuracy = evaluation.accuracy
      try workspace.record(
        .epoch(
          EpochRecord(
            epoch: epoch, step: epoch + 1, metrics: Metrics(["test.acc1": accuracy]),
            state: ContentKey(hashing: weights))))
      try workspace.write(Storage.Snapshot(step: epoch + 1, bytes: [UInt8(epoch)]))
      try workspace.report(
        WorkerProgress(
          epoch: epoch, epochs: 2, step: epoch + 1, steps: 2, loss: nil, imagesPerSecond: 1, cpuSeconds: 0,
          stepsHere: epoch + 1))
      if workspace.isStopRequested { throw WorkerStopped() }
    }
    try workspace.publish(
      [("accuracy.txt", Array("\(accuracy)\n".utf8))], Metrics(["test.acc1": accuracy, "steps": 2]))
  }
}

/// Kinds of stages know everything about themselves; nothing else knows one of them.
@Suite struct StageKindTests {
  /// Two seeds of a student alone.
  private static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": {
        "dataset": "synthetic-1x8x8-2", "trainImages": 12, "testImages": 6, "batchSize": 4, "epochs": 2,
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 2] }, "method": "baseline"
      },
      "seeds": { "count": 2 }
    }
    """

  /// A trunk that is put into a detector.
  private static let transfer = """
    {
      "version": 1, "name": "shapes",
      "base": {
        "dataset": "synthetic-3x32x32-4", "student": "resnet18", "method": "baseline", "epochs": 1,
        "transfer": {
          "dataset": "synthetic-shapes-64x64-3", "trainImages": 8, "testImages": 4, "recipe": "mini-det",
          "detector": "faster-rcnn"
        }
      }
    }
    """

  /// The sweep's students with a reevaluation of the first.
  private static func reevaluating(_ sweep: inout PlannedSweep) -> StageRequest {
    let request = StageRequest(ReevaluationStage(sweep.expansion.runs[0].spec))
    let plan = sweep.plan
    sweep.plan = SweepPlan(stages: plan.stages + [request], runKeys: plan.runKeys, records: plan.records)
    return request
  }

  @Test func `every stage of a plan has an entry of its role in the catalog, which reads it back`() throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"epochs\": 2", with: "\"epochs\": 2, \"views\": 1"))
    let stages = try sweep.plan().plan.stages + InProcessSweep(Self.transfer).plan().plan.stages
    #expect(Set(stages.map(\.kind)) == Set(Catalog.stageKinds.names))
    for request in stages {
      let kind = try Catalog.stageKinds.entry(request.kind)
      // A student whose backbone is put to another task is preparation there.
      let isTrunk = kind.kind == StudentStage.kind && request.role == .preparation
      #expect((kind.role == request.role || isTrunk) && kind.revision == request.revision)
      let read = try StageRequest(document: request.document).stage
      #expect(read.key == request.key && read.inputs == request.inputs)
      #expect(!read.title.isEmpty && read.title != request.kind)
    }
    #expect(Set(Catalog.stageKinds.names).count == Catalog.stageKinds.entries.count)
  }

  @Test func `a stage that takes a student is one file: planned, run, verified, put right and tidied`()
    async throws
  {
    var extensions = Extensions()
    try extensions.add(ReevaluationStage.self)
    try await extensions.use {
      let sweep = try InProcessSweep(Self.grid)
      var planned = try sweep.plan()
      let request = Self.reevaluating(&planned)
      let student = planned.plan.runKeys[0]
      #expect(planned.plan.stages.last?.role == .result && request.inputs.last == student)

      // Run after its student, and again from its snapshot where it was killed.
      let attempts = Mutex(0)
      let outcome = try await sweep.run(
        InProcessExecutor { attempt, workspace in
          guard workspace.stage.key == request.key else { return nil }
          attempts.withLock { $0 += 1 }
          if attempt == 1 { workspace.afterStep = { throw Killed() } }
          return nil
        }, changing: { _ = Self.reevaluating(&$0) })
      #expect(outcome == .allDone)
      #expect(attempts.withLock { $0 } == 2)
      let store = try ResultStore(at: sweep.place, .reading)
      let run = try #require(try store.run(of: request.key))
      #expect(run.state == .finished && run.epochs.map(\.epoch) == [0, 1])
      let measured = try store.metrics(of: student)
      #expect(run.totals["test.acc1"] == measured["test.acc1"])
      #expect(run.stage.title.hasPrefix("reevaluation of cifar_resnet("))

      // Executed again to the same bits, from the student that the store keeps.
      try sweep.place.stage(student).remove()
      let verifier = try Verifier(sweep.place, store, executor: InProcessExecutor(), dataFolders: [])
      let (verdict, _) = try await verifier.verify(request.key)
      try verifier.end()
      guard case .equal(let epochs, _) = verdict else { throw NotEqual(verdict: verdict) }
      #expect(epochs == 2)

      // Needed anew, it finds its student put back, not trained again.
      try await tidied(sweep, request, student)
    }
  }

  private func tidied(_ sweep: InProcessSweep, _ request: StageRequest, _ student: ContentKey) async throws {
    do {
      let writable = try ResultStore(at: sweep.place, .writing)
      let garbage = try StoreUpkeep.garbage(sweep.place, writable, withFolders: false)
      #expect(garbage.map(\.key) == [request.key], "no sweep of the store reaches it")
      try StoreUpkeep.remove(garbage, sweep.place, writable)
      #expect(try writable.run(of: request.key) == nil)
      #expect(try !sweep.place.stageKeys().contains(request.key))
    }
    let trained = Mutex<[ContentKey]>([])
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        trained.withLock { $0.append(workspace.stage.key) }
        return nil
      }, changing: { _ = Self.reevaluating(&$0) })
    #expect(outcome == .allDone)
    #expect(trained.withLock { $0 } == [request.key])
    #expect(sweep.place.stage(student).isPublished)
  }

  @Test
  func `a stage of a kind that this program does not know is nobody's to make, and is called by its kind`()
    throws
  {
    let request = StageRequest(ReevaluationStage(try InProcessSweep(Self.grid).plan().expansion.runs[0].spec))
    let read = try StageRequest(document: request.document)
    #expect(read.key == request.key && read.title == "reevaluation" && read.importedWeights.isEmpty)
    #expect(throws: UnknownName.self) { try read.stage }
  }
}

private struct NotEqual: Error { let verdict: VerificationOutcome }
