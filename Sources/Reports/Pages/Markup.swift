/// Text that is HTML. What is interpolated is escaped, unless it is markup itself, so that no name, grid or log can become a tag.
package struct Markup: Sendable, Equatable, ExpressibleByStringInterpolation {
  package private(set) var text: String

  package init(stringLiteral value: String) { text = value }
  package init(stringInterpolation interpolation: Interpolation) { text = interpolation.text }

  /// - Parameter trusted: HTML that this program wrote, such as a figure.
  package init(trusted: String) { text = trusted }

  package struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    package mutating func appendLiteral(_ literal: String) { text += literal }
    package mutating func appendInterpolation(_ value: String) { Markup.escape(value, into: &text) }
    package mutating func appendInterpolation(_ value: Int) { text += value.description }
    package mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
    package mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.text } }
  }

  package static func += (markup: inout Markup, more: Markup) { markup.text += more.text }

  private static func escape(_ value: String, into text: inout String) {
    // Most texts need nothing.
    guard value.utf8.contains(where: { $0 < 0x40 && isSpecial($0) }) else { return text += value }
    for character in value.unicodeScalars {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      case "\u{0}"..."\u{8}", "\u{b}"..."\u{1f}": text += "\u{fffd}"
      default: text.unicodeScalars.append(character)
      }
    }
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
    case 9, 10: false
    default: byte < 32
    }
  }
}
