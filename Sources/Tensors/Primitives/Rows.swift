internal import CKernels

extension Shape {
  /// Rows of the last axis: their number and their length.
  fileprivate var rows: (count: Int, columns: Int) {
    let columns = self[rank - 1]
    return (columns == 0 ? 0 : count / columns, columns)
  }
}

// Functions of rows of the last axis.

extension Primitives {
  /// The softmax of each row, or of scale x where a scale is given; then, in single precision, with the
  /// kernels'
  /// own exponential, the same bits everywhere.
  static func softmax(_ x: Tensor, scale: Double? = nil) -> Tensor {
    let rows = x.shape.rows
    return Tensor(x.shape, x.precision) {
      if let scale {
        k_scaled_softmax(x.precision.kernel, x.storage.base, scale, $0, rows.count, rows.columns)
      } else {
        k_softmax(x.precision.kernel, x.storage.base, $0, rows.count, rows.columns)
      }
    }
  }

  /// - Parameter y: the result.
  static func softmaxPullback(_ y: Tensor, scale: Double? = nil, _ gradient: Tensor) -> Tensor {
    let rows = y.shape.rows
    return Tensor(y.shape, y.precision) {
      let (kernel, y, dy) = (y.precision.kernel, y.storage.base, gradient.storage.base)
      if let scale {
        k_scaled_softmax_pullback(kernel, y, scale, dy, $0, rows.count, rows.columns)
      } else {
        k_softmax_pullback(kernel, y, dy, $0, rows.count, rows.columns)
      }
    }
  }

  static func logSoftmax(_ x: Tensor) -> Tensor {
    let rows = x.shape.rows
    return Tensor(x.shape, x.precision) {
      k_log_softmax(x.precision.kernel, x.storage.base, $0, rows.count, rows.columns)
    }
  }

  /// - Parameter y: the result.
  static func logSoftmaxPullback(_ y: Tensor, _ gradient: Tensor) -> Tensor {
    let rows = y.shape.rows
    return Tensor(y.shape, y.precision) {
      k_log_softmax_pullback(
        y.precision.kernel, y.storage.base, gradient.storage.base, $0, rows.count, rows.columns)
    }
  }

  /// T² Σ p (log p − log q) of each row of two matrices: `[rows]`.
  static func klDivergence(_ student: Tensor, _ teacher: Tensor, temperature: Double) -> Tensor {
    let rows = student.shape.rows
    return Tensor([rows.count], student.precision) {
      k_kl(
        student.precision.kernel, student.storage.base, teacher.storage.base, temperature, $0, rows.count,
        rows.columns)
    }
  }

  static func klDivergencePullback(
    _ student: Tensor, _ teacher: Tensor, temperature: Double, _ gradient: Tensor
  ) -> Tensor {
    let rows = student.shape.rows
    return Tensor(student.shape, student.precision) {
      k_kl_pullback(
        student.precision.kernel, student.storage.base, teacher.storage.base, temperature,
        gradient.storage.base, $0, rows.count, rows.columns)
    }
  }

  /// Element `index[r]` of each row r of a matrix: `[rows]`.
  static func pick(_ x: Tensor, _ index: [Int64]) -> Tensor {
    Tensor([x.shape[0]], x.precision) {
      k_pick(x.precision.kernel, x.storage.base, index, $0, x.shape[0], x.shape[1])
    }
  }

  /// - Parameter shape: of the matrix.
  static func pickPullback(_ gradient: Tensor, _ index: [Int64], _ shape: Shape) -> Tensor {
    Tensor(shape, gradient.precision) {
      k_pick_pullback(gradient.precision.kernel, gradient.storage.base, index, $0, shape[0], shape[1])
    }
  }

  /// Rows normalised by their mean and biased variance, then scaled and shifted.
  ///
  /// - Returns: the result, and mean and 1 / root of each row, `[rows, 2]` in double precision.
  static func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double
  ) -> (output: Tensor, statistics: Tensor) {
    let columns = x.shape[x.shape.rank - 1]
    let rows = x.shape.outer(of: x.shape.rank - 1)
    let statistics = Tensor.unfilled([rows, 2], .double)
    let output = Tensor(x.shape, x.precision) {
      k_layer_norm(
        x.precision.kernel, x.storage.base, weight.storage.base, bias.storage.base, epsilon, $0,
        statistics.storage.base.assumingMemoryBound(to: Double.self), rows, columns)
    }
    return (output, statistics)
  }

  /// The gradients of input, weight and bias.
  static func layerNormPullback(
    _ x: Tensor, weight: Tensor, statistics: Tensor, _ gradient: Tensor
  ) -> [Tensor] {
    let columns = x.shape[x.shape.rank - 1]
    let rows = x.shape.outer(of: x.shape.rank - 1)
    let dweight = Tensor.unfilled([columns], x.precision)
    let dbias = Tensor.unfilled([columns], x.precision)
    let dx = Tensor(x.shape, x.precision) {
      k_layer_norm_pullback(
        x.precision.kernel, x.storage.base, weight.storage.base,
        statistics.storage.base.assumingMemoryBound(to: Double.self), gradient.storage.base, $0,
        dweight.storage.base, dbias.storage.base, rows, columns)
    }
    return [dx, dweight, dbias]
  }
}
