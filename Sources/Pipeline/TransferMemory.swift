internal import Networks
package import Specs
internal import Sweeps

/// What a transfer takes of memory at its worst, before one of its kind has been measured here:
/// counted from what a backward pass keeps, and from how often the arrays are in memory when a
/// snapshot of them is written.
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
  /// How often all arrays are there beside those of training while a snapshot is written, which
  /// holds weights and momentum: as what it holds, encoded, sorted by bytes, as room for the
  /// compressed ones, and compressed.
  private static let snapshotCopies = 10.0
  // The next four were fitted to the peaks of 27 transfers, 64 × 64 to 448 × 597 pixels, ResNet-18 to
  // ResNet-50 (Benchmarks/RESULTS.md).
  /// Weights, momentum, gradients and what kernels make of weights, of a trunk and of all else.
  private static let trunkCopies = 7.2
  private static let headCopies = 3.0
  /// Filters of 3 × 3 transformed for Winograd's algorithm, in terms of the filters; maps
  /// of fewer cells do without.
  private static let transformed = 5.2
  private static let leastCells = 32.0
  /// Gradients of maps on their way back, and buffers of kernels, beside what is kept of a trunk,
  /// and of what stands on it.
  private static let passing = (trunk: 2.1, head: 1.5)
  /// Mask heads ask for buffers of other sizes at each step, and those of before wait until all
  /// are twice what was in use.
  private static let waiting = 2.0

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
    let trunk = Self.trunk(network, area, strides, frozen: frozen)
    var (floats, arrays) = (0.0, 0.0)
    if isDetector {
      (floats, arrays) = Self.detector(spec.head, area, field)
    } else {
      let channels = Double(NetworkNames.trunkChannels(network).last ?? 512)
      let width = field("width", 128)
      // Branches or pools, what they are joined to, and what follows.
      floats = area / 64 * (spec.head == "deeplabv3" ? 15 * width : 2 * channels + 4 * width)
      arrays =
        spec.head == "deeplabv3"
        ? width * (28 * channels + 15 * width) : width * (channels + 18 * channels)
    }
    self.title = title
    task = spec.task
    (height, width) = (size.height, size.width)
    images = spec.fields[isDetector ? "lossGroup" : "batchSize"]?.integer ?? 1
    let waiting = spec.head == "mask-rcnn" ? Self.waiting : 1
    perImage = 4 * waiting * (Self.passing.trunk * trunk.floats + Self.passing.head * floats)
    let trained =
      Self.trunkCopies * Double(parameters) + Self.headCopies * arrays + Self.transformed * trunk.filters
    fixed =
      Self.process + 4 * (Self.snapshotCopies * (Double(parameters) + arrays) + waiting * trained) + kept
  }

  /// Floats of a trunk that a backward pass reads: two maps for each convolution with its norm. And numbers
  /// in its filters of 3 × 3 that are transformed.
  private static func trunk(
    _ network: ModelSpec, _ area: Double, _ strides: [Double], frozen: Int
  ) -> (floats: Double, filters: Double) {
    let channels = NetworkNames.trunkChannels(network).map(Double.init)
    let repeats = network.parameters["repeats"]?.array?.compactMap(\.integer) ?? [2, 2, 2, 2]
    let isBasic = network.parameters["block"]?.string != "bottleneck"
    var floats = frozen > 0 ? 0 : area * (2 * 64 / 4 + 64 / 16)
    var filters = 0.0
    for (stage, (channels, stride)) in zip(channels, strides).enumerated() {
      let blocks = Double(stage < repeats.count ? repeats[stage] : 2)
      if area >= Self.leastCells * stride * stride {
        filters += blocks * 9 * channels * channels * (isBasic ? 2 : 1.0 / 16)
      }
      if stage < frozen { continue }
      let maps = isBasic ? 4 * channels : 3 * channels
      floats += (blocks * maps + channels) * area / (stride * stride)
    }
    return (floats, filters)
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
      // A quarter of the regions at most, and half of that as measured: what is pooled, four convolutions and
      // the larger map, each before and behind its ReLU.
      floats += regions / 8 * (9 * 196 + 2 * 784) * masks
      arrays += 40 * masks * masks
    }
    return (floats, arrays)
  }
}
