internal import Sweeps

extension PlannedSweep {
  /// Stages of each kind that make no result of their own, in the order of the plan: how many there
  /// are and how many are made.
  package var preparationsByKind: [(kind: String, done: Int, all: Int)] {
    var order: [String] = []
    var counts: [String: (done: Int, all: Int)] = [:]
    let runs = Set(plan.runKeys)
    for stage in plan.stages where !runs.contains(stage.key) {
      if counts[stage.kind] == nil { order.append(stage.kind) }
      counts[stage.kind, default: (0, 0)].all += 1
      if done.contains(stage.key) { counts[stage.kind]!.done += 1 }
    }
    return order.map { ($0, counts[$0]!.done, counts[$0]!.all) }
  }
}
