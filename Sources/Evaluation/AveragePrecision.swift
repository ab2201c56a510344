/// An object of the truth.
package struct TrueObject<Shape: EvaluatedShape>: Sendable {
  package let image: Int
  package let category: Int
  package let shape: Shape
  /// As annotated: the mask's, also where boxes are compared. In pixels.
  package let area: Double
  /// A region of many objects: it is no miss, and any number of detections may lie in it.
  package let isCrowd: Bool

  package init(image: Int, category: Int, shape: Shape, area: Double, isCrowd: Bool) {
    self.image = image
    self.category = category
    self.shape = shape
    self.area = area
    self.isCrowd = isCrowd
  }
}

/// An object that a detector has found.
package struct DetectedObject<Shape: EvaluatedShape>: Sendable {
  package let image: Int
  package let category: Int
  package let score: Double
  package let shape: Shape

  package init(image: Int, category: Int, score: Double, shape: Shape) {
    self.image = image
    self.category = category
    self.score = score
    self.shape = shape
  }
}

/// COCO's average precision and recall.
///
/// Ten thresholds of overlap from 0.5 to 0.95, 101 recalls, four ranges of area, and 1, 10 or 100
/// detections an image and category. What has no value, such as APs of a set without small
/// objects, is nil and in no mean.
///
///     let evaluation = AveragePrecision(images: ids, categories: [1, 3], truth: objects, detections: found)
///     evaluation.value("AP50")        // 0.834158, or nil
///
/// - Source: cocodataset/cocoapi, `PythonAPI/pycocotools/cocoeval.py`; equal to it to 1e-12.
package struct AveragePrecision: Sendable {
  /// The twelve numbers in COCO's order.
  package static let names = [
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl",
  ]

  /// Of a matched detection, at least; as numpy's `linspace(0.5, 0.95, 10)` rounds them.
  package static let thresholds: [Double] = {
    let step: Double = (0.95 - 0.5) / 9
    return (0..<9).map { Double($0) * step + 0.5 } + [0.95]
  }()
  /// As numpy's `linspace(0, 1, 101)` rounds them.
  package static let recalls: [Double] = (0..<100).map { Double($0) * 0.01 } + [1]
  /// In pixels, both ends included: all, small, medium, large.
  package static let areas: [ClosedRange<Double>] = [0...1e10, 0...1024, 1024...9216, 9216...1e10]
  /// Detections an image and category.
  package static let limits = [1, 10, 100]

  /// In ascending order.
  package let categories: [Int]
  private let curves: [Curves]

  /// - Parameters:
  ///   - images: ids of all images, those without objects included.
  ///   - categories: ids of all categories.
  ///   - truth: of these images and categories; of one image and category in the file's
  ///     order, which decides ties.
  ///   - detections: of these images and categories; of one image and category in the file's order. Those
  ///     beyond the best hundred of an image and category do not count.
  /// - Precondition: no score is NaN.
  package init<Shape>(
    images: [Int], categories: [Int], truth: [TrueObject<Shape>], detections: [DetectedObject<Shape>]
  ) {
    let images = images.sorted()
    self.categories = categories.sorted()
    let objects = Dictionary(grouping: truth) { Place(image: $0.image, category: $0.category) }
    let found = Dictionary(grouping: detections) { Place(image: $0.image, category: $0.category) }
    curves = self.categories.map { category in
      let parts = images.compactMap { image -> ImageMatches? in
        let place = Place(image: image, category: category)
        let (objects, found) = (objects[place] ?? [], found[place] ?? [])
        return objects.isEmpty && found.isEmpty ? nil : ImageMatches(objects, found)
      }
      return Curves(parts)
    }
  }

  private struct Place: Hashable {
    let image: Int
    let category: Int
  }

  /// Each number under its name in `names`, as a fraction; nil where there is none.
  package func value(_ name: String) -> Double? {
    Self.names.firstIndex(of: name).flatMap { numbers[$0] }
  }

  /// The twelve numbers, fractions, in the order of `names`.
  package var numbers: [Double?] {
    let all = Array(Self.thresholds.indices)
    return [
      precision(all, area: 0), precision([0], area: 0), precision([5], area: 0), precision(all, area: 1),
      precision(all, area: 2), precision(all, area: 3), recall(area: 0, limit: 0), recall(area: 0, limit: 1),
      recall(area: 0, limit: 2), recall(area: 1, limit: 2), recall(area: 2, limit: 2),
      recall(area: 3, limit: 2),
    ]
  }

  /// AP of each category over all areas, in the order of `categories`.
  package var perCategory: [Double?] {
    curves.map { $0.meanPrecision(Array(Self.thresholds.indices), area: 0) }
  }

  /// Precision at each of the 101 recalls, of all areas; nil where the category has no object.
  ///
  /// - Parameter threshold: a place in `thresholds`.
  package func curve(category: Int, threshold: Int) -> [Double]? {
    categories.firstIndex(of: category).flatMap { curves[$0].precision[0]?[threshold] }
  }

  private func precision(_ thresholds: [Int], area: Int) -> Double? {
    Self.mean(curves.compactMap { $0.meanPrecision(thresholds, area: area) })
  }

  private func recall(area: Int, limit: Int) -> Double? {
    Self.mean(curves.compactMap { $0.recall[area].map { $0[limit] }.flatMap(Self.mean) })
  }

  fileprivate static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

/// What the detections of one image and category are matched with.
private struct ImageMatches {
  /// Of the detections, falling.
  let scores: [Double]
  /// By area, objects that count.
  private(set) var counted: [Int] = []
  /// By area and threshold, then of each detection what it is: of one row after the other.
  private(set) var verdicts: [Verdict]

  enum Verdict: UInt8 {
    case wrong, right, ignored
  }

  /// Rows of verdicts.
  static let rows = AveragePrecision.areas.count * AveragePrecision.thresholds.count

  init<Shape>(_ objects: [TrueObject<Shape>], _ found: [DetectedObject<Shape>]) {
    let order = found.indices.sorted { (-found[$0].score, $0) < (-found[$1].score, $1) }
      .prefix(AveragePrecision.limits.last!)
    let best = order.map { found[$0] }
    scores = best.map(\.score)
    verdicts = Array(repeating: .wrong, count: Self.rows * best.count)
    var overlaps: [Double] = []
    overlaps.reserveCapacity(best.count * objects.count)
    for detection in best {
      for object in objects {
        overlaps.append(detection.shape.overlap(withObject: object.shape, isCrowd: object.isCrowd))
      }
    }
    let isCrowd = objects.map(\.isCrowd)
    var row = 0
    for area in AveragePrecision.areas {
      let isIgnored = objects.map { $0.isCrowd || !area.contains($0.area) }
      // Objects that count come first; among equals the file's order stays.
      let order = objects.indices.filter { !isIgnored[$0] } + objects.indices.filter { isIgnored[$0] }
      counted.append(isIgnored.count { !$0 })
      let unmatched = best.map { area.contains($0.shape.pixels) ? Verdict.wrong : .ignored }
      for threshold in AveragePrecision.thresholds {
        let start = row * best.count
        row += 1
        // Most images have no object of most categories.
        if objects.isEmpty {
          for detection in best.indices { verdicts[start + detection] = unmatched[detection] }
        } else {
          match(overlaps, isCrowd, isIgnored, order, unmatched, threshold, from: start)
        }
      }
    }
  }

  /// Detections by falling score take the object with the largest overlap that is left;
  /// the last of equals wins.
  private mutating func match(
    _ overlaps: [Double], _ isCrowd: [Bool], _ isIgnored: [Bool], _ order: [Int], _ unmatched: [Verdict],
    _ threshold: Double, from start: Int
  ) {
    var isTaken = Array(repeating: false, count: isCrowd.count)
    for detection in unmatched.indices {
      let row = detection * isCrowd.count
      var best = min(threshold, 1 - 1e-10)
      var match: Int?
      for object in order {
        if isTaken[object], !isCrowd[object] { continue }
        if let match, !isIgnored[match], isIgnored[object] { break }
        guard overlaps[row + object] >= best else { continue }
        best = overlaps[row + object]
        match = object
      }
      guard let match else {
        verdicts[start + detection] = unmatched[detection]
        continue
      }
      isTaken[match] = true
      verdicts[start + detection] = isIgnored[match] ? .ignored : .right
    }
  }
}

/// Precision and recall of one category.
private struct Curves {
  /// By area, threshold, recall, with 100 detections an image; nil where no object counts.
  private(set) var precision: [[[Double]]?] = []
  /// By area, limit, threshold; nil where no object counts.
  private(set) var recall: [[[Double]]?] = []

  init(_ parts: [ImageMatches]) {
    let list = RankedList(parts)
    for area in AveragePrecision.areas.indices {
      let objects = parts.reduce(0) { $0 + $1.counted[area] }
      guard objects > 0 else {
        precision.append(nil)
        recall.append(nil)
        continue
      }
      var precisions: [[Double]] = []
      var recalls: [[Double]] = []
      for (limit, order) in zip(AveragePrecision.limits, list.orders) {
        var ends: [Double] = []
        for threshold in AveragePrecision.thresholds.indices {
          let verdicts = list.verdicts(area: area, threshold: threshold)
          let curve = Self.curve(order.lazy.map { verdicts[verdicts.startIndex + $0] }, objects: objects)
          ends.append(curve.recall)
          if limit == AveragePrecision.limits.last { precisions.append(curve.precision) }
        }
        recalls.append(ends)
      }
      precision.append(precisions)
      recall.append(recalls)
    }
  }

  func meanPrecision(_ thresholds: [Int], area: Int) -> Double? {
    precision[area].flatMap { rows in AveragePrecision.mean(thresholds.flatMap { rows[$0] }) }
  }

  private static func curve(
    _ verdicts: some Sequence<ImageMatches.Verdict>, objects: Int
  ) -> (precision: [Double], recall: Double) {
    var right = 0.0
    var wrong = 0.0
    var recalls: [Double] = []
    var precisions: [Double] = []
    for verdict in verdicts {
      switch verdict {
      case .right: right += 1
      case .wrong: wrong += 1
      // It stands in the list and changes nothing; leaving it out gives the same curve.
      case .ignored: continue
      }
      recalls.append(right / Double(objects))
      precisions.append(right / (right + wrong + 0x1p-52))
    }
    var highest = 0.0
    for index in precisions.indices.reversed() {
      highest = max(highest, precisions[index])
      precisions[index] = highest
    }
    var place = 0
    let sampled = AveragePrecision.recalls.map { recall in
      while place < recalls.count, recalls[place] < recall { place += 1 }
      return place < recalls.count ? precisions[place] : 0
    }
    return (sampled, recalls.last ?? 0)
  }
}

/// The detections of one category in all images, images in rising order of their ids.
private struct RankedList {
  /// By limit: places of the detections that count, in falling order of their scores; ties stay as they are.
  let orders: [[Int]]
  private let count: Int
  /// One row of all images after the other.
  private let flat: [ImageMatches.Verdict]

  init(_ parts: [ImageMatches]) {
    let scores = parts.flatMap(\.scores)
    let ranks = parts.flatMap { Array($0.scores.indices) }
    let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    orders = AveragePrecision.limits.map { limit in order.filter { ranks[$0] < limit } }
    count = scores.count
    var flat: [ImageMatches.Verdict] = []
    flat.reserveCapacity(ImageMatches.rows * count)
    for row in 0..<ImageMatches.rows {
      for part in parts {
        let length = part.scores.count
        flat += part.verdicts[row * length..<(row + 1) * length]
      }
    }
    self.flat = flat
  }

  func verdicts(area: Int, threshold: Int) -> ArraySlice<ImageMatches.Verdict> {
    let row = area * AveragePrecision.thresholds.count + threshold
    return flat[row * count..<(row + 1) * count]
  }
}
