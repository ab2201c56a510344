import Pipeline
import Specs
import Sweeps
import TestSupport
import Testing

/// Grids whose backbones are put to something: which runs and stages they ask for, and
/// what is said of bad ones.
@Suite struct TransferGridTests {
  private static func expansion(_ text: String) throws -> GridExpansion {
    let vocabulary = GridVocabulary.engine(dataFolders: [])
    let grid = try GridReader.draft(
      Array(text.utf8), file: "grid.json", groups: vocabulary.settings.groups
    ) { reference, _ in
      (reference, Array(try Catalog.presets.entry(String(reference.dropFirst("preset:".count))).text.utf8))
    }.judged(by: vocabulary)
    return try GridExpansion(grid, vocabulary)
  }

  private static func kinds(_ text: String) throws -> [String: Int] {
    var counts: [String: Int] = [:]
    for stage in SweepPlan(try expansion(text).runs).stages { counts[stage.kind, default: 0] += 1 }
    return counts
  }

  private static func grid(_ transfer: String, axes: String = "", seeds: Int = 1) -> String {
    """
    { "version": 1, "name": "t",
      "base": { "dataset": "synthetic-3x32x32-4", "student": "resnet18", "method": "baseline", "epochs": 1,
                "transfer": { \(transfer) } },
      \(axes.isEmpty ? "" : "\"axes\": { \(axes) },") "seeds": { "count": \(seeds) } }
    """
  }

  private static let shapes = #""dataset": "synthetic-shapes-64x64-3", "trainImages": 8, "testImages": 4"#

  @Test func `one backbone serves every detector, and each seed's student is trained once`() throws {
    let text = Self.grid(
      Self.shapes + #", "recipe": "mini-det", "seeds": 2"#,
      axes: #""transfer.detector": ["retinanet", "faster-rcnn"]"#, seeds: 3)
    #expect(
      try Self.kinds(text) == [
        "dataset": 2, "student": 3, "backbone": 3, "transfer": 12, "evaluation": 6,
      ])
    let plan = SweepPlan(try Self.expansion(text).runs)
    #expect(plan.stages.filter { $0.role == .result }.map(\.key).sorted() == plan.runKeys.sorted())
    let seeds = try plan.stages.filter { $0.kind == "transfer" }
      .map { try $0.decoded(as: TransferStage.self).seed }
    #expect(Set(seeds) == [1, 2, 3, 4, 5, 6])
  }

  @Test func `a student has the key that it has without a transfer`() throws {
    let plain = try Self.expansion(
      #"{ "version": 1, "name": "t", "base": { "dataset": "synthetic-3x32x32-4", "student": "resnet18","#
        + #" "method": "baseline", "epochs": 1 }, "seeds": { "count": 1 } }"#)
    let key = SweepPlan(plain.runs).runKeys[0]
    let chain = SweepPlan(
      try Self.expansion(Self.grid(Self.shapes + #", "recipe": "mini-det", "detector": "retinanet""#)).runs)
    #expect(chain.stages.contains { $0.key == key && $0.role == .preparation })
  }

  @Test(arguments: [
    (600, 150, true), (600, 120, false), (600, 0, false), (600, 60, false), (600, 700, false),
    (600, 30, true), (604, 600, false), (605, 601, true), (9, 4, false), (100, 99, true), (20, 150, false),
  ])
  func `a segmentor that earlier versions evaluated after other steps than asked has a key of its own`(
    _ steps: Int, _ every: Int, _ isOther: Bool
  ) throws {
    let text = Self.grid(
      Self.shapes
        + #", "recipe": "mini-seg", "segmentor": "pspnet", "steps": \#(steps), "evalEvery": \#(every)"#)
    let request = try #require(
      SweepPlan(try Self.expansion(text).runs).stages.first { $0.kind == "transfer" })
    let document = String(decoding: request.document, as: UTF8.self)
    #expect(document.contains(#""evaluated":"as asked""#) == isOther)
    // What earlier versions did: every so many records of a tenth of the steps each.
    let tenth = max(steps / 10, 1)
    let records = every == 0 ? 0 : max(every / tenth, 1)
    let then = (1..<steps).filter { records > 0 && $0 % tenth == 0 && $0 / tenth % records == 0 }
    let now = (1..<steps).filter { every > 0 && $0 % every == 0 }
    #expect((then != now) == isOther)
    let stage = try request.decoded(as: TransferStage.self)
    #expect(StageRequest(stage).key == request.key)
  }

  @Test func `a random trunk trains no student, and its labels say what it is`() throws {
    let text =
      #"{ "version": 1, "name": "t", "base": { "transfer": { "# + Self.shapes
      + #", "recipe": "mini-det", "detector": "retinanet", "backbone": { "random": "resnet18" } } } }"#
    #expect(try Self.kinds(text) == ["dataset": 1, "backbone": 1, "transfer": 1, "evaluation": 1])
    let expansion = try Self.expansion(text)
    #expect(expansion.columns.prefix(2) == ["student", "method"])
    #expect(expansion.runs[0].labels.prefix(2) == ["resnet18", "random"])
  }

  @Test(arguments: ["downstream-smoke", "table4-mini", "table5-mini", "table4", "table5"])
  func `a shipped grid asks for its transfers`(_ name: String) throws {
    let runs = ["downstream-smoke": 6, "table4-mini": 36, "table5-mini": 18, "table4": 16, "table5": 12]
    #expect(try Self.expansion(RepositoryFile.text("sweeps/\(name).json")).runs.count == runs[name])
  }

  private struct BadTransfer {
    /// Members besides the dataset's.
    let members: String
    let sentence: String
    var hasDataset = true
  }

  private static let bad: [BadTransfer] = [
    BadTransfer(members: #""seeds": 1"#, sentence: "a transfer needs"),
    BadTransfer(
      members: #""detector": "retinanet", "segmentor": "pspnet""#, sentence: "a transfer has one head"),
    BadTransfer(
      members: #""detector": "retinanet", "recipe": "mini-seg""#, sentence: "is one of segmentation"),
    BadTransfer(
      members: #""detector": "retinanet", "recipe": "mini-det", "steps": 5"#,
      sentence: "no recipe of the task detection"),
    BadTransfer(
      members: #""detector": "retinanet""#, sentence: "a transfer needs a \"dataset\"", hasDataset: false),
    BadTransfer(
      members: #""detector": "retinanet", "dataset": "cifar100""#,
      sentence: "unknown dataset of a transfer \"cifar100\"", hasDataset: false),
    BadTransfer(
      members: #""detector": "retinanet", "batchSize": 6, "lossGroup": 4"#,
      sentence: "no whole number of groups of 4"),
    BadTransfer(
      members: #""segmentor": "pspnet", "recipe": "mini-seg", "batchSize": 1, "lossGroup": 1"#,
      sentence: "\"batchSize\" of 2 at least"
    ),
    BadTransfer(
      members: #""detector": "retinanet", "backbone": { "random": "resnet20" }"#,
      sentence: "can be no trunk of a detector or a segmentor"),
    BadTransfer(
      members: #""segmentor": "pspnet", "recipe": "mini-seg", "test": "slide""#,
      sentence: "needs the size of crops"),
    BadTransfer(
      members: #""segmentor": "pspnet", "recipe": "mini-seg", "scale": "ratio""#,
      sentence: "need both sides of it"),
    BadTransfer(
      members: #""detector": "retinanet", "dataset": "cityscapes""#,
      sentence: "retinanet is for detection, and cityscapes has no annotations for that", hasDataset: false),
    BadTransfer(
      members: #""segmentor": "pspnet", "dataset": "coco2017""#,
      sentence: "pspnet is for segmentation, and coco2017 has no annotations for that", hasDataset: false),
    BadTransfer(
      members: #""detector": "mask-rcnn", "dataset": "voc-xml""#,
      sentence:
        "objects of voc-xml have boxes alone; take retinanet, faster-rcnn, cascade-rcnn, or a dataset",
      hasDataset: false),
    BadTransfer(
      members: #""detector": "retinanet", "recipe": "mini-det", "fpnWdith": 8"#,
      sentence: "did you mean \"transfer.fpnWidth\""),
  ]

  @Test(arguments: bad.indices)
  func `a bad transfer is refused with a sentence`(_ index: Int) throws {
    let bad = Self.bad[index]
    let members = bad.hasDataset ? "\(Self.shapes), \(bad.members)" : bad.members
    let error = #expect(throws: GridRejected.self) { try Self.expansion(Self.grid(members)) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains(bad.sentence), "\(text)")
  }

  @Test(arguments: [
    ("synthetic-3x32x32-4", "resnet20", "resnet20 can be no trunk"),
    ("synthetic-1x32x32-4", "resnet18", "resnet18 would be trained on images of 1 channel"),
  ])
  func `a student that can be no trunk is refused`(
    _ dataset: String, _ student: String, _ sentence: String
  ) throws {
    let text = Self.grid(Self.shapes + #", "detector": "retinanet", "recipe": "mini-det""#)
      .replacing("synthetic-3x32x32-4", with: dataset).replacing("resnet18", with: student)
    let error = #expect(throws: GridRejected.self) { try Self.expansion(text) }
    #expect(error.map { "\($0)".contains(sentence) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `an axis that a trunk from elsewhere does not read is refused`() throws {
    let text = Self.grid(
      Self.shapes + #", "detector": "retinanet", "backbone": { "random": "resnet18" }"#,
      axes: #""epochs": [1], "student": ["resnet18", "resnet34"]"#)
    let error = #expect(throws: GridRejected.self) {
      try Self.expansion(text.replacing(#""student": "resnet18", "method""#, with: #""method""#))
    }
    #expect(error.map { "\($0)".contains("has no influence on a backbone from elsewhere") } == true)
  }
}
