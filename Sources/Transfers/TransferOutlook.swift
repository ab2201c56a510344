package import Datasets
internal import Detection
package import Specs

/// What annotations tell of a transfer before anything is trained.
package enum TransferOutlook {
  /// Images of generated sets that are drawn for this.
  private static let mostGenerated = 100

  /// Sentences that whoever plans a transfer should read.
  ///
  /// - Parameter isGenerated: whether images are drawn anew each time they are read; then only
  ///   the first are looked at.
  /// - Throws: `DatasetError` where the head cannot be trained on these images: none has a usable box, or
  ///   sizes do not go together.
  package static func notes(
    _ spec: TransferSpec, _ dataset: AnnotatedDataset, isGenerated: Bool
  ) throws -> [String] {
    switch spec.task {
    case .segmentation:
      let shower = try SegmentationShower(spec, .imageNet, seed: 0)
      try shower.check(dataset.train)
      try shower.check(dataset.test, isTest: true)
      return try absentClasses(dataset, isGenerated: isGenerated).map { [$0] } ?? []
    case .detection:
      let count = isGenerated ? min(dataset.train.count, mostGenerated) : dataset.train.count
      let images = try TrainingImages(
        dataset.train.selecting(Array(0..<count)), classNames: dataset.classNames)
      let uncovered = try AnchorCoverage(DetectionSettings(spec), images.split)
        .note(spec.title, scale: spec.fields["anchorScale"]?.title ?? "")
      // What the first images of many lack, others may have.
      return (count == dataset.train.count ? images.notes : []) + [uncovered].compactMap(\.self)
    }
  }
}

extension TransferOutlook {
  /// A sentence on classes that no pixel of the training images has; nil where each has one,
  /// and where nobody can tell.
  private static func absentClasses(
    _ dataset: AnnotatedDataset, isGenerated: Bool
  ) throws(DatasetError) -> String? {
    var absent = Set(dataset.semanticNames.indices)
    for index in 0..<dataset.train.count where !absent.isEmpty {
      // What the first images of many lack, others may have.
      if isGenerated, index == mostGenerated { return nil }
      guard let outputs = try dataset.train.outputs(index) else { return nil }
      absent.subtract(outputs.map(Int.init))
    }
    guard !absent.isEmpty else { return nil }
    let names = absent.sorted().map { dataset.semanticNames[$0] }
    let shown = names.prefix(5).joined(separator: ", ")
    let rest = names.count > 5 ? " and \(names.count - 5) more" : ""
    let title = dataset.train.title
    return "\(title.prefix(1).uppercased() + title.dropFirst()) has no pixel of "
      + "\(counted(names.count, "class", "classes")) (\(shown)\(rest)): a segmentor learns never to find one."
  }
}

/// How well the anchors of a detector fit the objects that it is trained on.
struct AnchorCoverage {
  /// Objects that no anchor meets with this IoU are hardly learnt; more of them than this
  /// share are worth a sentence.
  private static let overlap = 0.5
  private static let share = 0.1

  private(set) var objects = 0
  private(set) var uncovered = 0
  /// Those of them that are smaller than the smallest anchor.
  private(set) var small = 0
  private let settings: DetectionSettings

  init(_ settings: DetectionSettings, _ images: AnnotatedSplit) throws {
    self.settings = settings
    for index in 0..<images.count { add(try images.image(index, .objects)) }
  }

  private mutating func add(_ image: AnnotatedImage) {
    let size = settings.size(height: image.height, width: image.width)
    let down = Double(size.height) / Double(image.height)
    let across = Double(size.width) / Double(image.width)
    let padded = (DetectionSettings.padded(size.height), DetectionSettings.padded(size.width))
    let rounding: DetectionRules = settings.anchorRounding == .tv ? .tv : .mmdet
    let cells = settings.anchors.strides.indices.map { settings.anchors.cell(level: $0, rules: rounding) }
    let least = cells.joined().map { $0.width * $0.height }.min() ?? 0
    for object in image.trainingObjects().kept {
      let corners = object.corners
      let box = Corners(
        Double(corners.x) * across, Double(corners.y) * down, Double(corners.z) * across,
        Double(corners.w) * down)
      objects += 1
      guard best(box, cells, padded: padded) < Self.overlap else { continue }
      uncovered += 1
      if box.width * box.height < least { small += 1 }
    }
  }

  /// The largest IoU of a box with an anchor. Of anchors of one shape it is that with the nearest centre.
  private func best(_ box: Corners, _ cells: [[Corners]], padded: (height: Int, width: Int)) -> Double {
    var best = 0.0
    for (stride, cell) in zip(settings.anchors.strides, cells) {
      func nearest(_ centre: Double, _ side: Int) -> Double {
        let map = (side + stride - 1) / stride
        let step = settings.anchorRounding == .tv ? Double(side / map) : Double(stride)
        return min(max((centre / step).rounded(), 0), Double(map - 1)) * step
      }
      let x = nearest((box.x1 + box.x2) / 2, padded.width)
      let y = nearest((box.y1 + box.y2) / 2, padded.height)
      for shape in cell {
        let width = min(box.x2, shape.x2 + x) - max(box.x1, shape.x1 + x)
        let height = min(box.y2, shape.y2 + y) - max(box.y1, shape.y1 + y)
        guard width > 0, height > 0 else { continue }
        let both = width * height
        best = max(best, both / (box.width * box.height + shape.width * shape.height - both))
      }
    }
    return best
  }

  /// Nil where the anchors fit.
  func note(_ title: String, scale: String) -> String? {
    guard Double(uncovered) > Self.share * Double(objects) else { return nil }
    let isSmall = 2 * small > uncovered
    let percent = Int((100 * Double(uncovered) / Double(objects)).rounded())
    return
      "\(title): \(percent) % of the boxes (\(uncovered) of \(objects)) have no anchor of IoU "
      + "\(Self.overlap), "
      + (isSmall ? "most of them smaller than the smallest one; a smaller" : "and are hardly learnt; another")
      + " \"anchorScale\" than \(scale) helps\(isSmall ? ", or a larger \"shortSide\"" : "")."
  }
}
