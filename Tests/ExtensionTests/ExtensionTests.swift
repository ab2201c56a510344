import Datasets
import Distillation
import Foundation
import Networks
import Pipeline
import Reports
import Results
import Specs
import Sweeps
import Tensors
import Testing
import Training

/// A program that adds one entry to each catalog, each in one file, by public declarations alone. This
/// target cannot see any other: `packageAccess` is false, and nothing is imported `@testable`.
@Suite struct ExtensionTests {
  // The network

  @Test func `the network has its taps, a gradient for every parameter, and weights that come back`() throws {
    try MySweep.extensions().use {
      let spec = ModelSpec(family: "plain", parameters: ["widths": [4, 6]])
      let built = try BuiltNetwork(spec, ImageTask(channels: 1, height: 8, width: 8, classes: 3))
      let state = built.state(seed: 7)
      var stream = RandomStream(seed: 1, "images")
      let images = Tensor((0..<128).map { _ in stream.normal() }, [2, 1, 8, 8])

      let pass = Pass(state, .training)
      let output = built.network(images, pass)
      #expect(output.stages.map(\.shape) == [[2, 4, 8, 8], [2, 6, 4, 4]])
      #expect(output.embedding.shape == [2, 6] && output.logits.shape == [2, 3])
      let gradients = pass.gradients(of: output.logits.crossEntropy(labels: [0, 2]).mean())
      for slot in state.parameters {
        let place = try #require(state.slots.firstIndex(of: slot))
        #expect(gradients[place]?.l2Norm ?? 0 > 0, "\(state.path(of: slot))")
      }

      var other = built.state(seed: 8)
      try other.load(Safetensors(decoding: state.stateDictionary.encoded()))
      let again = built.network(images, Pass(other, .inference)).logits.doubles
      #expect(again == built.network(images, Pass(state, .inference)).logits.doubles)
      #expect(throws: InvalidNetwork.self) {
        try BuiltNetwork(spec, ImageTask(channels: 1, height: 2, width: 2, classes: 3))
      }
    }
  }

  // The method

  @Test func `the method's loss and its gradient are those of its formula`() throws {
    let options = try MethodOptions(["mapWeight": 3], FirstStageKD.description)
    var method = FirstStageKD(
      options,
      MethodContext(
        scope: Scope(), student: ActivationShape(map: [2, 4, 4], embedding: 2),
        teachers: [ActivationShape(map: [3, 4, 4], embedding: 3)], heads: [], classMeans: { [] }, classes: 2,
        epochs: 1, batchSize: 2, seed: 0, precision: .double))
    var stream = RandomStream(seed: 2, "maps")
    let values = (0..<64).map { _ in stream.normal() }
    let others = (0..<96).map { _ in stream.normal() }
    let logits = Tensor([1, 0, -1, 2], [2, 2], .double)

    func total(_ map: Tensor) -> (Tensor, MethodLoss) {
      let student = Activations(maps: [map], embedding: map.globalAveragePool(), logits: logits)
      let teacher = Tensor(others, [2, 3, 4, 4], .double)
      let batch = DistillationBatch(
        samples: [0, 1], targets: ClassTargets([0, 1], classes: 2), student: student,
        teachers: [Activations(maps: [teacher], embedding: teacher.globalAveragePool(), logits: logits)],
        epoch: 0, index: 0)
      let loss = method.loss(of: batch, Pass(ModelState([], seed: 0), .training))
      return (loss.total, loss)
    }
    // By hand: 4 × 4 maps stay as they are, so P is the mean over channels.
    var feature = 0.0
    for sample in 0..<2 {
      for place in 0..<16 {
        let own = (values[sample * 32 + place] + values[sample * 32 + 16 + place]) / 2
        let theirs = (0..<3).map { others[sample * 48 + $0 * 16 + place] }.reduce(0, +) / 3
        feature += (own - theirs) * (own - theirs) / 32
      }
    }
    let task = (log(1 + exp(-1.0)) + log(1 + exp(-3.0))) / 2
    let leaf = Tensor(values, [2, 2, 4, 4], .double).leaf()
    let (sum, loss) = total(leaf)
    #expect(abs((loss.feature ?? 0) - feature) < 1e-12 && abs(loss.task - task) < 1e-12)
    #expect(abs(sum.scalar - task - 3 * feature) < 1e-12)
    let gradient = try #require(sum.gradients()[leaf]).doubles
    for place in [0, 17, 40, 63] {
      var (up, down) = (values, values)
      up[place] += 1e-5
      down[place] -= 1e-5
      let difference =
        total(Tensor(up, [2, 2, 4, 4], .double)).0.scalar
        - total(Tensor(down, [2, 2, 4, 4], .double)).0.scalar
      // A central difference of a quadratic is exact but for rounding, which 1e-5 magnifies.
      #expect(abs(gradient[place] - difference / 2e-5) < 1e-9)
    }
  }

  // The table format

  @Test func `the table format renders and escapes`() {
    let sheet = Sheet(
      title: "t", head: ["a_b", "n"], rows: [["#x", Sheet.Entry("1", .best)], ["y", "2"]])
    #expect(
      TypstTable.render(sheet, style: TextStyle()) == """
        #table(
          columns: 2,
          table.header([a\\_b], [n]),
          [\\#x], [*1*],
          [y], [2],
        )

        """)
  }

  // Names

  @Test func `a second meaning of a name is refused`() throws {
    var extensions = try MySweep.extensions()
    func refuses(_ kind: String, _ name: String, _ add: (inout Extensions) throws -> Void) {
      #expect(throws: ExtensionError.nameTaken(kind: kind, name: name)) { try add(&extensions) }
    }
    refuses("network family", "plain") { try $0.add(PlainFamily.self) }
    refuses("method", "first-stage") { try $0.add(FirstStageKD.self) }
    refuses("dataset", "stripes") { try $0.add(Stripes()) }
    refuses("table format", "typst") { try $0.add(TypstTable.self) }
    refuses("executor", "in-this-process") { try $0.add(.inThisProcess) }
    refuses("metric", "brier") { try $0.add(BrierScore.self) }
    refuses("metric", "loss") { try $0.add(SecondLoss.self) }
    refuses("kind of stage", "weight-norm") { try $0.add(WeightNormStage.self) }
    refuses("executor", "local") {
      try $0.add(ExecutorDescription(name: "local", help: "") { _ in .workers(InThisProcess(), count: 1) })
    }
    #expect(throws: ExtensionError.settingTaken(name: "normOrder", owner: "the list of common settings")) {
      try extensions.add(.normOrder)
    }
    #expect(throws: ExtensionError.settingTaken(name: "mapWeight", owner: "first-stage")) {
      try extensions.add(
        SettingDescription("mapWeight", .flag, default: .value(false), place: .recipe, sentence: "Another."))
    }
    #expect(throws: ExtensionError.notOfRecipe(setting: "colour")) {
      try extensions.add(
        SettingDescription("colour", .flag, default: .value(false), place: .run, sentence: "Of nobody."))
    }
  }

  /// A metric under the name of one that the task has.
  private struct SecondLoss: EvaluationMetric {
    static let description = MetricDescription("loss")
    mutating func add(_ outputs: Tensor, _ targets: any Targets) {}
    var value: Double { 0 }
  }
}
