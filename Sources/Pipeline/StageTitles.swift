internal import Networks
internal import Specs
internal import Sweeps

extension StageTitle {
  /// What to call every stage of a sweep: runs by what their grid varies, all others as their kinds do.
  static func all(_ sweep: PlannedSweep) -> [ContentKey: StageTitle] {
    var titles: [ContentKey: StageTitle] = [:]
    titles.reserveCapacity(sweep.plan.stages.count)
    for stage in sweep.plan.stages where stage.role != .result {
      titles[stage.key] = StageTitle(
        key: stage.key, kind: stage.kind, text: stage.title, isPreparation: true)
    }
    for (run, key) in zip(sweep.expansion.runs, sweep.plan.runKeys) {
      titles[key] = StageTitle(key: key, kind: run.kind, text: text(run, sweep.expansion.columns))
    }
    for stage in sweep.plan.stages where titles[stage.key] == nil {
      titles[stage.key] = StageTitle(key: stage.key, kind: stage.kind, text: stage.title)
    }
    return titles
  }

  /// Such as `resnet8 mtkd-rl alpha=0.5 seed 2`.
  private static func text(_ run: PlannedRun, _ columns: [String]) -> String {
    var words: [String] = []
    for (column, label) in zip(columns, run.labels) where label != .null {
      let value = label.array.map { "\($0.count)" } ?? label.title
      switch column {
      case "student", "method": words.append(value)
      case "teachers": words.append("M=\(value)")
      default: words.append("\(column)=\(value)")
      }
    }
    return words.joined(separator: " ") + " seed \(run.seed)"
  }
}
