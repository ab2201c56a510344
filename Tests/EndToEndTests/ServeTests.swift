import Foundation
import Specs
import Storage
import TestSupport
import Testing

@Suite struct ServeTests {
  /// `serve` on a port of its own; ends with the value.
  final class Server {
    let port: Int
    private let running: Program.Running

    init(in folder: URL, _ options: String...) throws {
      running = try Program.start(["serve", "--port", "0"] + options, in: folder)
      // The address comes when the port is open; the loop ends with the program or with its first line.
      var address = ""
      while !address.contains("\n"), running.process.isRunning {
        sched_yield()
        address = running.outSoFar
      }
      port = address.firstMatch(of: /:(\d+)\//).flatMap { Int($0.1) } ?? 0
    }

    deinit {
      running.signal(SIGKILL)
      running.process.waitUntilExit()
    }

    var address: String { running.outSoFar.trimmingCharacters(in: .whitespacesAndNewlines) }
    var isRunning: Bool { running.process.isRunning }
    func get(_ path: String, headers: String = "Host: 127.0.0.1\r\n") -> String {
      RawClient.get(path, port: port, headers: headers)
    }
  }

  @Test func `pages, parts and data of a store are there, and nothing else is`() throws {
    let made = try MadeUpStore(runs: 24, epochs: 4)
    defer { made.remove() }
    let before = try Data(contentsOf: made.folder.appending(path: "results/store.sqlite"))
    let server = try Server(in: made.folder)
    let key = made.keys[0]
    for path in [
      "/", "/sweeps/made-up", "/sweeps/made-up/report", "/sweeps/made-up/table",
      "/sweeps/made-up/runs?q=seed+2",
      "/sweeps/made-up/state", "/sweeps/made-up/report.json", "/state.json", "/parts/work", "/parts/sweeps",
      "/runs/\(key)", "/runs/\(key.short)/part", "/runs/\(key)/log",
    ] {
      let answer = server.get(path)
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(path): \(answer.prefix(200))")
      #expect(answer.contains("Content-Security-Policy: default-src 'none'"))
    }
    #expect(server.get("/runs/\(key)").contains("train.loss over epochs"))
    #expect(server.get("/sweeps/made-up/runs?q=diverged").contains("1 of 24 runs"))
    for path in [
      "/sweeps/nobody", "/runs/ffffffffffff0000", "/runs/../x", "/runs/%25", "/x", "/sweeps/made-up/x",
      "/parts/x",
    ] {
      let answer = server.get(path)
      #expect(
        answer.hasPrefix("HTTP/1.1 404") || answer.hasPrefix("HTTP/1.1 400"), "\(path): \(answer.prefix(200))"
      )
    }
    let same = try Data(contentsOf: made.folder.appending(path: "results/store.sqlite"))
    #expect(same == before, "serving reads")
  }

  @Test func `a run that a worker is at shows the epochs that only the worker's file has`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 5)
    defer { made.remove() }
    let key = made.keys[5]
    let place = StoreFolder(made.folder.appending(path: "results").path).stage(key)
    try place.create(spec: Array("{}".utf8))
    let writer = try RecordWriter(try place.newAttempt().records)
    try writer.append(.started(step: 0, MadeUpStore.provenance), sync: false)
    for epoch in 0..<3 { try writer.append(.epoch(MadeUpStore.epoch(epoch, of: 5, key)), sync: false) }
    let server = try Server(in: made.folder)
    let page = server.get("/runs/\(key)/part")
    #expect(page.contains("<dt>epochs done</dt><dd>3</dd>") && page.contains("epoch 3</text>"), "\(page)")
    // One that is over has what the store has.
    #expect(server.get("/runs/\(made.keys[0])/part").contains("<dt>epochs done</dt><dd>5</dd>"))
  }

  @Test func `a list of runs is searched, sorted and cut by the server, in that order`() throws {
    let made = try MadeUpStore(runs: 600, epochs: 2)
    defer { made.remove() }
    let server = try Server(in: made.folder)
    func numbers(_ query: String) -> [Double] {
      server.get("/sweeps/made-up/runs?\(query)").split(separator: "<tr><td>").dropFirst().compactMap { row in
        // The last but one field with a number is the last epoch's.
        let fields = row.matches(of: /data-v="([^"]*)"/).map(\.1)
        return fields.count == 3 ? Double(fields[1]) : nil
      }
    }
    // 598 runs are finished; what diverged and what still waits has numbers of its own, which rank nothing.
    let finished = (0..<598).map { MadeUpStore.accuracy(run: $0, epoch: 1) }.sorted(by: >)
    #expect(numbers("sort=-last") == Array(finished.prefix(200)))
    #expect(numbers("sort=-last&page=2") == Array(finished[200..<400]))
    #expect(numbers("sort=last") == Array(finished.reversed().prefix(200)))
    #expect(Array(numbers("sort=-last&page=3").prefix(198)) == Array(finished[400..<598]))
    #expect(server.get("/sweeps/made-up/runs?sort=-last").contains("1–200 of 600 runs, by last ↓"))
    for (query, text) in [
      ("q=alpha%3D2", "9 of 600 runs"), ("q=mtkd-rl+seed+1", "66 of 600 runs"),
      ("q=zebra", "no run matches"),
      ("where=method%3Dmtkd-rl,seed%3C2&sort=seed", "66 of 600 runs"),
      ("q=gamma%3D2", "no setting of this sweep is called"),
      ("q=alpha%3E", "is no condition"), ("q=state%3Ddiverged", "1 of 600 runs"),
      ("q=%3Cscript%3E", "is no condition"),
      ("sort=%3Cscript%3E&page=-9", "1–200 of 600 runs"), ("page=999999999999999999999", "1–200 of 600 runs"),
    ] {
      let answer = server.get("/sweeps/made-up/runs?\(query)")
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(query)")
      #expect(answer.contains(text) && !answer.contains("<script>"), "\(query): \(answer.suffix(300))")
    }
  }

  @Test func `before the first run a page says what to type`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let server = try Server(in: sweep.folder)
    #expect(server.get("/").contains("mtkd-sweep run FILE"))
    #expect(!FileManager.default.fileExists(atPath: sweep.folder.appending(path: "results").path))
  }

  @Test func `hostile, huge and slow clients do no harm`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 2)
    defer { made.remove() }
    let server = try Server(in: made.folder)
    let hostile: [(head: [UInt8], status: String)] = [
      (Array("GET /../../../etc/passwd HTTP/1.1\r\n\r\n".utf8), "400"),
      (Array("GET /sweeps/%2e%2e%2f%2e%2e%2fetc HTTP/1.1\r\n\r\n".utf8), "400"),
      (Array("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\n\r\n".utf8), "431"),
      (Array("GET / HTTP/1.1\r\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 100_000), "431"),
      (Array("PRI * HTTP/2.0\r\n\r\n".utf8), "400"),
      (Array("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999999\r\n\r\n".utf8), "405"),
      ([0x16, 0x03, 0x01, 0x02, 0x00, 0x0d, 0x0a, 0x0d, 0x0a], "400"),
      ((0...255).map { UInt8($0) } + Array("\r\n\r\n".utf8), "400"),
    ]
    for (head, status) in hostile {
      let client = RawClient(port: server.port)
      client.send(head)
      let answer = client.receive()
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(100))")
    }
    // A body that never ends is not read.
    let flood = RawClient(port: server.port)
    flood.send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    let piece = [UInt8](repeating: 0x61, count: 1 << 20)
    var sent = 0
    while sent < 200, flood.send(piece) { sent += 1 }
    #expect(sent < 200, "the server took 200 MB that nobody wants")

    // Many that say nothing, some that stop in the middle, some that do not read what they asked for.
    let silent = (0..<150).map { _ in RawClient(port: server.port) }
    let halting = (0..<20).map { _ in RawClient(port: server.port) }
    for client in halting { client.send("GET / HT") }
    let deaf = (0..<20).map { _ in RawClient(port: server.port) }
    for client in deaf { client.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }
    for _ in 0..<5 { #expect(server.get("/").hasPrefix("HTTP/1.1 200")) }
    #expect(halting[0].receive().hasPrefix("HTTP/1.1 408"), "who halts is told so, and goes")
    #expect(silent[0].receive().hasPrefix("HTTP/1.1 408"))
    #expect(server.isRunning)
    withExtendedLifetime((silent, halting, deaf)) {}
  }

  @Test func `elsewhere than on loopback a token is asked for`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 2)
    defer { made.remove() }
    let server = try Server(in: made.folder, "--host", "0.0.0.0")
    let address = server.address
    let token = try #require(address.split(separator: "token=").last.map(String.init))
    #expect(token.count == 32, "\(address)")
    let any = "Host: somewhere.example\r\n"
    #expect(server.get("/state.json", headers: any).hasPrefix("HTTP/1.1 401"))
    #expect(
      server.get("/state.json", headers: any + "Authorization: Bearer \(token)\r\n").hasPrefix("HTTP/1.1 200")
    )
    #expect(
      server.get("/state.json", headers: any + "authorization: bearer \(token)\r\n").hasPrefix("HTTP/1.1 200")
    )
    #expect(server.get("/?token=\(token)", headers: any).hasPrefix("HTTP/1.1 303"))
    #expect(server.get("/?token=\(token.dropLast())0x", headers: any).hasPrefix("HTTP/1.1 401"))
  }

  @Test func `a taken port is a sentence with a next step`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 2)
    defer { made.remove() }
    let server = try Server(in: made.folder)
    let second = try Program.run("serve", "--port", "\(server.port)", in: made.folder)
    #expect(second.status == 69 && second.talk.contains("--port"), "\(second.talk)")
  }

  @Test func `ten thousand runs are shown and searched`() throws {
    let made = try MadeUpStore(runs: 30, epochs: 2, waiting: 9970)
    defer { made.remove() }
    let server = try Server(in: made.folder)
    #expect(server.get("/").contains("28 of 10000 runs finished"))
    let page = server.get("/sweeps/made-up")
    #expect(page.contains("1–200 of 10000 runs") && page.utf8.count < 300_000)
    #expect(server.get("/sweeps/made-up/runs?page=50").contains("9801–10000 of 10000 runs"))
    #expect(server.get("/sweeps/made-up/runs?q=\(made.keys[9999].short)").contains("1 of 10000 runs"))
    #expect(server.get("/sweeps/made-up/report").contains("28 of 10000"))
  }

  @Test(.enabled(if: Available.browser, "Chromium with playwright watches a sweep"))
  func `a browser sees a sweep grow without being told`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let server = try Server(in: sweep.folder)
    let script = """
          import subprocess
          from playwright.sync_api import expect
          at = page()
          # The page that says that nothing is there yet is no live page.
          run = subprocess.Popen([sys.argv[2], "run", "tiny.json", "--workers", "1"], cwd=sys.argv[3], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
          address = sys.argv[1] + "/sweeps/tiny"
          while at.goto(address).status != 200 or "tiny" not in at.title(): at.wait_for_timeout(200)
          first = at.text_content("header .legend")
          expect(at.locator("header .legend")).to_have_text("4 finished", timeout=60000)
          print("grew from", first.strip(), "to", at.text_content("header .legend").strip())
          print("lamp", at.text_content("#lamp"))
          expect(at.locator("#table td .value")).to_have_count(2, timeout=20000)
          print("cells", at.locator("#table td .value").count())
          at.fill("#run-search", "mtkd-rl")
          expect(at.locator("#run-table tbody tr")).to_have_count(2, timeout=20000)
          at.click("#run-table thead a >> nth=4")
          expect(at.locator("#run-table th[aria-sort=descending]")).to_have_text("last", timeout=20000)
          at.click("#run-table tbody a >> nth=0")
          at.wait_for_selector("figure.chart")
          print("charts", at.locator("figure.chart").count() > 3, "log", at.locator("pre.log").count())
          run.wait()
          # A connection that the browser itself ends when it leaves a page is no error of ours.
          print("ended", run.returncode)
      """
    let answer = try #require(
      try Browser.run(script, ["http://127.0.0.1:\(server.port)", Program.path.path, sweep.folder.path]))
    let lines = answer.out.split(separator: "\n").map(String.init)
    #expect(answer.status == 0, "\(answer.out)")
    #expect(lines.contains { $0.hasPrefix("grew from") && $0.hasSuffix("to 4 finished") }, "\(answer.out)")
    for line in ["lamp live", "cells 2", "charts True log 1", "ended 0"] {
      #expect(lines.contains(line), "\(line) in \(answer.out)")
    }
    let complaints = lines.filter {
      $0.hasPrefix("console") || $0.hasPrefix("error") || $0.hasPrefix("request")
    }
    #expect(complaints.allSatisfy { $0.contains("404") }, "\(answer.out)")
  }
}
