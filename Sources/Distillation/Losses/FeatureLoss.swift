package import Specs
package import Tensors

/// How far a transformed student map is from a teacher's.
package protocol FeatureLoss: Sendable {
  static var name: String { get }
  init(_ options: MethodOptions)
  /// `[batch]`; gradients flow into the student's map.
  ///
  /// - Parameters: maps of one shape `[batch, channels, height, width]`.
  func distances(student: Tensor, teacher: Tensor) -> Tensor
}

extension Catalog where Entry == any FeatureLoss.Type {
  /// What a grid can name as `featureLoss`.
  package static let featureLosses = Catalog("feature loss", [FitNet.self, SpatialKL.self]) { $0.name }
}

/// The feature loss of FitNet (Romero et al. 2015): the mean over channels and positions of (x - F)².
///
/// - Source: `methods.md` 1.4.
package struct FitNet: FeatureLoss {
  package static let name = "fitnet"

  package init(_ options: MethodOptions) {}

  package func distances(student: Tensor, teacher: Tensor) -> Tensor { Self.distances(student, teacher) }

  package static func distances(_ student: Tensor, _ teacher: Tensor) -> Tensor {
    (student - teacher).square().rowMeans()
  }
}

/// T² KL(softmax over positions of F / T ‖ softmax over positions of x / T), the mean over channels.
///
/// - Source: `methods.md` 1.4, the release's `--feat-kd kl`.
package struct SpatialKL: FeatureLoss {
  package static let name = "spatialKL"
  private let temperature: Double

  package init(_ options: MethodOptions) { temperature = options.number("temperature") }

  package init(temperature: Double) { self.temperature = temperature }

  package func distances(student: Tensor, teacher: Tensor) -> Tensor {
    let (batch, channels) = (student.shape[0], student.shape[1])
    let rows: Shape = [batch * channels, student.shape.inner(of: 1)]
    return student.reshaped(rows).klDivergence(from: teacher.reshaped(rows), temperature: temperature)
      .reshaped([batch, channels]).rowMeans()
  }
}
