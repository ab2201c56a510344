public import Tensors

/// Stochastic depth: in training each sample of a branch is left out with some probability, and divided by
/// the probability of staying otherwise (Huang et al. 2016).
///
/// What is dropped depends on the seed, the layer's path and the place of the step. The identity in inference
/// and where the pass has no noise.
public struct DropPath: Layer {
  private let path: String
  /// Of the highest probability, which the recipe sets.
  private let share: Double

  /// - Parameter share: of the highest probability, which the recipe sets; from 0 to 1.
  public init(_ scope: Scope, share: Double) {
    path = scope.path
    self.share = share
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    guard let noise = pass.noise, noise.dropPath * share > 0 else { return input }
    var stream = noise.stream(path)
    let keep = 1 - noise.dropPath * share
    let kept = (0..<input.shape[0]).map { _ in stream.uniform() < keep }
    return input.droppingRows(keeping: kept, probability: keep)
  }
}

/// In training each element is left out with a probability, and divided by that of staying otherwise.
/// As `DropPath` elsewhere.
public struct Dropout: Layer {
  private let path: String
  private let rate: Double

  /// - Parameter rate: the probability of being left out, from 0 to below 1.
  public init(_ scope: Scope, rate: Double) {
    path = scope.path
    self.rate = rate
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    guard let noise = pass.noise, rate > 0 else { return input }
    var stream = noise.stream(path)
    let keep = 1 - rate
    let factors = (0..<input.count).map { _ in stream.uniform() < keep ? 1 / keep : 0 }
    return input * Tensor(factors, input.shape, input.precision)
  }
}

extension Tensor {
  /// Rows that stay are divided by the probability of staying; the others become 0.
  package func droppingRows(keeping kept: [Bool], probability: Double) -> Tensor {
    scaled(byRow: Tensor(kept.map { $0 ? 1 / probability : 0 }, [kept.count], precision))
  }
}
