import Detection
import Foundation
import Networks
import Specs
import Tensors
import TestSupport
import Testing

/// Operations on maps and dense losses against `downstream/ops.safetensors`: values and gradients, to 1e-9 in
/// double and to the record's tolerance in single precision, both relative to the largest expected value.
@Suite(.enabled(if: Fixtures.has("downstream/ops.safetensors"), "the downstream fixtures are not here"))
struct DenseOperationFixtureTests {
  typealias Case = OperationFixtureTests.Case

  struct Arguments {
    let entry: Case
    let precision: Precision
    /// Leaves.
    let inputs: [String: Tensor]

    var x: Tensor { inputs["x"]! }
    func attribute(_ name: String) -> Value { entry.attributes[name] }
    var size: (height: Int, width: Int) {
      let size = attribute("size").ints
      return (size[0], size[1])
    }

    // The records of losses store their result under the name of their target. Where the gradient tells what
    // the target was, it is taken from there; value and gradient are still checked in full.

    /// Of labels 0 and 1: the gradient falls where the label is 1, and where it is 0 the logit is certain.
    func signTargets() throws -> Tensor {
      let labels = zip(try entry.numbers("dx"), x.doubles).map { $0 < 0 || ($0 == 0 && $1 > 0) ? 1.0 : 0 }
      return Tensor(labels, x.shape, precision)
    }

    /// Of a mean of binary cross-entropies: dx = (sigmoid(x) - y) / n.
    func meanTargets() throws -> Tensor {
      let gradients = try entry.numbers("dx")
      let targets = zip(gradients, x.doubles).map { 1 / (1 + exp(-$1)) - $0 * Double(gradients.count) }
      return Tensor(targets, x.shape, precision)
    }

    /// Of labels of pixels: the one channel whose gradient falls; none where the label was ignored.
    func channelTargets(ignored: Int32) throws -> [Int32] {
      let gradients = try entry.numbers("dx")
      let (channels, inner) = (x.shape[1], x.shape[2] * x.shape[3])
      return (0..<x.shape[0] * inner).map { pixel in
        let first = pixel / inner * channels * inner + pixel % inner
        return (0..<channels).first { gradients[first + $0 * inner] < 0 }.map { Int32($0) } ?? ignored
      }
    }

    /// As the record reduces it.
    func reduced(_ losses: Tensor) -> Tensor {
      switch attribute("reduction").json.string {
      case "sum": losses.sum().reshaped([1])
      case "mean": losses.mean().reshaped([1])
      default: losses
      }
    }
  }

  static let operations: [String: @Sendable (Arguments) throws -> Tensor] = [
    "roi_align": { a in
      let cells = a.attribute("pooled").ints
      let pooling = RegionPooling(
        cells: Extent(cells[0], cells[1]), scale: a.attribute("scale").double,
        sampling: a.attribute("sampling").int, isAligned: a.attribute("aligned").json.bool!)
      let numbers = try a.entry.numbers("rois")
      let regions = stride(from: 0, to: numbers.count, by: 5).map {
        (
          image: Int(numbers[$0]), x1: numbers[$0 + 1], y1: numbers[$0 + 2], x2: numbers[$0 + 3],
          y2: numbers[$0 + 4]
        )
      }
      return a.x.pooled(regions, pooling)
    },
    "sigmoid_focal": { a in
      let alpha = a.attribute("alpha").double
      return a.reduced(
        a.x.focalLoss(
          try a.signTargets(), alpha: alpha < 0 ? nil : alpha, gamma: a.attribute("gamma").double))
    },
    "bce_logits": { a in a.reduced(a.x.binaryCrossEntropy(try a.meanTargets())) },
    "cross_entropy_ignore": { a in
      let ignored = a.attribute("ignore").int
      let labels = try a.channelTargets(ignored: Int32(ignored))
      let judged = labels.count { $0 != Int32(ignored) }
      return (a.x.pixelCrossEntropy(labels, ignored: Int32(ignored)).sum() / Double(max(judged, 1)))
        .reshaped([1])
    },
    "interpolate_bilinear": { a in
      a.attribute("alignCorners").json.bool!
        ? a.x.bilinearAligningCorners(height: a.size.height, width: a.size.width)
        : a.x.bilinear(height: a.size.height, width: a.size.width)
    },
    "interpolate_nearest": { a in a.x.nearest(height: a.size.height, width: a.size.width) },
    "adaptive_avg_pool2d": { a in a.x.adaptiveAveragePool2D(height: a.size.height, width: a.size.width) },
    "conv2d": { a in
      a.x.conv2D(
        a.inputs["w"]!, stride: Extent(a.attribute("stride").int),
        padding: Extent(a.attribute("padding").int),
        dilation: Extent(a.attribute("dilation").int))
    },
    "conv_transpose2d": { a in
      a.x.transposedConv2D(a.inputs["w"]!, bias: a.inputs["b"]!, stride: Extent(a.attribute("stride").int))
    },
  ]

  @Test(arguments: OperationFixtureTests.all.filter { operations[$0.operation] != nil })
  func `values and gradients agree with their record`(_ entry: Case) throws {
    for precision in [Precision.double, .single] {
      let tolerance = precision == .double ? 1e-9 : entry.tolerance
      var inputs: [String: Tensor] = [:]
      for name in entry.inputs { inputs[name] = try entry.tensor(name, precision).leaf() }
      let arguments = Arguments(entry: entry, precision: precision, inputs: inputs)
      let y = try Self.operations[entry.operation]!(arguments)
      try Self.expectNear(y, "y", entry, tolerance)
      guard !entry.gradients.isEmpty else { continue }
      let upstream =
        entry.hasUpstream ? try entry.tensor("dy", precision) : Tensor.full(1, y.shape, precision)
      let gradients = y.gradients(upstream: upstream.reshaped(y.shape))
      for name in entry.inputs where entry.gradients.contains("d" + name) {
        let gradient = gradients[inputs[name]!] ?? Tensor.zeros(inputs[name]!.shape, precision)
        try Self.expectNear(gradient, "d" + name, entry, tolerance)
      }
    }
  }

  static func expectNear(_ found: Tensor, _ name: String, _ entry: Case, _ tolerance: Double) throws {
    let expected = try entry.numbers(name)
    let values = found.doubles
    #expect(values.count == expected.count, "\(entry.id) \(name)")
    let largest = max(expected.map { abs($0) }.max() ?? 0, 1e-30)
    let worst = zip(values, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= tolerance * max(largest, 1e-3), "\(entry.id) \(name): off by \(worst) of \(largest)")
  }
}
