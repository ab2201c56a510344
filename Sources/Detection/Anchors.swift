#if canImport(Glibc)
  internal import Glibc
#endif

/// Two conventions of the field: which of them a recipe follows decides rounding,
/// matching, coding and losses.
package enum DetectionRules: String, CaseIterable, Sendable {
  /// open-mmlab/mmdetection.
  case mmdet
  /// torchvision.
  case tv
}

/// The boxes that a dense head starts from, at every cell of every level of a feature pyramid.
///
/// Cell (i, j) (row, column) of a level of stride t has its centre at (j t, i t), without half a pixel.
/// Order: level, row, column, then ratio-major: all scales of the first ratio first.
///
///     Anchors.rpn.boxes(rules: .mmdet, maps: [(200, 304), …], padded: (800, 1216))      // 242 991 boxes
///
/// Source: `downstream.md` 4; open-mmlab/mmdetection `mmdet/models/task_modules/prior_generators`,
/// pytorch/vision `torchvision/models/detection/anchor_utils.py`.
package struct Anchors: Hashable, Sendable {
  /// The stride that each level is meant to have, in pixels.
  package var strides: [Int]
  /// Sides as multiples of the stride.
  package var scales: [Double]
  /// Height / width.
  package var ratios: [Double]

  package init(strides: [Int], scales: [Double], ratios: [Double] = [0.5, 1, 2]) {
    self.strides = strides
    self.scales = scales
    self.ratios = ratios
  }

  /// Three a cell on levels of stride 4 to 64.
  package static func rpn(scale: Double = 8) -> Anchors {
    Anchors(strides: [4, 8, 16, 32, 64], scales: [scale])
  }

  /// Nine a cell on levels of stride 8 to 128.
  package static func retinaNet(scale: Double = 4) -> Anchors {
    Anchors(strides: [8, 16, 32, 64, 128], scales: (0..<3).map { scale * pow(2, Double($0) / 3) })
  }

  package var perCell: Int { scales.count * ratios.count }

  /// The boxes of a cell whose centre is (0, 0).
  package func cell(level: Int, rules: DetectionRules) -> [Corners] {
    let stride = Double(strides[level])
    return ratios.flatMap { ratio in
      scales.map { scale in
        var side = scale * stride
        if rules == .tv { side = side.rounded(.towardZero) }
        let width = side / ratio.squareRoot() / 2
        let height = side * ratio.squareRoot() / 2
        guard rules == .tv else { return Corners(-width, -height, width, height) }
        let (x, y) = (width.rounded(.toNearestOrEven), height.rounded(.toNearestOrEven))
        return Corners(-x, -y, x, y)
      }
    }
  }

  /// All boxes of all levels, one level after the other.
  ///
  /// - Parameters:
  ///   - maps: height and width of each level's map.
  ///   - padded: height and width of the padded group of images, which torchvision takes its strides from.
  package func boxes(
    rules: DetectionRules, maps: [(height: Int, width: Int)], padded: (height: Int, width: Int)
  ) -> [Corners] {
    precondition(maps.count == strides.count, "\(maps.count) maps for \(strides.count) levels")
    var boxes: [Corners] = []
    for (level, map) in maps.enumerated() {
      let cell = cell(level: level, rules: rules)
      let down = Double(rules == .tv ? padded.height / map.height : strides[level])
      let right = Double(rules == .tv ? padded.width / map.width : strides[level])
      for row in 0..<map.height {
        let y = Double(row) * down
        for column in 0..<map.width {
          let x = Double(column) * right
          for box in cell { boxes.append(Corners(box.x1 + x, box.y1 + y, box.x2 + x, box.y2 + y)) }
        }
      }
    }
    return boxes
  }

  /// Which anchors take part in training on one image of a group, under mmdet's rules.
  ///
  /// - Parameters:
  ///   - image: the resized image's height and width.
  ///   - own: the image's own padded size: the next multiples of 32.
  ///   - border: how far an anchor may reach over the image's border; nil for as far as it
  ///     likes (`allowedBorder` -1).
  package func taking(
    maps: [(height: Int, width: Int)], boxes: [Corners], image: (height: Int, width: Int),
    own: (height: Int, width: Int), border: Double? = nil
  ) -> [Bool] {
    var taking: [Bool] = []
    taking.reserveCapacity(boxes.count)
    for (level, map) in maps.enumerated() {
      let stride = strides[level]
      let rows = min((own.height + stride - 1) / stride, map.height)
      let columns = min((own.width + stride - 1) / stride, map.width)
      for row in 0..<map.height {
        for column in 0..<map.width {
          for _ in 0..<perCell { taking.append(row < rows && column < columns) }
        }
      }
    }
    guard let border else { return taking }
    let (height, width) = (Double(image.height), Double(image.width))
    for (index, box) in boxes.enumerated() where taking[index] {
      taking[index] =
        box.x1 >= -border && box.y1 >= -border && box.x2 < width + border && box.y2 < height + border
    }
    return taking
  }
}
