internal import Distillation
internal import Networks
internal import Tensors

/// The sums behind an epoch's metrics: sample-weighted, in double, in the order of the batches.
struct EpochSums: Sendable {
  private var samples = 0
  private var correct = 0
  private var policySteps = 0
  private var nonfinite = 0
  private var totals: [String: Double] = [:]
  /// Sums over policy updates.
  private var policy: [String: Double] = [:]

  mutating func add(_ loss: MethodLoss, samples count: Int, correct right: Int) {
    samples += count
    correct += right
    let details = loss.details
    nonfinite += details.nonfiniteSamples
    func add(_ name: String, _ mean: Double?) {
      if let mean { totals[name, default: 0] += Double(count) * mean }
    }
    add("train.loss", loss.total.scalar)
    add("train.task", loss.task)
    add("train.logit", loss.logit)
    add("train.feature", loss.feature)
    for (name, matrix) in [
      ("weight.logit", details.logitWeights), ("weight.feature", details.featureWeights),
    ] {
      guard let matrix else { continue }
      for (teacher, mean) in matrix.mean(axis: 0).doubles.enumerated() { add("\(name).\(teacher)", mean) }
    }
    guard let reward = details.reward else { return }
    if reward.shape.rank == 1 {
      add("reward", reward.mean().scalar)
    } else {
      for (teacher, mean) in reward.mean(axis: 0).doubles.enumerated() { add("reward.\(teacher)", mean) }
    }
  }

  mutating func add(_ steps: [PolicyStep]) {
    for step in steps {
      policySteps += 1
      policy["policy.objective", default: 0] += step.objective
      policy["policy.gradient", default: 0] += step.gradientNorm
    }
  }

  var metrics: [String: Double] {
    var metrics = totals.mapValues { $0 / Double(samples) }
    metrics["train.acc1"] = 100 * Double(correct) / Double(samples)
    if metrics.keys.contains(where: { $0.hasPrefix("reward") }) {
      metrics["policy.steps"] = Double(policySteps)
      metrics["policy.nonfinite_samples"] = Double(nonfinite)
    }
    if policySteps > 0 { metrics.merge(policy.mapValues { $0 / Double(policySteps) }) { $1 } }
    return metrics
  }
}

extension EpochSums: Snapshotting {
  func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "counts", [samples, correct, policySteps, nonfinite])
    for (name, sum) in totals { snapshot.put(prefix + "total/" + name, [sum]) }
    for (name, sum) in policy { snapshot.put(prefix + "policy/" + name, [sum]) }
  }

  mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    let counts = try snapshot.integers(prefix + "counts")
    guard counts.count == 4 else {
      throw SnapshotError.unexpected(prefix + "counts", found: "\(counts.count) integers", expected: "4")
    }
    (samples, correct, policySteps, nonfinite) = (counts[0], counts[1], counts[2], counts[3])
    totals = try snapshot.group(prefix + "total/")
    policy = try snapshot.group(prefix + "policy/")
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
