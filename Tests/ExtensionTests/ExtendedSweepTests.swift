import Datasets
import Foundation
import Networks
import Pipeline
import Results
import Specs
import Tensors
import Testing

/// The eight entries at work together: a grid that names them is planned, run in this process and reported.
@Suite struct ExtendedSweepTests {
  private let folder: URL
  private var grid: String { folder.appending(path: "grid.json").path }
  private var store: String { folder.appending(path: "results").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "extension-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ method: String = "first-stage", _ members: String = "") throws {
    let text = """
      {
        "version": 1, "name": "extended",
        "base": {
          "dataset": "stripes", "trainImages": 40, "testImages": 20, "batchSize": 8, "epochs": 3,
          "student": "plain-4", "teachers": ["plain-8"], "teacherEpochs": 1, "method": "\(method)"\(members)
        },
        "report": { "metric": "test.brier" }
      }
      """
    try Data(text.utf8).write(to: URL(filePath: grid))
  }

  private func sweep() -> SweepRun { SweepRun(gridAt: grid, store: store) }

  private func stage(_ kind: String) throws -> SweepRun.Stage {
    try #require(try sweep().stages().first { $0.kind == kind })
  }

  @Test func `a grid that names them all is planned, run and reported in this process`() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try write("first-stage", #", "mapWeight": 2, "normOrder": 1"#)
    try await MySweep.extensions().use {
      let planned = try sweep().stages()
      #expect(planned.map(\.kind) == ["dataset", "teacher", "student", "weight-norm"])
      #expect(planned.allSatisfy { $0.metrics.isEmpty })
      #expect(planned.last?.title == "weight norm of plain-4 first-stage, seed 1")

      #expect(try await sweep().run(executor: "in-this-process") == .allDone)
      let student = try stage("student").metrics
      #expect(student["steps"] == 15 && student["test.images"] == 20)
      // Two classes whose shares sum to one: between 0 for certainty and 2 for certainty of the other.
      #expect((0...2).contains(try #require(student["test.brier"])))
      try independentNumbers(student)

      let text = try ReportText.table(of: "extended", in: store, format: "typst")
      #expect(text.hasPrefix("#table(") && text.contains("first\\-stage") && text.contains("plain\\-4"))
    }
    // Without the entries, nobody here knows their names.
    #expect(throws: (any Error).self) { try sweep().stages() }
  }

  /// Recomputes what metric and stage say from the weights that the store has.
  private func independentNumbers(_ student: [String: Double]) throws {
    let key = try stage("student").key
    let path = "\(store)/stages/\(key)/output/final.safetensors"
    let built = try BuiltNetwork(
      ModelSpec(family: "plain", parameters: ["widths": [4, 4]]),
      ImageTask(channels: 1, height: 8, width: 8, classes: 2))
    var state = built.state(seed: 0)
    try state.load(Safetensors(decoding: Array(Data(contentsOf: URL(filePath: path)))))

    let norm = state.parameters.reduce(0.0) { $0 + state[$1].doubles.reduce(0) { $0 + abs($1) } }
    #expect(try stage("weight-norm").metrics["weights.norm"] == norm, "normOrder is 1")

    let place = DatasetPlace(name: "stripes", searching: [])
    var spec = try Stripes().locate(place).spec
    spec.trainImages = 40
    spec.testImages = 20
    let test = try Stripes().read(spec, place).test
    let images = test.pixels.map { (Double($0) / 255 - 0.5) / 0.25 }
    let logits = built.network(Tensor(images, [20, 1, 8, 8]), Pass(state, .inference)).logits.doubles
    var brier = 0.0
    for (index, label) in test.labels.enumerated() {
      let (a, b) = (logits[2 * index], logits[2 * index + 1])
      let wrong = 1 / (1 + exp(label == 0 ? a - b : b - a))
      brier += 2 * wrong * wrong / 20
    }
    // Logits and shares are computed in 32 bits there.
    #expect(abs(try #require(student["test.brier"]) - brier) < 1e-6)
  }

  @Test func `the method trains otherwise than without its term, and its options are checked`() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try await MySweep.extensions().use {
      var weights: [Data] = []
      for weight in ["0", "50"] {
        try write("first-stage", ", \"mapWeight\": \(weight)")
        #expect(try await sweep().run(executor: "in-this-process") == .allDone)
        let key = try stage("student").key
        weights.append(
          try Data(contentsOf: URL(filePath: "\(store)/stages/\(key)/output/final.safetensors")))
      }
      #expect(weights[0] != weights[1])
      try write("first-stage", #", "mapWeight": -1"#)
      #expect(throws: (any Error).self) { try sweep().stages() }
    }
  }

  @Test func `the setting is read, checked and part of the key where it is not its default`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try MySweep.extensions().use {
      try write()
      let plain = try stage("student").key
      try write("first-stage", #", "normOrder": 2"#)
      #expect(try stage("student").key == plain)
      try write("first-stage", #", "normOrder": 3"#)
      #expect(try stage("student").key != plain)
      for (value, word) in [("9", "from 1 to 8"), ("\"two\"", "from 1 to 8")] {
        try write("first-stage", ", \"normOrder\": \(value)")
        #expect(try complaint().contains(word))
      }
      try write("first-stage", #", "norm_order": 3"#)
      #expect(try complaint().contains("did you mean \"normOrder\"?"))
    }
  }

  private func complaint() throws -> String {
    do {
      _ = try sweep().stages()
      return ""
    } catch { return "\(error)" }
  }
}
