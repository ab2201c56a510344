package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// A line that is whole and yet no record.
package struct RecordDamage: Error, Equatable, CustomStringConvertible {
  package let path: String
  /// From 1.
  package let line: Int
  package let problem: String

  package var description: String {
    "\(path):\(line): \(problem). The attempt's records cannot be trusted; remove its folder and run again."
  }
}

/// A record with its place among those of its attempt, from 0.
package struct NumberedRecord: Hashable, Sendable {
  package let sequence: Int
  package let record: RunRecord

  package init(_ sequence: Int, _ record: RunRecord) {
    self.sequence = sequence
    self.record = record
  }
}

/// The worker's side of `records.jsonl`: whole lines, each appended in one call and with the beginning of its
/// own digest as last member `"~"`, so that a number that changed on the disk is not taken for one that was
/// measured.
package final class RecordWriter {
  private let file: Int32
  private let path: String
  /// Whether something was appended that may not survive a loss of power.
  private var isUnsynced = false

  package init(_ path: String) throws(FileError) {
    self.path = path
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FileError("write", path) }
  }

  deinit { close(file) }

  /// - Parameter sync: whether the record has to survive a loss of power: what says that something is
  ///   finished does.
  package func append(_ record: RunRecord, sync: Bool) throws(FileError) {
    let line = RecordSeal.sealed(record.canonicalBytes) + [UInt8(ascii: "\n")]
    try AtomicFile.append(line, to: file, path)
    isUnsynced = true
    if sync { try self.sync() }
  }

  /// Makes all that was appended survive a loss of power.
  package func sync() throws(FileError) {
    guard isUnsynced else { return }
    guard fsync(file) == 0 else { throw FileError("sync", path) }
    isUnsynced = false
  }
}

/// The coordinator's side: reads what has come since the last time. A last line without its end is still
/// being written, or was when its writer died, and is left for later.
package struct RecordReader: Sendable {
  private let path: String
  private var offset = 0
  private var sequence = 0

  package init(_ path: String) { self.path = path }

  /// New records in their order; none where the file is not there yet.
  /// - Throws: `FileError`, `RecordDamage`.
  package mutating func next() throws -> [NumberedRecord] {
    guard AtomicFile.exists(path) else { return [] }
    let bytes = try AtomicFile.read(path, from: offset)
    var records: [NumberedRecord] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      records.append(NumberedRecord(sequence, try record(Array(bytes[start..<end]))))
      sequence += 1
      start = end + 1
    }
    offset += start
    return records
  }

  private func record(_ line: [UInt8]) throws(RecordDamage) -> RunRecord {
    do {
      guard let text = RecordSeal.opened(line) else {
        throw SpecError(path: "~", expected: "the digest of its line")
      }
      return try RunRecord(JSONReader.read(text).value)
    } catch {
      throw RecordDamage(path: path, line: sequence + 1, problem: "\(error)")
    }
  }
}

/// The digest in a line of records.
private enum RecordSeal {
  private static let digits = 8
  private static let opening = Array(",\"~\":\"".utf8)
  private static let closing = Array("\"}".utf8)

  /// - Parameter text: an object in its canonical form.
  static func sealed(_ text: [UInt8]) -> [UInt8] { text.dropLast() + opening + digest(text) + closing }

  /// The object without its seal; nil where the seal is missing or that of something else.
  static func opened(_ line: [UInt8]) -> [UInt8]? {
    let length = opening.count + digits + closing.count
    guard line.count > length else { return nil }
    let text = line.dropLast(length) + [UInt8(ascii: "}")]
    return line.suffix(length).elementsEqual(opening + digest(Array(text)) + closing) ? Array(text) : nil
  }

  private static func digest(_ text: [UInt8]) -> [UInt8] {
    Array(ContentKey(hashing: text).description.utf8.prefix(digits))
  }
}
