package import Networks
package import Specs
package import Tensors

/// EB-KD (Kwon et al. 2020): the surer a teacher is of a sample, the more it counts (`methods.md` 5.5).
package struct EntropyKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "eb-kd", aliases: ["ebkd"], summary: "Logits, weighed by how sure each teacher is of the sample.",
    readsTeachers: true, reads: [.logits, .embedding],
    options: [
      .alpha, .scaling,
      SettingDescription(
        option: "ebkdVariant", .choice(["complement", "inverse"]), default: "complement",
        "Weights from 1 - E/ΣE, or from 1/E; the released scaling has the first only."),
    ] + SettingDescription.losses(hasFeatures: false),
    unread: { options in
      // One teacher has weight 1 by either formula.
      let isFixed = options["scaling"] == "released" || options.teachers == 1
      return unreadLossOptions(options) + (isFixed ? ["ebkdVariant"] : [])
    },
    explanation: """
      E_m = entropy of softmax(z^m), in nats
      eq2, complement: w_m = (1 - E_m / Σ_k E_k) / (M - 1)     L = mean of H + alpha Σ_m w_m KL_m
      eq2, inverse:    w_m = (1 / E_m) / Σ_k (1 / E_k), E at least 1e-12
      released:        w_m = 1 - E_m / Σ_k E_k                  L = mean of H + (1/M) Σ_m w_m KL_m

      The MTKD-RL paper names the method among related work only; the original is known to us by its abstract, and the formula comes from
      the EBKD branch of the CA-MKD release. Where all entropies vanish the teachers count equally. One teacher has weight 1.
      """)

  package enum Variant: String, CaseIterable, Sendable {
    /// Sums to M - 1.
    case complement
    case normalised = "complement-normalised"
    case inverse
  }

  private let distillation: WeightedDistillation
  private let variant: Variant

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    let released = options.word("scaling") == "released"
    variant =
      released ? .complement : options.word("ebkdVariant") == "inverse" ? .inverse : .normalised
    distillation = try WeightedDistillation(
      options, context, alpha: released ? 1 : nil, hasFeatures: false)
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let entropies = Self.entropies(batch.teachers.map(\.logits))
    return distillation.loss(
      distillation.terms(of: batch, pass), logitWeights: Self.weights(entropies, variant),
      divisor: variant == .complement ? Double(batch.teachers.count) : 1)
  }

  /// E, `[batch, teachers]`: 0 log 0 counts as 0.
  package static func entropies(_ logits: [Tensor]) -> Tensor {
    columns(
      logits.map { logits in
        let logarithm = logits.detached.logSoftmax()
        return -(logarithm.exp() * logarithm).rowSums()
      })
  }

  /// `[batch, teachers]` of E. Without any doubt all teachers count alike.
  package static func weights(_ entropies: Tensor, _ variant: Variant) -> Tensor {
    let teachers = entropies.shape[1]
    let values = entropies.doubles
    let weights = stride(from: 0, to: values.count, by: teachers).flatMap { start in
      shares(of: Array(values[start..<(start + teachers)]), variant)
    }
    return Tensor(weights, entropies.shape, entropies.precision)
  }

  private static func shares(of entropies: [Double], _ variant: Variant) -> [Double] {
    let others = Double(entropies.count - 1)
    if others == 0 { return [1] }
    if variant == .inverse {
      let shares = entropies.map { 1 / max($0, 1e-12) }
      let sum = shares.reduce(0, +)
      return shares.map { $0 / sum }
    }
    let sum = entropies.reduce(0, +)
    let scale = variant == .normalised ? 1 / others : 1
    if sum < 1e-12 { return entropies.map { _ in scale * others / (others + 1) } }
    return entropies.map { scale * (1 - $0 / sum) }
  }
}
