#if canImport(Glibc)
  internal import Glibc
#endif

/// The learning rate by epoch, in double precision (`architectures.md` 12).
package enum RateSchedule: Hashable, Sendable {
  /// base × gamma^(number of milestones ≤ epoch).
  case multiStep(base: Double, milestones: [Int], gamma: Double)
  /// base × (1 + cos(π epoch / epochs)) / 2.
  case cosine(base: Double, epochs: Int)
  /// Linear from `start` to `base` over `warmup` epochs, then a cosine, not shifted by the
  /// warm-up, down to `least`.
  case warmupCosine(base: Double, start: Double, least: Double, warmup: Int, epochs: Int)

  /// - Parameter epoch: from 0.
  package func rate(epoch: Int) -> Double {
    switch self {
    case .multiStep(let base, let milestones, let gamma):
      base * pow(gamma, Double(milestones.count { $0 <= epoch }))
    case .cosine(let base, let epochs):
      base * 0.5 * (1 + cos(.pi * Double(epoch) / Double(epochs)))
    case .warmupCosine(let base, let start, let least, let warmup, let epochs):
      epoch < warmup
        ? start + Double(epoch) * (base - start) / Double(warmup)
        : least + 0.5 * (base - least) * (1 + cos(.pi * Double(epoch) / Double(epochs)))
    }
  }
}
