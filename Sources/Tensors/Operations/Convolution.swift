/// How convolutions are computed. Part of a run's identity, because it decides bits.
package enum ConvolutionChoice: String, Hashable, Sendable, CaseIterable {
  /// Whatever is fastest for the shape.
  case auto
  /// Sums of products in the order of the definition, no transforms.
  case direct
  /// Lowering to matrix products in the plain layout: short, slow, and what the others are compared with.
  case reference
}

extension Tensor {
  /// Cross-correlation with zero padding.
  ///
  /// - Input: `[batch, channels, height, width]`. Output: `[batch, outputs, oh, ow]` with
  ///   oh = floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
  /// - Parameters:
  ///   - weight: `[outputs, channels / groups, kernel height, kernel width]`.
  ///   - bias: `[outputs]`.
  ///   - groups: input channels j C/g ..< (j+1) C/g feed output channels j O/g ..< (j+1) O/g.
  ///   - choice: how; in double precision, and where the fast path has no kernel, always the reference path.
  package func conv2D(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1,
    groups: Int = 1, by choice: ConvolutionChoice = .reference
  ) -> Tensor {
    precondition(shape.rank == 4 && weight.shape.rank == 4, "\(shape) by \(weight.shape)")
    precondition(
      weight.shape[1] * groups == shape[1] && weight.shape[0] % groups == 0,
      "\(shape) by \(weight.shape) in \(groups) groups")
    if let fast = FastConvolution(
      self, weight.shape, stride: stride, padding: padding, dilation: dilation, groups: groups, choice)
    {
      return convolved(fast, weight, bias: bias)
    }
    if stride == 1,
      let joined = convolvedByPhases(
        weight, bias: bias, padding: padding, dilation: dilation, groups: groups, choice)
    {
      return joined
    }
    let window = Window(
      over: shape[2], shape[3], kernel: Extent(weight.shape[2], weight.shape[3]), stride: stride,
      padding: padding, dilation: dilation)
    let plan = LoweredConvolution(
      batch: shape[0], channels: shape[1], outputs: weight.shape[0], groups: groups, window: window,
      precision: precision)
    let product = Tensor.computed(from: [self, weight]) {
      plan.forward(self, weight)
    } pullback: {
      [x = detached, weight = weight.detached, wantsInput = node != nil, wantsWeight = weight.node != nil] dy
      in
      let gradients = plan.gradients(x, weight, dy, wantsInput: wantsInput, wantsWeight: wantsWeight)
      return [gradients.dx, gradients.dweight]
    }.moved(with: [self, weight]) { x, tangents in
      // Bilinear: the data gradient reads the weight, the weight gradient the data.
      OperationTangent(
        Tensors.sum(
          tangents[0].map {
            $0.conv2D(
              x[1], stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice)
          },
          tangents[1].map {
            x[0].conv2D($0, stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice)
          })
      ) { [wantsInput = node != nil, wantsWeight = weight.node != nil] dy in
        let gradients = plan.gradients(
          tangents[0] ?? x[0], tangents[1] ?? x[1], dy, wantsInput: wantsInput && tangents[1] != nil,
          wantsWeight: wantsWeight && tangents[0] != nil)
        return [gradients.dx, gradients.dweight]
      }
    }
    return bias.map { product.adding(channel: $0) } ?? product
  }

  /// A convolution in the blocked layout, its bias added on the way.
  private func convolved(_ fast: FastConvolution, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let finish = bias.map { Finish(vectors: .affine(scale: nil, shift: $0), added: nil, relu: false) }
    let output = fast.forward(self, weight, finish: finish)
    let wantsInput = node != nil
    let wantsWeight = weight.node != nil
    return output.recorded(from: [self, weight] + (bias.map { [$0] } ?? [])) {
      [x = detached, weight = weight.detached, hasBias = bias != nil] dy in
      let (dx, dweight) = fast.gradients(
        x, weight, dy, wantsInput: wantsInput, wantsWeight: wantsWeight)
      return [dx, dweight] + (hasBias ? [dy.channelSums()] : [])
    }.moved(with: [self, weight] + (bias.map { [$0] } ?? [])) { x, tangents in
      let change = Tensors.sum(
        tangents[0].map { $0.convolved(fast, x[1], bias: nil) },
        tangents[1].map { x[0].convolved(fast, $0, bias: nil) })
      let shift = tangents.count > 2 ? tangents[2] : nil
      return OperationTangent(
        shift.map { (change ?? .zeros(fast.output, .single)).adding(channel: $0) } ?? change
      ) { dy in
        let (dx, dweight) = fast.gradients(
          tangents[0] ?? x[0], tangents[1] ?? x[1], dy, wantsInput: wantsInput && tangents[1] != nil,
          wantsWeight: wantsWeight && tangents[0] != nil)
        return [dx, dweight] + (tangents.count > 2 ? [nil] : [])
      }
    }
  }
}
