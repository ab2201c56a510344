internal import Datasets
internal import Specs
internal import Tensors

/// Images with labels of pixels as a segmentor sees them in training: resized, cropped, perhaps mirrored, normalised.
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

  private let crop: (height: Int, width: Int)?
  private let scale: Scale
  private let flip: Double
  private let levels: [[Float]]
  private let seed: UInt64
  private let name: String

  init(_ spec: TransferSpec, _ normalisation: InputNormalisation, seed: UInt64) throws(SpecError) {
    let (height, width) = (try spec.integer("cropHeight"), try spec.integer("cropWidth"))
    crop = height > 0 && width > 0 ? (height, width) : nil
    scale = try spec.word("scale", of: Scale.self)
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

  /// A whole image, normalised.
  func values(_ image: AnnotatedImage) -> [Float] {
    let area = image.height * image.width
    return image.pixels.enumerated().map { levels[$0 / area][Int($1)] }
  }

  /// - Parameters:
  ///   - place: in the order of the whole set.
  ///   - slot: of the batch.
  func shown(_ image: AnnotatedImage, place: Int, epoch: Int, step: Int, slot: Int) -> Shown {
    var (height, width) = (image.height, image.width)
    var pixels = image.pixels.map { Float($0) }
    var labels = image.semantics.map { Float($0) }
    if scale == .tenths {
      var stream = RandomStream(seed: seed, "transfer/scale", step, slot)
      let factor = Double(5 + stream.index(below: 16)) / 10
      let scaled = (
        max(Int((Double(height) * factor).rounded(.toNearestOrEven)), 1),
        max(Int((Double(width) * factor).rounded(.toNearestOrEven)), 1)
      )
      // Bytes again, as a picture that was resized is.
      pixels = Tensor(pixels, [1, 3, height, width]).bilinear(height: scaled.0, width: scaled.1).floats
        .map { min(max(($0 + 0.5).rounded(.down), 0), 255) }
      labels = Tensor(labels, [1, 1, height, width]).nearest(height: scaled.0, width: scaled.1).floats
      (height, width) = scaled
    }
    var mirror = RandomStream(seed: seed, "transfer/flip", epoch, place)
    let isMirrored = mirror.uniform() < flip
    let (h, w) = (crop?.height ?? height, crop?.width ?? width)
    var (top, left) = (0, 0)
    if crop != nil {
      var stream = RandomStream(seed: seed, "transfer/crop", step, slot)
      top = stream.index(below: max(height, h) - h + 1)
      left = stream.index(below: max(width, w) - w + 1)
    }
    var values = [Float](repeating: 0, count: 3 * h * w)
    var shown = [Int32](repeating: 255, count: h * w)
    for row in 0..<h where top + row < height {
      for column in 0..<w where left + column < width {
        let from = (top + row) * width + left + column
        let to = row * w + (isMirrored ? w - 1 - column : column)
        for channel in 0..<3 {
          values[channel * h * w + to] = levels[channel][Int(pixels[channel * height * width + from])]
        }
        shown[to] = Int32(labels[from])
      }
    }
    return Shown(height: h, width: w, values: values, labels: shown)
  }
}
