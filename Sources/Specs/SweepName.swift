/// What a sweep may be called: its name stands in tables, in commands and as the name of a file.
package enum SweepName {
  /// A part of a sentence.
  package static let rule =
    "a name of a-z, 0-9 and . _ -, 63 characters at most, that begins with a letter or digit"

  package static func isValid(_ name: String) -> Bool {
    func isLetterOrDigit(_ byte: UInt8) -> Bool {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }
    let bytes = name.utf8
    guard (1...63).contains(bytes.count), isLetterOrDigit(bytes.first!) else { return false }
    return bytes.allSatisfy { isLetterOrDigit($0) || ".-_".utf8.contains($0) }
  }
}
