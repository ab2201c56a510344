internal import Datasets
internal import Specs
internal import Tensors

/// Images with labels of pixels as a segmentor sees them in training: resized, cropped,
/// perhaps mirrored, normalised.
struct SegmentationShower: Sendable {
  enum Scale: String, CaseIterable { case none, tenths, ratio }

  /// An image of a batch.
  struct Shown {
    let height: Int
    let width: Int
    /// `[3, height, width]`, normalised.
    let values: [Float]
    let labels: [Int32]
  }

  enum CropRule: String, CaseIterable { case pad, retry75 }
  enum Colour: String, CaseIterable { case none, photometric }

  let crop: (height: Int, width: Int)?
  private let cropRule: CropRule
  private let colour: Colour
  private let scale: Scale
  /// Sides that images are resized into; nil where they keep their size.
  private let frame: (long: Int, short: Int)?
  private let flip: Double
  private let levels: [[Float]]
  private let seed: UInt64
  private let name: String

  init(_ spec: TransferSpec, _ normalisation: InputNormalisation, seed: UInt64) throws(SpecError) {
    let (height, width) = (try spec.integer("cropHeight"), try spec.integer("cropWidth"))
    crop = height > 0 && width > 0 ? (height, width) : nil
    cropRule = try spec.word("cropRule", of: CropRule.self)
    colour = try spec.word("colour", of: Colour.self)
    scale = try spec.word("scale", of: Scale.self)
    let (long, short) = (spec.fields["frameLong"]?.integer ?? 0, spec.fields["frameShort"]?.integer ?? 0)
    frame = long > 0 && short > 0 ? (long, short) : nil
    flip = try spec.number("flip")
    levels = normalisation.levels
    self.seed = seed
    name = spec.dataset.name
  }

  /// Refuses images that cannot stand in one batch, or are too small.
  ///
  /// - Parameter isTest: test images stand alone, and may be of any size from 32 pixels on.
  func check(_ split: AnnotatedSplit, isTest: Bool = false) throws(DatasetError) {
    guard split.count > 0 else { return }
    let first = split.entry(0)
    for index in 0..<split.count {
      let entry = split.entry(index)
      let size = "\(entry.height) × \(entry.width) pixels"
      guard min(entry.height, entry.width) >= AnnotatedImage.shortestSide else {
        throw .impossible(
          name: name,
          problem: "\(entry.name) of \(split.title) has \(size), and a segmentor needs sides of "
            + "\(AnnotatedImage.shortestSide) at least; take it out, or enlarge the images")
      }
      guard isTest || crop != nil || (entry.height, entry.width) == (first.height, first.width) else {
        throw .impossible(
          name: name,
          problem: "\(entry.name) of \(split.title) has \(size) and \(first.name) has \(first.height) × "
            + "\(first.width); images of several sizes need \"cropHeight\" and \"cropWidth\"")
      }
    }
  }

  /// A test image, normalised, at the size at which it is looked at.
  func values(_ image: AnnotatedImage) -> (values: [Float], height: Int, width: Int) {
    var picture = Picture(image)
    if let frame { picture.resize(to: picture.size(within: frame)) }
    return (normalised(picture), picture.height, picture.width)
  }

  /// An image with its labels on its way to a batch.
  private struct Picture {
    var height: Int
    var width: Int
    /// `[3, height, width]`, bytes.
    var pixels: [Float]
    var labels: [Float]

    init(_ image: AnnotatedImage) {
      (height, width) = (image.height, image.width)
      pixels = image.pixels.map { Float($0) }
      labels = image.semantics.map { Float($0) }
    }

    /// As large as fits into a frame, in proportion.
    func size(within frame: (long: Int, short: Int)) -> (height: Int, width: Int) {
      let factor = min(
        Double(max(frame.long, frame.short)) / Double(max(height, width)),
        Double(min(frame.long, frame.short)) / Double(min(height, width)))
      func side(_ side: Int) -> Int { max(Int(Double(side) * factor + 0.5), 1) }
      return (side(height), side(width))
    }

    mutating func resize(to size: (height: Int, width: Int)) {
      guard size != (height, width) else { return }
      // Bytes again, as a picture that was resized is.
      pixels = Tensor(pixels, [1, 3, height, width]).bilinear(height: size.height, width: size.width).floats
        .map { min(max(($0 + 0.5).rounded(.down), 0), 255) }
      if !labels.isEmpty {
        labels = Tensor(labels, [1, 1, height, width]).nearest(height: size.height, width: size.width).floats
      }
      (height, width) = size
    }

    mutating func cut(top: Int, left: Int, _ h: Int, _ w: Int) {
      let (area, across) = (height * width, width)
      func rows(_ values: [Float], from start: Int) -> [Float] {
        var part: [Float] = []
        part.reserveCapacity(h * w)
        for row in top..<top + h {
          let first = start + row * across + left
          part += values[first..<first + w]
        }
        return part
      }
      pixels = rows(pixels, from: 0) + rows(pixels, from: area) + rows(pixels, from: 2 * area)
      labels = rows(labels, from: 0)
      (height, width) = (h, w)
    }

    mutating func mirror() {
      let across = width
      func reversed(_ values: [Float]) -> [Float] {
        var mirrored: [Float] = []
        mirrored.reserveCapacity(values.count)
        for row in stride(from: 0, to: values.count, by: across) {
          mirrored += values[row..<row + across].reversed()
        }
        return mirrored
      }
      (pixels, labels) = (reversed(pixels), reversed(labels))
    }
  }

  private func normalised(_ picture: Picture) -> [Float] {
    let area = picture.height * picture.width
    return picture.pixels.enumerated().map { levels[$0 / area][Int($1)] }
  }

  /// - Parameters:
  ///   - place: in the order of the whole set.
  ///   - slot: of the batch.
  func shown(_ image: AnnotatedImage, place: Int, epoch: Int, step: Int, slot: Int) -> Shown {
    var picture = Picture(image)
    picture.resize(to: trainingSize(picture, step: step, slot: slot))
    var mirror = RandomStream(seed: seed, "transfer/flip", epoch, place)
    let isMirrored = mirror.uniform() < flip
    if cropRule == .retry75 { return retried(picture, isMirrored, step: step, slot: slot) }
    let (h, w) = (crop?.height ?? picture.height, crop?.width ?? picture.width)
    var (top, left) = (0, 0)
    if crop != nil {
      var stream = RandomStream(seed: seed, "transfer/crop", step, slot)
      top = stream.index(below: max(picture.height, h) - h + 1)
      left = stream.index(below: max(picture.width, w) - w + 1)
    }
    colourise(&picture, step: step, slot: slot)
    // The border belongs to what is mirrored.
    return filled(picture, (h, w), top: top, left: left, isMirrored)
  }

  private func trainingSize(_ picture: Picture, step: Int, slot: Int) -> (height: Int, width: Int) {
    var stream = RandomStream(seed: seed, "transfer/scale", step, slot)
    switch scale {
    case .none: return (picture.height, picture.width)
    case .tenths:
      let factor = Double(5 + stream.index(below: 16)) / 10
      func side(_ side: Int) -> Int { max(Int((Double(side) * factor).rounded(.toNearestOrEven)), 1) }
      return (side(picture.height), side(picture.width))
    case .ratio:
      guard let frame else { preconditionFailure("a ratio is one of a frame") }
      let factor = 0.5 + 1.5 * stream.uniform()
      func side(_ side: Int) -> Int { max(Int(Double(side) * factor), 1) }
      return picture.size(within: (side(frame.long), side(frame.short)))
    }
  }

  /// A crop that is drawn again, at most 10 times, while it has fewer than two classes or one of them has
  /// three quarters of what is judged.
  private func retried(_ whole: Picture, _ isMirrored: Bool, step: Int, slot: Int) -> Shown {
    guard let crop else { preconditionFailure("a crop that is drawn again has a size") }
    let (h, w) = (min(crop.height, whole.height), min(crop.width, whole.width))
    var stream = RandomStream(seed: seed, "transfer/crop", step, slot)
    func draw() -> Picture {
      var part = whole
      let top = stream.index(below: whole.height - h + 1)
      part.cut(top: top, left: stream.index(below: whole.width - w + 1), h, w)
      return part
    }
    var picture = draw()
    for _ in 0..<10 where !Self.isMixed(picture.labels) { picture = draw() }
    if isMirrored { picture.mirror() }
    colourise(&picture, step: step, slot: slot)
    return filled(picture, crop, top: 0, left: 0, false)
  }

  /// Whether there are two classes at least, none of which has three quarters of the judged pixels.
  static func isMixed(_ labels: [Float]) -> Bool {
    var counts = [Int](repeating: 0, count: 256)
    for label in labels { counts[Int(label)] += 1 }
    counts[Int(AnnotatedImage.ignored)] = 0
    let judged = counts.reduce(0, +)
    return counts.count { $0 > 0 } > 1 && 4 * (counts.max() ?? 0) < 3 * judged
  }

  private func colourise(_ picture: inout Picture, step: Int, slot: Int) {
    guard colour == .photometric else { return }
    var stream = RandomStream(seed: seed, "transfer/colour", step, slot)
    var distortion = PhotometricDistortion(picture.pixels.map { UInt8($0) })
    distortion.apply(&stream)
    picture.pixels = distortion.pixels.map { Float($0) }
  }

  /// Part of a picture, filled up with zeros and labels that are not judged.
  private func filled(
    _ picture: Picture, _ size: (height: Int, width: Int), top: Int, left: Int, _ isMirrored: Bool
  ) -> Shown {
    let (h, w) = size
    let (height, width) = (picture.height, picture.width)
    var values = [Float](repeating: 0, count: 3 * h * w)
    var shown = [Int32](repeating: 255, count: h * w)
    for row in 0..<h where top + row < height {
      for column in 0..<w where left + column < width {
        let from = (top + row) * width + left + column
        let to = row * w + (isMirrored ? w - 1 - column : column)
        for channel in 0..<3 {
          values[channel * h * w + to] = levels[channel][Int(picture.pixels[channel * height * width + from])]
        }
        shown[to] = Int32(picture.labels[from])
      }
    }
    return Shown(height: h, width: w, values: values, labels: shown)
  }
}
