import Distillation
import Networks
import Specs
import Tensors
import Testing

@Suite struct NonfiniteSampleTests {
  private func activations(_ embedding: [Double], _ logits: [Double]) -> Activations {
    let count = embedding.count
    return Activations(
      maps: [Tensor(embedding.map { $0.isNaN ? 1 : $0 }, [count, 1, 1, 1], .double)],
      embedding: Tensor(embedding, [count, 1], .double), logits: Tensor(logits, [count, 2], .double))
  }

  @Test(arguments: Catalog.agents.names)
  func `a sample whose state is no number is counted and not learned from`(_ agent: String) throws {
    let scope = Scope()
    var method = try MTKDRL(
      try MethodOptions(["policy": .string(agent)], MTKDRL.description),
      .small(scope: scope, teachers: 2, classes: 2, precision: .double))
    let state = ModelState(scope.declarations, seed: 1, precision: .double)
    let batch = DistillationBatch(
      samples: [0, 1, 2], targets: ClassTargets([0, 1, 0], classes: 2),
      student: activations([0.2, 0.5, 0.9], [1, 0, 0, 1, 2, 1]),
      teachers: [
        activations([1, .nan, 3], [3, 0, 0, 2, 1, 0]), activations([0.5, 1, 2], [1, 0, 0, 1, 0, 1]),
      ], epoch: 0, index: 0)
    let loss = method.loss(of: batch, Pass(state, .training))
    // The first epoch executes fixed weights, so the student's loss is fine.
    #expect(loss.total.scalar.isFinite)
    let again = RecalledBatch { _ in batch }
    let outcome = method.finishStep(
      batch,
      SteppedStudent(state: state, optimizer: SGD(), rate: 0.1, current: again, recall: { _ in again }))
    #expect(outcome.nonfiniteSamples == 1)
    let steps = method.finishEpoch()
    #expect(!steps.isEmpty)
    #expect(
      steps.allSatisfy { $0.objective.isFinite && $0.gradientNorm.isFinite && $0.parameterNorm.isFinite })
  }
}
