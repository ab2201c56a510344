internal import Datasets
internal import Detection
internal import Evaluation
internal import Specs
internal import Tensors

/// Images as a detector sees them: resized, perhaps mirrored, normalised, padded; with their truth.
struct ShownGroup {
  let images: Tensor
  let group: DetectionGroup
  let truths: [DetectionTruth]
  /// Of the first image, resized sides over those of the dataset's: down, across.
  let factors: (Double, Double)
}

/// Shows images to a detector.
struct DetectionShower: Sendable {
  /// The images that are trained on.
  let training: AnnotatedSplit
  private let settings: DetectionSettings
  /// Of each channel, what each of 256 values becomes.
  private let levels: [[Float]]
  private let parts: AnnotatedParts
  private let seed: UInt64

  private var readsMasks: Bool { settings.kind == .mask }

  init(
    _ training: AnnotatedSplit, _ settings: DetectionSettings, _ normalisation: InputNormalisation,
    seed: UInt64
  ) {
    self.training = training
    self.settings = settings
    self.seed = seed
    parts = settings.kind == .mask ? [.pixels, .objects, .masks] : [.pixels, .objects]
    levels = normalisation.levels
  }

  /// Width / height.
  func aspect(of image: Int) -> Double {
    let entry = training.entry(image)
    return Double(entry.width) / Double(entry.height)
  }

  /// A group of training images as an epoch shows them.
  func group(_ images: [Int], epoch: Int) throws -> ShownGroup {
    try show(
      images.map { try training.image($0, parts) },
      mirrored: images.map { image in
        var stream = RandomStream(seed: seed, "transfer/flip", epoch, training.places[image])
        return stream.uniform() < 0.5
      }, withTruth: true)
  }

  func test(_ image: AnnotatedImage) throws -> ShownGroup {
    try show([image], mirrored: [false], withTruth: false)
  }

  private func show(
    _ images: [AnnotatedImage], mirrored: [Bool], withTruth: Bool
  ) throws -> ShownGroup {
    let sizes = images.map { settings.size(height: $0.height, width: $0.width) }
    let height = sizes.map { DetectionSettings.padded($0.height) }.max()!
    let width = sizes.map { DetectionSettings.padded($0.width) }.max()!
    var values = Array(repeating: Float(0), count: images.count * 3 * height * width)
    for (index, image) in images.enumerated() {
      let (h, w) = sizes[index]
      let pixels = self.pixels(image, h, w)
      for channel in 0..<3 {
        for row in 0..<h {
          let from = (channel * h + row) * w
          let to = ((index * 3 + channel) * height + row) * width
          for column in 0..<w {
            values[to + column] = pixels[from + (mirrored[index] ? w - 1 - column : column)]
          }
        }
      }
    }
    let truths =
      withTruth ? try images.indices.map { try truth(images[$0], sizes[$0], mirrored: mirrored[$0]) } : []
    return ShownGroup(
      images: Tensor(values, [images.count, 3, height, width]),
      group: DetectionGroup(padded: (height, width), images: sizes), truths: truths,
      factors: (
        Double(sizes[0].height) / Double(images[0].height), Double(sizes[0].width) / Double(images[0].width)
      ))
  }

  /// Normalised values of a resized image. mmdet resizes bytes and normalises;
  /// torchvision normalises and resizes.
  private func pixels(_ image: AnnotatedImage, _ height: Int, _ width: Int) -> [Float] {
    let area = image.height * image.width
    let isResized = height != image.height || width != image.width
    guard isResized, settings.rules == .mmdet else {
      let values = image.pixels.enumerated().map { levels[$0 / area][Int($1)] }
      guard isResized else { return values }
      return Tensor(values, [1, 3, image.height, image.width]).bilinear(height: height, width: width).floats
    }
    let resized = Tensor(image.pixels.map { Float($0) }, [1, 3, image.height, image.width])
      .bilinear(height: height, width: width).floats
    return resized.enumerated().map { levels[$0 / (height * width)][min(max(Int($1 + 0.5), 0), 255)] }
  }

  private func truth(
    _ image: AnnotatedImage, _ size: (height: Int, width: Int), mirrored: Bool
  ) throws -> DetectionTruth {
    let down = Double(size.height) / Double(image.height)
    let across = Double(size.width) / Double(image.width)
    var boxes: [Corners] = []
    var labels: [Int] = []
    var bits: [Float] = []
    for object in image.trainingObjects().kept {
      let corners = object.corners
      let scaled = Corners(
        Double(corners[0]) * across, Double(corners[1]) * down, Double(corners[2]) * across,
        Double(corners[3]) * down
      )
      .clipped(height: Double(size.height), width: Double(size.width))
      let right = Double(size.width)
      boxes.append(
        mirrored ? Corners(right - scaled.x2, scaled.y1, right - scaled.x1, scaled.y2) : scaled)
      labels.append(object.label)
      guard readsMasks, let mask = image.objects[object.place].mask else { continue }
      bits += self.bits(
        try mask.runs(height: image.height, width: image.width), size, mirrored: mirrored)
    }
    let masks =
      readsMasks && !boxes.isEmpty && bits.count == boxes.count * size.height * size.width
      ? Tensor(bits, [boxes.count, 1, size.height, size.width]) : nil
    return DetectionTruth(boxes: boxes, labels: labels, masks: masks)
  }

  /// A mask at the resized image's size, by nearest neighbours.
  private func bits(
    _ mask: RunLengthMask, _ size: (height: Int, width: Int), mirrored: Bool
  ) -> [Float] {
    var bits = mask.bits.map { Float($0 ? 1 : 0) }
    if size.height != mask.height || size.width != mask.width {
      bits =
        Tensor(bits, [1, 1, mask.height, mask.width]).nearest(height: size.height, width: size.width).floats
    }
    guard mirrored else { return bits }
    return stride(from: 0, to: bits.count, by: size.width).flatMap { bits[$0..<$0 + size.width].reversed() }
  }
}

extension InputNormalisation {
  /// Of each channel, what each of 256 values becomes.
  var levels: [[Float]] {
    zip(mean, std).map { mean, std in
      (0..<256).map { Float((Double($0) / 255 - mean.double) / std.double) }
    }
  }
}
