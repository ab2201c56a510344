internal import CKernels

extension Tensor {
  private static func binary(_ op: k_binary_op, _ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape, "\(a.shape) and \(b.shape)")
    // Padding channels stay 0 under all but division.
    let layout = op == K_DIVIDE ? .plain : Layout.common(a, b)
    let (x, y) = (a.elements(layout), b.elements(layout))
    return Tensor(a.shape, a.precision, layout) {
      k_binary(a.precision.kernel, op, x.base, y.base, $0, layout.count(a.shape))
    }
  }

  private static func recorded(
    _ op: k_binary_op, _ a: Tensor, _ b: Tensor, pullback: @escaping @Sendable (Tensor) -> [Tensor?]
  ) -> Tensor {
    precondition(a.precision == b.precision, "operands of one precision")
    return binary(op, a, b).recorded(from: [a, b], pullback: pullback)
  }

  package static func + (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_ADD, a, b) { [$0, $0] }
      .moved(with: [a, b]) { _, tangents in OperationTangent(Tensors.sum(tangents[0], tangents[1])) }
  }

  package static func - (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_SUBTRACT, a, b) { [$0, -$0] }
      .moved(with: [a, b]) { _, tangents in
        OperationTangent(Tensors.sum(tangents[0], tangents[1].map { -$0 }))
      }
  }

  /// Elementwise.
  package static func * (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_MULTIPLY, a, b) { [a = a.detached, b = b.detached] in [$0 * b, $0 * a] }
      .moved(with: [a, b]) { x, tangents in
        OperationTangent(Tensors.sum(tangents[0].map { $0 * x[1] }, tangents[1].map { x[0] * $0 })) {
          upstream in
          [tangents[1].map { upstream * $0 }, tangents[0].map { upstream * $0 }]
        }
      }
  }

  /// Elementwise.
  package static func / (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_DIVIDE, a, b) { [a = a.detached, b = b.detached] in
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
  package func affine(_ factor: Double, _ offset: Double = 0) -> Tensor {
    let layout = offset == 0 ? layout : .plain
    let x = elements(layout)
    return Tensor(shape, precision, layout) {
      k_affine(precision.kernel, x.base, factor, offset, $0, layout.count(shape))
    }.recorded(from: [self]) {
      [$0.affine(factor)]
    }.moved(with: self) { $0.affine(factor) }
  }

  package static func * (a: Tensor, factor: Double) -> Tensor { a.affine(factor) }
  package static func * (factor: Double, a: Tensor) -> Tensor { a.affine(factor) }
  package static func / (a: Tensor, divisor: Double) -> Tensor { a.affine(1 / divisor) }
  package static func + (a: Tensor, offset: Double) -> Tensor { a.affine(1, offset) }
  package static func - (a: Tensor, offset: Double) -> Tensor { a.affine(1, -offset) }
  package static prefix func - (a: Tensor) -> Tensor { a.affine(-1) }

  /// Adds a vector along one axis: `v` `[extent of axis]`.
  package func adding(_ v: Tensor, along axis: Int) -> Tensor {
    let (outer, middle, inner) = split(at: axis, v)
    return .computed(shape, from: [self, v]) {
      k_add_middle(precision.kernel, storage.base, v.storage.base, $0, outer, middle, inner)
    } pullback: {
      [$0, $0.sumKeeping(axis: axis)]
    }.moved(with: [self, v]) { x, tangents in
      let start = tangents[0] ?? .zeros(x[0].shape, x[0].precision)
      return OperationTangent(tangents[1].map { start.adding($0, along: axis) } ?? start)
    }
  }

  /// Multiplies by a vector along one axis: `v` `[extent of axis]`.
  package func scaled(by v: Tensor, along axis: Int) -> Tensor {
    let (outer, middle, inner) = split(at: axis, v)
    return .computed(shape, from: [self, v]) {
      k_scale_middle(precision.kernel, storage.base, v.storage.base, $0, outer, middle, inner)
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
    Tensor([shape[axis]], precision) {
      k_dot_to_middle(
        precision.kernel, storage.base, other.storage.base, $0, shape.outer(of: axis), shape[axis],
        shape.inner(of: axis))
    }
  }

  /// `[batch, features]` plus a row `[features]`.
  package func adding(row: Tensor) -> Tensor { adding(row, along: 1) }
  /// `[batch, channels, …]` plus a value a channel.
  package func adding(channel: Tensor) -> Tensor { adding(channel, along: 1) }
  /// Row b of all that follows the first axis times element b.
  package func scaled(byRow factors: Tensor) -> Tensor { scaled(by: factors, along: 0) }
  package func scaled(byChannel factors: Tensor) -> Tensor { scaled(by: factors, along: 1) }

  /// A map `[batch, channels, height, width]` times one gate a sample and channel, `[batch, channels]` (squeeze-excitation).
  package func gating(_ gates: Tensor) -> Tensor {
    precondition(shape.rank == 4 && gates.shape == [shape[0], shape[1]], "\(shape) by gates \(gates.shape)")
    if layout == .blocked, !isMoving, !gates.isMoving { return gatingBlocks(gates) }
    let rows = reshaped([shape[0] * shape[1], shape[2] * shape[3]])
    return rows.scaled(byRow: gates.reshaped([gates.count])).reshaped(shape)
  }

  /// Outer, middle and inner extents around an axis that a vector runs along.
  private func split(at axis: Int, _ v: Tensor) -> (Int, Int, Int) {
    precondition(v.shape == [shape[axis]], "a vector \(v.shape) along axis \(axis) of \(shape)")
    return (shape.outer(of: axis), shape[axis], shape.inner(of: axis))
  }
}
