package import Networks
package import Tensors

/// The feature loss of FitNet (Romero et al. 2015): the mean squared difference of the transformed student map and each teacher's map.
///
///     D[i, m] = mean over channels and positions of (x[i, m] - F[i, m])²,    x[m] = regressor[m](align(F of the student))
///
/// - Source: `methods.md` 1.4. Every teacher's map is aligned from the untouched student map; the authors' release aligns the map that it has
///   already resized for earlier teachers, which depends on their order.
package struct FitNet: Sendable {
  private let regressors: [Regressor]

  /// Declares `regressor.0`, `regressor.1`, … under `scope`.
  package init(_ scope: Scope, student: ActivationShape, teachers: [ActivationShape]) {
    regressors = teachers.enumerated().map { index, teacher in
      Regressor(scope / "regressor" / index, inputs: student.map[0], outputs: teacher.map[0])
    }
  }

  /// x: the student's map in each teacher's shape; gradients flow into student and regressors.
  package func transformed(_ map: Tensor, like teachers: [Activations], _ pass: Pass) -> [Tensor] {
    zip(regressors, teachers).map { regressor, teacher in
      regressor(aligned(map, height: teacher.map.shape[2], width: teacher.map.shape[3]), pass)
    }
  }

  /// D, `[batch, teachers]`, of transformed maps.
  package static func distances(_ transformed: [Tensor], _ teachers: [Activations]) -> Tensor {
    columns(zip(transformed, teachers).map { ($0 - $1.map).square().rowMeans() })
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

/// A map in a teacher's size: adaptive average pooling where it is at least as high, else bilinear upsampling.
package func aligned(_ map: Tensor, height: Int, width: Int) -> Tensor {
  if (map.shape[2], map.shape[3]) == (height, width) { return map }
  return map.shape[2] >= height
    ? map.adaptiveAveragePool2D(height: height, width: width) : map.bilinear(height: height, width: width)
}
