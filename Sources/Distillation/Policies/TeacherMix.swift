package import Tensors

/// How the policy's weights are mixed with two heuristics (`methods.md` 2.2). Matrices are
/// `[batch, teachers]`, rows sum to 1.
package enum TeacherMix {
  package enum Term: String, CaseIterable, Sendable {
    case policy, confidence, divergence
  }

  /// (1 - softmax over teachers of their cross-entropy) / (M - 1): who fits the label counts
  /// more. 1 for one teacher.
  package static func confidence(_ crossEntropy: Tensor) -> Tensor {
    let teachers = crossEntropy.shape[1]
    guard teachers > 1 else { return .full(1, crossEntropy.shape, crossEntropy.precision) }
    return crossEntropy.softmax().affine(-1, 1) / Double(teachers - 1)
  }

  /// The softmax over teachers. With KL it favours the teacher *furthest* from the student, as the release
  /// does; negate the argument for the nearest.
  package static func divergence(_ value: Tensor) -> Tensor { value.softmax() }

  /// lam_1 policy + lam_2 confidence + lam_3 divergence over the kept terms.
  ///
  /// - Parameter factors: rho, `[number of terms]`, of which lam is the softmax; nil mixes in equal parts.
  package static func mixed(
    policy: Tensor, confidence: Tensor, divergence: Tensor, terms: [Term], factors: Tensor?
  ) -> Tensor {
    let parts = terms.map { term in
      switch term {
      case .policy: policy
      case .confidence: confidence
      case .divergence: divergence
      }
    }
    guard let factors else {
      return parts.dropFirst().reduce(parts[0]) { $0 + $1 } / Double(parts.count)
    }
    let flat = Tensor.concatenated(parts.map { $0.reshaped([1, $0.count]) }, axis: 0)
    return flat.scaled(byRow: factors.softmax()).sum(axis: 0).reshaped(policy.shape)
  }
}
