// Losses of dense predictions: one value for each element, box or pixel; their sums and means are the
// caller's.

extension Tensor {
  /// The focal loss of logits (Lin et al. 2017), which right and certain predictions hardly add to:
  ///
  ///     BCE(x, y) · (α y + (1 - α)(1 - y)) · (1 - p_t)^γ,    p = sigmoid(x),  p_t = p y + (1 - p)(1 - y)
  ///
  /// - Parameters:
  ///   - targets: of the same shape, 0 or 1; constants.
  ///   - alpha: nil leaves the factor with α out.
  /// - Returns: of the same shape, in nats.
  package func focalLoss(_ targets: Tensor, alpha: Double? = 0.25, gamma: Double = 2) -> Tensor {
    elementwise(.focal(alpha: alpha, gamma: gamma), targets)
  }

  /// The binary cross-entropy of logits: max(x, 0) - x y + log(1 + exp(-|x|)).
  ///
  /// - Parameter targets: of the same shape, in [0, 1]; constants.
  /// - Returns: of the same shape, in nats.
  package func binaryCrossEntropy(_ targets: Tensor) -> Tensor {
    elementwise(.binaryCrossEntropy, targets)
  }

  /// d² / (2 β) below β and d - β / 2 above, with d = |x - y| (Girshick 2015); β = 0 is the absolute
  /// difference, with gradient 0 at 0.
  ///
  /// - Parameter targets: of the same shape; constants.
  package func smoothL1(_ targets: Tensor, beta: Double) -> Tensor {
    precondition(beta >= 0, "smooth L1 with β = \(beta)")
    return elementwise(.smoothL1(beta: beta), targets)
  }

  /// 1 - IoU + the share of the hull that neither box covers (Rezatofighi et al. 2019): `[boxes]` of boxes
  /// `[boxes, 4]` by their corners.
  ///
  /// - Parameter targets: of the same shape; constants.
  package func generalisedOverlapLoss(_ targets: Tensor, epsilon: Double = 1e-7) -> Tensor {
    precondition(shape.rank == 2 && shape[1] == 4 && shape == targets.shape, "\(shape) and \(targets.shape)")
    let targets = targets.detached
    return .computed(from: [self]) {
      Primitives.overlapLoss(self, targets, epsilon: epsilon)
    } pullback: { [x = detached] upstream in
      [Primitives.overlapLossPullback(x, targets, epsilon: epsilon, upstream)]
    }
  }

  /// -log softmax over channels at each pixel's label, 0 where the label is `ignored`: `[batch, height,
  /// width]` of logits
  /// `[batch, channels, height, width]`.
  ///
  /// - Precondition: every label is a channel or `ignored`.
  package func pixelCrossEntropy(_ labels: [Int32], ignored: Int32 = 255) -> Tensor {
    precondition(shape.rank == 4, "labels of pixels for \(shape)")
    let channels = shape[1]
    precondition(labels.count == shape[0] * shape[2] * shape[3], "\(labels.count) labels for \(shape)")
    precondition(
      labels.allSatisfy { $0 == ignored || (0..<Int32(channels)).contains($0) }, "a label of no channel")
    return .computed(from: [self]) {
      Primitives.pixelCrossEntropy(self, labels, ignored: ignored)
    } pullback: { [x = detached] upstream in
      [Primitives.pixelCrossEntropyPullback(x, labels, ignored: ignored, upstream)]
    }
  }

  /// A function of each element and its target.
  private func elementwise(_ loss: Primitives.ElementLoss, _ targets: Tensor) -> Tensor {
    precondition(
      shape == targets.shape && precision == targets.precision, "\(shape) and targets \(targets.shape)")
    let targets = targets.detached
    return .computed(from: [self]) {
      Primitives.loss(loss, self, targets)
    } pullback: { [x = detached] upstream in
      [Primitives.lossPullback(loss, x, targets, upstream)]
    }
  }
}
