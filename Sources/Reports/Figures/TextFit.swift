/// How wide texts are about, and what is done about those that are too wide.
///
/// Whoever shows a figure chooses the font, so widths are estimated by kinds of characters, after DejaVu
/// Sans, the widest of those that the style sheet names.
enum TextFit {
  /// Pixels of a text in a style of `FigureStyle.sheet`.
  static func width(_ text: some StringProtocol, _ style: String = "label") -> Double {
    text.reduce(0) { $0 + share($1) } * size(style)
  }

  /// Pixels of a letter M, nearly; titles are bold.
  private static func size(_ style: String) -> Double {
    let words = style.split(separator: " ")
    if words.contains("title") { return 15 * 1.14 }
    if words.contains("note") { return 11 }
    return words.contains("small") ? 10.5 : 12
  }

  private static let narrow = Set("iljtfrI.,:;'|!()[]/- \u{a0}\\\"·*")
  private static let wide = Set("mwMWQ@%=+±<>~×…−—≥≤#&")

  /// Of the font's size.
  private static func share(_ character: Character) -> Double {
    if narrow.contains(character) { return 0.4 }
    if wide.contains(character) { return 0.92 }
    guard let scalar = character.unicodeScalars.first, scalar.value < 0x1100 else { return 1.05 }
    return character.isUppercase ? 0.72 : 0.635
  }

  /// What does not fit loses the middle of its longest word, again and again: names often differ in a short
  /// one, and words at their ends.
  static func shortened(_ text: String, _ style: String = "label", to room: Double) -> String {
    if width(text, style) <= room { return text }
    var words = text.split(separator: " ", omittingEmptySubsequences: false).map { Word($0) }
    while true {
      let candidates = words.indices.filter { words[$0].kept > Word.least }
      guard let longest = candidates.max(by: { width(words[$0].shown) < width(words[$1].shown) }) else {
        break
      }
      words[longest].kept -= 1
      let shown = words.map(\.shown).joined(separator: " ")
      if width(shown, style) <= room { return shown }
    }
    // Too many words for that: the middle of the whole.
    var whole = Word(text[...])
    while whole.kept > 1, width(whole.shown, style) > room { whole.kept -= 1 }
    return width(whole.shown, style) <= room ? whole.shown : "…"
  }

  private struct Word {
    static let least = 4
    private let characters: [Character]
    /// Of its characters.
    var kept: Int

    init(_ text: Substring) {
      characters = Array(text)
      kept = characters.count
    }

    /// Two thirds of what is left are its end.
    var shown: String {
      if kept == characters.count { return String(characters) }
      let first = max(1, kept / 3)
      return "\(String(characters[..<first]))…\(String(characters[(characters.count - kept + first)...]))"
    }
  }

  /// A sentence in lines, each as full as words let it be.
  static func lines(_ text: String, _ style: String, to room: Double) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, width("\(last) \(word)", style) <= room {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(shortened(String(word), style, to: room))
      }
    }
    return lines
  }
}
