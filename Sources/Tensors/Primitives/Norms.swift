internal import CKernels

// Norms over all axes but the channels (axis 1) of row-major tensors.

extension Primitives {
  /// Mean and biased variance of each channel, `[channels]`.
  static func channelStatistics(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
    let mean = Tensor.zeros([x.shape[1]], x.precision)
    let variance = Tensor.zeros([x.shape[1]], x.precision)
    k_moments(
      x.precision.kernel, x.storage.base, mean.storage.base, variance.storage.base, x.shape[0], x.shape[1],
      x.shape.inner(of: 1))
    return (mean, variance)
  }

  /// What a norm is computed by: vectors `[channels]`.
  struct Norm: Sendable {
    let mean: Tensor
    let variance: Tensor
    let weight: Tensor
    let epsilon: Double
    /// Whether the statistics are the batch's, so that gradients flow through them.
    let isOfBatch: Bool
  }

  /// weight (x - mean) / √(variance + ε) + bias.
  static func normalize(_ x: Tensor, _ norm: Norm, bias: Tensor) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_normalize(
        x.precision.kernel, x.storage.base, norm.mean.storage.base, norm.variance.storage.base,
        norm.weight.storage.base, bias.storage.base, norm.epsilon, $0, x.shape[0], x.shape[1],
        x.shape.inner(of: 1))
    }
  }

  /// The gradients of input, weight and bias.
  static func normPullback(_ x: Tensor, _ norm: Norm, _ gradient: Tensor) -> [Tensor] {
    let dweight = Tensor.zeros([x.shape[1]], x.precision)
    let dbias = Tensor.zeros([x.shape[1]], x.precision)
    let back = norm.isOfBatch ? k_batch_norm_pullback : k_fixed_norm_pullback
    let dx = Tensor(x.shape, x.precision) {
      back(
        x.precision.kernel, x.storage.base, norm.mean.storage.base, norm.variance.storage.base,
        norm.weight.storage.base, norm.epsilon, gradient.storage.base, $0, dweight.storage.base,
        dbias.storage.base, x.shape[0], x.shape[1], x.shape.inner(of: 1))
    }
    return [dx, dweight, dbias]
  }
}
