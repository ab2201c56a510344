/// Text that somebody else wrote (names of files and classes, labels, reasons, lines of a log), made safe for
/// the output that shows it. Ordinary text stays as it is, in any script.
///
/// What an output could obey, rather than show, becomes visible in the notation of JSON: `\u001b` for an
/// escape, `\n` for a line feed, `\u202e` for a mark that turns the direction of reading. So JSON that is
/// printed stays the same JSON.
package enum ForeignText {
  package enum Output: CaseIterable, Sendable {
    /// A terminal: one line.
    case line
    /// Text of one cell of a Markdown table.
    case markdown
    /// A line of Markdown outside of tables.
    case markdownLine
    /// Text and values of attributes in HTML and SVG; line feeds and tabs stay.
    case html
    /// Text that any engine sets as it stands; a character that no font of the basic set has
    /// becomes a question mark.
    case latex
    /// One field, quoted where it has to be. No spreadsheet takes it for a formula.
    case csv
  }

  /// Characters of a name, a reason or a cell that are shown at most.
  package static let longest = 1000

  /// A text as an output may show it.
  package static func safe(_ text: String, for output: Output) -> String {
    switch output {
    case .line: isPlain(text, keeping: []) ? text : visible(text, keeping: [])
    case .markdown: markdown(safe(text, for: .line), inTable: true)
    case .markdownLine: markdown(safe(text, for: .line), inTable: false)
    case .html: html(text)
    case .latex: latex(text)
    case .csv: field(safe(text, for: .line))
    }
  }

  /// One line of so many characters at most; what is left out is counted.
  package static func line(_ text: String, most: Int = longest) -> String {
    safe(bounded(text, most: most), for: .line)
  }

  /// The beginning of a text that is too long, with the number of the characters that are missing.
  package static func bounded(_ text: String, most: Int = longest) -> String {
    // As many bytes are no fewer characters: most texts are not counted.
    if text.utf8.count <= most { return text }
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: most, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return text }
    return
      "\(String(scalars[..<end])) … (\(scalars.distance(from: end, to: scalars.endIndex)) more characters)"
  }

  /// The bytes of a log without the sequences that colour it or move a cursor: they are not what it says.
  package static func withoutColours(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(0x1b) else { return bytes }
    var (result, place): ([UInt8], Int) = ([], 0)
    while place < bytes.count {
      guard bytes[place] == 0x1b, place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "[") else {
        result.append(bytes[place])
        place += 1
        continue
      }
      place += 2
      while place < bytes.count, (0x20..<0x40).contains(bytes[place]) { place += 1 }
      if place < bytes.count, (0x40..<0x7f).contains(bytes[place]) { place += 1 }
    }
    return result
  }

  /// Whole output for people: its lines, tabs and the marks of bold, dim and coloured text stay.
  package static func screen(_ text: String) -> String {
    isPlain(text, keeping: ["\n", "\t"]) ? text : visible(text, keeping: ["\n", "\t"], marks: marks)
  }

  /// What `TextStyle` puts around words.
  private static let marks =
    ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m"] + [31, 32, 33, 36].map { "\u{1b}[0;\($0)m" }

  /// Whether no byte of a text can belong to anything that needs a look.
  private static func isPlain(_ text: String, keeping kept: Set<Unicode.Scalar>) -> Bool {
    !text.utf8.contains { byte in
      // The first bytes of U+0080 to U+00BF, U+061C, and U+2000 to U+2FFF.
      byte < 32 ? !kept.contains(Unicode.Scalar(byte)) : [0x7f, 0xc2, 0xd8, 0xe2].contains(byte)
    }
  }

  private static func visible(
    _ text: String, keeping kept: Set<Unicode.Scalar>, marks: [String] = []
  ) -> String {
    var result = String.UnicodeScalarView()
    var rest = Substring(text).unicodeScalars
    while let scalar = rest.first {
      if scalar == "\u{1b}", let mark = marks.first(where: { rest.starts(with: $0.unicodeScalars) }) {
        result.append(contentsOf: mark.unicodeScalars)
        rest.removeFirst(mark.unicodeScalars.count)
        continue
      }
      rest.removeFirst()
      if kept.contains(scalar) || !isActive(scalar) {
        result.append(scalar)
      } else if scalar == "\r", rest.first == "\n", kept.contains("\n") {
        continue
      } else {
        result.append(contentsOf: notation(scalar).unicodeScalars)
      }
    }
    return String(result)
  }

  /// Whether a terminal or an editor would obey a character: controls, ends of lines, and marks of direction.
  private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f: true
    case 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  private static func notation(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }
}

// MARK: Formats

extension ForeignText {
  /// A backslash before what would begin a tag, a link, another cell or emphasis by asterisks, with which
  /// short names of networks end; underlines stay.
  private static func markdown(_ text: String, inTable: Bool) -> String {
    guard text.utf8.contains(where: { "|<(\\*".utf8.contains($0) }) else { return text }
    var result = ""
    let scalars = Array(text.unicodeScalars)
    for (place, scalar) in scalars.enumerated() {
      let next = place + 1 < scalars.count ? scalars[place + 1] : " "
      let last = place > 0 ? scalars[place - 1] : " "
      let isTag = next.properties.isAlphabetic || "/!?".unicodeScalars.contains(next)
      switch scalar {
      case "*": result += "\\"
      case "|" where inTable, "<" where isTag, "(" where last == "]": result += "\\"
      case "\\" where "|<(*".unicodeScalars.contains(next): result += "\\"
      default: break
      }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  private static func html(_ text: String) -> String {
    // Most texts need nothing.
    guard text.utf8.contains(where: isSpecial) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      // No part of HTML or XML.
      case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(isActive(scalar) ? "\u{fffd}" : scalar)
      }
    }
    return result
  }

  /// Whether a byte may belong to what HTML does not take as it is.
  private static func isSpecial(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
    case 9, 10: false
    case 0x7f, 0xc2, 0xd8, 0xe2, 0xef: true
    default: byte < 32
    }
  }

  private static func latex(_ text: String) -> String {
    text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\\": "\\textbackslash{}"
      case "{", "}", "$", "&", "#", "%", "_": "\\\(scalar)"
      case "~": "\\textasciitilde{}"
      case "^": "\\textasciicircum{}"
      case "<": "\\textless{}"
      case ">": "\\textgreater{}"
      case "|": "\\textbar{}"
      case "[": "{[}"
      case "]": "{]}"
      case "±": "$\\pm$"
      case "−": "$-$"
      case "≈": "$\\approx$"
      case "×": "$\\times$"
      case "→": "$\\rightarrow$"
      case "α": "$\\alpha$"
      case "β": "$\\beta$"
      case "≤": "$\\leq$"
      case "≥": "$\\geq$"
      case "–": "--"
      case "—": "---"
      case "…": "\\ldots{}"
      case "‘": "`"
      case "’": "'"
      case "“": "``"
      case "”": "''"
      case "\n", "\t": " "
      case " "..."~": String(scalar)
      case "«": "$\\ll$"
      case "»": "$\\gg$"
      // The original encoding of TeX's fonts has no such letters, and stops at them.
      case "Ð", "ð", "Þ", "þ": "?"
      case "\u{a1}"..."\u{ff}": String(scalar)
      default: "?"
      }
    }.joined()
  }

  private static func field(_ text: String) -> String {
    let field = isFormula(text) ? "'\(text)" : text
    return field.contains { ",\"".contains($0) } ? "\"\(field.replacing("\"", with: "\"\""))\"" : field
  }

  /// Whether a spreadsheet would compute a field: one that begins with `=`, `+`, `-` or `@` and
  /// holds more than numbers.
  private static func isFormula(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, "=+-@".unicodeScalars.contains(first) else { return false }
    if text == "-" { return false }
    return !text.split(separator: " ").allSatisfy { word in
      ["to", "±", "+/-"].contains(word)
        || Double(word.trimmingPrefix("[").prefix { $0 != "]" && $0 != "%" }) != nil
    }
  }
}
