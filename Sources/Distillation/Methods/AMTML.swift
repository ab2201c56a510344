package import Networks
package import Specs
package import Tensors

/// AMTML-KD (Liu et al. 2020): one soft target for each sample, mixed from all teachers by trained
/// vectors (`methods.md` 5.3).
package struct AMTML: DistillationMethod {
  package static let description = MethodDescription(
    name: "amtml-kd", aliases: ["amtml"],
    summary: "One soft target, mixed by trained vectors for each sample, and feature maps weighed alike.",
    readsTeachers: true, reads: [.logits, .embedding, .map],
    options: [
      .alpha, .beta, .scaling,
      SettingDescription(
        option: "angleWeight", .number(minimum: DecimalNumber(0)), default: 0,
        "Weight of the relational angle loss under eq2."),
      SettingDescription(
        option: "adapterEpochs", .integerOr(minimum: 0, ["all"]), default: "all",
        "Epochs that the mixing vectors train; released: two sevenths of the run."),
    ] + SettingDescription.losses(hasFeatures: true),
    unread: { options in
      let released = options["scaling"] == "released"
      return unreadLossOptions(options)
        + (released ? ["angleWeight", "temperature", "logitLoss", "distTemperature"] : [])
    },
    problems: { options in
      options["scaling"] == "released" && options["ndMode"] != "off"
        ? ["the released scaling has its own hint loss, to which ND cannot be added"] : []
    },
    explanation: """
      b = maximum over positions of the student's map     score_m = v · (theta_m * b)     mu = softmax_m(score)
      q = Σ_m mu_m softmax(z^m / T)                        KL = Σ_c q (log q - log softmax(z^S / T))
      eq2:      L = mean of H + alpha T² KL + beta Σ_m mu_m D_m + 0.1 (|v|² + Σ_m |theta_m|²) + angleWeight angle(z^S, q)
                theta and v start as N(0, 1/d) and have no weight decay
      released: b = mean over positions, T = 5, L = 0.3 H + 1.4 T² mean over samples and classes of the KL terms + angle + distance
                (of log-softmax outputs) + hints + the same regulariser, theta and v start as N(0, 1)

      The release takes the mean over classes too, which makes its soft-target loss C times smaller. Its hints compare maps of length 1 at
      every position, the student's through a 1 × 1 convolution. It trains theta and v for 70 to 80 epochs and the student for 200 more; we
      keep the grid's schedule and freeze the vectors after two sevenths of it. The paper describes the method with maximum pooling.
      """)

  private let distillation: WeightedDistillation
  private let adapter: TargetAdapter
  private let isReleased: Bool
  private let temperature: Double
  private let angleWeight: Double
  private let adapterEpochs: Int
  private let hints: [Slot]
  private let logitLoss: DIST?

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    isReleased = options.word("scaling") == "released"
    temperature = isReleased ? 5 : options.number("temperature")
    angleWeight = isReleased ? 1 : options.number("angleWeight")
    adapterEpochs =
      options.integer("adapterEpochs") ?? (isReleased ? context.epochs * 2 / 7 : context.epochs)
    distillation = try WeightedDistillation(
      options, context, alpha: isReleased ? 1 : nil, beta: isReleased ? 1 : nil, hasFeatures: !isReleased)
    logitLoss = !isReleased && options.word("logitLoss") == "dist" ? DIST(options) : nil
    let channels = context.student.map[0]
    adapter = TargetAdapter(
      context.scope / "adapter", teachers: context.teachers.count, channels: channels,
      std: isReleased ? 1 : 1 / Double(channels).squareRoot(), averages: isReleased)
    hints =
      isReleased
      ? context.teachers.enumerated().map { index, teacher in
        (context.scope / "hint" / index).parameter(
          "weight", [teacher.map[0], channels, 1, 1], .uniform(0.005))
      } : []
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = distillation.terms(of: batch, pass)
    let isTraining = batch.epoch < adapterEpochs
    let mixed = adapter.mix(
      batch.student.map, batch.teachers.map(\.logits), temperature: temperature, pass,
      isTraining: isTraining)
    let student = batch.student.logits
    var loss = isReleased ? released(terms, mixed, batch, pass) : combined(terms, mixed, student)
    var details = terms.details
    if isTraining {
      let penalty = adapter.penalty(pass)
      details.penalty = penalty.scalar
      loss.total = loss.total + penalty * 0.1
    }
    details.angle = loss.angle
    details.logitWeights = mixed.weights.detached
    details.featureWeights = loss.feature == nil || isReleased ? nil : mixed.weights.detached
    return MethodLoss(
      total: loss.total, task: terms.task.mean().scalar, logit: loss.logit.scalar,
      feature: loss.feature?.scalar, scales: loss.scales, details: details)
  }

  private struct Sum {
    var total: Tensor
    let logit: Tensor
    let feature: Tensor?
    let scales: TermScales
    var angle: Double?
  }

  private func combined(
    _ terms: WeightedDistillation.Terms, _ mixed: TargetAdapter.Mixed, _ student: Tensor
  ) -> Sum {
    let scales = distillation.scales
    let logit =
      logitLoss.map { dist in
        let (inter, intra) = dist.terms(student: student, target: mixed.target)
        return inter.mean() + intra
      } ?? mixed.divergences(student, temperature: temperature).mean() * (temperature * temperature)
    var total = terms.task.mean() + logit * scales.logit
    var feature: Tensor?
    if let costs = terms.feature {
      let weighted = (costs * mixed.weights).sum() / Double(terms.task.count)
      total = total + weighted * scales.feature
      feature = weighted
    }
    var angle: Tensor?
    if angleWeight > 0 {
      // Relations to the mixed target, which is a constant here.
      let structure = StructureLoss.angle(student: student, teacher: mixed.target)
      total = total + structure * angleWeight
      angle = structure
    }
    return Sum(total: total, logit: logit, feature: feature, scales: scales, angle: angle?.scalar)
  }

  /// Task and soft targets share 1 by `ratio`; the soft targets count twice.
  package static func releasedScales(ratio: Double = 0.7) -> TermScales {
    TermScales(task: 1 - ratio, logit: 2 * ratio, feature: 1)
  }

  private func released(
    _ terms: WeightedDistillation.Terms, _ mixed: TargetAdapter.Mixed, _ batch: DistillationBatch,
    _ pass: Pass
  ) -> Sum {
    let student = batch.student.logits
    let scales = Self.releasedScales()
    let logit = mixed.releasedDivergence(student, temperature: temperature)
    let outputs = (student / temperature).logSoftmax()
    let hint = zip(hints, batch.teachers).map { slot, teacher in
      let size = teacher.map.shape
      let map = unitPositions(aligned(batch.student.map, height: size[2], width: size[3]))
      return (map.conv2D(pass[slot]) - unitPositions(teacher.map)).square().mean()
    }
    let feature = hint.dropFirst().reduce(hint[0]) { $0 + $1 }
    let total =
      terms.task.mean() * scales.task + logit * scales.logit + feature
      + StructureLoss.angle(student: outputs, teacher: mixed.target)
      + StructureLoss.distance(student: outputs, teacher: mixed.target)
    return Sum(total: total, logit: logit, feature: feature, scales: scales)
  }
}

/// A map whose channels at every position have length 1.
private func unitPositions(_ map: Tensor) -> Tensor {
  let channels = map.shape[1]
  // A convolution with ones sums over channels and hands the sum to each of them.
  let ones = Tensor.full(1, [channels, channels, 1, 1], map.precision)
  return map / ((map.square().conv2D(ones) + 1e-30).squareRoot() + 1e-12)
}

/// The trained vectors of AMTML-KD: theta_m for each teacher and v, all of the student map's width.
package struct TargetAdapter: Sendable {
  private let theta: Slot
  private let v: Slot
  private let averages: Bool

  /// Declares `theta` `[teachers, channels]` and `v` `[channels]`, without weight decay.
  package init(_ scope: Scope, teachers: Int, channels: Int, std: Double, averages: Bool) {
    theta = scope.parameter(
      "theta", [teachers, channels], .normal(std: std), decays: false)
    v = scope.parameter("v", [channels], .normal(std: std), decays: false)
    self.averages = averages
  }

  package struct Mixed {
    /// b, `[batch, channels]`.
    package let latent: Tensor
    /// `[batch, teachers]`.
    package let scores: Tensor
    package let weights: Tensor
    /// q, `[batch, classes]`.
    package let target: Tensor

    private static let least = 1e-37

    /// Σ_c q (log q - log softmax(z / T)), `[batch]`.
    package func divergences(_ logits: Tensor, temperature: Double) -> Tensor {
      // q is a mixture of softmaxes: 0 only where all of them underflow, and then 0 log 0 is 0.
      let own = target * ((target - Self.least).relu() + Self.least).log()
      return (own - target * (logits / temperature).logSoftmax()).rowSums()
    }

    /// T² times the mean over samples and classes, as the release has it.
    package func releasedDivergence(_ logits: Tensor, temperature: Double) -> Tensor {
      divergences(logits, temperature: temperature).mean()
        * (temperature * temperature / Double(logits.shape[1]))
    }
  }

  /// - Parameter isTraining: whether gradients reach theta and v; the student's map gets its own in any case.
  package func mix(
    _ map: Tensor, _ logits: [Tensor], temperature: Double, _ pass: Pass, isTraining: Bool
  ) -> Mixed {
    let (theta, v) =
      isTraining ? (pass[self.theta], pass[self.v]) : (pass[self.theta].detached, pass[self.v].detached)
    let latent =
      averages
      ? map.globalAveragePool()
      : map.maxPool2D(kernel: Extent(map.shape[2], map.shape[3]), stride: Extent(1)).flattenedRows
    let scores = latent.matmul(theta.scaled(by: v, along: 1), transposingOther: true)
    let weights = scores.softmax()
    let parts = logits.enumerated().map { index, logits in
      (logits.detached / temperature).softmax().scaled(
        byRow: weights.sliced(axis: 1, from: index, to: index + 1).reshaped([logits.shape[0]]))
    }
    return Mixed(
      latent: latent, scores: scores, weights: weights,
      target: parts.dropFirst().reduce(parts[0]) { $0 + $1 })
  }

  /// |v|² + Σ |theta|².
  package func penalty(_ pass: Pass) -> Tensor { pass[v].square().sum() + pass[theta].square().sum() }
}
