package import Tensors

/// What a policy is paid, and how pay is made comparable (`methods.md` 2.3, 2.9). All constants.
package enum Reward {
  /// How far apart values must be to count as different, relative to the largest of them.
  private static let tie = 1e-12

  package enum Normalisation: String, CaseIterable, Sendable {
    /// Equation 7 as printed: the min-max fraction minus the mean of the raw rewards.
    case minmaxRaw
    /// The min-max fraction minus its own mean.
    case minmaxCentred
    /// Standardised over the batch with the sample std, then clamped to [0, 1].
    case zscoreClamp
    case zscore
    case none

    package var isPerTeacher: Bool { self == .minmaxRaw || self == .minmaxCentred }
  }

  /// R[i, m] = -H[i] - alpha KL[i, m] - beta D[i, m] (equation 5), `[batch, teachers]`.
  package static func perTeacher(task: Tensor, kl: Tensor, distance: Tensor, alpha: Double, beta: Double)
    -> Tensor
  {
    -(kl * alpha + distance * beta).adding(task, along: 0)
  }

  /// r[i] = -(H[i] + alpha Σ_m a_l KL + beta Σ_m a_f D), `[batch]`.
  package static func perSample(
    task: Tensor, kl: Tensor, distance: Tensor, logitWeights: Tensor, featureWeights: Tensor, alpha: Double,
    beta: Double
  ) -> Tensor {
    -(task + (logitWeights * kl).rowSums() * alpha + (featureWeights * distance).rowSums() * beta)
  }

  /// - Parameter reward: `[batch, teachers]` for the min-max kinds, `[batch]` for the z-scores.
  package static func normalised(_ reward: Tensor, _ kind: Normalisation) -> Tensor {
    let values = reward.doubles
    let result: [Double]
    switch kind {
    case .none: return reward
    case .minmaxRaw, .minmaxCentred:
      let teachers = reward.shape[1]
      result = stride(from: 0, to: values.count, by: teachers).flatMap { start in
        minmax(Array(values[start..<(start + teachers)]), subtractsRaw: kind == .minmaxRaw)
      }
    case .zscore: result = standardised(values)
    case .zscoreClamp: result = standardised(values).map { min(max($0, 0), 1) }
    }
    return Tensor(result, reward.shape, reward.precision)
  }

  private static func minmax(_ rewards: [Double], subtractsRaw: Bool) -> [Double] {
    let (low, high) = (rewards.min()!, rewards.max()!)
    guard high - low > tie * max(1, abs(high), abs(low)) else { return rewards.map { _ in 0 } }
    let fractions = rewards.map { ($0 - low) / (high - low) }
    let mean = (subtractsRaw ? rewards : fractions).reduce(0, +) / Double(rewards.count)
    return fractions.map { $0 - mean }
  }

  private static func standardised(_ rewards: [Double]) -> [Double] {
    guard let low = rewards.min(), let high = rewards.max(), rewards.count > 1,
      high - low > tie * max(1, abs(high), abs(low))
    else { return rewards.map { _ in 0 } }
    let mean = rewards.reduce(0, +) / Double(rewards.count)
    let squares = rewards.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let std = (squares / Double(rewards.count - 1)).squareRoot()
    return rewards.map { ($0 - mean) / std }
  }
}
