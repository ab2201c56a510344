package import Datasets
internal import Evaluation
package import Specs

/// Test images as people look at them: small, with the truth and what was found.
package enum ShownImages {
  /// The first of the test images.
  package static let count = 6
  /// Pixels of a picture's longer side at most, so that what is stored stays small.
  static let longestSide = 224
  /// Objects of a prediction, the surest ones.
  static let mostFound = 20

  /// - Parameter image: with its pixels, and with objects and masks or with semantics.
  /// - Returns: what is drawn, and the picture below it as a PNG.
  /// - Throws: `MaskError` for a polygon without an area.
  package static func picture(
    of image: AnnotatedImage, _ prediction: Prediction
  ) throws -> (picture: TransferFindings.Picture, png: [UInt8]) {
    let shrunk = Shrinking(image.height, image.width)
    var picture = TransferFindings.Picture(
      name: image.entry.name, height: shrunk.height, width: shrunk.width)
    picture.truth.objects = try image.objects.map { object in
      TransferFindings.Mark(
        label: object.label, box: shrunk.box(object.box), isCrowd: object.isCrowd,
        mask: try object.mask.map { shrunk.runs(try $0.runs(height: image.height, width: image.width)) } ?? []
      )
    }
    if !image.semantics.isEmpty { picture.truth.labels = shrunk.runs(labels: image.semantics) }
    switch prediction {
    case .objects(let objects):
      picture.found.objects = objects.prefix(mostFound).map { object in
        TransferFindings.Mark(
          label: object.label, box: shrunk.box(object.box), score: (object.score * 1000).rounded() / 1000,
          mask: object.mask.map(shrunk.runs) ?? [])
      }
    case .labels(let labels): picture.found.labels = shrunk.runs(labels: labels)
    }
    return (
      picture,
      PNGFile.encoded(planes: shrunk.planes(image.pixels), height: shrunk.height, width: shrunk.width)
    )
  }
}

/// Pictures in a whole fraction of their size.
private struct Shrinking {
  let factor: Int
  let height: Int
  let width: Int
  private let wholeHeight: Int
  private let wholeWidth: Int

  init(_ height: Int, _ width: Int) {
    let longest = max(height, width)
    factor = max(1, (longest + ShownImages.longestSide - 1) / ShownImages.longestSide)
    self.height = max(1, height / factor)
    self.width = max(1, width / factor)
    (wholeHeight, wholeWidth) = (height, width)
  }

  /// Means of squares of pixels. `[3, height, width]`.
  func planes(_ pixels: [UInt8]) -> [UInt8] {
    if factor == 1 { return pixels }
    var small: [UInt8] = []
    small.reserveCapacity(3 * height * width)
    for channel in 0..<3 {
      for row in 0..<height {
        for column in 0..<width {
          var (sum, number) = (0, 0)
          for y in row * factor..<min((row + 1) * factor, wholeHeight) {
            let first = (channel * wholeHeight + y) * wholeWidth
            for x in column * factor..<min((column + 1) * factor, wholeWidth) {
              sum += Int(pixels[first + x])
              number += 1
            }
          }
          small.append(UInt8((sum + number / 2) / number))
        }
      }
    }
    return small
  }

  func box(_ box: Box) -> [Double] {
    [box.x, box.y, box.width, box.height].map { ($0 / Double(factor) * 100).rounded() / 100 }
  }

  /// The pixel in the middle of each square.
  private func sampled<Value>(_ values: [Value]) -> [Value] {
    if factor == 1 { return values }
    var small: [Value] = []
    small.reserveCapacity(height * width)
    for row in 0..<height {
      let y = min(row * factor + factor / 2, wholeHeight - 1)
      for column in 0..<width {
        small.append(values[y * wholeWidth + min(column * factor + factor / 2, wholeWidth - 1)])
      }
    }
    return small
  }

  /// Row by row, numbers of pixels outside and inside.
  func runs(_ mask: RunLengthMask) -> [Int] {
    var runs: [Int] = []
    var (isInside, length) = (false, 0)
    for bit in sampled(mask.bits) {
      if bit != isInside {
        runs.append(length)
        (isInside, length) = (bit, 0)
      }
      length += 1
    }
    return runs + [length]
  }

  func runs(labels: [UInt8]) -> [Int] {
    var runs: [Int] = []
    for label in sampled(labels) {
      if runs.count > 0, runs[runs.count - 2] == Int(label) {
        runs[runs.count - 1] += 1
      } else {
        runs += [Int(label), 1]
      }
    }
    return runs
  }
}
