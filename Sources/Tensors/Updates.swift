extension Tensor {
  /// One step of SGD, in place where nobody else holds the elements.
  ///
  /// g = gradient + decay w; v = g where there is no momentum buffer yet, else momentum v + g; w -= rate
  /// (nesterov ? g + momentum v : v).
  package mutating func updateSGD(
    gradient: Tensor, momentumBuffer: inout Tensor?, rate: Double, momentum: Double, weightDecay: Double,
    nesterov: Bool
  ) {
    precondition(gradient.shape == shape && gradient.precision == precision, "\(gradient.shape) for \(shape)")
    guard momentum != 0 else {
      mutate {
        Primitives.sgd(
          $0, gradient, momentumBuffer: nil, rate: rate, momentum: 0, weightDecay: weightDecay,
          nesterov: false, isFirst: false)
      }
      return
    }
    let isFirst = momentumBuffer == nil
    var velocity = momentumBuffer ?? .zeros(shape, precision)
    momentumBuffer = nil
    velocity.mutate { v in
      mutate {
        Primitives.sgd(
          $0, gradient, momentumBuffer: v, rate: rate, momentum: momentum, weightDecay: weightDecay,
          nesterov: nesterov, isFirst: isFirst)
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
    beta2: Double, epsilon: Double, weightDecay: Double, decoupled: Bool
  ) {
    precondition(gradient.shape == shape && gradient.precision == precision, "\(gradient.shape) for \(shape)")
    first.mutate { m in
      second.mutate { v in
        mutate {
          Primitives.adam(
            $0, gradient, first: m, second: v, step: step, rate: rate, beta1: beta1, beta2: beta2,
            epsilon: epsilon, weightDecay: weightDecay, decoupled: decoupled)
        }
      }
    }
  }

  /// share × self + (1 - share) × other, in place where nobody else holds the elements: a running average.
  package mutating func blend(with other: Tensor, keeping share: Double) {
    let (precision, count) = (precision, count)
    mutate {
      Primitives.scale($0, by: share, precision, count: count)
      Primitives.accumulate(other.storage.base, times: 1 - share, into: $0, precision, count: count)
    }
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
