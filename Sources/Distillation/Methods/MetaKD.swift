package import Networks
package import Specs
internal import Tensors

/// MMKD (Zhang et al. 2023): two networks weigh the teachers, and learn by looking how a student does that
/// was trained with their weights (`methods.md` 5.7).
///
/// The student's step comes first. Every fifth batch the student is trained ahead on hard samples, twice by
/// the match loss and once on labels, and the networks take one step of Adam against the label loss that
/// results, differentiated through the three steps. Then the student is as before.
package struct MetaKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "mmkd", summary: "Logits and feature maps, weighed by networks that look three steps ahead.",
    readsTeachers: true, reads: [.logits, .embedding, .map],
    options: [.alpha, .beta, .scaling] + SettingDescription.losses(hasFeatures: true),
    unread: unreadLossOptions,
    // 2: products with the Hessian are exact; before they were differences of gradients.
    revision: 2,
    // Measured: a look-ahead takes 20 plain steps of ResNet-8 (18 of those with the feature
    // loss), before it was exact
    // 11. It is four gradients, two evaluations, and three gradients that move, each as long as four.
    extraSteps: 20 / Double(interval),
    explanation: """
      u  = softmax of a network of z^1 | … | z^M | z^S              (hidden width half the input, the student's part constant)
      u' = softmax of a network of row i of K^1 | … | K^M | K^S     K = A Aᵀ of the flattened maps of the batch
      L  = mean of H + alpha Σ_m u_m KL_m + beta Σ_m u'_m D'_m
      every 5 batches, on a batch from a buffer of 256 hard samples: two steps on the match loss, one on H, then Adam (1e-3, decay 1e-4)
      on the gradient of H through the three steps; the student is put back

      D' pools the larger of the two maps down to the smaller. Incomplete batches are left out, because the second network needs exactly B
      rows. released: alpha 1, beta 100. The release differentiates Nesterov's steps as if they were plain momentum, which is off by up to
      5e-2; ours is the exact recursion of the optimiser in use. Products with the Hessian are exact
      (a forward derivative of the backward pass), and running statistics are put back too.
      """)

  /// Batches between two looks ahead, and steps of the match loss in one.
  private static let interval = 5
  private static let matchSteps = 2
  private static let rate = 1e-3

  private let distillation: WeightedDistillation
  private let networks: MetaNetworks
  private var state: ModelState
  private var optimizer = Adam(weightDecay: 1e-4)
  private var buffer: HardBuffer
  private let seed: UInt64

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    let released = options.word("scaling") == "released"
    distillation = try WeightedDistillation(
      options, context, alpha: released ? 1 : nil, beta: released ? 100 : nil, hasFeatures: true,
      pairing: .smaller)
    networks = MetaNetworks(
      teachers: context.teachers.count, classes: context.classes, batchSize: context.batchSize)
    state = ModelState(networks.declarations, seed: context.seed, precision: context.precision)
    buffer = HardBuffer(capacity: max(256, context.batchSize))
    seed = context.seed
  }

  package var skipsShortBatches: Bool { true }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let (logit, feature) = networks.weights(MetaInputs(batch), Pass(state, .inference))
    return distillation.loss(
      distillation.terms(of: batch, pass), logitWeights: logit, featureWeights: feature)
  }

  package mutating func finishStep(
    _ batch: DistillationBatch, _ student: SteppedStudent
  ) throws -> StepOutcome {
    var stream = RandomStream(seed: seed, "mmkd buffer", batch.epoch, batch.index)
    var outcome = StepOutcome()
    outcome.overwritten = buffer.add(
      batch.samples.map { SampleView(epoch: batch.epoch, sample: $0) },
      isWrong: batch.targets.hits(of: batch.student.logits).map { !$0 }, &stream)
    guard batch.index % Self.interval == 0, buffer.count >= batch.targets.count else { return outcome }
    var draw = RandomStream(seed: seed, "mmkd draw", batch.epoch, batch.index)
    let rows = buffer.draw(batch.targets.count, &draw)
    let views = rows.map { buffer.views[$0] }
    var step = lookAhead(student, try student.recall(views), at: batch.index)
    step.rows = rows
    step.drawn = views.map(\.sample)
    outcome.policySteps = [step]
    return outcome
  }

  private mutating func lookAhead(
    _ student: SteppedStudent, _ batch: RecalledBatch, at index: Int
  ) -> PolicyStep {
    let match = InnerLoss(meta: state) { [networks, distillation] point in
      // The student's part of both networks' inputs is a constant of the step.
      let inputs = MetaInputs(batch.observed(Pass(point, .training)))
      return { pass, meta in
        let terms = distillation.terms(of: batch.observed(pass), pass)
        let (logit, feature) = networks.weights(inputs, meta!)
        return distillation.match(terms, logitWeights: logit, featureWeights: feature)
      }
    }
    func labelLoss(_ pass: Pass) -> Tensor {
      let observed = batch.observed(pass)
      return observed.targets.loss(of: observed.student.logits).mean()
    }
    let labels = InnerLoss { _ in { pass, _ in labelLoss(pass) } }
    let ahead = MetaGradient(
      of: labelLoss, through: Array(repeating: match, count: Self.matchSteps) + [labels],
      from: student.state, student.optimizer, rate: student.rate)
    let gradients = state.slots.indices.map { ahead.gradients.isEmpty ? nil : ahead.gradients[$0] }
    optimizer.step(&state, gradients, rate: Self.rate)
    return PolicyStep(
      batch: index, objective: ahead.outerLoss, gradientNorm: norm(of: gradients.compactMap(\.self)),
      parameterNorm: norm(of: state.parameters.map { state[$0] }))
  }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    state.save(to: &snapshot, under: prefix)
    optimizer.save(to: &snapshot, under: prefix + "adam/")
    buffer.save(to: &snapshot, under: prefix + "buffer/")
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try state.restore(from: snapshot, under: prefix)
    try optimizer.restore(from: snapshot, under: prefix + "adam/")
    try buffer.restore(from: snapshot, under: prefix + "buffer/")
  }
}
