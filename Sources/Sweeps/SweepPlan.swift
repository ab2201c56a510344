package import Specs

/// The stages of a sweep, each once, every stage after its inputs.
package struct SweepPlan: Sendable {
  /// Datasets, then teachers, then students in the order of the runs.
  package let stages: [StageRequest]
  /// Of each run of the expansion, in its order.
  package let runKeys: [ContentKey]

  package init(_ runs: [PlannedRun]) {
    var made: [StageRequest] = []
    var seen: Set<ContentKey> = []
    var datasets: [DatasetSpec: ContentKey] = [:]
    var teachers: [TeacherStage: ContentKey] = [:]
    var students: [StageRequest] = []
    func add(_ request: StageRequest) {
      if seen.insert(request.key).inserted { made.append(request) }
    }
    var keys: [ContentKey] = []
    keys.reserveCapacity(runs.count)
    for run in runs {
      // Keys of shared stages are computed once: most runs differ in little.
      let dataset = run.spec.dataset
      if datasets[dataset] == nil {
        let request = StageRequest(DatasetStage(dataset))
        datasets[dataset] = request.key
        add(request)
      }
      var inputs = [datasets[dataset]!]
      for teacher in run.spec.teachers {
        let stage = TeacherStage(teacher, on: dataset)
        if teachers[stage] == nil {
          let request = StageRequest(stage, inputs: [datasets[dataset]!])
          teachers[stage] = request.key
          add(request)
        }
        inputs.append(teachers[stage]!)
      }
      let request = StageRequest(StudentStage(run.spec), inputs: inputs)
      keys.append(request.key)
      if seen.insert(request.key).inserted { students.append(request) }
    }
    stages =
      made.filter { $0.kind == DatasetStage.kind } + made.filter { $0.kind == TeacherStage.kind } + students
    runKeys = keys
  }
}

extension StageRequest {
  /// For callers that know the keys of the inputs already.
  fileprivate init(_ stage: some StageSpec, inputs: [ContentKey]) {
    self.init(
      kind: type(of: stage).kind, revision: type(of: stage).revision, spec: stage.canonicalBytes,
      inputs: inputs)
  }
}
