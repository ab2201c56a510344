internal import Specs
package import Tensors

/// DIST (Huang et al. 2022): one minus the correlation of student and teacher, of each sample over classes
/// and of each class over the batch.
///
///     inter[i] = τ² (1 - pearson(p[i, :], t[i, :])),    intra = τ² mean over c of (1 - pearson(p[:, c], t[:, c]))
///     p = softmax(z^S / τ),  t = softmax(z^m / τ)
///
/// As a logit loss the cost of a teacher is inter[i] + intra. A batch of one sample has no intra term.
///
/// - Source: `methods.md` 6.1. Weighing inter + intra by a_l[i, m] is equation 2 with DIST for KL: the intra
///   term counts with the mean weight.
package struct DIST: LogitLoss {
  package static let name = "dist"
  private let temperature: Double

  package init(_ options: MethodOptions) { temperature = options.number("distTemperature") }

  package init(temperature: Double) { self.temperature = temperature }

  package func costs(student: Tensor, teachers: [Tensor]) -> Tensor {
    columns(
      teachers.map { teacher in
        let (inter, intra) = terms(student: student, teacher: teacher)
        let ones = Tensor.full(1, [inter.count, 1], inter.precision)
        return inter + ones.matmul(intra.reshaped([1, 1])).reshaped(inter.shape)
      })
  }

  /// The two terms: `[batch]`, and shape `[]`. Gradients flow into the student's logits.
  package func terms(student: Tensor, teacher: Tensor) -> (inter: Tensor, intra: Tensor) {
    terms(student: student, target: (teacher.detached / temperature).softmax())
  }

  /// - Parameter target: the teacher's probabilities, `[batch, classes]`.
  package func terms(student: Tensor, target: Tensor) -> (inter: Tensor, intra: Tensor) {
    let p = (student / temperature).softmax()
    let square = temperature * temperature
    let inter = pearson(p, target).affine(-square, square)
    if p.shape[0] == 1 { return (inter, .zeros([], p.precision)) }
    return (inter, pearson(p.transposed(), target.transposed()).affine(-square, square).mean())
  }
}

/// a~ · b~ / (|a~| |b~| + 1e-8) of each row, a~ = a - mean(a): `[rows]`. A constant row
/// correlates with nothing.
package func pearson(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (a, b) = (a.adding(-a.rowMeans(), along: 0), b.adding(-b.rowMeans(), along: 0))
  return (a * b).rowSums() / (rowNorms(a) * rowNorms(b) + 1e-8)
}

/// The Euclidean norm of each row, `[rows]`.
///
/// 1e-30 under the root gives a zero row a gradient of 0 and moves no other norm: it is far below the
/// rounding of any sum of squares that matters.
package func rowNorms(_ rows: Tensor) -> Tensor { (rows.square().rowSums() + 1e-30).squareRoot() }
