import Distillation
import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// Attention transfer against NumPy: `Tests/Fixtures/attention-transfer/make.py`.
@Suite struct AttentionTransferTests {
  static let cases: [Value] = {
    let file = Fixtures.committed.appending(path: "attention-transfer/cases.json")
    do { return Value(try JSONReader.read(Array(Data(contentsOf: file))).value)["cases"].list } catch {
      fatalError("\(file.path): \(error)")
    }
  }()

  private static func tensor(_ value: Value) -> Tensor {
    Tensor(value["values"].flat, Shape(value["shape"].ints), .double)
  }

  private static func expect(_ got: Tensor, _ want: Tensor, _ what: String) {
    #expect(got.shape == want.shape, "\(what)")
    for (index, (a, b)) in zip(got.doubles, want.doubles).enumerated() {
      // Both are in double; 1e-9 of a gradient's size leaves room for sums in another order.
      #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(what)[\(index)]: \(a) for \(b)")
    }
  }

  @Test func `there are cases of one and of three teachers`() {
    #expect(Set(Self.cases.map { $0["teachers"].list.count }) == [1, 3])
  }

  @Test(arguments: cases.indices)
  func `loss and gradient equal NumPy's`(_ index: Int) throws {
    let truth = Self.cases[index]
    let logits = Self.tensor(truth["logits"]).leaf()
    let stages = truth["student"].list.map { Self.tensor($0).leaf() }
    let teachers = truth["teachers"].list.map { $0.list.map(Self.tensor) }
    func activations(_ maps: [Tensor], _ logits: Tensor) -> Activations {
      Activations(maps: maps, embedding: maps[maps.count - 1].globalAveragePool(), logits: logits)
    }
    let options = try MethodOptions(
      ["attentionBeta": .number(DecimalNumber(Int(truth["beta"].double)))], AttentionKD.description)
    let method = AttentionKD(
      options, .small(teachers: teachers.count, classes: logits.shape[1], precision: .double))
    let batch = DistillationBatch(
      samples: Array(0..<logits.shape[0]),
      targets: ClassTargets(truth["labels"].ints, classes: logits.shape[1]),
      student: activations(stages, logits),
      teachers: teachers.map { activations($0, .zeros(logits.shape, .double)) }, epoch: 0, index: 0)
    let loss = method.loss(of: batch, Pass(ModelState([], seed: 1, precision: .double), .training))

    let want = truth["loss"].double
    #expect(abs(loss.total.scalar - want) <= 1e-9 * max(1, abs(want)))
    let distances = try #require(loss.details.distance)
    Self.expect(distances, Tensor(truth["distances"].flat, distances.shape, .double), "distances")
    let gradients = loss.total.gradients()
    Self.expect(
      try #require(gradients[logits]), Self.tensor(truth["logitGradient"]), "gradient of the logits")
    for (place, stage) in stages.enumerated() {
      let got = gradients[stage] ?? .zeros(stage.shape, .double)
      Self.expect(got, Self.tensor(truth["gradients"].list[place]), "gradient of stage \(place + 1)")
    }
  }

  @Test func `stages are paired from the last one backwards`() {
    func maps(_ sizes: [Int]) -> [Tensor] {
      sizes.map { size in
        var stream = RandomStream(seed: 4, "maps", size)
        return Tensor((0..<(2 * size * size)).map { _ in stream.normal() }, [1, 2, size, size], .double)
      }
    }
    let same = AttentionTransfer.distances(student: maps([4, 2]), teacher: maps([8, 4, 2]))
    #expect(same.doubles == [0])
    let other = AttentionTransfer.distances(student: maps([4, 2]), teacher: maps([4, 2, 1]))
    #expect(other.doubles[0] > 1e-3)
  }
}
