public import Tensors

/// A backbone with a head on it.
public struct HeadedNetwork<Top: Head>: Sendable {
  /// From images to features.
  public let backbone: any Backbone
  /// From features to the output.
  public let head: Top

  /// Puts a head on a backbone; both were declared in one scope.
  public init(_ backbone: any Backbone, _ head: Top) {
    self.backbone = backbone
    self.head = head
  }

  /// - Parameter images: `[batch, channels, height, width]`, normalised.
  public func evaluate(_ images: Tensor, _ pass: Pass) -> (features: Features, output: Top.Output) {
    pass.device.run {
      let features = backbone.features(of: images, pass)
      return (features, head(features, pass))
    }
  }
}

/// A network whose head gives one row of numbers an image.
public typealias Network = HeadedNetwork<LinearHead>

extension HeadedNetwork where Top.Output == Tensor {
  /// - Parameter images: `[batch, channels, height, width]`, normalised.
  public func callAsFunction(_ images: Tensor, _ pass: Pass) -> Activations {
    let (features, output) = evaluate(images, pass)
    return Activations(features, logits: output)
  }
}

extension HeadedNetwork where Top == LinearHead {
  /// The output for a map at the last tap.
  ///
  /// - Precondition: the backbone embeds its map.
  public func logits(of map: Tensor, _ pass: Pass) -> Tensor {
    pass.device.run { head(backbone.embedding(of: map, pass), pass) }
  }
}

extension HeadedNetwork where Top.Output == Tensor {
  /// What it says of images with running statistics, constants, in parts that follow each other:
  /// their maps stay in a core's cache. What is said of one image depends on no other, so where a
  /// batch is cut decides no bit.
  package func parts(of images: Tensor, _ state: ModelState) -> [Activations] {
    let count = images.shape[0]
    let step = backbone.imagesAtOnce * Device.current.threads
    guard count > step else { return [self(images, Pass(state, .inference))] }
    return stride(from: 0, to: count, by: step).map { first in
      self(images.sliced(axis: 0, from: first, to: min(first + step, count)), Pass(state, .inference))
    }
  }
}
