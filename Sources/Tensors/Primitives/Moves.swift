internal import CKernels

// Elements that change their places and not their values.

extension Primitives {
  /// Joins parts that agree in all extents but that of the axis.
  static func join(_ parts: [Tensor], axis: Int, _ shape: Shape) -> Tensor {
    let size = parts[0].precision.byteCount
    let widths = parts.map { $0.shape[axis] * $0.shape.inner(of: axis) * size }
    return Tensor(shape, parts[0].precision) { base in
      var to = base
      for row in 0..<shape.outer(of: axis) {
        for (part, width) in zip(parts, widths) {
          to.copyMemory(from: part.storage.base + row * width, byteCount: width)
          to += width
        }
      }
    }
  }

  /// The samples of all parts, one after the other, in one layout.
  static func stack(_ parts: [Tensor], _ shape: Shape, _ layout: Layout) -> Tensor {
    Tensor(shape, parts[0].precision, layout) { base in
      var to = base
      for part in parts {
        let width = layout.byteCount(part.shape, part.precision)
        to.copyMemory(from: part.elements(layout).base, byteCount: width)
        to += width
      }
    }
  }

  /// The elements of a range along one axis.
  static func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) -> Tensor {
    var dimensions = x.shape.dimensions
    dimensions[axis] = range.count
    let step = x.shape.inner(of: axis) * x.precision.byteCount
    let whole = x.shape[axis] * step
    let width = range.count * step
    return Tensor(Shape(dimensions), x.precision) { base in
      for row in 0..<x.shape.outer(of: axis) {
        (base + row * width).copyMemory(
          from: x.storage.base + row * whole + range.lowerBound * step, byteCount: width)
      }
    }
  }

  /// The other way: zeros outside of the range.
  static func slicePullback(_ gradient: Tensor, axis: Int, _ range: Range<Int>, _ shape: Shape) -> Tensor {
    let step = shape.inner(of: axis) * gradient.precision.byteCount
    let whole = shape[axis] * step
    let width = range.count * step
    return Tensor(shape, gradient.precision) { base in
      fill(base, gradient.precision, with: 0, count: shape.count)
      for row in 0..<shape.outer(of: axis) {
        (base + row * whole + range.lowerBound * step).copyMemory(
          from: gradient.storage.base + row * width, byteCount: width)
      }
    }
  }

  /// The steps along the first axis that `indices` names.
  static func gather(_ x: Tensor, _ indices: [Int]) -> Tensor {
    let width = x.shape.inner(of: 0) * x.precision.byteCount
    return Tensor(Shape([indices.count] + x.shape.dimensions[1...]), x.precision) { base in
      for (row, index) in indices.enumerated() {
        (base + row * width).copyMemory(from: x.storage.base + index * width, byteCount: width)
      }
    }
  }

  /// Adds each step to the place that it came from, in the order of `indices`; zeros elsewhere.
  static func gatherPullback(_ gradient: Tensor, _ indices: [Int], _ shape: Shape) -> Tensor {
    let inner = shape.inner(of: 0)
    let width = inner * gradient.precision.byteCount
    return Tensor(shape, gradient.precision) { base in
      fill(base, gradient.precision, with: 0, count: shape.count)
      for (row, index) in indices.enumerated() {
        accumulate(
          gradient.storage.base + row * width, into: base + index * width, gradient.precision, count: inner)
      }
    }
  }

  /// `[batch, columns, rows]` from `[batch, rows, columns]`; the batch may be left out.
  static func transpose(_ x: Tensor) -> Tensor {
    let axis = x.shape.rank - 2
    let dimensions = Array(x.shape.dimensions[..<axis]) + [x.shape[axis + 1], x.shape[axis]]
    return Tensor(Shape(dimensions), x.precision) {
      k_transpose(
        x.precision.kernel, x.storage.base, $0, x.shape.outer(of: axis), x.shape[axis], x.shape[axis + 1])
    }
  }

  /// Channel c of row-major maps goes to `order[c]`.
  static func permuteChannels(_ x: Tensor, _ order: [Int]) -> Tensor {
    let plane = x.shape.inner(of: 1) * x.precision.byteCount
    return Tensor(x.shape, x.precision) { base in
      for sample in 0..<x.shape[0] {
        let first = sample * order.count
        for (channel, target) in order.enumerated() {
          (base + (first + target) * plane).copyMemory(
            from: x.storage.base + (first + channel) * plane, byteCount: plane)
        }
      }
    }
  }

  /// One of `parts` equal parts of the features: from `[batch, tokens, parts × heads × width]` to
  /// `[batch × heads, tokens, width]`.
  static func splitHeads(_ x: Tensor, _ heads: Int, part: Int, of parts: Int) -> Tensor {
    let width = x.shape[2] / (parts * heads)
    return Tensor([x.shape[0] * heads, x.shape[1], width], x.precision) {
      k_split_heads(x.precision.kernel, x.storage.base, $0, x.shape[0], x.shape[1], parts, part, heads, width)
    }
  }

  /// The other way, of all parts; zeros for one that is missing.
  ///
  /// - Parameter shape: `[batch, tokens, parts × heads × width]`.
  static func mergeHeads(_ parts: [Tensor?], _ heads: Int, _ shape: Shape, _ precision: Precision) -> Tensor {
    let width = shape[2] / (parts.count * heads)
    return Tensor(shape, precision) {
      if parts.contains(where: { $0 == nil }) { fill($0, precision, with: 0, count: shape.count) }
      for (index, part) in parts.enumerated() {
        guard let part else { continue }
        k_merge_heads(
          precision.kernel, part.storage.base, $0, shape[0], shape[1], parts.count, index, heads, width)
      }
    }
  }

  /// Filters `[a, b, height, width]` to `[b, a, height, width]` with the taps in reverse.
  static func turnFilters(_ x: Tensor) -> Tensor {
    Tensor([x.shape[1], x.shape[0], x.shape[2], x.shape[3]], x.precision) {
      k_turn_filters(
        x.precision.kernel, x.storage.base, $0, x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
    }
  }
}
