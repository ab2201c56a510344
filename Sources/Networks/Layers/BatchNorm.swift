package import Tensors

/// Batch normalisation over all axes but the channels, with epsilon 1e-5.
///
/// In training the output uses the batch's mean and biased variance, and the running statistics move a tenth of the way towards the mean and
/// the *unbiased* variance when the step ends. In inference the running statistics are used.
///
/// - Input and output: `[batch, channels, …]`.
/// - Arrays: `weight`, `bias`, `running_mean`, `running_var` `[channels]`, and the counter `num_batches_tracked`.
/// - Source: `architectures.md` 10.
package struct BatchNorm: Layer {
  private let weight: Slot
  private let bias: Slot
  private let mean: Slot
  private let variance: Slot
  private let batches: Slot

  package init(_ scope: Scope, channels: Int) {
    weight = scope.parameter("weight", [channels], .constant(1))
    bias = scope.parameter("bias", [channels], .constant(0))
    mean = scope.buffer("running_mean", [channels], .constant(0))
    variance = scope.buffer("running_var", [channels], .constant(1))
    batches = scope.counter("num_batches_tracked")
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    guard pass.phase == .training else {
      return input.batchNorm(
        weight: pass[weight], bias: pass[bias], mean: pass[mean], variance: pass[variance])
    }
    let (output, mean, variance) = input.batchNorm(weight: pass[weight], bias: pass[bias])
    let count = Double(input.count / input.shape[1])
    pass.replace(self.mean, with: pass[self.mean].blended(with: mean))
    pass.replace(self.variance, with: pass[self.variance].blended(with: variance * (count / (count - 1))))
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
