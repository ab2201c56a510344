import Specs
import Storage
import TestSupport
import Testing

@Suite struct RecordFileTests {
  private let folder: TemporaryFolder
  private let records: [RunRecord] = [
    .started(step: 0, Examples.provenance),
    .epoch(
      EpochRecord(
        epoch: 0, step: 6,
        metrics: Metrics(["train.loss": 1.25, "test.acc1": 10.0 / 3, "odd \"name\"\n": .nan]),
        state: Examples.key("s0"))),
    .epoch(
      EpochRecord(
        epoch: 1, step: 12, metrics: Metrics(["test.acc1": 20]), state: Examples.key("s1"),
        measured: Metrics(["measured.seconds": 0.25]))),
    .stopped(step: 9),
    .failed(FailureRecord(cause: .diverged, reason: "The loss was not finite.", epoch: 1, step: 7)),
    .failed(FailureRecord(cause: .data, reason: "é")), .finished(metrics: Metrics(["test.acc1": 1e-300])),
  ]

  init() throws { folder = try TemporaryFolder() }

  private func write(_ records: [RunRecord], to name: String = "r") throws {
    let writer = try RecordWriter(folder.path(name))
    for record in records { try writer.append(record, sync: false) }
  }

  /// Bit patterns, so that not-a-number equals itself.
  private func texts(_ records: [RunRecord]) -> [String] {
    records.map { String(decoding: $0.canonicalBytes, as: UTF8.self) }
  }

  @Test func `what a worker writes is what a coordinator reads`() throws {
    try write(records)
    var reader = RecordReader(folder.path("r"))
    let read = try reader.next()
    #expect(texts(read.map(\.record)) == texts(records))
    #expect(read.map(\.sequence) == Array(records.indices))
    guard case .epoch(let epoch) = read[1].record else { return #expect(Bool(false)) }
    #expect(epoch.metrics["test.acc1"] == 10.0 / 3 && epoch.metrics["odd \"name\"\n"]?.isNaN == true)
    #expect(try reader.next().isEmpty)
  }

  @Test func `a file cut at any byte gives the records before the cut, and the rest once it is there`() throws
  {
    try write(records)
    let bytes = try folder.bytes("r")
    let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    for cut in 0...bytes.count {
      try folder.write(Array(bytes.prefix(cut)), to: "cut")
      var reader = RecordReader(folder.path("cut"))
      let before = try reader.next()
      #expect(before.count == ends.count { $0 <= cut }, "cut at \(cut)")
      try folder.write(bytes, to: "cut")
      let after = try reader.next()
      #expect(texts((before + after).map(\.record)) == texts(records), "cut at \(cut)")
      #expect((before + after).map(\.sequence) == Array(records.indices))
    }
  }

  @Test func `a changed digit is damage, wherever it is`() throws {
    try write(Array(records.prefix(2)))
    let bytes = try folder.bytes("r")
    for place in bytes.indices where bytes[place] != UInt8(ascii: "\n") {
      var changed = bytes
      changed[place] ^= 1
      if changed[place] == UInt8(ascii: "\n") { continue }
      try folder.write(changed, to: "changed")
      var reader = RecordReader(folder.path("changed"))
      #expect(throws: RecordDamage.self, "byte \(place)") { try reader.next() }
    }
  }

  @Test func `no file yet is no record yet`() throws {
    var reader = RecordReader(folder.path("later"))
    #expect(try reader.next().isEmpty)
    try write([.stopped(step: 1)], to: "later")
    #expect(try reader.next().count == 1)
  }

  @Test(arguments: [
    "{}", "x", "", "{\"record\":\"other\"}", "{\"record\":\"stopped\"}",
    "{\"record\":\"stopped\",\"step\":1.5}", "\u{0}",
  ])
  func `a whole line that is no record is damage with its line`(_ line: String) throws {
    try write([.stopped(step: 1)])
    try folder.write(try folder.bytes("r") + Array("\(line)\n".utf8), to: "r")
    var reader = RecordReader(folder.path("r"))
    #expect { try reader.next() } throws: { error in
      (error as? RecordDamage).map { $0.line == 2 && $0.description.contains("remove its folder") } == true
    }
  }
}

/// Values that several suites use.
enum Examples {
  static let provenance = Provenance(
    version: "1.2.3", commit: "abc-dirty", program: key("program"), blas: "0.3.21 Haswell", cpu: "a cpu",
    host: "here", profile: "single, 1 thread")

  static func key(_ text: String) -> ContentKey { ContentKey(hashing: Array(text.utf8)) }
}
