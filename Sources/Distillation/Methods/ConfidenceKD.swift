package import Networks
package import Specs
package import Tensors

/// CA-MKD (Zhang et al. 2022): teachers that predict the label count more, sample by
/// sample (`methods.md` 5.6).
///
/// The feature weights come from the student's map in a teacher's form, sent through that
/// teacher's own classifier.
package struct ConfidenceKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "ca-mkd", aliases: ["camkd"],
    summary: "Logits and feature maps, weighed by how well each teacher predicts the label.",
    readsTeachers: true, reads: [.logits, .embedding, .map], readsTeacherHeads: true,
    options: [
      .alpha, .beta, .scaling,
      SettingDescription(
        option: "camkdWeightGradient", .choice(["scaling", "through", "stop"]), default: "scaling",
        "Whether the feature weights pass gradients: through under released, stop under eq2, or as said."
      ),
    ] + SettingDescription.losses(hasFeatures: true),
    unread: { options in
      let implied: JSONValue = options["scaling"] == "released" ? "through" : "stop"
      // The weight of a single teacher is the constant 1.
      let isIdle = options["camkdWeightGradient"] == implied || options.teachers == 1
      return unreadLossOptions(options) + (isIdle ? ["camkdWeightGradient"] : [])
    },
    explanation: """
      w_m  = (1 - softmax_m(CE_m)) / (M - 1)      CE_m: cross-entropy of teacher m
      w'_m = (1 - softmax_m(CE'_m)) / (M - 1)     CE'_m: of the transformed student map x_m through teacher m's pooling and classifier
      eq2:      L = mean of H + alpha Σ_m w_m KL_m + beta Σ_m w'_m D_m, w' constant
      released: L = mean of H + (1/M) Σ_m w_m KL_m + 50 (1/M) Σ_m w'_m D_m, gradients through w'; no feature term in the first epoch,
                incomplete batches left out

      The release takes the mean over teachers and does not detach w'. One teacher has weight 1.
      """)

  private let distillation: WeightedDistillation
  private let heads: [@Sendable (Tensor) -> Tensor]
  private let isReleased: Bool
  private let passesGradients: Bool

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    isReleased = options.word("scaling") == "released"
    let gradient = options.word("camkdWeightGradient")
    passesGradients = gradient == "scaling" ? isReleased : gradient == "through"
    distillation = try WeightedDistillation(
      options, context, alpha: isReleased ? 1 : nil, beta: isReleased ? 50 : nil, hasFeatures: true)
    heads = context.heads
  }

  package var skipsShortBatches: Bool { isReleased }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = distillation.terms(of: batch, pass)
    let transformed = Self.crossEntropy(
      of: passesGradients ? terms.transformed : terms.transformed.map(\.detached), heads, batch.targets)
    var loss = distillation.loss(
      terms, logitWeights: TeacherMix.confidence(terms.teacherCrossEntropy),
      featureWeights: TeacherMix.confidence(transformed),
      divisor: isReleased ? Double(batch.teachers.count) : 1,
      omitsFeature: isReleased && batch.epoch == 0)
    loss.details.transformedCrossEntropy = transformed.detached
    return loss
  }

  /// CE' of maps in the teachers' forms, each through its teacher's classifier: `[batch, teachers]`.
  package static func crossEntropy(
    of maps: [Tensor], _ heads: [@Sendable (Tensor) -> Tensor], _ targets: any Targets
  ) -> Tensor {
    columns(zip(maps, heads).map { map, head in targets.loss(of: head(map)) })
  }
}
