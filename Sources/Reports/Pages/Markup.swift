internal import Specs

/// Text that is HTML. What is interpolated is escaped, unless it is markup itself, so that no name, grid
/// or log can become a tag.
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
    package mutating func appendInterpolation(_ value: String) {
      text += ForeignText.safe(value, for: .html)
    }
    package mutating func appendInterpolation(_ value: Int) { text += value.description }
    package mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
    package mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.text } }
  }

  /// A text that may break behind `=`, `,` and `+` as well as at spaces, before any word of it breaks inside.
  package static func breakable(_ text: String) -> Markup {
    let escaped = ForeignText.safe(text, for: .html)
    guard escaped.utf8.contains(where: { "=,+".utf8.contains($0) }) else { return Markup(trusted: escaped) }
    return Markup(
      trusted: escaped.reduce(into: "") { $0 += "=,+".contains($1) ? "\($1)<wbr>" : String($1) })
  }

  /// Markup with something between its parts.
  package static func joined(_ parts: [Markup], _ separator: Markup) -> Markup {
    Markup(trusted: parts.map(\.text).joined(separator: separator.text))
  }

  package static func += (markup: inout Markup, more: Markup) { markup.text += more.text }
}
