import Datasets
import Detection
import Foundation
import Networks
import Specs
import Tensors
import Transfers

/// CPU seconds of whole training steps of detectors and segmentors, and of the operations that only they
/// have, at one thread: the median of a few rounds. `downstream_pairs.py` runs it beside torchvision.
///
///     mtkd-benchmarks downstream NAME [--seconds S]
///
/// Prints one line: milliseconds a call, then the largest resident memory in MiB.
struct DownstreamSpeed {
  static let steps: [String: (head: String, trunk: String)] = [
    "retinanet-resnet18": ("retinanet", "resnet18"), "faster-rcnn-resnet18": ("faster-rcnn", "resnet18"),
    "mask-rcnn-resnet18": ("mask-rcnn", "resnet18"), "pspnet-resnet34": ("pspnet", "resnet34"),
    "deeplabv3-resnet34": ("deeplabv3", "resnet34"),
  ]
  static let operations = ["roi-align", "roi-align-backward", "nms-2000", "transposed-convolution"]

  /// What is not measured, and then what is.
  private typealias Prepared = () throws -> () throws -> Void

  static func main(_ arguments: [String]) throws {
    let name = arguments.first ?? ""
    let seconds = arguments.count > 2 && arguments[1] == "--seconds" ? Double(arguments[2]) ?? 3 : 3
    let body: Prepared
    if let (head, trunk) = steps[name] {
      var run = try run(head, trunk)
      body = { { if try run.step() == nil { fatalError("the run ended") } } }
    } else if let operation = operation(name) {
      body = operation
    } else {
      return print("Name one of \((steps.keys.sorted() + operations).joined(separator: ", ")).")
    }
    try Device(threads: 1).run {
      let time = try median(seconds, body)
      print(name, String(format: "%.3f", 1000 * time), TrainingSpeed.largestMemory)
    }
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Images are made in the first two calls, which are not counted.
  private static func median(_ seconds: Double, _ prepare: Prepared) throws -> Double {
    for _ in 0..<2 { try prepare()() }
    var times: [Double] = []
    let end = now + seconds
    while now < end || times.count < 3 {
      let body = try prepare()
      let start = now
      try body()
      times.append(now - start)
    }
    return times.sorted()[times.count / 2]
  }

  /// Steps of two images: of 256 × 341 under torchvision's recipe at its full width, or of 128 × 128 with a
  /// full head at output stride 8.
  private static func run(_ head: String, _ trunk: String) throws -> TransferRun {
    let isDetector = TransferTask.detection.heads.contains(head)
    let dataset = DatasetSpec(
      name: isDetector ? "synthetic-shapes-256x341-3" : "synthetic-shapes-128x128-3", trainImages: 64,
      testImages: 1)
    let given: [String: JSONValue] =
      isDetector
      ? ["batchSize": 2, "epochs": 10000, "shortSide": 0, "warmupSteps": 0]
      : [
        "batchSize": 2, "lossGroup": 2, "steps": 100_000, "width": head == "pspnet" ? 128 : 512,
        "evalEvery": 0,
      ]
      .merging(head == "pspnet" ? ["poolWidth": 128] : [:]) { $1 }
    let recipe = TransferRecipes.recipe(isDetector ? "torchvision" : "mini-seg")!
    let spec = TransferSpec(
      task: isDetector ? .detection : .segmentation, head: head, dataset: dataset,
      fields: TransferRecipes.resolved(recipe, head: head, dataset: dataset.name, given: given))
    return try TransferRun(
      spec, on: Trunk(random: NetworkNames.spec(.string(trunk)), seed: 1), AnnotatedCatalog.open(dataset),
      seed: 1)
  }

  private static func noise(_ shape: Shape) -> Tensor {
    var stream = RandomStream(seed: 1, "benchmark")
    return Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
  }

  /// Boxes of some 20 to 180 pixels in a picture of 256 × 256.
  private static func boxes(_ count: Int, side: Double) -> [Corners] {
    var stream = RandomStream(seed: 2, "benchmark")
    return (0..<count).map { _ in
      let (x, y) = (stream.uniform() * side, stream.uniform() * side)
      return Corners(x, y, x + 20 + 160 * stream.uniform(), y + 20 + 160 * stream.uniform())
    }
  }

  private static func operation(_ name: String) -> Prepared? {
    switch name {
    case "roi-align", "roi-align-backward":
      let map = noise([2, 256, 64, 86]).leaf()
      let regions = boxes(512, side: 256).enumerated().map {
        (image: $0 % 2, x1: $1.x1, y1: $1.y1, x2: $1.x2, y2: $1.y2)
      }
      let pooling = RegionPooling(cells: 7, scale: 0.25, sampling: 2, isAligned: false)
      if name == "roi-align" { return { { _ = map.detached.pooled(regions, pooling) } } }
      let upstream = noise([512, 256, 7, 7])
      return {
        let pooled = map.pooled(regions, pooling)
        return { _ = pooled.gradients(upstream: upstream) }
      }
    case "nms-2000":
      // Few are dropped.
      let boxes = boxes(2000, side: 4000)
      var stream = RandomStream(seed: 3, "benchmark")
      let scores = boxes.map { _ in stream.uniform() }
      return { { _ = try Suppression.kept(boxes, scores: scores, threshold: 0.7) } }
    case "transposed-convolution":
      let (x, weight, bias) = (noise([128, 256, 14, 14]), noise([256, 256, 2, 2]), noise([256]))
      return { { _ = x.transposedConv2D(weight, bias: bias, stride: 2, by: .auto) } }
    default: return nil
    }
  }
}
