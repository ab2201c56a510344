package import Datasets
internal import Evaluation
package import Specs

/// What predictions are worth.
package struct TransferEvaluation: Sendable {
  /// By the names of `TransferMetrics`, in percent; what has no value is left out.
  package private(set) var metrics: [String: Double] = [:]
  /// Of each class by its name, in percent; nil where it has no value.
  package private(set) var perClass: [(name: String, value: Double?)] = []
  /// The same of masks; empty where none were found.
  package private(set) var perClassOfMasks: [Double?] = []
  /// Of boxes and of masks, as far as there are any.
  package private(set) var curves: [TransferFindings.Curve] = []

  /// - Parameters:
  ///   - test: with objects and masks, or with semantics, in the order of the predictions.
  ///   - absentCountsAsZero: whether `test.mIoU` counts classes that neither occur nor are predicted.
  /// - Throws: `LabelError` where a label of a pixel is none of the classes, `MaskError` for a
  ///   polygon without an area.
  package init(
    _ predictions: [Prediction], of test: [AnnotatedImage], in dataset: AnnotatedDataset, task: TransferTask,
    absentCountsAsZero: Bool = false
  ) throws {
    precondition(predictions.count == test.count, "\(predictions.count) predictions of \(test.count) images")
    switch task {
    case .detection: try detect(predictions, test, dataset)
    case .segmentation: try segment(predictions, test, dataset, absentCountsAsZero)
    }
  }

  private mutating func detect(
    _ predictions: [Prediction], _ test: [AnnotatedImage], _ dataset: AnnotatedDataset
  ) throws {
    var truth: [TrueObject<Box>] = []
    var masks: [TrueObject<RunLengthMask>] = []
    var found: [DetectedObject<Box>] = []
    var foundMasks: [DetectedObject<RunLengthMask>] = []
    for (index, (image, prediction)) in zip(test, predictions).enumerated() {
      for object in image.objects {
        truth.append(
          TrueObject(
            image: index, category: object.label, shape: object.box, area: object.area,
            isCrowd: object.isCrowd))
        guard let mask = try object.mask?.runs(height: image.height, width: image.width) else { continue }
        masks.append(
          TrueObject(
            image: index, category: object.label, shape: mask, area: object.area, isCrowd: object.isCrowd))
      }
      guard case .objects(let objects) = prediction else { continue }
      for object in objects {
        found.append(
          DetectedObject(image: index, category: object.label, score: object.score, shape: object.box))
        guard let mask = object.mask else { continue }
        foundMasks.append(
          DetectedObject(image: index, category: object.label, score: object.score, shape: mask))
      }
    }
    let (all, categories) = (Array(test.indices), Array(dataset.classNames.indices))
    let boxes = AveragePrecision(images: all, categories: categories, truth: truth, detections: found)
    add(boxes, mask: false)
    perClass = zip(dataset.classNames, boxes.perCategory).map { ($0, $1.map { 100 * $0 }) }
    guard !foundMasks.isEmpty else { return }
    let precision = AveragePrecision(
      images: all, categories: categories, truth: masks, detections: foundMasks)
    add(precision, mask: true)
    perClassOfMasks = precision.perCategory.map { $0.map { 100 * $0 } }
  }

  private mutating func add(_ evaluation: AveragePrecision, mask: Bool) {
    for (name, value) in zip(AveragePrecision.names, evaluation.numbers) {
      metrics[TransferMetrics.precision(name, mask: mask)] = value.map { 100 * $0 }
    }
    // Where objects count as found at half an overlap, of each class; the mean alone where more is asked for.
    for (threshold, keepsClasses) in [(0, true), (5, false)] {
      let classes = evaluation.categories.map { evaluation.curve(category: $0, threshold: threshold) }
      let known = classes.compactMap(\.self)
      guard !known.isEmpty else { continue }
      func short(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
      let mean = (0..<TransferFindings.Curve.points).map { point in
        short(known.reduce(0) { $0 + $1[point] } / Double(known.count))
      }
      curves.append(
        TransferFindings.Curve(
          isOfMasks: mask, overlap: AveragePrecision.thresholds[threshold], mean: mean,
          classes: keepsClasses ? classes.map { $0.map { $0.map(short) } } : []))
    }
  }

  private mutating func segment(
    _ predictions: [Prediction], _ test: [AnnotatedImage], _ dataset: AnnotatedDataset,
    _ absentCountsAsZero: Bool
  ) throws {
    var matrix = ConfusionMatrix(classes: dataset.semanticNames.count)
    for (image, prediction) in zip(test, predictions) {
      guard case .labels(let labels) = prediction else { continue }
      try matrix.add(labels: image.semantics.map { Int($0) }, predictions: labels.map { Int($0) })
    }
    let present = matrix.meanOverPresent
    metrics[TransferMetrics.meanIntersection] =
      (absentCountsAsZero && present != nil ? matrix.meanOverAll : present).map { 100 * $0 }
    metrics[TransferMetrics.meanIntersectionOfPresent] = present.map { 100 * $0 }
    metrics[TransferMetrics.pixelAccuracy] = matrix.pixelAccuracy.map { 100 * $0 }
    perClass = zip(dataset.semanticNames, matrix.intersectionOverUnion).map { ($0, $1.map { 100 * $0 }) }
  }
}
