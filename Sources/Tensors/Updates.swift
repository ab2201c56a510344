internal import CKernels

extension Tensor {
  /// One step of SGD, in place where nobody else holds the elements.
  ///
  /// g = gradient + decay w; v = g where there is no momentum buffer yet, else momentum v + g; w -= rate (nesterov ? g + momentum v : v).
  package mutating func updateSGD(
    gradient: Tensor, momentumBuffer: inout Tensor?, rate: Double, momentum: Double, weightDecay: Double,
    nesterov: Bool
  ) {
    precondition(gradient.shape == shape && gradient.precision == precision, "\(gradient.shape) for \(shape)")
    let (kernel, count) = (precision.kernel, count)
    guard momentum != 0 else {
      mutate { k_sgd(kernel, $0, gradient.storage.base, nil, rate, 0, weightDecay, 0, 0, count) }
      return
    }
    let isFirst = momentumBuffer == nil
    var velocity = momentumBuffer ?? .zeros(shape, precision)
    momentumBuffer = nil
    velocity.mutate { v in
      mutate {
        k_sgd(
          kernel, $0, gradient.storage.base, v, rate, momentum, weightDecay, nesterov ? 1 : 0,
          isFirst ? 1 : 0, count)
      }
    }
    momentumBuffer = velocity
  }

  /// One step of Adam with bias correction, in place where nobody else holds the elements.
  ///
  /// - Parameters:
  ///   - step: from 1.
  ///   - decoupled: weight decay multiplies the weights (AdamW) instead of being added to the gradient.
  package mutating func updateAdam(
    gradient: Tensor, first: inout Tensor, second: inout Tensor, step: Int, rate: Double, beta1: Double,
    beta2: Double,
    epsilon: Double, weightDecay: Double, decoupled: Bool
  ) {
    precondition(gradient.shape == shape && gradient.precision == precision, "\(gradient.shape) for \(shape)")
    let (kernel, count) = (precision.kernel, count)
    first.mutate { m in
      second.mutate { v in
        mutate {
          k_adam(
            kernel, $0, gradient.storage.base, m, v, rate, beta1, beta2, epsilon, weightDecay,
            decoupled ? 1 : 0,
            Int64(step), count)
        }
      }
    }
  }

  /// share × self + (1 - share) × other, in place where nobody else holds the elements: a running average.
  package mutating func blend(with other: Tensor, keeping share: Double) {
    let (kernel, count) = (precision.kernel, count)
    mutate {
      k_affine(kernel, $0, share, 0, $0, count)
      k_accumulate(kernel, other.storage.base, 1 - share, $0, count)
    }
  }
}

/// Bytes to normalised images.
package enum ImageView {
  /// One sample into `out` `[channels, height, width]`: (pixel / 255 - mean) / std of the image shifted by (down, right) pixels and
  /// perhaps mirrored. Pixels from outside the image are black before normalisation.
  package static func write(
    _ pixels: UnsafePointer<UInt8>, to out: UnsafeMutablePointer<Float>, channels: Int, height: Int,
    width: Int,
    down: Int, right: Int, flipped: Bool, mean: [Double], std: [Double]
  ) {
    k_image_view(pixels, out, channels, height, width, Int32(down), Int32(right), flipped ? 1 : 0, mean, std)
  }
}

extension Tensor {
  /// A single-precision constant whose elements `fill` writes, all of them.
  package init(filling shape: Shape, _ fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    self.init(shape, .single) { base in
      fill(UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: Float.self), count: shape.count))
    }
  }
}
