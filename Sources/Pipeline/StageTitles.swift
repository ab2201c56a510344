internal import Networks
internal import Specs
internal import Sweeps

extension StageTitle {
  /// What to call every stage of a sweep.
  static func all(_ sweep: PlannedSweep) -> [ContentKey: StageTitle] {
    var titles: [ContentKey: StageTitle] = [:]
    // A key is a digest; what is known already is not digested again for every run.
    var datasets: Set<DatasetSpec> = []
    var teachers: Set<TeacherStage> = []
    var lessons: Set<[Int]> = []
    for (run, key) in zip(sweep.expansion.runs, sweep.plan.runKeys) {
      titles[key] = StageTitle(key: key, kind: StudentStage.kind, text: text(run, sweep.expansion.columns))
      let lesson = run.cell.lesson
      guard lessons.insert([lesson.number, lesson.teacherSeed(of: run.seed)]).inserted else { continue }
      let spec = run.spec
      if datasets.insert(spec.dataset).inserted {
        let datasetKey = DatasetStage(spec.dataset).key
        titles[datasetKey] = StageTitle(
          key: datasetKey, kind: DatasetStage.kind, text: "dataset \(spec.dataset.name)")
      }
      for teacher in spec.teachers {
        let stage = TeacherStage(teacher, on: spec.dataset)
        guard teachers.insert(stage).inserted else { continue }
        let stageKey = stage.key
        let seed =
          teacher.weights.map { " from weights \($0.digest.short)" }
          ?? (teacher.seed == 0 ? "" : " seed \(teacher.seed)")
        titles[stageKey] = StageTitle(
          key: stageKey, kind: TeacherStage.kind,
          text: "teacher \(NetworkNames.title(of: teacher.network))\(seed)")
      }
    }
    for (key, record) in sweep.plan.records {
      let seed = record.teacher.seed == 0 ? "" : " seed \(record.teacher.seed)"
      titles[key] = StageTitle(
        key: key, kind: TeacherOutputsStage.kind,
        text: "outputs of \(NetworkNames.title(of: record.teacher.network))\(seed), \(record.views) views"
          + (record.keeps == .heads ? "" : record.keeps == .maps ? " with maps" : " with all maps"))
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
