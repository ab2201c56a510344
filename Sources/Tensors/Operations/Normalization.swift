extension Tensor {
  /// Normalises each channel (axis 1) by its mean and biased variance over all other axes, then scales and
  /// shifts it.
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
      let norm = FastNorm(
        shape, moments: FastNorm.moments(of: self), weight: weight, bias: bias, epsilon: epsilon)
      let output = normalizedBlocks(norm, bias: bias, weight: weight, adding: added, relu: relu)
      return (output, norm.mean, norm.variance)
    }
    let (mean, variance) = batchStatistics()
    let norm = Primitives.Norm(
      mean: mean, variance: variance, weight: weight.detached, epsilon: epsilon, isOfBatch: true)
    let output = normalized(norm, weight, bias)
    return (output.ended(adding: added, relu: relu), mean, variance)
  }

  /// Mean and biased variance of each channel.
  private func batchStatistics() -> (mean: Tensor, variance: Tensor) {
    precondition(shape[0] * shape.inner(of: 1) > 1, "batch statistics of one value a channel: \(shape)")
    return Primitives.channelStatistics(self)
  }

  /// Training mode while leaves move; the batch's statistics move with them.
  ///
  /// With u the input, s = 1 / √(variance + ε), x = s (u - mean), m the mean over a channel and P(g) = s (g -
  /// m(g) - x m(x g)):
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
    let plain = Primitives.Norm(
      mean: mean, variance: variance, weight: ones, epsilon: epsilon, isOfBatch: true)
    let norm = Primitives.Norm(
      mean: mean, variance: variance, weight: weight.detached, epsilon: epsilon, isOfBatch: true)
    let output = normalized(norm, weight, bias)
      .moved(with: [self, weight, bias]) { inputs, tangents in
        let (u, weight) = (inputs[0], inputs[1])
        let x = u.adding(channel: -mean).scaled(byChannel: scale)
        /// P(g) and Σ x g.
        @Sendable func projected(_ g: Tensor) -> (map: Tensor, dot: Tensor) {
          let gradients = Primitives.normPullback(u, plain, g)
          return (gradients[0], gradients[1])
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
    let norm = Primitives.Norm(
      mean: mean.detached, variance: variance.detached, weight: weight.detached, epsilon: epsilon,
      isOfBatch: false)
    return normalized(norm, weight, bias).ended(adding: added, relu: relu)
  }

  /// - Parameter weight: that of the norm, with its record.
  private func normalized(_ norm: Primitives.Norm, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    precondition(
      [weight, bias, norm.mean, norm.variance].allSatisfy { $0.shape == [shape[1]] },
      "vectors of \(shape[1]) for \(shape)")
    return .computed(from: [self, weight, bias]) {
      Primitives.normalize(self, norm, bias: bias)
    } pullback: { [x = detached] upstream in
      Primitives.normPullback(x, norm, upstream)
    }
  }
}

extension Tensor {
  /// ReLU(norm(self) + added), each part where it is asked for.
  private func normalizedBlocks(
    _ norm: FastNorm, bias: Tensor, weight: Tensor, adding added: Tensor?, relu: Bool
  )
    -> Tensor
  {
    let output = norm.forward(self, adding: added, relu: relu)
    let inputs = [self, weight, bias] + (added.map { [$0] } ?? [])
    let wantsAdded = added?.node != nil
    return output.recorded(from: inputs) { [y = detached, z = added != nil && relu ? output : nil] dz in
      let gradients = norm.backward(dz, y: y, z: z, relu: relu, wantsAdded: wantsAdded)
      return [gradients.y, gradients.weight, gradients.bias] + (inputs.count > 3 ? [gradients.added] : [])
    }
  }
}
