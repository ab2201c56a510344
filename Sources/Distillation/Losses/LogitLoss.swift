package import Tensors

/// The KD loss of Hinton et al. (2015) of every teacher: T² KL(softmax(z^m / T) ‖ softmax(z^S / T)), summed over classes.
///
/// - Returns: `[batch, teachers]`; gradients flow into the student's logits.
/// - Source: `methods.md` 1.3. The direction is teacher against student, although the paper writes the student first.
package func kullbackLeibler(student: Tensor, teachers: [Tensor], temperature: Double) -> Tensor {
  columns(teachers.map { student.klDivergence(from: $0, temperature: temperature) })
}

/// One vector `[batch]` a teacher as a matrix `[batch, teachers]`.
package func columns(_ vectors: [Tensor]) -> Tensor {
  Tensor.concatenated(vectors.map { $0.reshaped([$0.count, 1]) }, axis: 1)
}
