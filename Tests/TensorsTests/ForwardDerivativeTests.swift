import TestSupport
import Tensors
import Testing

/// Products with the Hessian: the forward derivative of the backward pass of every operation, against
/// differences of gradients in double precision.
@Suite struct ForwardDerivativeTests {
  struct Operation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let shapes: [Shape]
    let range: ClosedRange<Double>
    let value: @Sendable ([Tensor]) -> Tensor

    init(
      _ name: String, _ shapes: [Shape], _ range: ClosedRange<Double> = -1.5...1.5,
      _ value: @escaping @Sendable ([Tensor]) -> Tensor
    ) {
      testDescription = name
      self.shapes = shapes
      self.range = range
      self.value = value
    }
  }

  static let all = elementwise + products + reductions + normalisations + maps + moves

  private static let elementwise = [
    Operation("relu", [[3, 4]]) { $0[0].relu() },
    Operation("relu6", [[3, 4]], 4...8) { $0[0].relu6() },
    Operation("sigmoid", [[3, 4]]) { $0[0].sigmoid() },
    Operation("tanh", [[3, 4]]) { $0[0].tanh() },
    Operation("exp", [[3, 4]]) { $0[0].exp() },
    Operation("log", [[3, 4]], 0.3...3) { $0[0].log() },
    Operation("square", [[3, 4]]) { $0[0].square() },
    Operation("squareRoot", [[3, 4]], 0.3...3) { $0[0].squareRoot() },
    Operation("clampedToUnit", [[3, 4]]) { $0[0].clampedToUnit() },
    Operation("gelu", [[3, 4]]) { $0[0].gelu() },
    Operation("sum and difference", [[3, 4], [3, 4]]) { $0[0] + $0[1] * 2 - $0[0].affine(0.5, 1) },
    Operation("product", [[3, 4], [3, 4]]) { $0[0] * $0[1] },
    Operation("quotient", [[3, 4], [3, 4]], 0.5...2) { $0[0] / $0[1] },
    Operation("a tensor by itself", [[3, 4]], 0.5...2) { $0[0] * $0[0].log() / ($0[0] + 1) },
    Operation("adding along", [[2, 3, 4], [3]]) { $0[0].adding($0[1], along: 1) },
    Operation("scaled along", [[2, 3, 4], [3]]) { $0[0].scaled(by: $0[1], along: 1) },
    Operation("gating", [[2, 3, 2, 2], [2, 3]]) { $0[0].gating($0[1]) },
  ]

  private static let products: [Operation] = [false, true].flatMap { aT in
    [false, true].flatMap { bT in
      [
        Operation("matmul \(aT) \(bT)", [aT ? [4, 3] : [3, 4], bT ? [5, 4] : [4, 5], [5]]) {
          $0[0].matmul($0[1], transposingSelf: aT, transposingOther: bT, adding: $0[2])
        },
        Operation("batchedMatmul \(aT) \(bT)", [aT ? [2, 4, 3] : [2, 3, 4], bT ? [2, 5, 4] : [2, 4, 5]]) {
          $0[0].batchedMatmul($0[1], transposingSelf: aT, transposingOther: bT)
        },
      ]
    }
  }

  private static let reductions = [
    Operation("means and sums", [[2, 3, 4]]) {
      $0[0].mean(axis: 1).sum(axis: 0)
        + ($0[0].mean() * $0[0].rowMeans().square().sum()).reshaped([1]).matmulOfOnes(4)
    },
    Operation("softmax", [[3, 4]]) { $0[0].softmax() },
    Operation("scaled softmax", [[2, 3, 4]]) { $0[0].softmax(scale: 0.7) },
    Operation("logSoftmax", [[3, 4]]) { $0[0].logSoftmax() },
    Operation("cross-entropy", [[3, 4]]) { $0[0].crossEntropy(labels: [1, 3, 0], smoothing: 0.1) },
    Operation("KL divergence", [[3, 4]]) {
      $0[0].klDivergence(from: ForwardDerivativeTests.random([3, 4], 9), temperature: 3)
    },
  ]

  private static let normalisations = [
    Operation("batchNorm", [[3, 2, 2, 3], [2], [2]]) {
      $0[0].batchNorm(weight: $0[1], bias: $0[2]).output
    },
    Operation("batchNorm, sum and relu", [[3, 2, 2, 3], [2], [2], [3, 2, 2, 3]]) {
      $0[0].batchNorm(weight: $0[1], bias: $0[2], adding: $0[3], relu: true).output
    },
    Operation("layerNorm", [[2, 3, 5], [5], [5]]) {
      $0[0].layerNorm(weight: $0[1], bias: $0[2], epsilon: 1e-6)
    },
  ]

  private static let maps: [Operation] = [
    Operation("convolution", [[2, 3, 5, 5], [4, 3, 3, 3], [4]]) {
      $0[0].conv2D($0[1], bias: $0[2], stride: 2, padding: 1)
    },
    Operation("convolution, stride 1", [[2, 3, 5, 5], [4, 3, 3, 3]]) { $0[0].conv2D($0[1], padding: 1) },
    Operation("convolution in groups", [[2, 4, 4, 4], [6, 2, 1, 1]]) { $0[0].conv2D($0[1], groups: 2) },
    Operation("depthwise convolution", [[2, 4, 5, 5], [4, 1, 3, 3]]) {
      $0[0].conv2D($0[1], padding: 1, groups: 4)
    },
    Operation("convolution and norm", [[2, 3, 5, 5], [4, 3, 3, 3], [4], [4]]) {
      $0[0].convolutionNorm($0[1], padding: 1, by: .auto, scale: $0[2], shift: $0[3], relu: true).output
    },
    Operation("maximum of windows", [[2, 2, 5, 5]]) { $0[0].maxPool2D(kernel: 3, stride: 2, padding: 1) },
    Operation("mean of windows", [[2, 2, 5, 5]]) { $0[0].averagePool2D(kernel: 3, stride: 2, padding: 1) },
    Operation("adaptive mean", [[2, 2, 5, 5]]) { $0[0].adaptiveAveragePool2D(height: 3, width: 2) },
    Operation("global mean", [[2, 3, 4, 4]]) { $0[0].globalAveragePool() },
    Operation("bilinear", [[2, 2, 3, 3]]) { $0[0].bilinear(height: 5, width: 4) },
    Operation("nearest", [[2, 2, 3, 3]]) { $0[0].nearest(height: 5, width: 4) },
  ]

  private static let moves: [Operation] = [
    Operation("joined and cut", [[2, 3, 2], [2, 1, 2]]) {
      Tensor.concatenated([$0[0], $0[1]], axis: 1).sliced(axis: 1, from: 1, to: 4)
    },
    Operation("joined with a constant", [[2, 3]]) {
      Tensor.concatenated([$0[0], .full(1, [2, 2], .double)], axis: 1)
    },
    Operation("transposed", [[3, 4]]) { $0[0].transposed() },
    Operation("shuffled channels", [[2, 4, 2, 2]]) { $0[0].channelShuffle(groups: 2) },
    Operation("shuffled halves", [[2, 4, 2, 2], [2, 4, 2, 2]]) {
      let halves = Tensor.shuffledHalves($0[0], $0[1])
      return Tensor.interleaved(halves.0.relu(), halves.1.square())
    },
    Operation("rows and elements", [[3, 4]]) { $0[0].rows([2, 0, 2]).element(perRow: [1, 3, 0]) },
    Operation("heads", [[2, 3, 12]]) { x in
      let heads = x[0].splitIntoHeads(2, parts: 3)
      return heads[0].batchedMatmul(heads[1], transposingOther: true).softmax(scale: 0.5)
        .batchedMatmul(heads[2]).mergingHeads(2).swappingLastAxes()
    },
  ]

  fileprivate static func random(
    _ shape: Shape, _ seed: Int, _ range: ClosedRange<Double> = -1.5...1.5
  ) -> Tensor {
    var stream = RandomStream(seed: UInt64(seed), "forward derivative")
    return Tensor((0..<shape.count).map { _ in stream.uniform(range) }, shape, .double)
  }

  /// A loss with a Hessian of its own.
  private static func loss(_ operation: Operation, _ inputs: [Tensor]) -> Tensor {
    let value = operation.value(inputs)
    let weights = random(value.shape, 77)
    return (value * weights).square().sum() + (value * weights).sum()
  }

  private static func gradients(_ operation: Operation, _ inputs: [Tensor]) -> [[Double]] {
    let leaves = inputs.map { $0.leaf() }
    let gradients = loss(operation, leaves).gradients()
    return leaves.map { gradients[$0]?.doubles ?? Array(repeating: 0, count: $0.count) }
  }

  @Test(arguments: all)
  func `gradients change along a direction as their differences say`(_ operation: Operation) {
    let inputs = operation.shapes.enumerated().map { Self.random($1, $0 + 1, operation.range) }
    let directions = operation.shapes.enumerated().map { Self.random($1, $0 + 31) }
    // One input at a time, then all: a rule that forgets a factor would hide behind the others.
    for still in (0..<inputs.count).map({ [$0] }) + [[]] where inputs.count > 1 || still.isEmpty {
      let along = directions.indices.map { still.contains($0) ? nil : directions[$0] }
      let leaves = zip(inputs, along).map { $0.leaf(moving: $1) }
      let gradients = Self.loss(operation, leaves).gradients()
      let step = 1e-6
      func moved(_ by: Double) -> [Tensor] { zip(inputs, along).map { x, e in e.map { x + $0 * by } ?? x } }
      let (ahead, behind) = (Self.gradients(operation, moved(step)), Self.gradients(operation, moved(-step)))
      let plain = Self.gradients(operation, inputs)
      for (index, leaf) in leaves.enumerated() {
        let difference = zip(ahead[index], behind[index]).map { ($0 - $1) / (2 * step) }
        let derivative = gradients.derivative(of: leaf)?.doubles ?? Array(repeating: 0, count: leaf.count)
        let scale = max(1, difference.map(abs).max() ?? 0)
        let worst = zip(derivative, difference).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= 3e-8 * scale, "input \(index), still \(still)")
        #expect(zip(gradients[leaf]!.doubles, plain[index]).allSatisfy { abs($0 - $1) < 1e-12 * scale })
      }
    }
  }

  @Test func `a constant has no derivative, and a leaf that stays leads to none`() {
    let x = Self.random([3], 1)
    #expect(x.tangent == nil && x.leaf().square().tangent == nil)
    let leaf = x.leaf(moving: Tensor.full(1, [3], .double))
    #expect(leaf.detached.tangent == nil)
    #expect(leaf.square().tangent!.doubles == (x * 2).doubles)
  }
}

extension Tensor {
  /// `[1]` as `[count]`.
  fileprivate func matmulOfOnes(_ count: Int) -> Tensor {
    reshaped([1, 1]).matmul(.full(1, [1, count], precision)).reshaped([count])
  }
}
