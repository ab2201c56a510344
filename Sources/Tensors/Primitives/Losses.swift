internal import CKernels

extension Primitives {
  /// Losses of each element and its target.
  enum ElementLoss: Sendable {
    /// Nil leaves the factor with α out.
    case focal(alpha: Double?, gamma: Double)
    case binaryCrossEntropy
    case smoothL1(beta: Double)
  }

  static func loss(_ loss: ElementLoss, _ x: Tensor, _ targets: Tensor) -> Tensor {
    Tensor(x.shape, x.precision) {
      let (kernel, x, y, count) = (x.precision.kernel, x.storage.base, targets.storage.base, x.count)
      switch loss {
      case .focal(let alpha, let gamma): k_focal(kernel, x, y, alpha ?? -1, gamma, $0, count)
      case .binaryCrossEntropy: k_bce(kernel, x, y, $0, count)
      case .smoothL1(let beta): k_smooth_l1(kernel, x, y, beta, $0, count)
      }
    }
  }

  static func lossPullback(
    _ loss: ElementLoss, _ x: Tensor, _ targets: Tensor, _ gradient: Tensor
  ) -> Tensor {
    Tensor(x.shape, x.precision) {
      let (kernel, x, y, count) = (x.precision.kernel, x.storage.base, targets.storage.base, x.count)
      let upstream = gradient.storage.base
      switch loss {
      case .focal(let alpha, let gamma):
        k_focal_pullback(kernel, x, y, alpha ?? -1, gamma, upstream, $0, count)
      case .binaryCrossEntropy: k_bce_pullback(kernel, x, y, upstream, $0, count)
      case .smoothL1(let beta): k_smooth_l1_pullback(kernel, x, y, beta, upstream, $0, count)
      }
    }
  }

  /// 1 - the generalised overlap of boxes `[boxes, 4]` with their targets: `[boxes]`.
  static func overlapLoss(_ x: Tensor, _ targets: Tensor, epsilon: Double) -> Tensor {
    Tensor([x.shape[0]], x.precision) {
      k_giou(x.precision.kernel, x.storage.base, targets.storage.base, epsilon, $0, x.shape[0])
    }
  }

  static func overlapLossPullback(
    _ x: Tensor, _ targets: Tensor, epsilon: Double, _ gradient: Tensor
  ) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_giou_pullback(
        x.precision.kernel, x.storage.base, targets.storage.base, epsilon, gradient.storage.base, $0,
        x.shape[0])
    }
  }

  /// -log softmax over channels at each pixel's label: `[batch, height, width]`.
  static func pixelCrossEntropy(_ x: Tensor, _ labels: [Int32], ignored: Int32) -> Tensor {
    Tensor([x.shape[0], x.shape[2], x.shape[3]], x.precision) {
      k_pixel_cross_entropy(
        x.precision.kernel, x.storage.base, labels, ignored, $0, x.shape[0], x.shape[1],
        x.shape.inner(of: 1))
    }
  }

  static func pixelCrossEntropyPullback(
    _ x: Tensor, _ labels: [Int32], ignored: Int32, _ gradient: Tensor
  ) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_pixel_cross_entropy_pullback(
        x.precision.kernel, x.storage.base, labels, ignored, gradient.storage.base, $0, x.shape[0],
        x.shape[1], x.shape.inner(of: 1))
    }
  }
}
