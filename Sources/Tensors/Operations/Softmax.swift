extension Tensor {
  private var rowsAndColumns: (Int, Int) {
    let columns = shape[shape.rank - 1]
    return (columns == 0 ? 0 : count / columns, columns)
  }

  /// exp(x) / sum of exp(x) over the last axis, the maximum subtracted first.
  public func softmax() -> Tensor {
    let output = Primitives.softmax(self)
    @Sendable func back(_ upstream: Tensor) -> Tensor { Primitives.softmaxPullback(output, upstream) }
    return output.recorded(from: [self]) { [back($0)] }
      .moved(with: [self]) { _, tangents in
        // The Jacobian is symmetric.
        let change = tangents[0].map(back)
        return OperationTangent(change, bend: change.map { output.softmaxBend(moving: $0, scale: 1) })
      }
  }

  /// How the pullback scale × y (g - Σ y g) of a softmax with the result y changes.
  ///
  /// - Parameter change: of y.
  func softmaxBend(moving change: Tensor, scale: Double) -> @Sendable (Tensor) -> [Tensor?] {
    let (rows, columns) = rowsAndColumns
    let (y, dy) = (reshaped([rows, columns]), change.reshaped([rows, columns]))
    return { [shape] upstream in
      let g = upstream.reshaped([rows, columns])
      let centred = g.adding(-(y * g).rowSums(), along: 0)
      return [((dy * centred - y.scaled(byRow: (dy * g).rowSums())) * scale).reshaped(shape)]
    }
  }

  /// The logarithm of the softmax over the last axis.
  public func logSoftmax() -> Tensor {
    let (rows, columns) = rowsAndColumns
    let output = Primitives.logSoftmax(self)
    return output.recorded(from: [self]) { upstream in
      [Primitives.logSoftmaxPullback(output, upstream)]
    }.moved(with: [self]) { [shape] _, tangents in
      guard let tangent = tangents[0]?.reshaped([rows, columns]) else { return OperationTangent(nil) }
      let p = output.reshaped([rows, columns]).exp()
      let change = tangent.adding(-(p * tangent).rowSums(), along: 0)
      // The pullback is g - p Σ g.
      return OperationTangent(change.reshaped(shape)) { upstream in
        [-(p * change).scaled(byRow: upstream.reshaped([rows, columns]).rowSums()).reshaped(shape)]
      }
    }
  }

  /// -log softmax(self)[label] of each row, in nats: `[rows]`.
  public func crossEntropy(labels: [Int]) -> Tensor { -logSoftmax().element(perRow: labels) }

  /// The same against a target that gives a share of `smoothing` to all classes alike (Szegedy et al. 2016):
  ///
  ///     (1 - smoothing) × -log p[label] + smoothing × the mean over classes of -log p
  public func crossEntropy(labels: [Int], smoothing: Double) -> Tensor {
    guard smoothing > 0 else { return crossEntropy(labels: labels) }
    let logarithms = logSoftmax()
    return -(logarithms.element(perRow: labels) * (1 - smoothing) + logarithms.rowMeans() * smoothing)
  }

  /// T² Σ p (log p − log q) of each row, with p = softmax(teacher / T) and q = softmax(self / T): `[rows]`.
  ///
  /// - Parameter teacher: logits, a constant; the gradient flows into self, the student's logits.
  /// - Source: `methods.md` 1.3.
  public func klDivergence(from teacher: Tensor, temperature: Double) -> Tensor {
    precondition(shape.rank == 2 && shape == teacher.shape, "\(shape) and \(teacher.shape)")
    let teacher = teacher.detached
    return .computed(from: [self, teacher]) {
      Primitives.klDivergence(self, teacher, temperature: temperature)
    } pullback: { [student = detached] upstream in
      [Primitives.klDivergencePullback(student, teacher, temperature: temperature, upstream), nil]
    }.moved(with: [self, teacher]) { x, tangents in
      guard let tangent = tangents[0] else { return OperationTangent(nil) }
      let q = (x[0] / temperature).softmax()
      let difference = q - (teacher / temperature).softmax()
      // The gradient is T (q - p) of each row.
      let change = q * tangent.adding(-(q * tangent).rowSums(), along: 0)
      return OperationTangent((difference * tangent).rowSums() * temperature) { upstream in
        [change.scaled(byRow: upstream), nil]
      }
    }
  }
}
