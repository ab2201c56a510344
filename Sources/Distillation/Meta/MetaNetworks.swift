package import Networks
package import Tensors

/// What the weight networks of MMKD see of a batch: constants.
package struct MetaInputs: Sendable {
  /// z^1 | … | z^M | z^S, `[batch, classes (M + 1)]`.
  package let logits: Tensor
  /// K^1 | … | K^M | K^S, `[batch, batch (M + 1)]`.
  package let similarities: Tensor

  package init(logits: [Tensor], maps: [Tensor]) {
    self.logits = Tensor.concatenated(logits.map(\.detached), axis: 1)
    similarities = Tensor.concatenated(
      maps.map { map in
        let rows = map.detached.flattenedRows
        return rows.matmul(rows, transposingOther: true)
      }, axis: 1)
  }

  init(_ batch: DistillationBatch) {
    self.init(
      logits: batch.teachers.map(\.logits) + [batch.student.logits],
      maps: batch.teachers.map(\.map) + [batch.student.map])
  }
}

/// The two networks of MMKD: one hidden layer of half the input's width, ReLU, softmax over teachers.
package struct MetaNetworks: Sendable {
  private let logit: (Linear, Linear)
  private let feature: (Linear, Linear)
  package let declarations: [SlotDeclaration]

  package init(teachers: Int, classes: Int, batchSize: Int) {
    let scope = Scope()
    func network(_ name: String, _ inputs: Int) -> (Linear, Linear) {
      let hidden = max(1, inputs / 2)
      return (
        Linear(scope / "meta" / name / "fc1", inputs: inputs, outputs: hidden),
        Linear(scope / "meta" / name / "fc2", inputs: hidden, outputs: teachers)
      )
    }
    logit = network("logit", classes * (teachers + 1))
    feature = network("feature", batchSize * (teachers + 1))
    declarations = scope.declarations
  }

  /// u and u', `[batch, teachers]`.
  package func weights(_ inputs: MetaInputs, _ pass: Pass) -> (logit: Tensor, feature: Tensor) {
    (logitWeights(inputs.logits, pass), featureWeights(inputs.similarities, pass))
  }

  package func logitWeights(_ logits: Tensor, _ pass: Pass) -> Tensor {
    logit.1(logit.0(logits, pass).relu(), pass).softmax()
  }

  package func featureWeights(_ similarities: Tensor, _ pass: Pass) -> Tensor {
    feature.1(feature.0(similarities, pass).relu(), pass).softmax()
  }
}
