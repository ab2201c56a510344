import Foundation
import Specs
import Storage

/// How long it takes to look at a store of 1 000 000 metric rows: 1 000 runs of 100
/// epochs with 10 metrics each.
///
///     mtkd-benchmarks report [PROGRAM]
///
/// PROGRAM is the built `mtkd-sweep`; the one beside this program where nothing is said. Each line ends with
/// the bar that it has to keep.
struct ReportSpeed {
  private static let (runs, epochs) = (1000, 100)

  static func main(_ arguments: [String]) throws {
    let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
      path: "mtkd-sweep"
    ).path
    let program = arguments.first ?? beside
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-bench-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try fill(StoreFolder(folder.path))
    for (words, bar) in [
      (["report"], "1000 ms, 300 MB"), (["report", "--format", "json"], "1000 ms, 300 MB"),
      (
        ["report", "--rows", "method", "--columns", "alpha", "--where", "alpha>=1", "--sort", "-mean"],
        "1000 ms, 300 MB"
      ),
      (["report", "--format", "html"], "3000 ms"), (["compare", "ca-mkd", "mtkd-rl"], "1000 ms"),
      (["plot", "curves", "-o", "-"], "1000 ms"), (["status"], "50 ms"),
    ] {
      let times = try (0..<5).map { _ in try run(program, words + ["--store", folder.path]) }
      let (walls, processor) = (times.map(\.wall).sorted(), times.map(\.processor).sorted())
      say(
        "\(words.joined(separator: " ")): \(Int(walls[2] * 1000)) ms (bar \(bar)), \(Int(processor[2] * 1000)) ms of CPU, largest so far \(peakMegabytes) MB"
      )
    }
  }

  private static func fill(_ folder: StoreFolder) throws {
    let store = try ResultStore(at: folder, .writing)
    let metrics = [
      "test.acc1", "test.loss", "train.acc1", "train.loss", "train.task", "train.logit", "train.feature",
    ]
    let names = metrics + ["weight.logit.0", "weight.logit.1", "learningRate"]
    let provenance = Provenance(
      version: "0.1.0", commit: "abcdef123456", program: nil, blas: "0.3.21 Haswell", cpu: "benchmark",
      host: "benchmark", profile: "portable")
    let keys = (0..<runs).map { ContentKey(hashing: Array("run \($0)".utf8)) }
    try store.register(
      keys.enumerated().map { index, key in
        StageRecord(
          key: key, kind: "student", title: "run \(index)", spec: #"{"spec":{"seed":\#(index % 5)}}"#)
      })
    let methods = ["baseline", "ca-mkd", "mtkd-rl", "aver-kd"]
    let points = keys.enumerated().map { index, key in
      let (cell, seed) = (index / 5, index % 5 + 1)
      return SweepPoint(
        key: key, seed: seed,
        labels: [
          "resnet8", .string(methods[cell % 4]),
          .number(DecimalNumber(mantissa: Int64(cell / 4), exponent: -1)),
        ])
    }
    try store.saveSweep(
      SweepRecord(
        name: "large", grid: "{}", canonical: "{}", columns: ["student", "method", "alpha"], asked: runs,
        created: 0),
      points: points)
    for (index, key) in keys.enumerated() {
      let records = (0..<epochs).map { epoch in
        let values = names.enumerated().map { place, name in
          (name, 50 + Double((index * 31 + epoch * 7 + place * 13) % 97) / 10)
        }
        return RunRecord.epoch(
          EpochRecord(
            epoch: epoch, step: epoch, metrics: Metrics(Dictionary(values) { $1 }), state: key))
      }
      let all = [RunRecord.started(step: 0, provenance)] + records + [.finished(metrics: Metrics())]
      try store.ingest(
        all.enumerated().map { NumberedRecord($0.offset, $0.element) }, of: AttemptID(key: key, number: 1),
        closing: .finished)
    }
    try store.close()
  }

  /// Wall and processor seconds of one call whose output nobody reads. The latter say more where
  /// other work runs beside it.
  private static func run(_ program: String, _ arguments: [String]) throws -> (
    wall: Double, processor: Double
  ) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    let (start, before) = (Date.now, childSeconds)
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(arguments: arguments, status: process.terminationStatus)
    }
    return (Date.now.timeIntervalSince(start), childSeconds - before)
  }

  private struct Failed: Error {
    let arguments: [String]
    let status: Int32
  }

  /// Of all children that have ended.
  private static var usage: rusage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return usage
  }

  /// Of the largest child that has ended.
  private static var peakMegabytes: Int { usage.ru_maxrss / 1000 }

  private static var childSeconds: Double {
    let (user, system) = (usage.ru_utime, usage.ru_stime)
    return Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) * 1e-6
  }

  private static func say(_ text: String) { print(text) }
}
