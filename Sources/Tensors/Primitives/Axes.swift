internal import CKernels

// Along and over one axis. Sums are formed in double, in an order that the shape alone decides.

extension Primitives {
  /// x plus a vector along one axis: `v` `[extent of axis]`.
  static func add(_ x: Tensor, vector v: Tensor, along axis: Int) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_add_middle(
        x.precision.kernel, x.storage.base, v.storage.base, $0, x.shape.outer(of: axis), x.shape[axis],
        x.shape.inner(of: axis))
    }
  }

  /// x times a vector along one axis.
  static func scale(_ x: Tensor, byVector v: Tensor, along axis: Int) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_scale_middle(
        x.precision.kernel, x.storage.base, v.storage.base, $0, x.shape.outer(of: axis), x.shape[axis],
        x.shape.inner(of: axis))
    }
  }

  /// The sum of x y over all axes but one: `[extent of axis]`.
  static func dot(_ x: Tensor, _ y: Tensor, keeping axis: Int) -> Tensor {
    Tensor([x.shape[axis]], x.precision) {
      k_dot_to_middle(
        x.precision.kernel, x.storage.base, y.storage.base, $0, x.shape.outer(of: axis), x.shape[axis],
        x.shape.inner(of: axis))
    }
  }

  /// factor × the sum over all axes but one: `[extent of axis]`.
  static func sum(_ x: Tensor, keeping axis: Int, factor: Double) -> Tensor {
    Tensor([x.shape[axis]], x.precision) {
      k_sum_to_middle(
        x.precision.kernel, x.storage.base, factor, $0, x.shape.outer(of: axis), x.shape[axis],
        x.shape.inner(of: axis))
    }
  }

  /// The other way: factor × a vector, repeated along all axes of `shape` but one.
  static func spread(_ v: Tensor, along axis: Int, of shape: Shape, factor: Double) -> Tensor {
    Tensor(shape, v.precision) {
      k_spread_middle(
        v.precision.kernel, v.storage.base, factor, $0, shape.outer(of: axis), shape[axis],
        shape.inner(of: axis))
    }
  }

  /// factor × the sum over one axis, which is dropped.
  static func sum(_ x: Tensor, over axis: Int, factor: Double) -> Tensor {
    let rest = Shape(Array(x.shape.dimensions[..<axis] + x.shape.dimensions[(axis + 1)...]))
    return Tensor(rest, x.precision) {
      k_sum_axis(
        x.precision.kernel, x.storage.base, factor, $0, x.shape.outer(of: axis), x.shape[axis],
        x.shape.inner(of: axis))
    }
  }

  /// The other way: factor × y, repeated over one axis of `shape`.
  static func spread(_ y: Tensor, over axis: Int, of shape: Shape, factor: Double) -> Tensor {
    Tensor(shape, y.precision) {
      k_spread_axis(
        y.precision.kernel, y.storage.base, factor, $0, shape.outer(of: axis), shape[axis],
        shape.inner(of: axis))
    }
  }
}
