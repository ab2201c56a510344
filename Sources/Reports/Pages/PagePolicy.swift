internal import Foundation
internal import Specs

/// What a browser may do with a page: run our scripts and styles and nothing else, so that no name, grid or
/// log that got into a page by mistake could act there. Scripts and styles are named by their SHA-256, and
/// attributes have neither.
package enum PagePolicy {
  /// The directives, for a header or a `meta` element.
  package static let text: String = {
    let scripts = [PageScript.report, PageScript.live].map { source(framed($0)) }.joined(separator: " ")
    let styles = [sheet, FigureStyle.sheet].map(source).joined(separator: " ")
    return "default-src 'none'; style-src \(styles); script-src \(scripts); img-src data:; connect-src 'self'"
  }()

  /// The style sheet as it stands in its element.
  static let sheet = framed(PageStyle.sheet)

  /// Text as it stands between the tags of an element. Every byte of it counts.
  static func framed(_ text: String) -> String { "\n\(text)\n" }

  private static func source(_ text: String) -> String {
    "'sha256-\(Data(ContentKey(hashing: Array(text.utf8)).digest).base64EncodedString())'"
  }
}
