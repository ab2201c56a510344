package import Foundation

/// A real Chromium, driven by playwright from Python.
package enum Browser {
  /// `MTKD_CHROMIUM`, else the system's.
  private static let chromium = ProcessInfo.processInfo.environment["MTKD_CHROMIUM"] ?? "/usr/bin/chromium"

  /// Whether Chromium and playwright are there.
  package static let isHere =
    FileManager.default.isExecutableFile(atPath: chromium)
    && Python.interpreter(with: ["playwright"]) != nil

  /// Runs a script in which `page(width, height, **options)` gives a page of its own. What the pages'
  /// consoles say beyond debugging, what they throw and what they ask of a network is printed as lines that
  /// begin with `console`, `error` and `request`.
  ///
  /// - Returns: nil where Chromium or playwright is not there.
  package static func run(_ script: String, _ arguments: [String], in folder: URL? = nil) throws -> (
    status: Int32, out: String
  )? {
    guard FileManager.default.isExecutableFile(atPath: chromium),
      let python = Python.interpreter(with: ["playwright"])
    else { return nil }
    return try Python.run(python, ["-c", opening + script + closing] + arguments, in: folder)
  }

  /// Whether axe-core is there besides.
  package static let hasAxe =
    isHere && Python.interpreter(with: ["playwright", "axe_playwright_python"]) != nil

  /// Looks at pages with axe-core, in light and dark, on a desk and on a phone.
  ///
  /// - Returns: how many looks there were, and what was found: violations, and pages that are
  ///   wider than their window.
  package static func axe(_ addresses: [String]) throws -> (looks: Int, found: [String]) {
    guard let answer = try run(axe, addresses) else { return (0, []) }
    let lines = answer.out.split(separator: "\n").map(String.init)
    let looks = lines.count { $0.hasPrefix("looked ") }
    // The console tells of pages that are not there, which is what some are looked at for.
    let found = lines.filter { line in ["found ", "wide ", "error "].contains { line.hasPrefix($0) } }
    return (looks, found)
  }

  private static let axe = """
        import pathlib, axe_playwright_python
        axe = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
        for address in sys.argv[1:]:
            for scheme in ("light", "dark"):
                for width in (1280, 390):
                    at = page(width, 844, color_scheme=scheme, bypass_csp=True)
                    at.goto(address); at.wait_for_timeout(800); at.evaluate(axe)
                    found = at.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
                    wide = at.evaluate("document.documentElement.scrollWidth - innerWidth")
                    print("looked", address, scheme, width)
                    if wide > 0: print("wide", address, width, wide)
                    for one in found: print("found", address, scheme, width, one["id"], [n["target"] for n in one["nodes"]])
    """

  private static let opening = """
    import sys
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="\(chromium)", args=["--no-sandbox"])
        def page(width=1280, height=800, **options):
            made = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
            made.on("console", lambda message: print("console", message.type, message.text)
                    if message.type in ("error", "warning") else None)
            made.on("pageerror", lambda error: print("error", error))
            made.on("request", lambda request: print("request", request.url)
                    if not request.url.startswith(("file:", "data:", "http://127.0.0.1")) else None)
            return made

    """

  private static let closing = """

        browser.close()
    """
}
