/// A convolution and the norm behind it, whose statistics are constants: a step of `ConvolutionNorms`.
package struct ConvolutionNormStep {
  let weight: Tensor
  let stride: Extent
  let padding: Extent
  let dilation: Extent
  let groups: Int
  let scale: Tensor
  let shift: Tensor
  let statistics: NormStatistics
  let relu: Bool

  /// - Parameters: as for `convolutionNorm`.
  package init(
    weight: Tensor, stride: Extent, padding: Extent, dilation: Extent, groups: Int, scale: Tensor,
    shift: Tensor, statistics: NormStatistics, relu: Bool
  ) {
    self.weight = weight
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.scale = scale
    self.shift = shift
    self.statistics = statistics
    self.relu = relu
  }
}

/// Steps one after the other that nobody asks gradients of and that the fast path takes: what
/// `convolutionNorm` gives step after step, with the same bits. A few images pass all steps before the next
/// ones do, so that the maps between stay in a core's cache.
package struct ConvolutionNorms {
  private let input: Tensor
  private let convolutions: [FastConvolution]
  private let steps: [ConvolutionNormStep]
  private let epsilon: Double

  /// Of each step's output, in order.
  package var shapes: [Shape] { convolutions.map(\.output) }

  /// Nil where the input or a step is recorded or moving, or one is not for the fast path.
  ///
  /// - Parameters:
  ///   - choice: how convolutions are computed.
  ///   - epsilon: of each norm.
  package init?(
    _ input: Tensor, _ steps: [ConvolutionNormStep], by choice: ConvolutionChoice, epsilon: Double = 1e-5
  ) {
    let read = [input] + steps.flatMap { [$0.weight, $0.scale, $0.shift] }
    guard input.precision == .single, read.allSatisfy(\.isConstant) else { return nil }
    var convolutions: [FastConvolution] = []
    for step in steps {
      guard
        let convolution = FastConvolution(
          convolutions.last?.output ?? input.shape, step.weight.shape, stride: step.stride,
          padding: step.padding, dilation: step.dilation, groups: step.groups, choice)
      else { return nil }
      convolutions.append(convolution)
    }
    self.input = input
    self.convolutions = convolutions
    self.steps = steps
    self.epsilon = epsilon
  }

  /// The last step's output; nil where what is added is recorded.
  ///
  /// - Parameter added: maps of its shape, added before the last step's ReLU.
  package func callAsFunction(adding added: Tensor?) -> Tensor? {
    guard added?.isConstant ?? true else { return nil }
    let links = steps.indices.map { index in
      let step = steps[index]
      let norm = FastNorm(
        convolutions[index].output, mean: step.statistics.mean, variance: step.statistics.variance,
        weight: step.scale, bias: step.shift, epsilon: epsilon)
      return FastConvolution.Link(
        convolution: convolutions[index], weight: step.weight,
        finish: norm.finish(adding: index + 1 == steps.count ? added : nil, relu: step.relu))
    }
    return FastConvolution.chain(input, links)
  }
}

extension Tensor {
  fileprivate var isConstant: Bool { node == nil && !isMoving }
}
