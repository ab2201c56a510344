import Foundation
import Specs
import Storage

/// A store whose numbers nobody trained: formulas that a test can compute again. It has
/// finished, diverged and open runs.
struct MadeUpStore {
  let folder: URL
  /// Beside the sweep's points.
  let keys: [ContentKey]
  static let methods = ["baseline", "aver-kd", "mtkd-rl"]
  static let created = 1_700_000_000

  /// What run `run` reports for `test.acc1` after epoch `epoch`, from 0.
  static func accuracy(run: Int, epoch: Int) -> Double {
    50 + Double(run % 7) * 1.25 + 20 * (1 - 1 / Double(epoch + 1))
  }

  static func loss(run: Int, epoch: Int) -> Double { 2.5 / Double(epoch + 1) + Double(run % 3) / 8 }

  /// - Parameters:
  ///   - runs: in cells of three seeds, methods in turn; the last but one diverged, the
  ///     last is open with one epoch.
  ///   - waiting: runs behind those that nobody has begun.
  init(runs: Int, epochs: Int, waiting: Int = 0, name: String = "made-up", in folder: URL? = nil) throws {
    self.folder =
      folder ?? FileManager.default.temporaryDirectory.appending(path: "mtkd-\(UUID().uuidString)")
    let store = try ResultStore(at: StoreFolder(self.folder.appending(path: "results").path), .writing)
    keys = (0..<runs + waiting).map { ContentKey(hashing: Array("\(name) run \($0)".utf8)) }
    var points: [SweepPoint] = []
    var stages: [StageRecord] = []
    for (run, key) in keys.enumerated() {
      let cell = run / 3
      let (method, alpha) = (Self.methods[cell % 3], cell / 3)
      let seed = run % 3 + 1
      points.append(
        SweepPoint(
          key: key, seed: seed,
          labels: ["resnet8", .string(method), .number(DecimalNumber(mantissa: Int64(alpha), exponent: -1))]))
      stages.append(
        StageRecord(
          key: key, kind: "student", title: "resnet8 \(method) alpha=\(alpha)e-1 seed \(seed)",
          spec: #"{"method":{"name":"\#(method)"},"recipe":{"epochs":\#(epochs)},"seed":\#(seed)}"#))
    }
    try store.register(stages)
    for (run, key) in keys.prefix(runs).enumerated() {
      let isOpen = run == runs - 1
      let isDiverged = run == runs - 2
      let count = isOpen ? 1 : isDiverged ? 2 : epochs
      var records: [RunRecord] = [.started(step: 0, Self.provenance)]
      for epoch in 0..<count {
        records.append(.epoch(Self.epoch(epoch, of: run, key)))
      }
      let failure = FailureRecord(
        cause: .diverged, reason: "The loss is not finite at step 25.", epoch: 2, step: 25)
      if isDiverged {
        records.append(.failed(failure))
      } else if !isOpen {
        records.append(.finished(metrics: Metrics(["parameters": 1234])))
      }
      try store.ingest(
        records.enumerated().map { NumberedRecord($0.offset, $0.element) },
        of: AttemptID(key: key, number: 1),
        closing: isOpen ? nil : isDiverged ? .failed(failure) : .finished)
    }
    try store.saveSweep(
      SweepRecord(
        name: name, grid: "{\n  // a grid & its <comment>\n  \"version\": 1, \"name\": \"\(name)\"\n}\n",
        canonical: #"{"name":"\#(name)","version":1}"#, columns: ["student", "method", "alpha"],
        asked: keys.count,
        created: Self.created), points: points)
    try store.close()
  }

  /// Adds a sweep that asks for the same runs.
  func share(with name: String) throws {
    let store = try ResultStore(at: StoreFolder(folder.appending(path: "results").path), .writing)
    let own = try store.sweeps()[0]
    try store.saveSweep(
      SweepRecord(
        name: name, grid: own.grid, canonical: own.canonical, columns: own.columns, asked: own.asked,
        created: own.created), points: store.points(of: own.name))
    try store.close()
  }

  static func epoch(_ epoch: Int, of run: Int, _ key: ContentKey) -> EpochRecord {
    EpochRecord(
      epoch: epoch, step: (epoch + 1) * 10,
      metrics: Metrics([
        "test.acc1": accuracy(run: run, epoch: epoch), "train.loss": loss(run: run, epoch: epoch),
      ]), state: ContentKey(hashing: Array("\(key) \(epoch)".utf8)))
  }

  static let provenance = Provenance(
    version: "0.1.0", commit: "abcdef123456", program: ContentKey(hashing: [1]), blas: "0.3.21 Haswell",
    cpu: "Test CPU", host: "laboratory", profile: "portable, 1 thread")

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
