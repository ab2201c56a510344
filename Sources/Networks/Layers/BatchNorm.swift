public import Tensors

/// Batch normalisation over all axes but the channels, with epsilon 1e-5.
///
/// In training the output uses the batch's mean and biased variance, and the running statistics move a tenth
/// of the way towards the mean and the *unbiased* variance when the step ends. In inference, and where a pass
/// freezes its scale, the running statistics are used.
///
/// - Input and output: `[batch, channels, …]`.
/// - Arrays: `weight`, `bias`, `running_mean`, `running_var` `[channels]`, and the
///   counter `num_batches_tracked`.
/// - Source: `architectures.md` 10.
public struct BatchNorm: Layer {
  private let weight: Slot
  private let bias: Slot
  private let mean: Slot
  private let variance: Slot
  private let batches: Slot

  /// Declares the arrays in a scope of its own.
  public init(_ scope: Scope, channels: Int) {
    weight = scope.parameter("weight", [channels], .constant(1))
    bias = scope.parameter("bias", [channels], .constant(0))
    mean = scope.buffer("running_mean", [channels], .constant(0))
    variance = scope.buffer("running_var", [channels], .constant(1))
    batches = scope.counter("num_batches_tracked")
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    callAsFunction(input, pass, relu: false)
  }

  /// - Parameter relu: whether a ReLU follows, which then costs no pass of its own.
  public func callAsFunction(_ input: Tensor, _ pass: Pass, relu: Bool) -> Tensor {
    let output = evaluate(pass) { scale, shift, statistics in
      guard let statistics else {
        let (output, mean, variance) = input.batchNorm(weight: scale, bias: shift, relu: relu)
        return (PassingMaps(output), NormStatistics(mean: mean, variance: variance))
      }
      let output = input.batchNorm(
        weight: scale, bias: shift, mean: statistics.mean, variance: statistics.variance, relu: relu)
      return (PassingMaps(output), statistics)
    }
    return output.finished
  }

  /// Scale, shift and running statistics, where the pass normalises by these; nil where it takes the batch's.
  func constants(_ pass: Pass) -> (scale: Tensor, shift: Tensor, statistics: NormStatistics)? {
    guard pass.phase != .training || pass.isFrozen(weight) else { return nil }
    return (pass[weight], pass[bias], NormStatistics(mean: pass[mean], variance: pass[variance]))
  }

  /// Evaluates an operation that ends in this norm.
  ///
  /// - Parameter operation: normalises by the statistics that it is given, or by those of the
  ///   batch, and returns them.
  func evaluate(
    _ pass: Pass,
    _ operation: (_ scale: Tensor, _ shift: Tensor, NormStatistics?) -> (output: PassingMaps, NormStatistics)
  ) -> PassingMaps {
    if let (scale, shift, running) = constants(pass) { return operation(scale, shift, running).output }
    let (output, statistics) = operation(pass[weight], pass[bias], nil)
    let count = Double(output.shape.count / output.shape[1])
    let unbiased = statistics.variance * (count / (count - 1))
    pass.replace(mean, with: pass[mean].blended(with: statistics.mean))
    pass.replace(variance, with: pass[variance].blended(with: unbiased))
    pass.replace(batches, with: pass[batches] + 1)
    return output
  }
}

extension Tensor {
  /// Nine tenths of self and a tenth of `other`.
  fileprivate func blended(with other: Tensor) -> Tensor {
    var average = self
    average.blend(with: other, keeping: 0.9)
    return average
  }
}
