import Specs
import Testing

@testable import Reports

@Suite struct ExportTests {
  let sweep = ExportedSweep(
    name: "demo", columns: ["student", "method", "alpha"], time: 1_700_000_000, location: "/tmp/a folder")

  func run(
    _ state: RunState = .finished, title: String = "resnet8 mtkd-rl alpha=0.5 seed 2",
    epochs: [[String: Double]] = [["test.acc1": 50.5], ["test.acc1": .nan]], totals: [String: Double] = [:]
  ) -> RunAccount {
    RunAccount(
      key: ContentKey(hashing: [7]), title: title, labels: ["resnet8", "mtkd-rl, \"best\"", .null], seed: 2,
      state: state, spec: ["recipe": ["epochs": 2], "teachers": [["seed": 1]], "widths": [4, 8]],
      epochs: epochs.enumerated().map {
        EpochRecord(
          epoch: $0.offset, step: 10 * ($0.offset + 1), metrics: Metrics($0.element),
          state: ContentKey(hashing: [1]))
      }, totals: Metrics(totals), attempts: [], checkpoints: [])
  }

  func text(_ pieces: [ExportedFile], _ name: String = "") -> String? {
    pieces.first { $0.path.hasSuffix(name) }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test func `a tidy table has a line for each number and quotes what needs it`() {
    let key = ContentKey(hashing: [7])
    let export = TidyCSV(sweep)
    #expect(text(export.head()) == "sweep,run,student,method,alpha,seed,state,epoch,metric,value\n")
    #expect(
      text(export.pieces(of: run(totals: ["parameters": 1234]))) == """
        demo,\(key),resnet8,"mtkd-rl, ""best""\",,2,finished,1,test.acc1,50.5
        demo,\(key),resnet8,"mtkd-rl, ""best""\",,2,finished,2,test.acc1,
        demo,\(key),resnet8,"mtkd-rl, ""best""\",,2,finished,,parameters,1234.0

        """)
  }

  @Test func `a run without numbers is in the tidy table`() {
    let line = text(TidyCSV(sweep).pieces(of: run(.blocked(reason: "no teacher"), epochs: [])))
    #expect(line?.hasSuffix(",2,blocked,,,\n") == true, "\(line ?? "")")
  }

  @Test func `a JSON line says everything and has null where a number is none`() throws {
    let line = try #require(
      text(JSONLines(sweep).pieces(of: run(.failed(FailureRecord(cause: .diverged, reason: "at step 3"))))))
    let value = try JSONReader.read(Array(line.utf8)).value.object
    #expect(value?["state"] == "diverged" && value?["reason"] == "at step 3")
    let epochs = value?["epochs"]?.array
    #expect(epochs?[0].object?["epoch"] == 1 && epochs?[1].object?["metrics"] == ["test.acc1": .null])
    #expect(value?["labels"] == ["student": "resnet8", "method": "mtkd-rl, \"best\""])
    #expect(value?["settings"]?.object?["widths"] == [4, 8])
  }

  @Test func `checksums are those of the format's published example`() {
    #expect(CRC32C.of(Array("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.masked(Array("123456789".utf8)) == 0xc78a_b0e5)
  }

  /// Bytes that TensorBoard's own writer made for these two records.
  @Test func `event records are the bytes of TensorBoard's own writer`() throws {
    let head: [UInt8] = [
      0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0, 0, 0, 0x40, 0xfc, 0x54, 0xd9, 0x41, 0x1a,
      0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45, 0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0xec, 0xed, 0x8f,
      0x9d,
    ]
    let scalar: [UInt8] = [
      0x1d, 0, 0, 0, 0, 0, 0, 0, 0x60, 0x2f, 0xdf, 0x23, 0x09, 0, 0, 0x60, 0x40, 0xfc, 0x54, 0xd9, 0x41, 0x10,
      0x64, 0x2a, 0x10, 0x0a, 0x0e, 0x0a, 0x07, 0x76, 0x61, 0x6c, 0x2f, 0x61, 0x63, 0x63, 0x15, 0, 0, 0x40,
      0x3f, 0x60, 0x6e, 0x7a, 0x51,
    ]
    let pieces = TensorBoardEvents(sweep).pieces(of: run(epochs: [["val.acc": 0.75]]))
    let file = try #require(pieces.first)
    #expect(Array(file.bytes.prefix(head.count)) == head)
    #expect(file.path.contains("tfevents") && !file.path.contains(" "))
    var value = WireMessage()
    value.text(1, "val/acc")
    value.float(2, 0.75)
    var summary = WireMessage()
    summary.message(1, value)
    var event = WireMessage()
    event.double(1, 1_700_000_001.5)
    event.integer(2, 100)
    event.message(5, summary)
    var bytes: [UInt8] = []
    TensorBoardEvents.record(event, to: &bytes)
    #expect(bytes == scalar)
  }

  @Test func `titles make folder names that no file system minds`() {
    let name = TensorBoardEvents.folder(of: run(title: "../ä b|c:\u{0}" + String(repeating: "x", count: 300)))
    #expect(!name.contains("/") && !name.contains("\u{0}") && name.utf8.count < 140)
    #expect(name.hasSuffix(ContentKey(hashing: [7]).short))
  }

  @Test func `an MLflow run has its metrics, parameters and tags under the names of the store`() throws {
    let pieces = try MLflowFiles(sweep).pieces(of: run(totals: ["parameters": 1234]))
    #expect(
      text(pieces, "/metrics/test.acc1") == "1700000001000 50.5 1\n1700000002000 nan 2\n")
    #expect(text(pieces, "/metrics/parameters") == "1700000002000 1234.0 2\n")
    #expect(text(pieces, "/params/settings.recipe.epochs") == "2")
    #expect(text(pieces, "/params/settings.teachers.0.seed") == "1")
    #expect(text(pieces, "/params/settings.widths") == "[4,8]")
    #expect(text(pieces, "/params/alpha") == nil)
    #expect(text(pieces, "/tags/mtkd.state") == "finished")
    #expect(text(pieces, "/meta.yaml")?.contains("file:///tmp/a%20folder/") == true)
  }

  @Test func `a name that MLflow would take for a path is refused with a sentence`() {
    let error = #expect(throws: UnwritableExport.self) {
      try MLflowFiles(sweep).pieces(of: run(epochs: [["../escape": 1]]))
    }
    #expect(error?.description.contains("../escape") == true)
  }

  @Test(arguments: Catalog.exports.names)
  func `every format says what it holds and writes a run without epochs`(_ name: String) throws {
    let format = try Catalog.exports.entry(name)
    #expect(format.summary.hasSuffix("."))
    let export = format.init(sweep)
    let paths = try (export.head() + export.pieces(of: run(.open, epochs: []))).map(\.path)
    #expect(paths.allSatisfy { format.isFolder ? $0.contains("/") && !$0.hasPrefix("/") : $0.isEmpty })
  }
}
