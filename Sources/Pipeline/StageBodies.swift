internal import Specs
internal import Sweeps

/// What a kind of stage does.
struct StageBody: Sendable {
  let kind: String
  let run: @Sendable (StageRequest, Workspace) throws -> Void
}

extension Catalog where Entry == StageBody {
  static let stageBodies = Catalog(
    "stage",
    [
      StageBody(kind: DatasetStage.kind) { try DatasetBody.run($0.decoded(as: DatasetStage.self), in: $1) },
      StageBody(kind: TeacherStage.kind) { try TrainingBody.run($0.decoded(as: TeacherStage.self), in: $1) },
      StageBody(kind: TeacherOutputsStage.kind) {
        try TeacherOutputsBody.run($0.decoded(as: TeacherOutputsStage.self), in: $1)
      },
      StageBody(kind: StudentStage.kind) { request, workspace in
        let stage = try request.decoded(as: StudentStage.self)
        if let trainer = stage.run.trainer {
          try ExternalBody.run(stage, trainer, in: workspace)
        } else {
          try TrainingBody.run(stage, in: workspace)
        }
      },
    ]
  ) { $0.kind }
}
