/// Mean and biased variance of each channel, `[channels]`, as constants.
package struct NormStatistics: Sendable {
  package let mean: Tensor
  package let variance: Tensor

  package init(mean: Tensor, variance: Tensor) {
    self.mean = mean.detached
    self.variance = variance.detached
  }
}

extension Tensor {
  /// ReLU(norm(convolution(self)) + added), each part where it is asked for, as one recorded operation where
  /// the fast path takes it.
  ///
  /// - Parameters:
  ///   - weight, stride, padding, dilation, groups, choice: of the convolution, as for `conv2D`.
  ///   - scale, shift: of the norm, `[outputs]`.
  ///   - statistics: constants to normalise by; nil for those of the batch.
  ///   - added: maps of the output's shape.
  /// - Returns: the output, and the statistics that it was normalised by.
  package func convolutionNorm(
    _ weight: Tensor, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, groups: Int = 1,
    by choice: ConvolutionChoice, scale: Tensor, shift: Tensor, statistics: NormStatistics? = nil,
    epsilon: Double = 1e-5,
    adding added: Tensor? = nil, relu: Bool
  ) -> (output: Tensor, statistics: NormStatistics) {
    let isMoving = ([self, weight, scale, shift] + (added.map { [$0] } ?? [])).contains(where: \.isMoving)
    guard
      !isMoving,
      let fast = FastConvolution(
        self, weight.shape, stride: stride, padding: padding, dilation: dilation, groups: groups, choice)
    else {
      let map = conv2D(
        weight, stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice)
      guard let statistics else {
        let (output, mean, variance) = map.batchNorm(
          weight: scale, bias: shift, epsilon: epsilon, adding: added, relu: relu)
        return (output, NormStatistics(mean: mean, variance: variance))
      }
      let output = map.batchNorm(
        weight: scale, bias: shift, mean: statistics.mean, variance: statistics.variance, epsilon: epsilon,
        adding: added, relu: relu)
      return (output, statistics)
    }
    let inputs = [self, weight, scale, shift] + (added.map { [$0] } ?? [])
    let fixed = statistics.map {
      FastNorm(
        fast.output, mean: $0.mean, variance: $0.variance, weight: scale, bias: shift, epsilon: epsilon)
    }
    if let fixed, let statistics, inputs.allSatisfy({ $0.node == nil }) {
      // Nobody asks for gradients: what lies between convolution and result is never stored.
      let output = fast.forward(self, weight, finish: fixed.finish(adding: added, relu: relu))
      return (output, statistics)
    }

    let moments = fixed == nil ? FastNorm.moments(fast.output) : nil
    let map = fast.forward(self, weight, moments: moments)
    let norm =
      fixed
      ?? FastNorm(fast.output, moments: moments!, weight: scale, bias: shift, epsilon: epsilon)
    let output = norm.forward(map, adding: added, relu: relu)
    let wants = inputs.map { $0.node != nil }
    let recorded = output.recorded(from: inputs) {
      [x = detached, weight = weight.detached, z = added != nil && relu ? output : nil] dz in
      let gradients = norm.backward(
        dz, y: map, z: z, relu: relu, wantsAdded: wants.count > 4 && wants[4])
      let (dx, dweight) = fast.gradients(
        x, weight, gradients.y, wantsInput: wants[0], wantsWeight: wants[1])
      return [dx, dweight, gradients.weight, gradients.bias] + (wants.count > 4 ? [gradients.added] : [])
    }
    return (recorded, NormStatistics(mean: norm.mean, variance: norm.variance))
  }
}
