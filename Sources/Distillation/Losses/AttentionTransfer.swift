package import Tensors

/// How far apart two networks look at an image: the squared difference of their attention maps
/// (Zagoruyko and Komodakis 2017).
///
///     q(F) = vec(Σ_c F_c²) / |Σ_c F_c²|        A = mean over positions of (q(F^S) - q(F^T))²
///
/// Stages are paired from the last one backwards, and what one network has more of is left out; of a pair the
/// larger map is pooled to the size of the smaller.
///
/// - Source: equation 2 of the paper in the form of its authors' code, which takes the mean over positions.
package enum AttentionTransfer {
  /// The sum of A over all pairs of stages, `[batch]`; gradients flow into the student's maps.
  ///
  /// - Parameters: maps `[batch, channels, height, width]` at the end of each stage, in
  ///   the order of evaluation.
  package static func distances(student: [Tensor], teacher: [Tensor]) -> Tensor {
    precondition(!student.isEmpty && !teacher.isEmpty, "stages to compare")
    let distances = zip(student.reversed(), teacher.reversed()).map { student, teacher in
      let height = min(student.shape[2], teacher.shape[2])
      let width = min(student.shape[3], teacher.shape[3])
      return (attention(student, height, width) - attention(teacher.detached, height, width)).square()
        .rowMeans()
    }
    return distances.dropFirst().reduce(distances[0]) { $0 + $1 }
  }

  /// q of a map that is pooled to a size first: `[batch, height × width]`, each row of length 1.
  package static func attention(_ map: Tensor, _ height: Int, _ width: Int) -> Tensor {
    let isLarger = map.shape[2] > height || map.shape[3] > width
    let pooled = isLarger ? map.adaptiveAveragePool2D(height: height, width: width) : map
    let energy = pooled.square().sum(axis: 1).flattenedRows
    return energy.scaled(byRow: Tensor.full(1, [energy.shape[0]], energy.precision) / rowNorms(energy))
  }
}
