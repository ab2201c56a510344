package import Tensors

/// How the samples of a batch lie to each other, in the student's space against a teacher's (RKD, Park et al.
/// 2019), as AMTML-KD uses it.
///
/// - Source: `methods.md` 5.3. The teacher's side is a constant.
package enum StructureLoss {
  /// The mean Huber difference of the angles of all ordered triples. Costs B³.
  ///
  /// - Parameters: `[batch, width]` each, of any widths.
  /// - Returns: shape `[]`.
  package static func angle(student: Tensor, teacher: Tensor) -> Tensor {
    let teacher = teacher.detached
    let count = student.shape[0]
    let sums = (0..<count).map { sample in
      huber(angles(student, at: sample) - angles(teacher, at: sample)).sum().reshaped([1])
    }
    return Tensor.concatenated(sums, axis: 0).sum() / (Double(count) * Double(count) * Double(count))
  }

  /// The mean Huber difference of all distances, each side divided by the mean of its positive ones.
  package static func distance(student: Tensor, teacher: Tensor) -> Tensor {
    huber(distances(student) - distances(teacher.detached)).mean()
  }

  /// u_j · u_k for the unit vectors from one sample to all others, `[batch, batch]`.
  private static func angles(_ points: Tensor, at sample: Int) -> Tensor {
    let origin = points.sliced(axis: 0, from: sample, to: sample + 1).reshaped([points.shape[1]])
    let differences = points.adding(row: -origin)
    let lengths = (rowNorms(differences) - 1e-12).relu() + 1e-12
    let units = differences.scaled(byRow: Tensor.full(1, lengths.shape, lengths.precision) / lengths)
    return units.matmul(units, transposingOther: true)
  }

  private static func distances(_ points: Tensor) -> Tensor {
    let count = points.shape[0]
    let squares = points.square().rowSums()
    let products = points.matmul(points, transposingOther: true)
    let raw = (products * -2).adding(squares, along: 0).adding(squares, along: 1)
    // The floor keeps the root's gradient finite; the diagonal is 0 whatever rounding left there.
    let off = Tensor(
      (0..<(count * count)).map { $0 / count == $0 % count ? 0.0 : 1 }, [count, count], points.precision)
    let roots = (((raw - 1e-12).relu() + 1e-12).squareRoot()) * off
    let positive = roots.doubles.count { $0 > 0 }
    guard positive > 0 else { return roots }
    let mean = roots.sum() / Double(positive)
    let inverse = (Tensor.full(1, [], points.precision) / mean).reshaped([1])
    return roots.reshaped([1, count * count]).scaled(byRow: inverse).reshaped([count, count])
  }

  /// d²/2 below 1, |d| - 1/2 above.
  private static func huber(_ difference: Tensor) -> Tensor {
    let size = difference.relu() + (-difference).relu()
    let small = size.clampedToUnit()
    return small.square() * 0.5 + (size - small)
  }
}
