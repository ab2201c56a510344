internal import Networks
package import Specs
internal import Sweeps

/// What a transfer takes of memory at its worst, before one of its kind has been measured here: counted from what a
/// backward pass keeps.
///
/// Images of a detector's group, or of a segmentor's batch, are in hand at once; groups follow one another.
package struct TransferMemory: Hashable, Sendable {
  /// Such as `faster-rcnn on resnet18`.
  package let title: String
  package let task: TransferTask
  /// Bytes, whatever the images: the process, arrays of the model several times, images that are kept.
  package let fixed: Double
  /// Bytes of one image in hand.
  package let perImage: Double
  /// How many are in hand at once.
  package let images: Int
  /// As the network sees them.
  package let height: Int
  package let width: Int

  package var bytes: Double { fixed + Double(images) * perImage }

  /// The smallest change with which it fits into so many bytes; nil where it fits as it is.
  package func advice(within limit: Double) -> String? {
    guard bytes > limit else { return nil }
    let field = task == .detection ? "lossGroup" : "batchSize"
    let left = limit - fixed
    if left >= perImage { return "\"\(field)\": \(Int(left / perImage)) fits" }
    guard left > 0 else { return "its weights alone do not fit; take a smaller backbone" }
    let share = (left / perImage).squareRoot()
    let (short, long) = (
      Int(Double(min(height, width)) * share) / 32 * 32, Int(Double(max(height, width)) * share) / 32 * 32
    )
    guard short >= 32 else { return "images of no useful size fit; take a machine with more memory" }
    return task == .detection
      ? "\"\(field)\": 1 with \"shortSide\": \(short) and \"longSide\": \(long) fits"
      : "\"\(field)\" stays, and a crop of \(short) × \(long) fits one image"
  }
}

extension TransferMemory {
  /// A process that has done nothing yet.
  private static let process = 60e6
  /// Weights, momentum, gradients, a snapshot and what kernels make of weights: of a trunk, whose filters of 3 × 3 are
  /// transformed to four times their size, and of all else. Between what was measured with a ResNet-18 and a ResNet-34.
  private static let trunkCopies = 14.0
  private static let headCopies = 5.0
  /// Gradients of maps on their way back, and buffers of kernels, beside what is kept.
  private static let passing = 1.4

  /// - Parameters:
  ///   - size: of an image as the network sees it.
  ///   - parameters: of the trunk.
  ///   - kept: bytes of images that stay in memory.
  init(
    _ spec: TransferSpec, on network: ModelSpec, _ title: String, size: (height: Int, width: Int),
    parameters: Int, kept: Double
  ) {
    func field(_ name: String, _ standard: Int) -> Double {
      Double(spec.fields[name]?.integer ?? standard)
    }
    let isDetector = spec.task == .detection
    let area = Double((size.height + 31) / 32 * 32) * Double((size.width + 31) / 32 * 32)
    let strides: [Double] = isDetector ? [4, 8, 16, 32] : [4, 8, 8, 8]
    let frozen = isDetector ? Int(field("frozenStages", 0)) : 0
    var floats = Self.trunk(network, area, strides, frozen: frozen)
    var arrays = 0.0
    if isDetector {
      let (own, weights) = Self.detector(spec.head, area, field)
      (floats, arrays) = (floats + own, arrays + weights)
    } else {
      let channels = Double(NetworkNames.trunkChannels(network).last ?? 512)
      let width = field("width", 128)
      // Branches or pools, what they are joined to, and what follows.
      floats += area / 64 * (spec.head == "deeplabv3" ? 15 * width : 2 * channels + 4 * width)
      arrays +=
        spec.head == "deeplabv3"
        ? width * (28 * channels + 15 * width) : width * (channels + 18 * channels)
    }
    self.title = title
    task = spec.task
    (height, width) = (size.height, size.width)
    images = spec.fields[isDetector ? "lossGroup" : "batchSize"]?.integer ?? 1
    perImage = 4 * Self.passing * floats
    fixed =
      Self.process + 4 * (Self.trunkCopies * Double(parameters) + Self.headCopies * arrays) + kept
  }

  /// Floats of a trunk that a backward pass reads: two maps for each convolution with its norm.
  private static func trunk(
    _ network: ModelSpec, _ area: Double, _ strides: [Double], frozen: Int
  ) -> Double {
    let channels = NetworkNames.trunkChannels(network).map(Double.init)
    let repeats = network.parameters["repeats"]?.array?.compactMap(\.integer) ?? [2, 2, 2, 2]
    let isBasic = network.parameters["block"]?.string != "bottleneck"
    var floats = frozen > 0 ? 0 : area * (2 * 64 / 4 + 64 / 16)
    for (stage, (channels, stride)) in zip(channels, strides).enumerated() where stage >= frozen {
      let blocks = Double(stage < repeats.count ? repeats[stage] : 2)
      let maps = isBasic ? 4 * channels : 3 * channels
      floats += (blocks * maps + channels) * area / (stride * stride)
    }
    return floats
  }

  /// Floats of pyramid and heads an image, and numbers in their arrays.
  private static func detector(
    _ head: String, _ area: Double, _ field: (String, Int) -> Double
  ) -> (floats: Double, arrays: Double) {
    let width = field("fpnWidth", 256)
    let isDense = head == "retinanet"
    // Levels from stride 8 or 4 on, each a quarter of the one before.
    let cells = area / (isDense ? 64 : 16) * 4 / 3
    // Laterals, sums, outputs.
    var floats = 3 * width * cells
    if isDense {
      let depth = field("towerDepth", 4)
      // Beside them anchors, matches and scores, nine a cell, as doubles.
      floats += (4 * depth * width + 9 * 50) * cells
      return (floats, 9 * width * width * (5 + 2 * depth) + 3 * width * 960)
    }
    floats += (2 * width + 3 * 50) * cells
    let (regions, hidden) = (field("roiSample", 512), field("hidden", 1024))
    let heads: Double = head == "cascade-rcnn" ? 3 : 1
    floats += heads * regions * (3 * width * 49 + 4 * hidden)
    var arrays = 9 * width * width * 5 + width * 960 + heads * hidden * (49 * width + hidden)
    if head == "mask-rcnn" {
      let masks = field("maskWidth", 256)
      floats += regions / 4 * (8 * 196 + 4 * 784) * masks
      arrays += 40 * masks * masks
    }
    return (floats, arrays)
  }
}
