package import Specs
package import Tensors

/// How images are changed on their way to a network.
package enum Augmentation: Hashable, Sendable {
  /// As they are: for evaluation.
  case none
  /// A crop of the original size out of the image with `padding` black pixels around it, mirrored every other
  /// time. Of photographs instead a random part, resampled to the size, mirrored every other time.
  case cropAndFlip(padding: Int)

  /// The same of a photograph, and then its colours: brightness, contrast and saturation by factors
  /// from 1 - strength to 1 + strength, in an order that is drawn too, as TorchVision's
  /// `ColorJitter` does it without hue.
  case colourJitter(strength: Double)

  /// What training uses.
  package static let standard = Augmentation.cropAndFlip(padding: 4)

  /// What a recipe asks for.
  package init(_ recipe: RecipeSpec) {
    let strength = recipe.colourJitter.double
    self = strength > 0 ? .colourJitter(strength: strength) : .standard
  }

  /// Images as a network sees them: normalised, `[indices.count, channels, height, width]`, single.
  ///
  /// What happens to an image depends on (seed, epoch, its position in the set), not on its batch.
  ///
  /// - Throws: where a photograph is no longer what it was when it was indexed.
  package func batch(of set: ImageSet, indices: [Int], seed: Int = 0, epoch: Int = 0)
    throws(DatasetError) -> Tensor
  {
    try batch(of: set, indices: indices) {
      RandomStream(seed: UInt64(bitPattern: Int64(seed)), "augment", epoch, indices[$0])
    }
  }

  /// - Parameter stream: what the image at a position of `indices` is drawn from.
  func batch(of set: ImageSet, indices: [Int], stream: (Int) -> RandomStream) throws(DatasetError) -> Tensor {
    if let photographs = set.photographs { return try batch(of: set, photographs, indices, stream: stream) }
    let task = set.task
    return Tensor(filling: [indices.count, task.channels, task.height, task.width]) { out in
      set.pixels.withUnsafeBufferPointer { pixels in
        guard let out = out.baseAddress, let pixels = pixels.baseAddress else { return }
        for (position, index) in indices.enumerated() {
          precondition((0..<set.count).contains(index), "image \(index) of \(set.count)")
          let view = draw(stream(position))
          ImageView.write(
            pixels + index * task.pixelCount, to: out + position * task.pixelCount, channels: task.channels,
            height: task.height, width: task.width, down: view.down, right: view.right, flipped: view.flipped,
            mean: set.mean, std: set.std)
        }
      }
    }
  }

  /// Where the crop begins, relative to the image, in pixels.
  typealias View = (down: Int, right: Int, flipped: Bool)

  func view(_ index: Int, seed: Int, epoch: Int) -> View {
    draw(RandomStream(seed: UInt64(bitPattern: Int64(seed)), "augment", epoch, index))
  }

  func draw(_ stream: RandomStream) -> View {
    switch self {
    case .none: return (0, 0, false)
    case .colourJitter: preconditionFailure("colours of photographs alone are changed")
    case .cropAndFlip(let padding):
      var stream = stream
      let down = stream.index(below: 2 * padding + 1) - padding
      let right = stream.index(below: 2 * padding + 1) - padding
      return (down, right, stream.index(below: 2) == 1)
    }
  }
}
