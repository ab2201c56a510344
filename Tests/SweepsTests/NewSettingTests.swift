import Specs
import TestSupport
import Testing

@testable import Sweeps

/// What one more entry in the catalog brings: everything, from the reader to the key.
@Suite struct NewSettingTests {
  private static let clip = SettingDescription(
    "gradientClip", .number(.from(0, below: 100)), default: .value(0), place: .recipe, synonyms: ["clip"],
    sentence: "Largest norm of a gradient; 0 for none.")
  private static let detector = SettingDescription(
    "trial.detector", .choice(["faster-rcnn", "retinanet"]), default: .value("faster-rcnn"),
    place: .recipe,
    sentence: "The detector that the student becomes.")
  private static let width = SettingDescription(
    "trial.width", .integer(1...64), default: .value(8), place: .recipeOfAll, sentence: "Of its head.")

  private let vocabulary = GridVocabulary.toy(adding: [clip, detector, width])
  private static let base =
    #""student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"], "epochs": 8"#

  private func expand(_ members: String, base: String = "") throws -> GridExpansion {
    let text = "{\"version\": 1, \"name\": \"g\", \"base\": {\(Self.base)\(base)}\(members)}"
    let draft = GridReader.draft(
      Array(text.utf8), file: "grid.json", groups: vocabulary.settings.groups
    ) { _, _ in throw ToyGrid.NoSuchGrid() }
    return try GridExpansion(draft.judged(by: vocabulary), vocabulary)
  }

  private func complaint(_ base: String) -> String {
    do {
      _ = try expand("", base: base)
      return ""
    } catch { return "\(error)" }
  }

  @Test func `the reader takes it, judges its values and knows its other names`() throws {
    #expect(
      complaint(#", "gradientClip": 100"#).contains("gradientClip is 100 and should be a number from 0"))
    #expect(complaint(#", "clip": 1"#).contains("did you mean \"gradientClip\"?"))
    #expect(complaint(#", "gradientClip": 5"#) == "")
  }

  @Test func `it is an axis, a column, a part of the key and of nothing else`() throws {
    let plain = try expand("").runs[0].spec
    let grid = try expand(#", "axes": {"gradientClip": [0, 5]}"#)
    #expect(grid.columns == ["student", "method", "gradientClip"] && grid.warnings.isEmpty)
    #expect(grid.runs.map { $0.labels[2] } == [0, 5])
    #expect(grid.runs[0].spec.canonicalBytes == plain.canonicalBytes, "the default is in no key")
    #expect(StudentStage(grid.runs[1].spec).key != StudentStage(plain).key)
    #expect(grid.runs[1].spec.recipe[Self.clip] == 5)
    #expect(grid.runs[1].spec.teachers == plain.teachers)
  }

  @Test func `filters see its default`() throws {
    let grid = try expand(#", "axes": {"alpha": [1, 2]}, "exclude": [{"gradientClip": 0, "alpha": 2}]"#)
    #expect(grid.runs.count == 1)
  }

  @Test func `the schema has it`() throws {
    let schema = SchemaEvaluator(GridSchema.value(vocabulary))
    func problems(_ base: String) throws -> [String] {
      let text = "{\"version\": 1, \"name\": \"g\", \"base\": {\(Self.base)\(base)}}"
      return schema.problems(try JSONReader.read(Array(text.utf8)).value)
    }
    #expect(try problems(#", "gradientClip": 5, "trial.detector": "retinanet""#).isEmpty)
    #expect(try problems(#", "trial": {"detector": "retinanet", "width": 3}"#).isEmpty)
    #expect(try !problems(#", "gradientClip": 100"#).isEmpty)
    #expect(try !problems(#", "trial": {"detector": "yolo"}"#).isEmpty)
    #expect(try !problems(#", "trial": {"dtector": "retinanet"}"#).isEmpty)
  }

  // Names with a dot

  @Test func `a name with a dot is written whole or as a member of its group`() throws {
    let whole = try expand("", base: #", "trial.detector": "retinanet", "trial.width": 3"#).runs[0].spec
    let group = try expand("", base: #", "trial": {"detector": "retinanet", "width": 3}"#).runs[0].spec
    #expect(whole.canonicalBytes == group.canonicalBytes)
    #expect(whole.recipe[Self.detector] == "retinanet")
    #expect(whole.teachers[0].recipe[Self.width] == 3, "teachers are computed alike")
    #expect(whole.teachers[0].recipe[Self.detector] == "faster-rcnn")
    let text = String(decoding: whole.canonicalBytes, as: UTF8.self)
    #expect(text.contains(#""trial.detector":"retinanet","trial.width":3,"weightDecay""#))
  }

  @Test func `members of a group are laid over each other one by one, as axes and in filters too`() throws {
    let grid = try expand(
      #", "blocks": [{"name": "a", "base": {"trial": {"width": 2}}, "axes": {"trial": {"detector": ["faster-rcnn", "retinanet"]}}, "exclude": [{"trial": {"detector": "retinanet"}}]}]"#,
      base: #", "trial": {"detector": "retinanet"}"#)
    #expect(grid.runs.count == 1)
    #expect(grid.runs[0].spec.recipe[Self.width] == 2)
    #expect(grid.runs[0].spec.recipe[Self.detector] == "faster-rcnn")
  }

  @Test func `a misspelt member and a group without an object are told`() {
    #expect(
      complaint(#", "trial": {"detectr": "retinanet"}"#).contains(
        "unknown setting \"trial.detectr\"; did you mean \"trial.detector\"?"))
    #expect(complaint(#", "trial": "retinanet""#).contains("trial.detector, trial.width"))
  }
}
