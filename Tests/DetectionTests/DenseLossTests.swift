import Tensors
import Testing

/// Worked values of `downstream.md` 8, and gradients against central differences.
@Suite struct DenseLossTests {
  static func tensor(_ values: [Double], _ shape: Shape) -> Tensor { Tensor(values, shape, .double) }

  static func expectNear(_ found: Tensor, _ expected: [Double], within tolerance: Double) {
    for (a, b) in zip(found.doubles, expected) { #expect(abs(a - b) <= tolerance, "\(a), expected \(b)") }
  }

  /// Away from kinks a central difference in double agrees to 1e-7 of the gradient's size.
  static func expectGradient(of loss: (Tensor) -> Tensor, at values: [Double], _ shape: Shape) {
    let leaf = tensor(values, shape).leaf()
    let gradient = loss(leaf).sum().gradients()[leaf]!.doubles
    for index in values.indices {
      var (up, down) = (values, values)
      up[index] += 1e-5
      down[index] -= 1e-5
      let slope = (loss(tensor(up, shape)).sum().scalar - loss(tensor(down, shape)).sum().scalar) / 2e-5
      #expect(
        abs(slope - gradient[index]) < 1e-7 * max(1, abs(slope)), "\(index): \(gradient[index]), \(slope)")
    }
  }

  @Test func `the focal loss has the specification's values and stays finite`() {
    let found = Self.tensor([2, -1, 0, 100, -100], [5]).focalLoss(Self.tensor([1, 0, 0, 0, 1], [5]))
    Self.expectNear(found, [0.00045089, 0.01699354, 0.12996510, 75, 25], within: 1e-8)
  }

  @Test(arguments: [0.0, 1.5, 2])
  func `the focal loss's gradient is its slope`(_ gamma: Double) {
    let targets = Self.tensor([1, 0, 1, 0, 0], [5])
    Self.expectGradient(
      of: { $0.focalLoss(targets, alpha: 0.25, gamma: gamma) }, at: [2, -1, -0.5, 3, 0.1], [5])
    Self.expectGradient(
      of: { $0.focalLoss(targets, alpha: nil, gamma: gamma) }, at: [2, -1, -0.5, 3, 0.1], [5])
  }

  @Test func `smooth L1 has the specification's values, and without a bend is the absolute difference`() {
    let zeros = Self.tensor([0, 0], [2])
    Self.expectNear(
      Self.tensor([0.05, 0.5], [2]).smoothL1(zeros, beta: 1.0 / 9), [0.01125, 0.444444], within: 1e-6)
    let leaf = Self.tensor([0, -3], [2]).leaf()
    let loss = leaf.smoothL1(zeros, beta: 0)
    Self.expectNear(loss, [0, 3], within: 0)
    Self.expectNear(loss.sum().gradients()[leaf]!, [0, -1], within: 0)
    Self.expectGradient(of: { $0.smoothL1(zeros, beta: 0.5) }, at: [0.3, -2], [2])
  }

  @Test func `the generalised overlap loss has the specification's values`() {
    let boxes = Self.tensor([0, 0, 2, 2, 0, 0, 1, 1, 3, 3, 3, 3], [3, 4])
    let targets = Self.tensor([1, 1, 3, 3, 2, 2, 3, 3, 3, 3, 3, 3], [3, 4])
    Self.expectNear(boxes.generalisedOverlapLoss(targets), [1.0793650, 1.7777778, 1.0], within: 1e-6)
  }

  @Test func `the generalised overlap loss's gradient is its slope, for boxes that meet, contain and miss`() {
    let targets = Self.tensor([1, 1, 3, 3, 2, 2, 3, 3.5, 0, 0, 10, 10, 4, 4, 5, 5], [4, 4])
    Self.expectGradient(
      of: { $0.generalisedOverlapLoss(targets) },
      at: [0, 0.2, 2.1, 2, 0, 0, 1, 1.2, 2, 3, 5, 7, 3, 3.3, 6, 8], [4, 4])
  }

  @Test func `ignored pixels have neither loss nor gradient, and nothing else either where all are ignored`()
  {
    let leaf = Self.tensor([1, 2, 3, 4, 5, 6, 7, 9], [1, 2, 2, 2]).leaf()
    let loss = leaf.pixelCrossEntropy([0, 255, 1, 255])
    #expect(loss.doubles[1] == 0 && loss.doubles[3] == 0 && loss.doubles[0] > 0)
    let gradient = loss.sum().gradients()[leaf]!.doubles
    #expect(gradient[1] == 0 && gradient[5] == 0 && gradient[0] < 0 && gradient[4] > 0)
    #expect(leaf.pixelCrossEntropy([255, 255, 255, 255]).sum().scalar == 0)
    Self.expectGradient(
      of: { $0.pixelCrossEntropy([0, 255, 1, 1]) }, at: [1, 2, 3, 4, 5, 6, 7, 9], [1, 2, 2, 2])
  }

  @Test func `a region samples what the specification's example says`() {
    let map = Self.tensor((0..<16).map { Double($0) }, [1, 1, 4, 4])
    func pooled(_ box: [Double], aligned: Bool, sampling: Int) -> [Double] {
      let pooling = RegionPooling(cells: 2, scale: 1, sampling: sampling, isAligned: aligned)
      return map.pooled([(image: 0, x1: box[0], y1: box[1], x2: box[2], y2: box[3])], pooling).doubles
    }
    #expect(pooled([0, 0, 4, 4], aligned: false, sampling: 2) == [5, 6.75, 12, 13.75])
    #expect(pooled([0, 0, 4, 4], aligned: true, sampling: 2) == [2.5, 4.5, 10.5, 12.5])
    #expect(pooled([1, 1, 1, 1], aligned: false, sampling: 2) == [6.25, 6.75, 8.25, 8.75])
    #expect(pooled([1, 1, 1, 1], aligned: true, sampling: 2) == [2.5, 2.5, 2.5, 2.5])
    #expect(pooled([1, 1, 1, 1], aligned: true, sampling: 0) == [0, 0, 0, 0])
    #expect(map.pooled([], RegionPooling(cells: 2, scale: 1, isAligned: true)).shape == [0, 1, 2, 2])
  }
}
