internal import CKernels

extension Tensor {
  /// Normalises each channel (axis 1) by its mean and biased variance over all other axes, then scales and shifts it.
  ///
  /// - Parameters:
  ///   - added: maps of the same shape that are added to the result.
  ///   - relu: whether a ReLU follows.
  /// - Returns: the output, and the statistics `[channels]` as constants.
  /// - Precondition: more than one value a channel.
  package func batchNorm(
    weight: Tensor, bias: Tensor, epsilon: Double = 1e-5, adding added: Tensor? = nil, relu: Bool = false
  ) -> (output: Tensor, mean: Tensor, variance: Tensor) {
    if layout == .blocked {
      let norm = FastNorm(shape, moments: moments(), weight: weight, bias: bias, epsilon: epsilon)
      let output = normalizedBlocks(norm, bias: bias, weight: weight, adding: added, relu: relu)
      return (output, norm.mean, norm.variance)
    }
    let (batch, channels, inner) = (shape[0], shape[1], shape.inner(of: 1))
    precondition(batch * inner > 1, "batch statistics of one value a channel: \(shape)")
    let mean = Tensor.zeros([channels], precision)
    let variance = Tensor.zeros([channels], precision)
    k_moments(
      precision.kernel, storage.base, mean.storage.base, variance.storage.base, batch, channels, inner)
    let output = normalized(weight, bias, mean, variance, epsilon, k_batch_norm_pullback)
    return (output.ended(adding: added, relu: relu), mean, variance)
  }

  private func ended(adding added: Tensor?, relu: Bool) -> Tensor {
    let sum = added.map { self + $0 } ?? self
    return relu ? sum.relu() : sum
  }

  /// Normalises each channel (axis 1) by given statistics, which are constants.
  package func batchNorm(
    weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Double = 1e-5,
    adding added: Tensor? = nil, relu: Bool = false
  ) -> Tensor {
    if layout == .blocked {
      let norm = FastNorm(
        shape, mean: mean, variance: variance, weight: weight, bias: bias, epsilon: epsilon)
      return normalizedBlocks(norm, bias: bias, weight: weight, adding: added, relu: relu)
    }
    return normalized(weight, bias, mean.detached, variance.detached, epsilon, k_fixed_norm_pullback)
      .ended(adding: added, relu: relu)
  }

  private typealias Pullback =
    @Sendable @convention(c) (
      k_precision, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?, Double,
      UnsafeRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int,
      Int, Int
    ) -> Void

  private func normalized(
    _ weight: Tensor, _ bias: Tensor, _ mean: Tensor, _ variance: Tensor, _ epsilon: Double,
    _ back: @escaping Pullback
  ) -> Tensor {
    let (batch, channels, inner) = (shape[0], shape[1], shape.inner(of: 1))
    precondition(
      [weight, bias, mean, variance].allSatisfy { $0.shape == [channels] },
      "vectors of \(channels) for \(shape)")
    return .computed(shape, from: [self, weight, bias]) {
      k_normalize(
        precision.kernel, storage.base, mean.storage.base, variance.storage.base, weight.storage.base,
        bias.storage.base,
        epsilon, $0, batch, channels, inner)
    } pullback: { [x = detached, weight = weight.detached] upstream in
      let slopeWeight = Tensor.zeros([channels], x.precision)
      let slopeBias = Tensor.zeros([channels], x.precision)
      let slope = Tensor(x.shape, x.precision) {
        back(
          x.precision.kernel, x.storage.base, mean.storage.base, variance.storage.base, weight.storage.base,
          epsilon,
          upstream.storage.base, $0, slopeWeight.storage.base, slopeBias.storage.base, batch, channels, inner)
      }
      return [slope, slopeWeight, slopeBias]
    }
  }
}
