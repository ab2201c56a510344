import Pipeline
import Specs
import Sweeps
import TestSupport
import Testing

/// Teachers that learn from more images than their students, and the word about a warm-up that is no warm-up.
@Suite struct TeacherImagesTests {
  private static let base: [String: JSONValue] = [
    "dataset": "synthetic-1x16x16-4", "trainImages": 64, "testImages": 32, "epochs": 4,
    "student": "mini-resnet8-w8", "method": "aver-kd", "teachers": ["mini-wrn-10-1"],
  ]

  /// A grid of `base` with some settings changed, and with other members of the grid.
  private func expand(_ changes: [String: JSONValue], _ members: [String: JSONValue] = [:]) throws
    -> GridExpansion
  {
    let vocabulary = GridVocabulary.engine(dataFolders: [])
    let axes = members["axes"]?.object ?? [:]
    let base = Self.base.merging(changes) { $1 }.filter { axes[$0.key] == nil }
    let grid = members.merging(["version": 1, "name": "g", "base": .object(base)]) { $1 }
    return try GridExpansion(
      GridReader.draft(CanonicalJSON.bytes(of: .object(grid)), file: "grid.json") { name, _ in (name, []) }
        .judged(by: vocabulary), vocabulary)
  }

  private func stages(_ changes: [String: JSONValue], _ members: [String: JSONValue] = [:]) throws
    -> [StageRequest]
  { try SweepPlan(expand(changes, members).runs).stages }

  @Test func `only the teacher learns from the larger set, and each set is made once`() throws {
    let made = try stages(["teacherTrainImages": 256], ["seeds": ["count": 2]])
    #expect(made.map(\.kind) == ["dataset", "dataset", "teacher", "student", "student"])
    let images = try made[...1].map { try $0.decoded(as: DatasetStage.self).dataset.trainImages }
    #expect(images == [64, 256])
    #expect(made[2].inputs == [made[1].key])
    #expect(try made[2].decoded(as: TeacherStage.self).dataset.trainImages == 256)
    for student in made[3...] { #expect(student.inputs == [made[0].key, made[2].key]) }
    // What a worker reads from its document is the same stage.
    let read = try made[3].decoded(as: StudentStage.self)
    #expect(StudentStage(read.run).key == made[3].key && StudentStage(read.run).inputs == made[3].inputs)
  }

  @Test func `a teacher is the same one however its students came to ask for it`() throws {
    let more = try stages(["teacherTrainImages": 256])
    let equal = try stages(["trainImages": 256])
    #expect(more.first { $0.kind == "teacher" }?.key == equal.first { $0.kind == "teacher" }?.key)
    #expect(more.last?.key != equal.last?.key)
  }

  @Test func `asking for as many as the student has is asking for nothing, and keeps every key`() throws {
    let plain = try stages([:])
    #expect(try stages(["teacherTrainImages": 64]).map(\.key) == plain.map(\.key))
  }

  @Test func `a method without teachers does not read it`() throws {
    #expect(
      try stages(["teacherTrainImages": 256, "method": "baseline"]).map(\.key)
        == stages(["method": "baseline"]).map(\.key))
    let axis = try expand(["method": "baseline"], ["axes": ["teacherTrainImages": [128, 256]]])
    #expect(axis.warnings.map(\.message) == ["no method of this block reads \"teacherTrainImages\""])
  }

  @Test(arguments: ["trainImages", "teacherTrainImages"])
  func `more images than there are is said before anything runs`(_ setting: String) throws {
    do {
      _ = try expand([setting: 999_990, "validationImages": 20])
      Issue.record("a subset of 999 990 images was taken")
    } catch {
      #expect(
        "\(error)".contains(
          "\"\(setting)\" is 999990, and synthetic-1x16x16-4 has 999980 to train on beside 20 validation images"
        ), "\(error)")
    }
  }

  private static let pair: JSONValue = ["mini-wrn-10-1", "mini-resnet14-w8"]

  @Test(
    arguments: [
      (["epochs": 4], "1 of 4 epochs, 25 % of the run"),
      (["epochs": 49], "1 of 49 epochs, 2 % of the run"),
      (["epochs": 50], nil),
      (["epochs": 4, "warmupWeight": "uniform"], nil),
      (["epochs": 4, "policyWarmupEpochs": 0], nil),
      (["epochs": 400, "policyWarmupEpochs": 9], "9 of 400 epochs, 2 % of the run"),
      (["epochs": 4, "teachers": ["mini-wrn-10-1"]], nil),
      (["epochs": 4, "method": "aver-kd"], nil),
    ] as [([String: JSONValue], String?)])
  func `a warm-up with full weights that is much of a run is warned of, with the ways out`(
    _ changes: [String: JSONValue], _ share: String?
  ) throws {
    let standard: [String: JSONValue] = ["method": "mtkd-rl", "teachers": Self.pair]
    let warnings = try expand(standard.merging(changes) { $1 }).warnings.map(\.message)
      .filter { $0.contains("weight 1") }
    #expect(warnings.count == (share == nil ? 0 : 1))
    guard let share, let warning = warnings.first else { return }
    #expect(warning.contains(share) && warning.contains("each of the 2 teachers has weight 1"), "\(warning)")
    #expect(warning.contains("\"warmupWeight\": \"uniform\", or train for at least"), "\(warning)")
  }
}
