package import Networks
package import Tensors

/// The student's map in the form of each teacher's.
///
///     x[m] = regressor[m](align(F of the student))
///
/// - Source: `methods.md` 1.4. Every teacher's map is aligned from the untouched student map; the authors'
///   release aligns the map that it has already resized for earlier teachers, which depends on their order.
package struct Regressors: Sendable {
  /// Whose map is resized where the two differ in size.
  package enum Pairing: Sendable {
    /// The student's, to the teacher's size.
    case teacherSize
    /// The larger one, down to the smaller (MMKD, `methods.md` 5.7).
    case smaller
  }

  private let regressors: [Regressor]
  private let pairing: Pairing

  /// Declares `regressor.0`, `regressor.1`, … under `scope`.
  package init(
    _ scope: Scope, student: ActivationShape, teachers: [ActivationShape], pairing: Pairing = .teacherSize
  ) {
    regressors = teachers.enumerated().map { index, teacher in
      Regressor(scope / "regressor" / index, inputs: student.map[0], outputs: teacher.map[0])
    }
    self.pairing = pairing
  }

  /// x: gradients flow into student and regressors.
  package func transformed(_ map: Tensor, like teachers: [Activations], _ pass: Pass) -> [Tensor] {
    zip(regressors, targets(teachers, for: map)).map { regressor, target in
      regressor(aligned(map, height: target.shape[2], width: target.shape[3]), pass)
    }
  }

  /// What x is compared with: the teachers' maps, constants.
  package func targets(_ teachers: [Activations], for map: Tensor) -> [Tensor] {
    teachers.map { teacher in
      switch pairing {
      case .teacherSize: teacher.map
      case .smaller:
        teacher.map.shape[2] >= map.shape[2]
          ? aligned(teacher.map, height: map.shape[2], width: map.shape[3]) : teacher.map
      }
    }
  }
}

/// 1 × 1 convolution with bias, batch normalisation, ReLU: from the student's channels to one teacher's.
package struct Regressor: Layer {
  private let convolution: Conv2D
  private let norm: BatchNorm

  package init(_ scope: Scope, inputs: Int, outputs: Int) {
    convolution = Conv2D(
      scope / "conv", inputs: inputs, outputs: outputs, kernel: 1, hasBias: true, start: .fanIn)
    norm = BatchNorm(scope / "bn", channels: outputs)
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    norm(convolution(input, pass), pass).relu()
  }
}

/// A map in a teacher's size: adaptive average pooling where it is at least as high,
/// else bilinear upsampling.
package func aligned(_ map: Tensor, height: Int, width: Int) -> Tensor {
  if (map.shape[2], map.shape[3]) == (height, width) { return map }
  return map.shape[2] >= height
    ? map.adaptiveAveragePool2D(height: height, width: width) : map.bilinear(height: height, width: width)
}
