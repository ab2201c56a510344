import Foundation
import Specs
import Testing

@testable import Reports

/// What of accessibility can be read from the style and the markup of pages.
@Suite struct PageStyleTests {
  /// Colours of a scope of the style sheet, by their names.
  private static func colours(_ scope: String) throws -> [String: String] {
    let start = try #require(PageStyle.sheet.range(of: scope), "\(scope)")
    let block = PageStyle.sheet[start.upperBound...].prefix { $0 != "}" }
    return Dictionary(
      block.matches(of: /--([a-z]+):(#[0-9a-f]{3,6})[;}]?/).map { (String($0.1), String($0.2)) }
    ) { $1 }
  }

  private static func luminance(_ colour: String) throws -> Double {
    let digits =
      colour.dropFirst().count == 3
      ? colour.dropFirst().map { "\($0)\($0)" }.joined() : String(colour.dropFirst())
    let value = try #require(Int(digits, radix: 16))
    let parts = [value >> 16, value >> 8 & 255, value & 255].map { Double($0) / 255 }
    let linear = parts.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }

  @Test(arguments: [
    ":root{", ":root:not([data-theme=light]){", ":root[data-theme=dark]{", ":root,:root[data-theme]{",
  ])
  func `every colour of text stands out from every ground, 4.5 to 1`(_ scope: String) throws {
    let colours = try Self.colours(scope)
    for name in ["ink", "soft", "accent", "good", "bad", "warn", "idle"] {
      // Paper keeps the accent of the light theme, and so on: what a scope does not
      // name is of the one before.
      let text = try #require(colours[name], "\(scope) \(name)")
      for ground in ["paper", "card", "wash", "code"] {
        let below = try #require(colours[ground], "\(scope) \(ground)")
        let (a, b) = (try Self.luminance(text), try Self.luminance(below))
        let contrast = (max(a, b) + 0.05) / (min(a, b) + 0.05)
        #expect(contrast >= 4.5, "\(scope) \(name) \(text) on \(ground) \(below): \(contrast)")
      }
    }
  }

  @Test func `settings break behind their signs before words break inside`() {
    #expect(Markup.breakable("mtkd-rl a=1,b=2").text == "mtkd-rl a=<wbr>1,<wbr>b=<wbr>2")
    #expect(Markup.breakable("<b>&").text == "&lt;b&gt;&amp;")
    let page = TableSections.main(ReportTable(MadeUp.results())).text
    #expect(page.contains("<th scope=row class=text>mtkd-rl alpha=<wbr>0.5</th>"), "\(page)")
    let anywhere = PageStyle.sheet.matches(of: /([^{}]*)\{[^{}]*overflow-wrap:anywhere/).map { String($0.1) }
    // Keys, values of a list and logs have no better place.
    #expect(
      anywhere.allSatisfy {
        $0.contains(".mono") || $0.contains("dd") || $0.contains("pre.log") || $0.contains("td.text")
          || $0.contains(".settings td")
      }, "\(anywhere)")
  }

  @Test func `whatever scrolls can be reached by the keyboard`() {
    let page =
      TableSections.main(ReportTable(MadeUp.results())).text
      + TableSections.cells(ReportTable(MadeUp.results())).text
    for part in page.matches(of: /<(div class="?scroll[^>]*|pre[^>]*)>/) {
      #expect(part.1.contains("tabindex=0"), "\(part.1)")
    }
    #expect(page.contains("class=scroll"))
  }

  @Test func `a chosen theme is kept for the next page`() {
    #expect(PageScript.report.contains(#"localStorage.setItem("mtkd-sweep-theme""#))
  }
}
