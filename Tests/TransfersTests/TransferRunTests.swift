import Datasets
import Networks
import Specs
import Testing
import Transfers

@Suite struct TransferRunTests {
  static func spec(_ head: String, _ given: [String: JSONValue] = [:]) -> TransferSpec {
    let task = TransferTask.detection.heads.contains(head) ? TransferTask.detection : .segmentation
    let dataset = DatasetSpec(name: "synthetic-shapes-32x32-3", trainImages: 6, testImages: 2)
    let recipe = TransferRecipes.recipe(task == .detection ? "mini-det" : "mini-seg")!
    var given = given
    if task == .detection {
      given.merge(["epochs": 2, "fpnWidth": 8, "hidden": 16, "maskWidth": 8, "roiSample": 16]) { own, _ in own
      }
    } else {
      given.merge(["steps": 4, "batchSize": 4, "lossGroup": 2, "width": 8, "poolWidth": 8]) { own, _ in own }
    }
    return TransferSpec(
      task: task, head: head, dataset: dataset,
      fields: TransferRecipes.resolved(recipe, head: head, dataset: dataset.name, given: given))
  }

  static func run(_ spec: TransferSpec, seed: Int = 1) throws -> TransferRun {
    let trunk = try Trunk(random: NetworkNames.spec("resnet18"), seed: 7)
    return try TransferRun(spec, on: trunk, AnnotatedCatalog.open(spec.dataset), seed: seed)
  }

  @Test(arguments: TransferTask.allCases.flatMap(\.heads))
  func `a run that goes on from a snapshot ends in the same bits`(_ head: String) throws {
    let spec = Self.spec(head)
    var whole = try Self.run(spec)
    var part = try Self.run(spec)
    var first: [EpochRecord] = []
    while let report = try whole.step() { if let record = report.finished { first.append(record) } }
    for _ in 0..<3 { _ = try part.step() }
    var again = try Self.run(spec)
    try again.restore(from: Snapshot(decoding: part.snapshot.encoded()))
    var second: [EpochRecord] = []
    while let report = try again.step() { if let record = report.finished { second.append(record) } }
    #expect(first.count == (spec.task == .detection ? 2 : 4))
    #expect(first.last == second.last)
    #expect(whole.snapshot.encoded() == again.snapshot.encoded())
    #expect(try whole.prediction(1) == again.prediction(1))
  }
}
