internal import Distillation
internal import Networks
internal import Specs
internal import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// The sums behind an epoch's metrics: sample-weighted, in double, in the order of the batches.
struct EpochSums: Sendable {
  private var samples = 0
  private var correct = 0
  private var policySteps = 0
  private var nonfinite = 0
  private var totals: [String: Double] = [:]
  /// Sums over policy updates.
  private var policy: [String: Double] = [:]
  /// Images of each group, and the executed weights summed over them: of the logit, then the feature term,
  /// `[groups, teachers]` each.
  private var groupCounts: [Double] = []
  private var groupName = "class"
  private var groupWeights: [[Double]] = [[], []]
  /// False for the rest of an epoch whose snapshot an older program made: half of a sum is no mean.
  private var recordsTeacherTerms = true

  mutating func add(_ loss: MethodLoss, _ batch: DistillationBatch) {
    let count = batch.targets.count
    samples += count
    correct += right(batch.student.logits, batch.targets)
    let details = loss.details
    func add(_ name: String, _ mean: Double?) {
      if let mean { totals[name, default: 0] += Double(count) * mean }
    }
    let total = loss.total.scalar
    add("train.loss", total)
    add("train.task", loss.task)
    add("train.logit", loss.logit)
    add("train.feature", loss.feature)
    if loss.logit != nil || loss.feature != nil {
      let parts = (
        loss.scales.task * loss.task, loss.scales.logit * (loss.logit ?? 0),
        loss.scales.feature * (loss.feature ?? 0)
      )
      add("part.task", parts.0)
      add("part.logit", loss.logit == nil ? nil : parts.1)
      add("part.feature", loss.feature == nil ? nil : parts.2)
    }
    for (teacher, activations) in batch.teachers.enumerated() {
      add(
        ClassificationMetrics.teacherAccuracy(teacher),
        100 * Double(right(activations.logits, batch.targets)) / Double(count))
    }
    if recordsTeacherTerms {
      for (term, costs) in [("logit", details.logitCosts), ("feature", details.featureCosts)] {
        guard let costs else { continue }
        for (teacher, mean) in costs.mean(axis: 0).doubles.enumerated() {
          add("teacher.\(teacher).\(term)", mean)
        }
      }
    }
    for (term, (name, matrix)) in [
      ("weight.logit", details.logitWeights), ("weight.feature", details.featureWeights),
    ].enumerated() {
      guard let matrix else { continue }
      for (teacher, mean) in matrix.mean(axis: 0).doubles.enumerated() { add("\(name).\(teacher)", mean) }
      add("\(name).entropy", entropy(matrix))
      addByGroup(term, matrix, batch)
    }
    addReward("reward", details.reward, count)
    addReward("reward.normalised", details.normalisedReward, count)
  }

  /// One mean a teacher, or one a batch.
  private mutating func addReward(_ name: String, _ reward: Tensor?, _ count: Int) {
    guard let reward else { return }
    if reward.shape.rank == 1 {
      totals[name, default: 0] += Double(count) * reward.mean().scalar
    } else {
      for (teacher, mean) in reward.mean(axis: 0).doubles.enumerated() {
        totals["\(name).\(teacher)", default: 0] += Double(count) * mean
      }
    }
  }

  private func right(_ logits: Tensor, _ targets: any Targets) -> Int {
    targets.hits(of: logits).count { $0 }
  }

  /// Mean over samples of -Σ a log a of the weights, scaled to sum 1: in nats, log M for equal weights.
  private func entropy(_ weights: Tensor) -> Double {
    let shares = weights.scaled(
      byRow: Tensor.full(1, [weights.shape[0]], weights.precision) / weights.rowSums())
    return -shares.doubles.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 } / Double(weights.shape[0])
  }

  private mutating func addByGroup(_ term: Int, _ weights: Tensor, _ batch: DistillationBatch) {
    let (teachers, groups) = (weights.shape[1], batch.targets.groupCount)
    groupName = batch.targets.groupName
    if groupCounts.isEmpty { groupCounts = Array(repeating: 0, count: groups) }
    if groupWeights[term].isEmpty { groupWeights[term] = Array(repeating: 0, count: groups * teachers) }
    let values = weights.doubles
    for (sample, group) in batch.targets.groups.enumerated() {
      // Counted once, with the first term; there is none without it.
      if term == 0 { groupCounts[group] += 1 }
      for teacher in 0..<teachers {
        groupWeights[term][group * teachers + teacher] += values[sample * teachers + teacher]
      }
    }
  }

  mutating func add(_ outcome: StepOutcome, samples count: Int) {
    nonfinite += outcome.nonfiniteSamples
    addReward("reward", outcome.reward, count)
    addReward("reward.normalised", outcome.normalisedReward, count)
    add(outcome.policySteps)
  }

  mutating func add(_ steps: [PolicyStep]) {
    for step in steps {
      policySteps += 1
      policy["policy.objective", default: 0] += step.objective
      policy["policy.gradient", default: 0] += step.gradientNorm
      if let loss = step.valueLoss { policy["policy.valueLoss", default: 0] += loss }
    }
  }

  /// - Parameter byGroup: whether the mean weights of every group are among them:
  ///   `weight.logit.TEACHER.class.CLASS`.
  func metrics(byGroup: Bool) -> [String: Double] {
    let whole = totals["train.loss"] ?? 0
    var metrics: [String: Double] = [:]
    for (name, sum) in totals {
      if name.hasPrefix("part.") {
        metrics["share." + name.dropFirst("part.".count)] = sum / whole
      } else {
        metrics[name] = sum / Double(samples)
      }
    }
    metrics[ClassificationMetrics.accuracy(.train)] = 100 * Double(correct) / Double(samples)
    if metrics.keys.contains(where: { $0.hasPrefix("reward") }) {
      metrics["policy.steps"] = Double(policySteps)
      metrics["policy.nonfinite_samples"] = Double(nonfinite)
    }
    if policySteps > 0 { metrics.merge(policy.mapValues { $0 / Double(policySteps) }) { $1 } }
    if byGroup { addGroups(to: &metrics) }
    return metrics
  }

  private func addGroups(to metrics: inout [String: Double]) {
    for (name, sums) in zip(["weight.logit", "weight.feature"], groupWeights) where !sums.isEmpty {
      let teachers = sums.count / groupCounts.count
      for (group, count) in groupCounts.enumerated() where count > 0 {
        for teacher in 0..<teachers {
          metrics["\(name).\(teacher).\(groupName).\(group)"] = sums[group * teachers + teacher] / count
        }
      }
    }
  }
}

extension EpochSums: Snapshotting {
  func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "counts", [samples, correct, policySteps, nonfinite])
    for (name, sum) in totals.sorted(by: { $0.key < $1.key }) {
      snapshot.put(prefix + "total/" + name, [sum])
    }
    for (name, sum) in policy.sorted(by: { $0.key < $1.key }) {
      snapshot.put(prefix + "policy/" + name, [sum])
    }
    snapshot.put(prefix + "classes/counts", groupCounts)
    snapshot.put(prefix + "classes/logit", groupWeights[0])
    snapshot.put(prefix + "classes/feature", groupWeights[1])
  }

  mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    let counts = try snapshot.integers(prefix + "counts")
    guard counts.count == 4 else {
      throw SnapshotError.unexpected(prefix + "counts", found: "\(counts.count) integers", expected: "4")
    }
    (samples, correct, policySteps, nonfinite) = (counts[0], counts[1], counts[2], counts[3])
    totals = try snapshot.group(prefix + "total/")
    policy = try snapshot.group(prefix + "policy/")
    recordsTeacherTerms =
      samples == 0 || totals["train.logit"] == nil || totals["teacher.0.logit"] != nil
    groupCounts = try snapshot.doubles(prefix + "classes/counts")
    groupWeights = [
      try snapshot.doubles(prefix + "classes/logit"), try snapshot.doubles(prefix + "classes/feature"),
    ]
  }
}

extension Snapshot {
  /// The single doubles whose names start with a prefix, without it.
  fileprivate func group(_ prefix: String) throws -> [String: Double] {
    var group: [String: Double] = [:]
    for name in names where name.hasPrefix(prefix) {
      group[String(name.dropFirst(prefix.count))] = try doubles(name)[0]
    }
    return group
  }
}
