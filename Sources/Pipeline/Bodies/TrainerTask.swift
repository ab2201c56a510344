internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps

/// What somebody else's trainer is asked for: to train a student or a teacher, or to write
/// down what a teacher says.
struct TrainerTask {
  enum Kind {
    case student
    case teacher
    case outputs(TeacherOutputsStage)
  }

  /// The weights that students are handed of a teacher, the first that it has.
  static let weightFiles = [TrainingBody.bestFile, TrainingBody.finalFile]

  let kind: Kind
  let key: ContentKey
  /// Of a teacher: it alone, by the method `baseline`.
  let run: RunSpec
  /// The dataset, then the teachers.
  let inputs: [ContentKey]

  init(_ stage: StudentStage) {
    (kind, key, run, inputs) = (.student, stage.key, stage.run, stage.inputs)
  }

  init(_ stage: TeacherStage) {
    (kind, key, inputs) = (.teacher, stage.key, stage.inputs)
    run = Self.run(stage.teacher, stage.dataset)
  }

  init(_ stage: TeacherOutputsStage) {
    (kind, key, inputs) = (.outputs(stage), stage.key, stage.inputs)
    run = Self.run(stage.teacher, stage.dataset)
  }

  private static func run(_ teacher: TeacherSpec, _ dataset: DatasetSpec) -> RunSpec {
    var run = RunSpec(
      dataset: dataset, student: teacher.network, method: MethodSpec(name: "baseline"), teachers: [],
      recipe: teacher.recipe, seed: teacher.seed)
    run.trainer = teacher.trainer
    return run
  }

  /// Those that it has to report.
  var epochs: Int { if case .outputs = kind { 0 } else { run.recipe.epochs } }

  /// What the trainer reads: one line.
  ///
  /// - Parameters:
  ///   - version: of the lines that it speaks.
  ///   - outputs: what is kept of its teachers.
  func request(
    folder: String, reported: Int, version: Int, _ outputs: KeptOutputs, in workspace: Workspace
  ) throws -> [UInt8] {
    func output(_ key: ContentKey, _ file: String) -> JSONValue {
      .string(ExternalBody.absolute("\(workspace.store.stage(key).output)/\(file)"))
    }
    // Read once, so that what the trainer opens is what was published.
    _ = try workspace.input(inputs[0], DatasetBody.file)
    let teachers = try inputs.dropFirst().map { key -> JSONValue in
      let names = try workspace.store.stage(key).published()?.names ?? []
      let file = Self.weightFiles.first(where: names.contains) ?? TrainingBody.bestFile
      _ = try workspace.input(key, file)
      return output(key, file)
    }
    let slot = ProcessInfo.processInfo.environment[WorkerSlot.variable].flatMap { Int($0) } ?? 1
    var document: [String: JSONValue] = [
      "dataset": output(inputs[0], DatasetBody.file), "folder": .string(folder),
      "key": .string(key.description), "protocol": .number(DecimalNumber(version)),
      "reported": .number(DecimalNumber(reported)), "run": try JSONReader.read(run.canonicalBytes).value,
      "slot": .number(DecimalNumber(slot)), "teachers": .array(teachers),
    ]
    switch kind {
    case .student: document["teacherOutputs"] = outputs.member
    case .teacher: document["role"] = "teacher"
    case .outputs(let stage):
      document["ask"] = "outputs"
      document["outputs"] = try ForeignOutputs.request(stage, in: workspace)
    }
    return CanonicalJSON.bytes(of: .object(document)) + [UInt8(ascii: "\n")]
  }
}

/// What is kept of what a run's teachers say, for a trainer that reads it: held against
/// eviction as long as this lives.
struct KeptOutputs {
  /// Folders, one for each teacher; nil where nobody is to be told of any.
  let member: JSONValue?
  private let holds: [OutputHold]

  init(of task: TrainerTask, in workspace: Workspace) throws {
    let run = task.run
    guard case .student = task.kind, run.views > 0, run.teachers.contains(where: { $0.outputs != nil }) else {
      (member, holds) = (nil, [])
      return
    }
    var holds: [OutputHold] = []
    let folders = run.teachers.map { teacher -> JSONValue in
      guard let features = teacher.outputs, !workspace.asksTeachers else { return .null }
      let stage = TeacherOutputsStage(
        teacher, on: run.dataset, views: run.views, keeps: features > 0 ? .maps : .heads)
      let place = workspace.store.stage(stage.key)
      guard !place.isDamageNoted, let hold = OutputHold(place),
        let output = try? place.published(), !output.names.isEmpty
      else {
        return .null
      }
      holds.append(hold)
      return .string(ExternalBody.absolute(place.output))
    }
    self.holds = holds
    member = .array(folders)
    workspace.note(
      "\(holds.count) of \(counted(folders.count, "teacher")) read from what was written down, "
        + "the others asked"
    )
  }
}
