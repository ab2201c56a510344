import Foundation
import Specs
import Storage
import TestSupport
import Testing

/// What the pages of `serve` say, by their text.
@Suite struct DashboardTests {
  private static func body(_ answer: String) -> String {
    answer.split(separator: "\r\n\r\n", maxSplits: 1).last.map(String.init) ?? ""
  }

  @Test func `what is not there is said in the dress of the other pages, with a way back`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 2)
    defer { made.remove() }
    let server = try ServeTests.Server(in: made.folder)
    for (path, words) in [
      ("/x", "There is no such page."), ("/sweeps/nobody", "nobody"),
      ("/runs/ffffffffffff0000", "ffffffffffff0000"),
    ] {
      let answer = server.get(path)
      #expect(
        answer.hasPrefix("HTTP/1.1 404") && answer.contains("Content-Type: text/html"),
        "\(answer.prefix(200))")
      #expect(
        answer.contains("<h1>Not found</h1>") && answer.contains(words) && answer.contains("href=\"/\""))
      #expect(answer.contains("<main class=wrap>") && answer.contains("<html lang=en>"))
    }
  }

  @Test
  func `the first page has the newest sweep first, with its best cell, its failures and its last change`()
    throws
  {
    let made = try MadeUpStore(runs: 24, epochs: 2, name: "older")
    defer { made.remove() }
    _ = try MadeUpStore(runs: 6, epochs: 2, name: "newer", in: made.folder)
    // The older sweep was planned first; a result of the newer one lies in the store's folder.
    let place = StoreFolder(made.folder.appending(path: "results").path)
    let key = ContentKey(hashing: Array("newer run 0".utf8))
    try place.stage(key).create(spec: Array("{}".utf8))
    let server = try ServeTests.Server(in: made.folder)
    for path in ["/", "/parts/sweeps"] {
      let page = Self.body(server.get(path))
      let (newer, older) = (page.range(of: "/sweeps/newer"), page.range(of: "/sweeps/older"))
      #expect(try #require(newer).lowerBound < #require(older).lowerBound, "\(page)")
      #expect(page.contains("22 of 24 runs finished, 1 without a result, last change 2023-11-14"), "\(page)")
      #expect(page.contains("<p class=best>Best: "), "\(page)")
    }
  }

  @Test func `a sweep's page says how it stands, what failed and why, and gives its table as a file`() throws
  {
    let made = try MadeUpStore(runs: 24, epochs: 3, waiting: 2)
    defer { made.remove() }
    let server = try ServeTests.Server(in: made.folder)
    let page = Self.body(server.get("/sweeps/made-up"))
    #expect(page.contains("Nobody is running it: 23 of 26 runs are over."), "\(page.prefix(4000))")
    let diverged = made.keys[22]
    let failure =
      "<span class=\"tag diverged\">1 diverged</span> The loss is not finite at step 25. <a class=mono href=\"/runs/\(diverged)\">"
    #expect(
      page.contains(failure) && Self.body(server.get("/sweeps/made-up/state")).contains(failure), "\(page)")
    #expect(page.contains("href=\"/sweeps/made-up/report.csv\""))
    let table = server.get("/sweeps/made-up/report.csv")
    #expect(table.contains("Content-Type: text/csv") && table.contains("filename=\"made-up.csv\""))
    #expect(Self.body(table).contains("mtkd-rl"), "\(table)")
  }

  @Test func `picked runs are drawn over each other, as many as can be told apart`() throws {
    let made = try MadeUpStore(runs: 30, epochs: 4)
    defer { made.remove() }
    let server = try ServeTests.Server(in: made.folder)
    let list = Self.body(server.get("/sweeps/made-up/runs"))
    #expect(list.contains("<input type=checkbox data-pick value=\"\(made.keys[0])\""), "\(list.prefix(1500))")
    #expect(Self.body(server.get("/sweeps/made-up/overlay")).contains("Tick up to 8 runs"))
    func lines(_ keys: ArraySlice<ContentKey>) -> (count: Int, text: String) {
      let part = Self.body(
        server.get("/sweeps/made-up/overlay?runs=\(keys.map(\.description).joined(separator: ","))"))
      return (part.matches(of: /<path class="line c\d"/).count, part)
    }
    let two = lines(made.keys[0..<2])
    #expect(two.count == 2 && two.text.contains("baseline alpha=0 seed 1"), "\(two.text)")
    let many = lines(made.keys[0..<12])
    #expect(many.count == 8 && many.text.contains("The first 8 of 12 picked ones."), "\(many.text)")
  }

  @Test func `curves say where a run diverged`() throws {
    let made = try MadeUpStore(runs: 24, epochs: 12)
    defer { made.remove() }
    let server = try ServeTests.Server(in: made.folder)
    let diverged = made.keys[22]
    for place in ["/runs/\(diverged)", "/sweeps/made-up/curves", "/sweeps/made-up/overlay?runs=\(diverged)"] {
      let part = Self.body(server.get(place))
      #expect(part.contains(">diverged in epoch 3</text>"), "\(place) \(part)")
    }
    let other = Self.body(server.get("/runs/\(made.keys[0])"))
    #expect(!other.contains("diverged in epoch"))
    // All epochs, and their last third by itself.
    #expect(
      other.contains("data-first=1 data-last=12>") && other.contains("data-first=9 data-last=12 hidden>"))
  }

  @Test func `a run that sweeps share leads to all of them`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 2, name: "first")
    defer { made.remove() }
    try made.share(with: "another & more")
    let server = try ServeTests.Server(in: made.folder)
    let page = Self.body(server.get("/runs/\(made.keys[0])"))
    let links =
      "› <a href=\"/sweeps/another%20%26%20more\">another &amp; more</a>, <a href=\"/sweeps/first\">first</a>"
    #expect(page.contains(links), "\(page.prefix(2500))")
  }

  @Test func `a run's page leads to its sweep and to the other seeds, and has its settings as a table`()
    throws
  {
    let made = try MadeUpStore(runs: 24, epochs: 2)
    defer { made.remove() }
    let server = try ServeTests.Server(in: made.folder)
    let page = Self.body(server.get("/runs/\(made.keys[4])"))
    #expect(page.contains("› <a href=\"/sweeps/made-up\">made-up</a>"), "\(page.prefix(3000))")
    #expect(
      page.contains(
        "Seeds of this cell: <a href=\"/runs/\(made.keys[3])\">1</a><b>2</b><a href=\"/runs/\(made.keys[5])\">3</a>"
      ),
      "\(page)")
    #expect(page.contains("<tr><th scope=row>recipe.epochs</th><td>2</td></tr>"), "\(page)")
    #expect(page.contains("<tr><th scope=row>method.name</th><td>aver-kd</td></tr>"))
  }

  @Test(.enabled(if: Browser.hasAxe, "axe-core looks at the pages in Chromium"))
  func `axe finds nothing on any page, in light and dark, on a desk and on a phone`() throws {
    let made = try MadeUpStore(runs: 24, epochs: 12)
    defer { made.remove() }
    let report = try Program.run("report", "--format", "html", "-o", "report.html", in: made.folder)
    #expect(report.status == 0, "\(report.talk)")
    let server = try ServeTests.Server(in: made.folder)
    let base = "http://127.0.0.1:\(server.port)"
    let addresses =
      ["/", "/sweeps/made-up", "/runs/\(made.keys[0])", "/sweeps/made-up/report", "/x"].map { base + $0 }
      + ["file://\(made.folder.path)/report.html"]
    let answer = try Browser.axe(addresses)
    #expect(answer.looks == 24 && answer.found.isEmpty, "\(answer.found)")
  }
}
