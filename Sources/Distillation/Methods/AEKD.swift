package import Networks
package import Specs
package import Tensors

/// AE-KD (Du et al. 2020): the combination of teachers whose gradients at the logits agree
/// best (`methods.md` 5.4).
package struct AEKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "aekd", summary: "Logits, weighed so that the combined gradient is shortest.",
    readsTeachers: true, reads: [.logits, .embedding],
    options: [.alpha, .scaling] + AgreeingWeights.options + SettingDescription.losses(hasFeatures: false),
    unread: AgreeingWeights.unread,
    explanation: """
      v_m = (1/B) Σ_i of the gradient of the batch mean of KL_m at z^S_i
      a   = argmin |Σ_m a_m v_m|²  with  Σ a = 1, 0 ≤ a_m ≤ cmax      L = mean of H + alpha Σ_m a_m KL_m, a constant

      The released solver often stops at its starting point, because its tolerance is larger than the entries of its matrix; ours is exact.
      aekdSolver=releasedStart returns that starting point, for studying the defect. Released and eq2 scaling differ in alpha alone (1).
      """)

  private let distillation: WeightedDistillation
  private let agreeing: AgreeingWeights

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    agreeing = AgreeingWeights(options)
    distillation = try WeightedDistillation(
      options, context, alpha: agreeing.isReleased ? 1 : nil, hasFeatures: false)
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = distillation.terms(of: batch, pass)
    return distillation.loss(terms, logitWeights: agreeing.logitWeights(of: batch, distillation))
  }
}

/// AE-KD with a feature term whose teachers are weighed by their gradients at the student's map.
package struct AEKDHint: DistillationMethod {
  package static let description = MethodDescription(
    name: "aekd-hint",
    summary: "AEKD with feature maps, each weighed so that its combined gradient is shortest.",
    readsTeachers: true, reads: [.logits, .embedding, .map],
    options: [.alpha, .beta, .scaling] + AgreeingWeights.options
      + SettingDescription.losses(hasFeatures: true),
    unread: AgreeingWeights.unread,
    explanation: """
      logits as in aekd; for the maps v_m = mean over samples of the gradient of the batch mean of D_m at the student's map,
      u_m = v_m / |v_m|, solved with u, then b_m <- (b_m / |v_m|) / Σ
      L = mean of H + alpha Σ_m a_m KL_m + beta Σ_m b_m D_m, weights constant

      The repositories normalise the map gradients, not those of the logits. Their hint weight is 100 in the README and 0 in the code;
      released takes 100, eq2 the grid's beta.
      """)

  private let distillation: WeightedDistillation
  private let agreeing: AgreeingWeights

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    agreeing = AgreeingWeights(options)
    distillation = try WeightedDistillation(
      options, context, alpha: agreeing.isReleased ? 1 : nil, beta: agreeing.isReleased ? 100 : nil,
      hasFeatures: true)
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = distillation.terms(of: batch, pass)
    return distillation.loss(
      terms, logitWeights: agreeing.logitWeights(of: batch, distillation),
      featureWeights: agreeing.featureWeights(of: batch, distillation, pass))
  }
}

/// One weight a teacher for a whole batch, in gradient space.
package struct AgreeingWeights: Sendable {
  package enum Solver: String, CaseIterable, Sendable { case exact, releasedStart }

  static let options = [
    SettingDescription(
      option: "cmax", .number(minimum: DecimalNumber(0)),
      default: .number(DecimalNumber(mantissa: 6, exponent: -1)),
      "Largest weight of one teacher; 1 is the plain minimum norm, 1/M and below are equal weights."),
    SettingDescription(
      option: "aekdSolver", .choice(Solver.allCases.map(\.rawValue)), default: "exact",
      "The minimum, or the point where the released solver often stops."),
  ]

  /// A single teacher has weight 1 whatever the bound and the solver are.
  @Sendable static func unread(_ options: OptionValues) -> [String] {
    unreadLossOptions(options) + (options.teachers == 1 ? ["cmax", "aekdSolver"] : [])
  }

  let isReleased: Bool
  private let bound: Double
  private let solver: Solver

  init(_ options: MethodOptions) {
    isReleased = options.word("scaling") == "released"
    bound = options.number("cmax")
    solver = Solver(rawValue: options.word("aekdSolver"))!
  }

  /// a in every row, `[batch, teachers]`, from gradients at the logits.
  func logitWeights(of batch: DistillationBatch, _ distillation: WeightedDistillation) -> Tensor {
    let logits = batch.student.logits
    let vectors = Self.vectors(at: logits.detached, batch.teachers.count) { leaf in
      distillation.logitCosts(leaf, batch.teachers)
    }
    return rows(weights(vectors), like: logits, batch.targets.count)
  }

  /// b in every row, from gradients at the student's map, each scaled to length 1 first.
  func featureWeights(
    of batch: DistillationBatch, _ distillation: WeightedDistillation, _ pass: Pass
  ) -> Tensor? {
    guard let regressors = distillation.regressors else { return nil }
    let map = batch.student.map
    let vectors = Self.vectors(at: map.detached, batch.teachers.count) { leaf in
      distillation.distances(regressors.transformed(leaf, like: batch.teachers, pass), batch, leaf)!
    }
    return rows(Self.unitWeights(vectors, weights), like: map, batch.targets.count)
  }

  /// v of each teacher: the mean over samples of the gradient of the batch mean of its cost, in double.
  ///
  /// - Parameter costs: `[batch, teachers]` at a leaf whose first axis is the batch.
  package static func vectors(at point: Tensor, _ teachers: Int, _ costs: (Tensor) -> Tensor) -> [[Double]] {
    (0..<teachers).map { teacher in
      let leaf = point.leaf()
      let mean = costs(leaf).sliced(axis: 1, from: teacher, to: teacher + 1).mean()
      guard let gradient = mean.gradients()[leaf] else {
        return Array(repeating: 0, count: point.shape.inner(of: 0))
      }
      return gradient.converted(to: .double).mean(axis: 0).doubles
    }
  }

  package func weights(_ vectors: [[Double]]) -> [Double] {
    Self.weights(vectors, bound: bound, solver: solver)
  }

  package static func weights(_ vectors: [[Double]], bound: Double, solver: Solver = .exact) -> [Double] {
    let count = vectors.count
    guard solver == .exact else {
      var rest = 1.0
      return vectors.map { _ in
        let weight = min(max(bound, 1 / Double(count)), rest)
        rest -= weight
        return weight
      }
    }
    let gram = vectors.flatMap { a in vectors.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    return MinimumNorm.weights(gram: gram, bound: bound)
  }

  /// Solves with vectors of length 1 and undoes their scaling in the result. Equal weights
  /// where a vector vanishes.
  package static func unitWeights(_ vectors: [[Double]], _ solve: ([[Double]]) -> [Double]) -> [Double] {
    let lengths = vectors.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    guard lengths.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return vectors.map { _ in 1 / Double(vectors.count) }
    }
    let weights = solve(zip(vectors, lengths).map { vector, length in vector.map { $0 / length } })
    let scaled = zip(weights, lengths).map { $0 / $1 }
    let sum = scaled.reduce(0, +)
    return scaled.map { $0 / sum }
  }

  private func rows(_ weights: [Double], like tensor: Tensor, _ count: Int) -> Tensor {
    Tensor(
      (0..<count).flatMap { _ in weights }, [count, weights.count], tensor.precision)
  }
}
