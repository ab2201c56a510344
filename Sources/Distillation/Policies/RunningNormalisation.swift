package import Networks
package import Tensors

/// Standardises each component of a state by mean and variance over all batches seen so far (`methods.md`
/// 2.1, `stateNorm = running`).
package struct RunningNormalisation: Sendable {
  private var count = 0.0
  private var mean: [Double]
  /// Sum of squared differences from the mean.
  private var squares: [Double]

  package init(width: Int) {
    mean = Array(repeating: 0, count: width)
    squares = mean
  }

  /// Takes a batch `[batch, width]` into account, then standardises it.
  package mutating func standardised(_ states: Tensor) -> Tensor {
    let (rows, width) = (states.shape[0], states.shape[1])
    var values = states.doubles
    for row in 0..<rows {
      count += 1
      for column in 0..<width {
        let difference = values[row * width + column] - mean[column]
        mean[column] += difference / count
        squares[column] += difference * (values[row * width + column] - mean[column])
      }
    }
    for index in values.indices {
      let column = index % width
      // A component that has not varied yet is centred only.
      let std = (squares[column] / count).squareRoot()
      values[index] = (values[index] - mean[column]) / (std > 1e-12 ? std : 1)
    }
    return Tensor(values, states.shape, states.precision)
  }
}

extension RunningNormalisation: Snapshotting {
  package func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "count", [count])
    snapshot.put(prefix + "mean", mean)
    snapshot.put(prefix + "squares", squares)
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    count = try snapshot.doubles(prefix + "count")[0]
    mean = try snapshot.doubles(prefix + "mean")
    squares = try snapshot.doubles(prefix + "squares")
  }
}
