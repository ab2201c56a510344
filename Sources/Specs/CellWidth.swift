// How many places of a terminal texts take

extension Character {
  /// Places of a terminal: two for ideographs, kana, Hangul, full-width forms and
  /// pictures, one for all others.
  package var cells: Int {
    guard let scalar = unicodeScalars.first, scalar.value >= 0x1100 else { return 1 }
    return Self.wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// The blocks whose characters Unicode's annex 11 calls wide or full-width.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
    0xf900...0xfaff, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff,
    0x1f900...0x1f9ff, 0x20000...0x3fffd,
  ]
}

extension StringProtocol {
  /// Places of a terminal that a text takes; escape sequences are not for it.
  package var cells: Int {
    utf8.count == count ? count : reduce(0) { $0 + $1.cells }
  }

  /// As many of its first characters as some places hold.
  package func prefix(cells: Int) -> SubSequence {
    var (end, used) = (startIndex, 0)
    while end < endIndex, used + self[end].cells <= cells {
      used += self[end].cells
      end = index(after: end)
    }
    return self[..<end]
  }

  /// As many of its last characters as some places hold.
  package func suffix(cells: Int) -> SubSequence {
    var (start, used) = (endIndex, 0)
    while start > startIndex {
      let before = index(before: start)
      guard used + self[before].cells <= cells else { break }
      used += self[before].cells
      start = before
    }
    return self[start...]
  }
}
