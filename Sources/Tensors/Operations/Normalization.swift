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
    if [self, weight, bias].contains(where: \.isMoving) {
      return movingBatchNorm(weight, bias, epsilon, adding: added, relu: relu)
    }
    if layout == .blocked {
      let norm = FastNorm(shape, moments: moments(), weight: weight, bias: bias, epsilon: epsilon)
      let output = normalizedBlocks(norm, bias: bias, weight: weight, adding: added, relu: relu)
      return (output, norm.mean, norm.variance)
    }
    let (mean, variance) = batchStatistics()
    let output = normalized(weight, bias, mean, variance, epsilon, k_batch_norm_pullback)
    return (output.ended(adding: added, relu: relu), mean, variance)
  }

  /// Mean and biased variance of each channel.
  private func batchStatistics() -> (mean: Tensor, variance: Tensor) {
    let (batch, channels, inner) = (shape[0], shape[1], shape.inner(of: 1))
    precondition(batch * inner > 1, "batch statistics of one value a channel: \(shape)")
    let mean = Tensor.zeros([channels], precision)
    let variance = Tensor.zeros([channels], precision)
    k_moments(
      precision.kernel, storage.base, mean.storage.base, variance.storage.base, batch, channels, inner)
    return (mean, variance)
  }

  /// Training mode while leaves move; the batch's statistics move with them.
  ///
  /// With u the input, s = 1 / √(variance + ε), x = s (u - mean), m the mean over a channel and P(g) = s (g - m(g) - x m(x g)):
  ///
  ///     x' = P(u'),   s' = -s² m(x u'),   gradients γ P(g), Σ x g, Σ g
  ///     derivative of γ P(g), g held still: (γ' + γ s'/s) P(g) - γ s (x' m(x g) + x m(x' g))
  private func movingBatchNorm(
    _ weight: Tensor, _ bias: Tensor, _ epsilon: Double, adding added: Tensor?, relu: Bool
  ) -> (output: Tensor, mean: Tensor, variance: Tensor) {
    let (mean, variance) = batchStatistics()
    let scale = Tensor.full(1, variance.shape, precision) / (variance + epsilon).squareRoot()
    let count = Double(self.count / shape[1])
    let ones = Tensor.full(1, variance.shape, precision)
    let output = normalized(weight, bias, mean, variance, epsilon, k_batch_norm_pullback)
      .moved(with: [self, weight, bias]) { inputs, tangents in
        let (u, weight) = (inputs[0], inputs[1])
        let x = u.adding(channel: -mean).scaled(byChannel: scale)
        /// P(g) and Σ x g.
        @Sendable func projected(_ g: Tensor) -> (map: Tensor, dot: Tensor) {
          let slopes = Self.normSlopes(u, mean, variance, ones, epsilon, g, k_batch_norm_pullback)
          return (slopes[0], slopes[1])
        }
        let change = tangents[0].map(projected)
        let moved = change.map { $0.map.scaled(byChannel: weight) }
        let scaled = Tensors.sum(moved, tangents[1].map { x.scaled(byChannel: $0) })
        let value = tangents[2].map {
          (scaled ?? .zeros(u.shape, u.precision)).adding(channel: $0)
        }
        return OperationTangent(value ?? scaled) { g in
          let (map, dot) = projected(g)
          var factors = tangents[1]
          var bent: Tensor?
          if let change {
            factors = Tensors.sum(factors, weight * scale * change.dot * (-1 / count))
            let cross = change.map.dot(g, keeping: 1)
            let both = change.map.scaled(byChannel: dot) + x.scaled(byChannel: cross)
            bent = both.scaled(byChannel: weight * scale * (-1 / count))
          }
          return [
            Tensors.sum(factors.map { map.scaled(byChannel: $0) }, bent),
            change.map { $0.map.dot(g, keeping: 1) }, nil,
          ]
        }
      }
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
      Self.normSlopes(x, mean, variance, weight, epsilon, upstream, back)
    }
  }

  /// Gradients of input, weight and bias.
  private static func normSlopes(
    _ x: Tensor, _ mean: Tensor, _ variance: Tensor, _ weight: Tensor, _ epsilon: Double, _ upstream: Tensor,
    _ back: Pullback
  ) -> [Tensor] {
    let (batch, channels, inner) = (x.shape[0], x.shape[1], x.shape.inner(of: 1))
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
