/// The metrics that transfers declare, and the names under which they report them.
package enum TransferMetrics {
  /// COCO's twelve numbers with what they are.
  private static let coco: [(name: String, title: String)] = [
    ("AP", "average precision at IoU 0.50 to 0.95"), ("AP50", "average precision at IoU 0.50"),
    ("AP75", "average precision at IoU 0.75"), ("APs", "average precision of small objects"),
    ("APm", "average precision of medium objects"), ("APl", "average precision of large objects"),
    ("AR1", "average recall of 1 detection an image"), ("AR10", "average recall of 10 detections an image"),
    ("AR100", "average recall of 100 detections an image"), ("ARs", "average recall of small objects"),
    ("ARm", "average recall of medium objects"), ("ARl", "average recall of large objects"),
  ]

  /// `test.box.AP`.
  package static func precision(_ name: String, mask: Bool) -> String {
    "test.\(mask ? "mask" : "box").\(name)"
  }

  package static let box = precision("AP", mask: false)
  package static let meanIntersection = "test.mIoU"
  package static let meanIntersectionOfPresent = "test.mIoU.present"
  package static let pixelAccuracy = "test.pixelAcc"

  /// The mean of a part of the loss, such as `train.loss.rpn.box`; of the whole for an empty name.
  package static func loss(_ part: String) -> String { part.isEmpty ? "train.loss" : "train.loss.\(part)" }

  /// The task whose runs report a metric; nil for one that others have too.
  package static func task(of metric: String) -> TransferTask? {
    let name = metric.hasPrefix("validation.") ? "test" + metric.dropFirst("validation".count) : metric
    if name.hasPrefix("test.box.") || name.hasPrefix("test.mask.") { return .detection }
    let isOfPixels = [meanIntersection, meanIntersectionOfPresent, pixelAccuracy].contains(name)
    return isOfPixels ? .segmentation : nil
  }

  /// All that runs with these tasks may report; the headline is the first task's.
  package static func descriptions(_ tasks: [TransferTask]) -> [MetricDescription] {
    var metrics: [MetricDescription] = []
    func add(_ name: String, _ title: String, unit: String? = "%", isHigherBetter: Bool = true) {
      metrics.append(
        MetricDescription(
          name, title: title, unit: unit, isHigherBetter: isHigherBetter, isHeadline: metrics.isEmpty))
    }
    for task in tasks {
      switch task {
      case .detection:
        for mask in [false, true] {
          for (name, title) in coco {
            add(precision(name, mask: mask), "\(mask ? "mask" : "box") \(title)")
          }
        }
      case .segmentation:
        add(meanIntersection, "mean intersection over union")
        add(meanIntersectionOfPresent, "mean intersection over union of the classes that occur")
        add(pixelAccuracy, "pixel accuracy")
      }
    }
    // The same on held-out images, which may choose a record.
    for metric in metrics {
      add(metric.validationName ?? metric.name, "validation \(metric.title)")
    }
    metrics.append(
      MetricDescription(
        "train.loss", title: "training loss", unit: "nats", isHigherBetter: false))
    return metrics
  }
}
