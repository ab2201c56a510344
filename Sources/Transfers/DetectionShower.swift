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
  private let training: [TransferImage]
  private let settings: DetectionSettings
  /// Of each channel, what each of 256 values becomes.
  private let levels: [[Float]]
  private let readsMasks: Bool
  private let seed: UInt64
  /// Places of the images that can be trained on.
  let usable: [Int]

  /// The shortest side of an image that is trained on, in pixels.
  static let shortest = 32

  init(
    _ training: [TransferImage], _ settings: DetectionSettings, _ normalisation: InputNormalisation,
    readsMasks: Bool, seed: UInt64
  ) {
    self.training = training
    self.settings = settings
    self.readsMasks = readsMasks
    self.seed = seed
    levels = zip(normalisation.mean, normalisation.std).map { mean, std in
      (0..<256).map { Float((Double($0) / 255 - mean.double) / std.double) }
    }
    usable = training.indices.filter {
      min(training[$0].height, training[$0].width) >= Self.shortest
        && Self.hasUsableBox(training[$0])
    }
  }

  /// In the order of the whole set.
  func place(of image: Int) -> Int { training[image].place }

  /// Width / height.
  func aspect(of image: Int) -> Double { Double(training[image].width) / Double(training[image].height) }

  private static func hasUsableBox(_ image: TransferImage) -> Bool {
    image.objects.contains { usableBox($0, image) != nil }
  }

  /// The box that is trained on, clipped to its image; nil for crowds and for what has no area.
  static func usableBox(_ object: TransferObject, _ image: TransferImage) -> Corners? {
    guard !object.isCrowd, object.area > 0 else { return nil }
    let box = Corners(
      object.box.x, object.box.y, object.box.x + object.box.width, object.box.y + object.box.height
    ).clipped(height: Double(image.height), width: Double(image.width))
    return box.width >= 1 && box.height >= 1 ? box : nil
  }

  /// A group of training images as an epoch shows them.
  func group(_ places: [Int], epoch: Int) -> ShownGroup {
    show(
      places.map { training[$0] },
      mirrored: places.map { index in
        var stream = RandomStream(seed: seed, "transfer/flip", epoch, training[index].place)
        return stream.uniform() < 0.5
      }, withTruth: true)
  }

  func test(_ image: TransferImage) -> ShownGroup { show([image], mirrored: [false], withTruth: false) }

  /// Resized sides: as large as the recipe says, in proportion.
  private func size(of image: TransferImage) -> (height: Int, width: Int) {
    guard settings.shortSide > 0 else { return (image.height, image.width) }
    let (short, long) = (min(image.height, image.width), max(image.height, image.width))
    let factor = min(
      Double(settings.shortSide) / Double(short), Double(settings.longSide) / Double(long))
    func side(_ side: Int) -> Int {
      let exact = Double(side) * factor
      return max(Int(settings.rules == .mmdet ? exact + 0.5 : exact), 1)
    }
    return (side(image.height), side(image.width))
  }

  private func show(_ images: [TransferImage], mirrored: [Bool], withTruth: Bool) -> ShownGroup {
    let sizes = images.map { size(of: $0) }
    func padded(_ side: Int) -> Int { (side + 31) / 32 * 32 }
    let height = sizes.map { padded($0.height) }.max()!
    let width = sizes.map { padded($0.width) }.max()!
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
      withTruth ? images.indices.map { truth(images[$0], sizes[$0], mirrored: mirrored[$0]) } : []
    return ShownGroup(
      images: Tensor(values, [images.count, 3, height, width]),
      group: DetectionGroup(padded: (height, width), images: sizes), truths: truths,
      factors: (
        Double(sizes[0].height) / Double(images[0].height), Double(sizes[0].width) / Double(images[0].width)
      ))
  }

  /// Normalised values of a resized image. mmdet resizes bytes and normalises; torchvision normalises and resizes.
  private func pixels(_ image: TransferImage, _ height: Int, _ width: Int) -> [Float] {
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
    _ image: TransferImage, _ size: (height: Int, width: Int), mirrored: Bool
  ) -> DetectionTruth {
    let down = Double(size.height) / Double(image.height)
    let across = Double(size.width) / Double(image.width)
    var boxes: [Corners] = []
    var labels: [Int] = []
    var bits: [Float] = []
    for object in image.objects {
      guard let box = Self.usableBox(object, image) else { continue }
      let scaled = Corners(box.x1 * across, box.y1 * down, box.x2 * across, box.y2 * down)
        .clipped(height: Double(size.height), width: Double(size.width))
      let right = Double(size.width)
      boxes.append(
        mirrored ? Corners(right - scaled.x2, scaled.y1, right - scaled.x1, scaled.y2) : scaled)
      labels.append(object.label)
      if readsMasks, let mask = object.mask { bits += self.bits(mask, size, mirrored: mirrored) }
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
