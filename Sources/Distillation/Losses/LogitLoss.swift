package import Specs
package import Tensors

/// How far a student's logits are from each teacher's.
package protocol LogitLoss: Sendable {
  static var name: String { get }
  init(_ options: MethodOptions)
  /// `[batch, teachers]`; gradients flow into the student's logits.
  func costs(student: Tensor, teachers: [Tensor]) -> Tensor
}

extension Catalog where Entry == any LogitLoss.Type {
  /// What a grid can name as `logitLoss`.
  package static let logitLosses = Catalog("logit loss", [HintonKD.self, DIST.self]) { $0.name }
}

/// The KD loss of Hinton et al. (2015) of every teacher: T² KL(softmax(z^m / T) ‖
/// softmax(z^S / T)), summed over classes.
///
/// - Source: `methods.md` 1.3. The direction is teacher against student, although the paper
///   writes the student first.
package struct HintonKD: LogitLoss {
  package static let name = "kd"
  private let temperature: Double

  package init(_ options: MethodOptions) { temperature = options.number("temperature") }

  package func costs(student: Tensor, teachers: [Tensor]) -> Tensor {
    kullbackLeibler(student: student, teachers: teachers, temperature: temperature)
  }
}

/// See `HintonKD`: `[batch, teachers]`.
package func kullbackLeibler(student: Tensor, teachers: [Tensor], temperature: Double) -> Tensor {
  columns(teachers.map { student.klDivergence(from: $0, temperature: temperature) })
}

/// One vector `[batch]` a teacher as a matrix `[batch, teachers]`.
package func columns(_ vectors: [Tensor]) -> Tensor {
  Tensor.concatenated(vectors.map { $0.reshaped([$0.count, 1]) }, axis: 1)
}
