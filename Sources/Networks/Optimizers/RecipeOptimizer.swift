package import Specs
package import Tensors

/// The optimiser that a recipe names.
package enum RecipeOptimizer: Optimizer {
  case sgd(SGD)
  case adamW(Adam)

  package init(_ recipe: RecipeSpec) {
    switch recipe.optimizer {
    case .sgd:
      self = .sgd(
        SGD(
          momentum: recipe.momentum.double, nesterov: recipe.nesterov,
          weightDecay: recipe.weightDecay.double))
    case .adamW:
      self = .adamW(Adam(weightDecay: recipe.weightDecay.double, decoupled: true, sparesVectors: true))
    }
  }

  package mutating func step(_ state: inout ModelState, _ gradients: [Tensor?], rate: Double) {
    switch self {
    case .sgd(var optimizer):
      // Emptied first, so that the buffers have one holder and change in place.
      self = .sgd(SGD())
      optimizer.step(&state, gradients, rate: rate)
      self = .sgd(optimizer)
    case .adamW(var optimizer):
      self = .sgd(SGD())
      optimizer.step(&state, gradients, rate: rate)
      self = .adamW(optimizer)
    }
  }

  /// The momentum buffer of a slot; nil before its first gradient, and of AdamW.
  package func momentumBuffer(_ slot: Slot) -> Tensor? {
    if case .sgd(let optimizer) = self { optimizer.momentumBuffer(slot) } else { nil }
  }

  /// The steps of SGD by which methods look ahead (MMKD): this one's own, or plain ones where it is AdamW.
  package var lookAhead: SGD {
    if case .sgd(let optimizer) = self { optimizer } else { SGD() }
  }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    switch self {
    case .sgd(let optimizer): optimizer.save(to: &snapshot, under: prefix)
    case .adamW(let optimizer): optimizer.save(to: &snapshot, under: prefix)
    }
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    switch self {
    case .sgd(var optimizer):
      try optimizer.restore(from: snapshot, under: prefix)
      self = .sgd(optimizer)
    case .adamW(var optimizer):
      try optimizer.restore(from: snapshot, under: prefix)
      self = .adamW(optimizer)
    }
  }
}

extension RateSchedule {
  package init(_ recipe: RecipeSpec) {
    let base = recipe.learningRate.double
    switch recipe.schedule {
    case .multiStep:
      self = .multiStep(base: base, milestones: recipe.milestones, gamma: recipe.gamma.double)
    case .cosine:
      self = .warmupCosine(
        base: base, start: recipe.warmupRate.double, least: recipe.leastRate.double,
        warmup: recipe.warmupEpochs, epochs: recipe.epochs)
    }
  }
}
