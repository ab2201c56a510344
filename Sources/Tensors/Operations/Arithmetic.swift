extension Tensor {
  private static func recorded(
    _ function: Primitives.BinaryFunction, _ a: Tensor, _ b: Tensor,
    pullback: @escaping @Sendable (Tensor) -> [Tensor?]
  ) -> Tensor {
    precondition(a.shape == b.shape, "\(a.shape) and \(b.shape)")
    return computed(from: [a, b]) {
      Primitives.binary(function, a, b)
    } pullback: {
      pullback($0)
    }
  }

  /// Elementwise, of equal shapes.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    recorded(.add, a, b) { [$0, $0] }
      .moved(with: [a, b]) { _, tangents in OperationTangent(Tensors.sum(tangents[0], tangents[1])) }
  }

  /// Elementwise, of equal shapes.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    recorded(.subtract, a, b) { [$0, -$0] }
      .moved(with: [a, b]) { _, tangents in
        OperationTangent(Tensors.sum(tangents[0], tangents[1].map { -$0 }))
      }
  }

  /// Elementwise.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    recorded(.multiply, a, b) { [a = a.detached, b = b.detached] in [$0 * b, $0 * a] }
      .moved(with: [a, b]) { x, tangents in
        OperationTangent(Tensors.sum(tangents[0].map { $0 * x[1] }, tangents[1].map { x[0] * $0 })) {
          upstream in
          [tangents[1].map { upstream * $0 }, tangents[0].map { upstream * $0 }]
        }
      }
  }

  /// Elementwise.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    recorded(.divide, a, b) { [a = a.detached, b = b.detached] in
      let share = $0 / b
      return [share, -(share * a / b)]
    }.moved(with: [a, b]) { x, tangents in
      let (a, b) = (x[0], x[1])
      let change = Tensors.sum(tangents[0], tangents[1].map { -($0 * a / b) }).map { $0 / b }
      // The gradients are g / b and -g (a / b) / b.
      return OperationTangent(change) { upstream in
        let share = upstream / b
        let loss = tangents[1].map { share * $0 / b }
        let ratio = Tensors.sum(change.map { share * $0 }, loss.map { -($0 * a / b) })
        return [loss.map { -$0 }, ratio.map { -$0 }]
      }
    }
  }

  /// factor × self + offset, elementwise.
  public func affine(_ factor: Double, _ offset: Double = 0) -> Tensor {
    Primitives.affine(self, factor, offset).recorded(from: [self]) {
      [$0.affine(factor)]
    }.moved(with: self) { $0.affine(factor) }
  }

  /// Every element times a factor.
  public static func * (a: Tensor, factor: Double) -> Tensor { a.affine(factor) }
  /// Every element times a factor.
  public static func * (factor: Double, a: Tensor) -> Tensor { a.affine(factor) }
  /// Every element divided by a number.
  public static func / (a: Tensor, divisor: Double) -> Tensor { a.affine(1 / divisor) }
  /// A number added to every element.
  public static func + (a: Tensor, offset: Double) -> Tensor { a.affine(1, offset) }
  /// A number taken from every element.
  public static func - (a: Tensor, offset: Double) -> Tensor { a.affine(1, -offset) }
  /// Every element with its sign changed.
  public static prefix func - (a: Tensor) -> Tensor { a.affine(-1) }

  /// Adds a vector along one axis: `v` `[extent of axis]`.
  public func adding(_ v: Tensor, along axis: Int) -> Tensor {
    checkVector(v, along: axis)
    return .computed(from: [self, v]) {
      Primitives.add(self, vector: v, along: axis)
    } pullback: {
      [$0, $0.sumKeeping(axis: axis)]
    }.moved(with: [self, v]) { x, tangents in
      let start = tangents[0] ?? .zeros(x[0].shape, x[0].precision)
      return OperationTangent(tangents[1].map { start.adding($0, along: axis) } ?? start)
    }
  }

  /// Multiplies by a vector along one axis: `v` `[extent of axis]`.
  public func scaled(by v: Tensor, along axis: Int) -> Tensor {
    checkVector(v, along: axis)
    return .computed(from: [self, v]) {
      Primitives.scale(self, byVector: v, along: axis)
    } pullback: { [x = detached, v = v.detached] upstream in
      [upstream.scaled(by: v, along: axis), x.dot(upstream, keeping: axis)]
    }.moved(with: [self, v]) { x, tangents in
      OperationTangent(
        Tensors.sum(
          tangents[0].map { $0.scaled(by: x[1], along: axis) },
          tangents[1].map { x[0].scaled(by: $0, along: axis) })
      ) { upstream in
        [
          tangents[1].map { upstream.scaled(by: $0, along: axis) },
          tangents[0].map { $0.dot(upstream, keeping: axis) },
        ]
      }
    }
  }

  /// The sum of self × other over all axes but one, of constants: `[extent of axis]`.
  func dot(_ other: Tensor, keeping axis: Int) -> Tensor {
    Primitives.dot(self, other, keeping: axis)
  }

  /// `[batch, features]` plus a row `[features]`.
  public func adding(row: Tensor) -> Tensor { adding(row, along: 1) }
  /// `[batch, channels, …]` plus a value a channel.
  public func adding(channel: Tensor) -> Tensor { adding(channel, along: 1) }
  /// Row b of all that follows the first axis times element b.
  public func scaled(byRow factors: Tensor) -> Tensor { scaled(by: factors, along: 0) }
  /// `[batch, channels, …]` times a factor a channel.
  public func scaled(byChannel factors: Tensor) -> Tensor { scaled(by: factors, along: 1) }

  /// A map `[batch, channels, height, width]` times one gate a sample and channel, `[batch, channels]`
  /// (squeeze-excitation).
  public func gating(_ gates: Tensor) -> Tensor {
    precondition(shape.rank == 4 && gates.shape == [shape[0], shape[1]], "\(shape) by gates \(gates.shape)")
    if layout == .blocked, !isMoving, !gates.isMoving { return gatingBlocks(gates) }
    let rows = reshaped([shape[0] * shape[1], shape[2] * shape[3]])
    return rows.scaled(byRow: gates.reshaped([gates.count])).reshaped(shape)
  }

  private func checkVector(_ v: Tensor, along axis: Int) {
    precondition(v.shape == [shape[axis]], "a vector \(v.shape) along axis \(axis) of \(shape)")
  }
}
