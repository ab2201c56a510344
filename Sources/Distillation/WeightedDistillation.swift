package import Networks
internal import Specs
package import Tensors

/// Equation 2: the mean over samples of H + alpha Σ_m a_l L + beta Σ_m a_f D, for any
/// weights of the teachers.
///
/// L is the logit loss that the options name, D the feature loss. With `ndMode` ND stands in for D, weighed
/// `ndWeight` instead of beta, or is added to beta D. A method without a feature term has one all the same
/// under ND, weighed as its logits are.
///
/// - Source: `methods.md` 1.2, 6. Weights multiply sample by sample before the mean.
package struct WeightedDistillation: Sendable {
  package let alpha: Double
  package let beta: Double
  package let temperature: Double
  private let logitLoss: any LogitLoss
  private let featureLoss: (any FeatureLoss)?
  /// Nil for methods without a feature term.
  package let regressors: Regressors?
  private let directNorm: DirectNorm?
  private let mode: DirectNorm.Mode
  private let directNormWeight: Double

  /// - Parameters:
  ///   - alpha, beta: where a method does not take them from its options.
  ///   - hasFeatures: whether there is a feature term, and regressors for it.
  package init(
    _ options: MethodOptions, _ context: MethodContext, alpha: Double? = nil, beta: Double? = nil,
    hasFeatures: Bool, pairing: Regressors.Pairing = .teacherSize
  ) throws {
    self.alpha = alpha ?? options.number("alpha")
    self.beta = hasFeatures ? beta ?? options.number("beta") : 0
    temperature = options.number("temperature")
    logitLoss = try! Catalog.logitLosses.entry(options.word("logitLoss")).init(options)
    regressors =
      hasFeatures
      ? Regressors(context.scope, student: context.student, teachers: context.teachers, pairing: pairing)
      : nil
    featureLoss =
      hasFeatures ? try! Catalog.featureLosses.entry(options.word("featureLoss")).init(options) : nil
    mode = DirectNorm.Mode(rawValue: options.word("ndMode"))!
    directNorm = mode == .off ? nil : try DirectNorm(context)
    directNormWeight = options.number("ndWeight")
  }

  /// The terms of a batch before anybody weighs them; gradients flow into the student. Matrices
  /// are `[batch, teachers]`.
  package struct Terms {
    /// H, `[batch]`.
    package let task: Tensor
    /// CE, constant.
    package let teacherCrossEntropy: Tensor
    /// KL of 1.3, for states and heuristics, whatever the logit loss is.
    package let kl: Tensor
    /// L.
    package let logit: Tensor
    /// D, where there are regressors.
    package let distance: Tensor?
    /// What the feature weights multiply: D, ND, or the sum of the two with their factors.
    package let feature: Tensor?
    /// nd, where ND is part of the loss.
    package let directNorm: Tensor?
    /// x of each teacher.
    package let transformed: [Tensor]

    package init(
      task: Tensor, teacherCrossEntropy: Tensor, kl: Tensor, logit: Tensor, distance: Tensor?,
      feature: Tensor?, directNorm: Tensor? = nil, transformed: [Tensor] = []
    ) {
      self.task = task
      self.teacherCrossEntropy = teacherCrossEntropy
      self.kl = kl
      self.logit = logit
      self.distance = distance
      self.feature = feature
      self.directNorm = directNorm
      self.transformed = transformed
    }

    /// The terms as constants, before anybody weighs them.
    package var details: LossDetails {
      var details = LossDetails(studentCrossEntropy: task.detached)
      details.kl = kl
      details.distance = distance?.detached
      details.logitCosts = logit.detached
      details.featureCosts = feature?.detached
      details.directNorm = directNorm?.detached
      details.teacherCrossEntropy = teacherCrossEntropy
      return details
    }
  }

  /// What L and the feature term are multiplied by.
  package var scales: TermScales {
    let feature =
      switch mode {
      case .off: beta
      case .replace: directNormWeight
      // Both factors are inside.
      case .add: 1.0
      }
    return TermScales(logit: alpha, feature: feature)
  }

  package func terms(of batch: DistillationBatch, _ pass: Pass) -> Terms {
    let map = batch.student.map
    let transformed = regressors?.transformed(map, like: batch.teachers, pass) ?? []
    let distance = distances(transformed, batch, map)
    let logits = batch.teachers.map(\.logits)
    let logit = logitLoss.costs(student: batch.student.logits, teachers: logits)
    let nd = directNorm?.costs(batch, pass)
    return Terms(
      task: batch.taskLoss,
      teacherCrossEntropy: columns(logits.map { batch.targets.loss(of: $0) }),
      kl: logitLoss is HintonKD
        ? logit.detached
        : kullbackLeibler(
          student: batch.student.logits.detached, teachers: logits, temperature: temperature),
      logit: logit, distance: distance,
      feature: nd.map { combined(distance, $0) } ?? distance, directNorm: nd,
      transformed: transformed)
  }

  /// L of each teacher alone, `[batch, teachers]`, of any logits.
  package func logitCosts(_ logits: Tensor, _ teachers: [Activations]) -> Tensor {
    logitLoss.costs(student: logits, teachers: teachers.map(\.logits))
  }

  /// D of each teacher, `[batch, teachers]`.
  package func distances(_ transformed: [Tensor], _ batch: DistillationBatch, _ map: Tensor) -> Tensor? {
    guard let featureLoss, let regressors else { return nil }
    return columns(
      zip(transformed, regressors.targets(batch.teachers, for: map)).map {
        featureLoss.distances(student: $0, teacher: $1)
      })
  }

  private func combined(_ distance: Tensor?, _ nd: Tensor) -> Tensor {
    guard mode == .add else { return nd }
    return distance.map { $0 * beta + nd * directNormWeight } ?? nd * directNormWeight
  }

  /// The loss without its task term: alpha times the weighed L plus beta times the weighed
  /// feature term, shape `[]`.
  package func match(_ terms: Terms, logitWeights: Tensor, featureWeights: Tensor) -> Tensor {
    let count = Double(terms.task.count)
    let logit = (terms.logit * logitWeights).sum() / count * scales.logit
    guard let costs = terms.feature else { return logit }
    return logit + (costs * featureWeights).sum() / count * scales.feature
  }

  /// - Parameters:
  ///   - logitWeights: a_l, `[batch, teachers]`.
  ///   - featureWeights: a_f; where there are none, a feature term is weighed as the logits are.
  ///   - divisor: of both sums over teachers, for methods whose release takes the mean over teachers.
  ///   - omitsFeature: whether the feature term is measured but no part of the total.
  package func loss(
    _ terms: Terms, logitWeights: Tensor, featureWeights: Tensor? = nil, divisor: Double = 1,
    omitsFeature: Bool = false
  ) -> MethodLoss {
    let task = terms.task.mean()
    let count = Double(terms.task.count) * divisor
    let logit = (terms.logit * logitWeights).sum() / count
    var scales = scales
    var total = task + logit * scales.logit
    var feature: Tensor?
    let featureWeights = featureWeights ?? logitWeights
    if let costs = terms.feature {
      let weighted = (costs * featureWeights).sum() / count
      if omitsFeature { scales.feature = 0 } else { total = total + weighted * scales.feature }
      feature = weighted
    }
    var details = terms.details
    details.logitWeights = logitWeights.detached
    details.featureWeights = feature == nil ? nil : featureWeights.detached
    return MethodLoss(
      total: total, task: task.scalar, logit: logit.scalar, feature: feature?.scalar, scales: scales,
      details: details)
  }
}
