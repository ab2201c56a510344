internal import Specs

/// Event files as TensorBoard reads them: a folder a run, a scalar for each metric.
///
/// - Source: the record framing and message fields of TensorBoard 2.21, in the `simple_value` form,
///   which every version reads.
package struct TensorBoardEvents: ExportFormat {
  package static let name = "tensorboard"
  package static let summary = """
    A folder with one event file a run, for `tensorboard --logdir DIR`. The metric test.loss is the scalar test/loss; the step is the \
    number of finished epochs; a number of the whole run stands at its last epoch. Times are those of the last `run` plus a second an epoch: \
    the store keeps no clock. The page HPARAMS has the labels and settings of every run.
    """
  package static let isFolder = true
  private let sweep: ExportedSweep

  package init(_ sweep: ExportedSweep) { self.sweep = sweep }

  package func head() -> [ExportedFile] { [] }

  package func pieces(of run: RunAccount) -> [ExportedFile] {
    guard !run.epochs.isEmpty else { return [] }
    var bytes: [UInt8] = []
    Self.record(Self.event(time: sweep.time) { $0.text(3, "brain.Event:2") }, to: &bytes)
    func add(_ summary: WireMessage, after seconds: Int) {
      Self.record(Self.event(time: sweep.time + seconds) { $0.message(5, summary) }, to: &bytes)
    }
    let epochs = run.epochs.last!.epoch + 1
    add(HyperParameters.start(run, columns: sweep.columns, time: sweep.time), after: 0)
    func add(_ metrics: Metrics, _ epoch: Int) {
      guard !metrics.values.isEmpty else { return }
      let summary = Self.summary(of: metrics)
      let event = Self.event(time: sweep.time + epoch) { message in
        message.integer(2, epoch)
        message.message(5, summary)
      }
      Self.record(event, to: &bytes)
    }
    for epoch in run.epochs { add(RunAccount.numbers(of: epoch), epoch.epoch + 1) }
    add(run.exportedTotals, epochs)
    add(HyperParameters.end(run, time: sweep.time + epochs), after: epochs)
    let file = "events.out.tfevents.\(sweep.time).mtkd-sweep.0.\(run.key.short)"
    return [ExportedFile(path: "\(Self.folder(of: run))/\(file)", bytes: bytes)]
  }

  /// The run's title as a file name, with the beginning of its key, which makes it the only one of its name.
  static func folder(of run: RunAccount) -> String {
    let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.=+-_")
    let name = run.title.map { allowed.contains($0) ? $0 : "_" }.prefix(120)
    return "\(String(name)).\(run.key.short)"
  }

  private static func event(time: Int, _ rest: (inout WireMessage) -> Void) -> WireMessage {
    var event = WireMessage()
    event.double(1, Double(time))
    rest(&event)
    return event
  }

  private static func summary(of metrics: Metrics) -> WireMessage {
    var summary = WireMessage()
    for metric in metrics.values {
      var value = WireMessage()
      let dot = metric.name.firstIndex(of: ".")
      let tag =
        dot.map { "\(metric.name[..<$0])/\(metric.name[metric.name.index(after: $0)...])" } ?? metric.name
      value.text(1, tag)
      value.float(2, Float(metric.value))
      summary.message(1, value)
    }
    return summary
  }

  /// Length, its checksum, the bytes, their checksum.
  static func record(_ message: WireMessage, to bytes: inout [UInt8]) {
    var length: [UInt8] = []
    withUnsafeBytes(of: UInt64(message.bytes.count).littleEndian) { length.append(contentsOf: $0) }
    bytes += length
    withUnsafeBytes(of: CRC32C.masked(length).littleEndian) { bytes.append(contentsOf: $0) }
    bytes += message.bytes
    withUnsafeBytes(of: CRC32C.masked(message.bytes).littleEndian) { bytes.append(contentsOf: $0) }
  }
}

/// A protobuf message as it travels: fields in the order in which they are added.
struct WireMessage {
  private(set) var bytes: [UInt8] = []

  mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func double(_ field: Int, _ value: Double) {
    varint(UInt64(field) << 3 | 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func text(_ field: Int, _ value: String) { block(field, Array(value.utf8)) }
  mutating func message(_ field: Int, _ value: WireMessage) { block(field, value.bytes) }

  private mutating func block(_ field: Int, _ content: [UInt8]) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(content.count))
    bytes += content
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 128 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// The checksum of Castagnoli, reflected, as record files use it.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
  }

  static func of(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
  }

  /// Rotated and shifted by a constant, so that a checksum of data that hold checksums is no special case.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let crc = of(bytes)
    return (crc >> 15 | crc << 17) &+ 0xa282_ead8
  }
}
