package import Specs
package import Tensors

/// From one normalisation of images to another, channel by channel: a network that was trained
/// elsewhere sees what it saw there.
package struct Renormalisation: Hashable, Sendable {
  /// new = factor × old + offset.
  private let factors: [Double]
  private let offsets: [Double]

  /// - Parameters:
  ///   - target: what the network expects.
  ///   - mean, std: of the images as they come, in units of 0...1.
  /// - Returns: nil where both are the same.
  package init?(_ target: InputNormalisation, from mean: [Double], _ std: [Double]) {
    precondition(target.fits(channels: mean.count), "\(target.mean.count) channels for \(mean.count)")
    let (targetMean, targetStd) = (target.mean.map(\.double), target.std.map(\.double))
    if targetMean == mean, targetStd == std { return nil }
    factors = zip(std, targetStd).map { $0 / $1 }
    offsets = zip(zip(mean, targetMean), targetStd).map { ($0.0 - $0.1) / $1 }
  }

  /// - Parameter images: `[batch, channels, height, width]`.
  package func applied(to images: Tensor) -> Tensor {
    images.scaled(byChannel: Tensor(factors, [factors.count], images.precision))
      .adding(channel: Tensor(offsets, [offsets.count], images.precision))
  }
}
