import Foundation
import GRDB
import Specs

/// A value in a table that this program would not have written there.
struct RowDamage: Error, Equatable, CustomStringConvertible {
  let table: String
  /// What tells the row from others, such as `stage = 3, epoch = 7`.
  let row: String
  let problem: String

  /// A part of a sentence, without a full stop.
  var description: String { "table \(table), row \(row): \(problem)" }
}

/// One row of a query, whose values are compared with what their columns may hold before anybody computes
/// with them.
///
/// GRDB's own subscripts end the program where a value has another type, and a file may come from anywhere:
/// every column is read here.
struct StoredRow {
  /// Counts of records, runs, bytes; seconds since 1970.
  static let counts = 0...(1 << 50)
  /// -1 stands for a whole stage.
  static let epochs = -1...1_000_000_000
  static let attempts = 1...1_000_000_000
  /// Bytes of what is compressed.
  static let sizes = 0...Zstd.limit

  let table: String
  let row: Row

  init(_ table: String, _ row: Row) {
    self.table = table
    self.row = row
  }

  func integer(_ column: String, in range: ClosedRange<Int> = counts) throws(RowDamage) -> Int {
    guard let value = try optionalInteger(column, in: range) else {
      throw damage(column, "an integer", .null)
    }
    return value
  }

  func optionalInteger(_ column: String, in range: ClosedRange<Int> = counts) throws(RowDamage) -> Int? {
    let value = value(column)
    switch value.storage {
    case .null: return nil
    case .int64(let number) where range.contains(Int(number)): return Int(number)
    case .int64:
      throw damage(column, "an integer from \(range.lowerBound) to \(range.upperBound)", value)
    default: throw damage(column, "an integer", value)
    }
  }

  func text(_ column: String) throws(RowDamage) -> String {
    guard let value = try optionalText(column) else { throw damage(column, "a text", .null) }
    return value
  }

  func optionalText(_ column: String) throws(RowDamage) -> String? {
    let value = value(column)
    switch value.storage {
    case .null: return nil
    case .string(let text): return text
    default: throw damage(column, "a text", value)
    }
  }

  func bytes(_ column: String) throws(RowDamage) -> Data {
    let value = value(column)
    guard case .blob(let bytes) = value.storage else { throw damage(column, "bytes", value) }
    return bytes
  }

  /// A digest of 32 bytes.
  func key(_ column: String) throws(RowDamage) -> ContentKey {
    guard let key = try optionalKey(column) else { throw damage(column, "a digest of 32 bytes", .null) }
    return key
  }

  func optionalKey(_ column: String) throws(RowDamage) -> ContentKey? {
    let value = value(column)
    switch value.storage {
    case .null: return nil
    case .blob(let bytes):
      guard let key = ContentKey(digest: bytes) else { throw damage(column, "a digest of 32 bytes", value) }
      return key
    default: throw damage(column, "a digest of 32 bytes", value)
    }
  }

  /// Not a number for NULL, which stands for whatever is not finite.
  func number(_ column: String) throws(RowDamage) -> Double {
    let value = value(column)
    switch value.storage {
    case .null: return .nan
    case .double(let number): return number
    case .int64(let number): return Double(number)
    default: throw damage(column, "a number", value)
    }
  }

  func flag(_ column: String) throws(RowDamage) -> Bool { try integer(column, in: 0...1) == 1 }

  /// A word of a list.
  func word<Word: RawRepresentable>(_ column: String, _ expected: String) throws(RowDamage) -> Word
  where Word.RawValue == String {
    let text = try text(column)
    guard let word = Word(rawValue: text) else { throw damage(column, expected, text.databaseValue) }
    return word
  }

  private func value(_ column: String) -> DatabaseValue { row[column] }

  func damage(_ column: String, _ expected: String, _ found: DatabaseValue) -> RowDamage {
    RowDamage(
      table: table, row: name,
      problem: "column \(column) holds \(Self.words(found)) where \(expected) should be")
  }

  /// What tells the row from others, as far as the query has it.
  private var name: String {
    let names = ["key", "name", "topic", "stage", "number", "ordinal", "epoch", "kind", "at", "id"]
    let parts = names.filter { row.hasColumn($0) }.prefix(3).map { "\($0) = \(Self.words(value($0)))" }
    return parts.isEmpty ? "unknown" : parts.joined(separator: ", ")
  }

  private static func words(_ value: DatabaseValue) -> String {
    switch value.storage {
    case .null: "nothing"
    case .int64(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): "'\(text.prefix(40))'"
    case .blob(let bytes): ContentKey(digest: bytes)?.short ?? "\(bytes.count) bytes"
    }
  }
}

extension StoredRow {
  /// The rows of a query, each checked as it is read.
  static func each(
    _ table: String, _ rows: RowCursor, _ body: (StoredRow) throws -> Void
  ) throws {
    while let row = try rows.next() { try body(StoredRow(table, row)) }
  }
}
