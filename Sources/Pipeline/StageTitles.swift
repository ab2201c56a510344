internal import Specs
internal import Sweeps

extension StageTitle {
  /// What to call every stage of a sweep: runs by what their grid varies, all others as their kinds do.
  static func all(_ sweep: PlannedSweep) -> [ContentKey: StageTitle] {
    var titles: [ContentKey: StageTitle] = [:]
    titles.reserveCapacity(sweep.plan.stages.count)
    for stage in sweep.plan.stages where stage.role != .result {
      titles[stage.key] = StageTitle(
        key: stage.key, kind: stage.kind, text: stage.title(sweep.expansion.names), isPreparation: true)
    }
    for (run, key) in zip(sweep.expansion.runs, sweep.plan.runKeys) {
      titles[key] = StageTitle(
        key: key, kind: run.kind, text: RunTitle.text(sweep.expansion.columns, run.labels, seed: run.seed))
    }
    for stage in sweep.plan.stages where titles[stage.key] == nil {
      // What the program in use adds after runs is counted among none of them.
      titles[stage.key] = StageTitle(
        key: stage.key, kind: stage.kind, text: stage.title(sweep.expansion.names),
        isPreparation: sweep.plan.added.contains(stage.key))
    }
    return titles
  }
}
