/// Mean and biased variance of each channel, `[channels]`, as constants.
package struct NormStatistics: Sendable {
  package let mean: Tensor
  package let variance: Tensor

  package init(mean: Tensor, variance: Tensor) {
    self.mean = mean.detached
    self.variance = variance.detached
  }
}

/// Maps on their way through convolutions and norms: as they are, or with a norm, and perhaps a ReLU, that
/// the next convolution applies while it reads them, so that what lies between is never stored.
package struct PassingMaps: Sendable {
  /// With the record of what they are behind the norm.
  private let maps: Tensor
  private let pending: PendingNorm?

  /// Maps as they are.
  package init(_ maps: Tensor) { self.init(maps, nil) }

  private init(_ maps: Tensor, _ pending: PendingNorm?) {
    self.maps = maps
    self.pending = pending
  }

  package var shape: Shape { maps.shape }

  /// Behind the norm.
  package var finished: Tensor {
    guard let pending else { return maps }
    return pending(maps).with(node: maps.node)
  }

  /// ReLU(norm(convolution(self)) + added), each part where it is asked for, as one recorded operation where
  /// the fast path takes it.
  ///
  /// - Parameters:
  ///   - weight, stride, padding, dilation, groups, choice: of the convolution, as for `conv2D`.
  ///   - scale, shift: of the norm, `[outputs]`.
  ///   - statistics: constants to normalise by; nil for those of the batch.
  ///   - added: maps of the output's shape.
  ///   - passesOn: whether only another convolution reads the output, which may then apply the norm.
  /// - Returns: the output, and the statistics that it was normalised by.
  package func convolutionNorm(
    _ weight: Tensor, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, groups: Int = 1,
    by choice: ConvolutionChoice, scale: Tensor, shift: Tensor, statistics: NormStatistics? = nil,
    epsilon: Double = 1e-5, adding added: Tensor? = nil, relu: Bool, passesOn: Bool = false
  ) -> (output: PassingMaps, statistics: NormStatistics) {
    let inputs = [maps, weight, scale, shift] + (added.map { [$0] } ?? [])
    guard
      !inputs.contains(where: \.isMoving),
      let fast = FastConvolution(
        maps, weight.shape, stride: stride, padding: padding, dilation: dilation, groups: groups, choice)
    else {
      let map = finished.conv2D(
        weight, stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice)
      guard let statistics else {
        let (output, mean, variance) = map.batchNorm(
          weight: scale, bias: shift, epsilon: epsilon, adding: added, relu: relu)
        return (PassingMaps(output), NormStatistics(mean: mean, variance: variance))
      }
      let output = map.batchNorm(
        weight: scale, bias: shift, mean: statistics.mean, variance: statistics.variance, epsilon: epsilon,
        adding: added, relu: relu)
      return (PassingMaps(output), statistics)
    }
    guard let statistics else {
      return normalised(fast, weight, scale, shift, epsilon, adding: added, relu: relu, passesOn: passesOn)
    }
    let norm = FastNorm(
      fast.output, mean: statistics.mean, variance: statistics.variance, weight: scale, bias: shift,
      epsilon: epsilon)
    guard inputs.contains(where: { $0.node != nil }) else {
      // Nobody asks for gradients: what lies between convolution and result is never stored.
      let output = fast.forward(finished, weight, finish: norm.finish(adding: added, relu: relu))
      return (PassingMaps(output), statistics)
    }
    let read = finished
    let map = fast.forward(read, weight)
    let output = norm.forward(map, adding: added, relu: relu)
    let recorded = PassingMaps(read).recorded(
      output, fast, norm, map, weight, [scale, shift], adding: added, z: output, relu: relu)
    return (PassingMaps(recorded), statistics)
  }

  /// The same by the statistics of the batch.
  private func normalised(
    _ fast: FastConvolution, _ weight: Tensor, _ scale: Tensor, _ shift: Tensor, _ epsilon: Double,
    adding added: Tensor?, relu: Bool, passesOn: Bool
  ) -> (output: PassingMaps, statistics: NormStatistics) {
    let moments = FastNorm.moments(fast.output)
    let map =
      pending.map { fast.forward(maps, passing: $0, weight, moments: moments) }
      ?? fast.forward(maps, weight, moments: moments)
    let norm = FastNorm(fast.output, moments: moments, weight: scale, bias: shift, epsilon: epsilon)
    let isPassed = passesOn && added == nil && Device.current.threads == 1
    let output = isPassed ? map : norm.forward(map, adding: added, relu: relu)
    let recorded = recorded(
      output, fast, norm, map, weight, [scale, shift], adding: added, z: output, relu: relu)
    return (
      PassingMaps(recorded, isPassed ? PendingNorm(norm, relu: relu) : nil),
      NormStatistics(mean: norm.mean, variance: norm.variance)
    )
  }

  /// The output with the way back of its gradient.
  private func recorded(
    _ output: Tensor, _ fast: FastConvolution, _ norm: FastNorm, _ map: Tensor, _ weight: Tensor,
    _ affine: [Tensor], adding added: Tensor?, z: Tensor, relu: Bool
  ) -> Tensor {
    let inputs = [maps, weight] + affine + (added.map { [$0] } ?? [])
    let wants = inputs.map { $0.node != nil }
    return output.recorded(from: inputs) {
      [x = maps.detached, pending, weight = weight.detached, z = added != nil && relu ? z : nil] dz in
      let gradients = norm.backward(
        dz, y: map, z: z, relu: relu, wantsAdded: wants.count > 4 && wants[4])
      let (dx, dweight) = fast.gradients(
        x, passing: pending, weight, gradients, wantsInput: wants[0], wantsWeight: wants[1])
      return [dx, dweight, gradients.weight, gradients.bias] + (wants.count > 4 ? [gradients.added] : [])
    }
  }
}

extension Tensor {
  /// As of `PassingMaps`, of maps as they are.
  package func convolutionNorm(
    _ weight: Tensor, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, groups: Int = 1,
    by choice: ConvolutionChoice, scale: Tensor, shift: Tensor, statistics: NormStatistics? = nil,
    epsilon: Double = 1e-5, adding added: Tensor? = nil, relu: Bool
  ) -> (output: Tensor, statistics: NormStatistics) {
    let (output, statistics) = PassingMaps(self).convolutionNorm(
      weight, stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice, scale: scale,
      shift: shift, statistics: statistics, epsilon: epsilon, adding: added, relu: relu)
    return (output.finished, statistics)
  }
}
