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
  }

  package static func - (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_SUBTRACT, a, b) { [$0, -$0] }
  }

  /// Elementwise.
  package static func * (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_MULTIPLY, a, b) { [a = a.detached, b = b.detached] in [$0 * b, $0 * a] }
  }

  /// Elementwise.
  package static func / (a: Tensor, b: Tensor) -> Tensor {
    recorded(K_DIVIDE, a, b) { [a = a.detached, b = b.detached] in
      let share = $0 / b
      return [share, -(share * a / b)]
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
    }
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
    }
  }

  /// Multiplies by a vector along one axis: `v` `[extent of axis]`.
  package func scaled(by v: Tensor, along axis: Int) -> Tensor {
    let (outer, middle, inner) = split(at: axis, v)
    return .computed(shape, from: [self, v]) {
      k_scale_middle(precision.kernel, storage.base, v.storage.base, $0, outer, middle, inner)
    } pullback: { [x = detached, v = v.detached] upstream in
      let slope = Tensor(v.shape, v.precision) {
        k_dot_to_middle(v.precision.kernel, x.storage.base, upstream.storage.base, $0, outer, middle, inner)
      }
      return [upstream.scaled(by: v, along: axis), slope]
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
    if layout == .blocked { return gatingBlocks(gates) }
    let rows = reshaped([shape[0] * shape[1], shape[2] * shape[3]])
    return rows.scaled(byRow: gates.reshaped([gates.count])).reshaped(shape)
  }

  /// Outer, middle and inner extents around an axis that a vector runs along.
  private func split(at axis: Int, _ v: Tensor) -> (Int, Int, Int) {
    precondition(v.shape == [shape[axis]], "a vector \(v.shape) along axis \(axis) of \(shape)")
    return (shape.outer(of: axis), shape[axis], shape.inner(of: axis))
  }
}
