internal import CKernels

// Updates in place: of `count` elements of one precision.

extension Primitives {
  /// - Parameters:
  ///   - weights, momentumBuffer: changed; a buffer with unspecified contents counts as none where `isFirst`.
  static func sgd(
    _ weights: UnsafeMutableRawPointer, _ gradient: Tensor, momentumBuffer: UnsafeMutableRawPointer?,
    rate: Double, momentum: Double, weightDecay: Double, nesterov: Bool, isFirst: Bool
  ) {
    k_sgd(
      gradient.precision.kernel, weights, gradient.storage.base, momentumBuffer, rate, momentum, weightDecay,
      nesterov ? 1 : 0, isFirst ? 1 : 0, gradient.count)
  }

  /// - Parameters:
  ///   - weights, first, second: changed.
  ///   - step: from 1.
  static func adam(
    _ weights: UnsafeMutableRawPointer, _ gradient: Tensor, first: UnsafeMutableRawPointer,
    second: UnsafeMutableRawPointer, step: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double,
    weightDecay: Double, decoupled: Bool
  ) {
    k_adam(
      gradient.precision.kernel, weights, gradient.storage.base, first, second, rate, beta1, beta2, epsilon,
      weightDecay, decoupled ? 1 : 0, Int64(step), gradient.count)
  }
}

/// Bytes to normalised images.
package enum ImageView {
  /// Writes one sample into `out` `[channels, height, width]`: (pixel / 255 - mean) / std of the image
  /// shifted
  /// by (down, right) pixels and perhaps mirrored. Pixels from outside the image are black before
  /// normalisation.
  package static func write(
    _ pixels: UnsafePointer<UInt8>, to out: UnsafeMutablePointer<Float>, channels: Int, height: Int,
    width: Int,
    down: Int, right: Int, flipped: Bool, mean: [Double], std: [Double]
  ) {
    k_image_view(pixels, out, channels, height, width, Int32(down), Int32(right), flipped ? 1 : 0, mean, std)
  }
}
