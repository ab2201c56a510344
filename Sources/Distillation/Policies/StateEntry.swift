package import Tensors

/// What a policy is told of one teacher and one sample, in the order in which it stands
/// in the state (equation 3).
package enum StateEntry: String, CaseIterable, Sendable {
  /// f, the teacher's embedding.
  case feature
  /// z, its logits.
  case logits
  /// Its cross-entropy.
  case ce
  /// The cosine of the student's transformed map and the teacher's.
  case cos
  /// KL of the student from the teacher.
  case kl

  /// Numbers a sample.
  package func width(_ teacher: ActivationShape, classes: Int) -> Int {
    switch self {
    case .feature: teacher.embedding
    case .logits: classes
    case .ce, .cos, .kl: 1
    }
  }

  /// The state of one teacher, `[batch, width]`: the named entries side by side.
  ///
  /// - Parameters:
  ///   - order: the paper's is that of the cases; the release's is cos, KL, CE, f, z.
  ///   - ce, cos, kl: `[batch, 1]`.
  package static func state(
    _ order: [StateEntry] = allCases, feature: Tensor, logits: Tensor, ce: Tensor, cos: Tensor, kl: Tensor
  ) -> Tensor {
    Tensor.concatenated(
      order.map { entry in
        switch entry {
        case .feature: feature
        case .logits: logits
        case .ce: ce
        case .cos: cos
        case .kl: kl
        }
      }, axis: 1)
  }
}
