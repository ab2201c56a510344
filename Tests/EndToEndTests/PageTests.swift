import Foundation
import Specs
import TestSupport
import Testing

/// The HTML report in a real browser.
@Suite struct PageTests {
  @Test(.enabled(if: Available.browser, "Chromium with playwright opens the page"))
  func `the page sorts, filters, opens runs and asks no network`() throws {
    let made = try MadeUpStore(runs: 24, epochs: 6)
    defer { made.remove() }
    let report = try Program.run("report", "--format", "html", "-o", "report.html", in: made.folder)
    #expect(report.status == 0, "\(report.talk)")
    let key = made.keys[3].short
    let script = """
          at = page(accept_downloads=False)
          at.goto("file://" + sys.argv[1] + "/report.html")
          def column(n): return at.eval_on_selector_all(f"#run-table tbody td:nth-child({n})", "cells => cells.map(c => c.textContent.trim())")
          head = at.locator("#run-table thead button")
          names = head.all_text_contents()
          last = names.index("last") + 1
          head.nth(last - 1).click(); print("falling", column(last))
          head.nth(last - 1).click(); print("rising", column(last))
          print("marked", at.locator("#run-table th[aria-sort]").count())
          at.fill("input[type=search]", "MTKD-RL finished")
          print("shown", at.eval_on_selector_all("#run-table tbody tr", "rows => rows.filter(r => !r.hidden).length"))
          at.fill("input[type=search]", "")
          at.click("#run-table a[href='#r-\(key)']")
          print("open", at.eval_on_selector_all("details[open]", "all => all.map(one => one.id)"))
          at.click("#theme"); print("theme", at.evaluate("document.documentElement.dataset.theme"))
          print("grid", repr(at.text_content("#grid-text")))
          for width in (360, 768, 1280):
              other = page(width, 800); other.goto("file://" + sys.argv[1] + "/report.html")
              print("overflow", width, other.evaluate("document.documentElement.scrollWidth") - width)
          at.emulate_media(media="print")
          print("printed", at.is_visible("nav.page"), at.is_visible("#run-table"), len(at.pdf(format="A4")) > 10000)
      """
    let answer = try #require(try Browser.run(script, [made.folder.path]))
    let lines = answer.out.split(separator: "\n").map(String.init)
    #expect(answer.status == 0, "\(answer.out)")
    for word in ["console", "error", "request"] {
      #expect(!lines.contains { $0.hasPrefix(word + " ") }, "\(answer.out)")
    }
    let falling = try #require(lines.first { $0.hasPrefix("falling ") })
    let numbers = falling.matches(of: /\d+\.\d+/).compactMap { Double($0.output) }
    let expected = (0..<22).map { MadeUpStore.accuracy(run: $0, epoch: 5) }.sorted(by: >)
    #expect(numbers.count == 22 && zip(numbers, expected).allSatisfy { abs($0 - $1) < 0.0051 }, "\(falling)")
    #expect(falling.hasSuffix("'–', '–']"), "what is missing comes last: \(falling)")
    let rising = try #require(lines.first { $0.hasPrefix("rising ") })
    #expect(rising.hasSuffix("'–', '–']") && rising.contains("['\(ascending(expected.last!))'"), "\(rising)")
    #expect(lines.contains("marked 1"))
    let finished = (0..<22).count { $0 / 3 % 3 == 2 }
    #expect(lines.contains("shown \(finished)"), "\(answer.out)")
    #expect(lines.contains("open ['r-\(key)']"), "\(answer.out)")
    #expect(lines.contains("theme dark"))
    #expect(
      lines.contains { $0.hasPrefix("grid ") && $0.contains("a grid & its <comment>") }, "\(answer.out)")
    for width in [360, 768, 1280] { #expect(lines.contains("overflow \(width) 0"), "\(answer.out)") }
    #expect(lines.contains("printed False True True"), "\(answer.out)")
  }

  @Test(.enabled(if: Available.browser, "Chromium with playwright opens the page"))
  func
    `curves tell values, switch lines and show their last third, by pointer and by keys, and stand without scripts`()
    throws
  {
    let made = try MadeUpStore(runs: 24, epochs: 12)
    defer { made.remove() }
    let report = try Program.run("report", "--format", "html", "-o", "report.html", in: made.folder)
    #expect(report.status == 0, "\(report.talk)")
    let script = """
          address = "file://" + sys.argv[1] + "/report.html"
          at = page(); at.goto(address)
          figure = at.locator("#curves figure.course")
          said = figure.locator("output.values")
          pick = figure.locator("svg:not([hidden]) .pick").first
          pick.scroll_into_view_if_needed(); pick.hover(); print("hover", said.text_content())
          at.mouse.move(0, 0); print("away", repr(said.text_content()))
          pick.focus(); at.keyboard.press("Home"); print("home", said.text_content())
          at.keyboard.press("ArrowRight"); print("next", said.text_content())
          print("spoken", pick.get_attribute("role"), pick.get_attribute("aria-valuenow"), pick.get_attribute("aria-valuetext") == said.text_content())
          key = figure.locator("svg:not([hidden]) .key").first
          hidden = figure.locator("svg:not([hidden]) g[data-line='0']:not(.key)[hidden]")
          key.focus(); at.keyboard.press("Enter"); print("off", key.get_attribute("aria-pressed"), hidden.count())
          pick.focus(); at.keyboard.press("Home"); print("without", said.text_content())
          key.click(); print("on", key.get_attribute("aria-pressed"), hidden.count())
          button = figure.get_by_role("button", name="Last third of the epochs")
          button.focus(); at.keyboard.press("Enter")
          print("late", figure.locator("svg:not([hidden])").get_attribute("data-first"), button.get_attribute("aria-pressed"))
          cells = at.locator("#curves .charts")
          print("cells", cells.locator("svg:not([hidden])").count(), cells.locator("svg[hidden]").count(), cells.get_by_role("button").count())
          one = cells.locator("figure").first
          one.locator("svg:not([hidden]) .pick").focus(); at.keyboard.press("End"); print("cell", one.locator("output.values").text_content())
          print("ends", at.locator("#curves svg:not([hidden]) text", has_text="diverged in epoch 3").count())
          plain = page(java_script_enabled=False); plain.goto(address)
          drawings = plain.locator("#curves figure.course svg")
          print("plain", [drawings.nth(place).is_visible() for place in range(drawings.count())])
      """
    let answer = try #require(try Browser.run(script, [made.folder.path]))
    let lines = answer.out.split(separator: "\n").map(String.init)
    #expect(answer.status == 0, "\(answer.out)")
    for word in ["console", "error", "request"] {
      #expect(!lines.contains { $0.hasPrefix(word + " ") }, "\(answer.out)")
    }
    // Runs 0 to 2 are the first cell.
    func mean(_ epoch: Int) -> String {
      let values = (0..<3).map { MadeUpStore.accuracy(run: $0, epoch: epoch) }
      return four(values.reduce(0, +) / 3)
    }
    func has(_ start: String) -> Bool { lines.contains { $0.hasPrefix(start) } }
    #expect(has("hover epoch 6: ") || has("hover epoch 7: "), "\(answer.out)")
    #expect(has("away ''"), "\(answer.out)")
    #expect(has("home epoch 1: baseline alpha=0 \(mean(0)), aver-kd"), "\(answer.out)")
    #expect(has("next epoch 2: baseline alpha=0 \(mean(1)), aver-kd"), "\(answer.out)")
    #expect(has("spoken slider 2 True"), "\(answer.out)")
    #expect(has("off false 1") && has("on true 0"), "\(answer.out)")
    #expect(has("without epoch 1: aver-kd"), "\(answer.out)")
    #expect(has("late 9 true"), "\(answer.out)")
    #expect(has("cells 8 8 1"), "\(answer.out)")
    #expect(has("cell epoch 12: ") && lines.contains { $0.hasSuffix("mean \(mean(11))") }, "\(answer.out)")
    #expect(has("ends 1") && has("plain [True, False]"), "\(answer.out)")
  }

  /// Four digits, without zeros at the end.
  private func four(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  private func ascending(_ value: Double) -> String { String(format: "%.2f", value) }

  @Test(.enabled(if: Available.browser, "Chromium with playwright opens the page"))
  func `a run costs a page less than 5 kB, and a page says the same twice`() throws {
    let made = try MadeUpStore(runs: 240, epochs: 40)
    defer { made.remove() }
    for name in ["one.html", "two.html"] {
      let report = try Program.run("report", "--format", "html", "-o", name, in: made.folder)
      #expect(report.status == 0, "\(report.talk)")
    }
    let (one, two) = (
      try Data(contentsOf: made.folder.appending(path: "one.html")),
      try Data(contentsOf: made.folder.appending(path: "two.html"))
    )
    #expect(one == two)
    // What comes with any page is counted too.
    #expect(one.count < 240 * 5000 && one.count > 240 * 500, "\(one.count) bytes")
    let script = """
          at = page()
          at.goto("file://" + sys.argv[1] + "/one.html")
          times = at.evaluate("(() => { const n = performance.getEntriesByType('navigation')[0]; return n.loadEventEnd - n.startTime })()")
          print("opened in", times)
          at.locator("#run-table tbody tr >> nth=239").wait_for(state="attached")
          print("rows", at.locator("#run-table tbody tr").count())
          print("folded", at.locator("details.run").count())
          at.evaluate("location.hash = 'r-\(made.keys[230].short)'")
          at.locator("#r-\(made.keys[230].short)[open]").wait_for()
          print("unfolded", at.locator("details.run").count())
      """
    let answer = try #require(try Browser.run(script, [made.folder.path]))
    #expect(answer.out.contains("rows 240"), "\(answer.out)")
    #expect(answer.out.contains("folded 0") && answer.out.contains("unfolded 40"), "\(answer.out)")
    #expect(!answer.out.contains("error"), "\(answer.out)")
  }
}
