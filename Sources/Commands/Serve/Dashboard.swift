import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage
import Synchronization

/// Which page an address means. Everything is read from the store and the workers'
/// folders; nothing is written.
struct Dashboard: Sendable {
  let folder: StoreFolder
  let feed: LiveFeed
  let gate: Gate
  private let reports = ReportCache()

  /// The end of a log that is shown, in bytes.
  private static let logTail = 64 << 10

  init(folder: StoreFolder, gate: Gate) {
    self.folder = folder
    self.gate = gate
    feed = LiveFeed(folder)
  }

  func answer(_ request: PageRequest) async -> PageResponse {
    switch gate.check(request) {
    case .refused(let response): return response
    case .open: break
    }
    do {
      return try await page(request)
    } catch let error as StoreError {
      return Self.response(to: error)
    } catch let error as UnknownName {
      return Self.missing("\(error)")
    } catch {
      return .text("\(error)\n", status: 500)
    }
  }

  private static func response(to error: StoreError) -> PageResponse {
    switch error {
    case .unknownSweep, .unknownStage: missing("\(error)")
    case .absent: .html(DashboardPages.noStore("\(error)"))
    default: .text("\(error)\n", status: 500)
    }
  }

  private static let notFound = missing("There is no such page.")

  /// In the dress of the other pages.
  private static func missing(_ sentence: String) -> PageResponse {
    .html(DashboardPages.missing(sentence), status: 404)
  }

  private func page(_ request: PageRequest) async throws -> PageResponse {
    switch (request.path.first, request.path.count) {
    case (nil, _):
      return .html(
        DashboardPages.overview(folder.path, try await feed.state(), try await feed.summaries()))
    case ("events", 1):
      return PageResponse(status: 200, type: "text/event-stream", body: .events(await feed.events()))
    case ("state.json", 1): return .json(DashboardPages.json(try await feed.state()))
    case ("parts", 2):
      let state = try await feed.state()
      switch request.path[1] {
      case "sweeps": return .html(DashboardPages.sweeps(state, try await feed.summaries()).text)
      case "work": return .html(DashboardPages.work(state).text)
      default: return Self.notFound
      }
    case ("sweeps", 2...):
      return try await sweep(request.path[1], Array(request.path.dropFirst(2)), request.query)
    case ("runs", 2...3):
      return try await run(request.path[1], request.path.count > 2 ? request.path[2] : nil)
    default: return Self.notFound
    }
  }

  private func sweep(
    _ name: String, _ rest: [String], _ asked: [String: String]
  ) async throws -> PageResponse {
    let query = RunQuery(asked)
    let store = try await feed.current()
    let record = try store.sweep(name)
    switch rest {
    case []:
      return .html(
        DashboardPages.sweep(
          record, try await standing(name, store), try await feed.state(), query,
          runs: try await runs(store, record, query), hasPictures: try SweepPictures.mayBe(in: record)))
    case ["report"]:
      let stamp = try await feed.state().stamp
      return .html(
        try reports.page(name, stamp) {
          let story = try store.story(of: name).timed(in: folder)
          return SweepPage.render(
            story, figures: try store.figures(of: name, story.table),
            pictures: try SweepPictures.markup(story.table, store, in: folder) { "/runs/\($0.description)" })
        })
    case ["report.json"]:
      return .json(JSONTable.render(try store.preferredTable(of: record), style: TextStyle()))
    case ["report.csv"]:
      var answer = PageResponse.text(
        CSVTable.render(try store.preferredTable(of: record), style: TextStyle()))
      answer.type = "text/csv; charset=utf-8"
      answer.headers = [("Content-Disposition", "attachment; filename=\"\(Gate.encoded(name)).csv\"")]
      return answer
    case ["state"]: return .html(try await standing(name, store).text)
    case ["overlay"]: return .html(try await overlay(store, record, asked["runs"] ?? "").text)
    case ["table"]:
      return .html(TableSections.main(try store.preferredTable(of: record)).text)
    case ["curves"]:
      let results = try store.results(of: name)
      let running = try await feed.state().running.map(\.key)
      let begun = Dictionary(running.map { ($0, folder.reportedEpochs(of: $0)) }) { $1 }
      return .html(try store.curves(of: record, results, begun: begun).text)
    case ["runs"]: return .html(try await runs(store, record, query).text)
    case ["images"]: return .html(try pictures(of: record, store).text)
    default: return Self.notFound
    }
  }

  private func pictures(of sweep: SweepRecord, _ store: ResultStore) throws -> Markup {
    let pictures = try SweepPictures.markup(store.preferredTable(of: sweep), store, in: folder) {
      "/runs/\($0.description)"
    }
    return pictures == ""
      ? "<p class=soft>No transfer is finished yet, or its folder is not here.</p>" : pictures
  }

  private func standing(_ name: String, _ store: ResultStore) async throws -> Markup {
    let standing = try SweepStanding(of: name, in: store, folder, try await feed.state())
    return standing.markup(at: Date.now.timeIntervalSince1970)
  }

  /// Curves of the runs that a reader picked, by their keys with commas between them.
  private func overlay(_ store: ResultStore, _ sweep: SweepRecord, _ keys: String) async throws -> Markup {
    let results = try store.results(of: sweep.name)
    let pools = ReportTable.poolNames(results.columns, results.runs.lazy.map(\.labels))
    let asked = Set(keys.split(separator: ",").map(String.init))
    let runs = results.runs.filter { run in run.key.map { asked.contains($0.description) } ?? false }
    let picked = runs.prefix(OverlayChart.most)
    let stored = try store.series(of: picked.compactMap(\.key), metric: results.metric)
    let drawn = zip(picked, stored).map { run, series in
      let begun = folder.reportedEpochs(of: run.key!).map { $0.metrics[results.metric] ?? .nan }
      let labels = ReportTable.words(run.labels, results.columns, pools)
      return OverlayChart.Run(
        name: "\(labels) seed \(run.seed)", values: series.isEmpty ? begun : series.map(\.value),
        divergedIn: run.state.divergedIn)
    }
    return OverlayChart.markup(
      results, drawn + runs.dropFirst(drawn.count).map { _ in OverlayChart.Run(name: "") })
  }

  /// A page of the runs that a query means, sorted over all of them.
  private func runs(_ store: ResultStore, _ sweep: SweepRecord, _ query: RunQuery) async throws -> Markup {
    let running = Set(try await feed.state().running.map(\.key))
    let outcomes = try store.outcomes(of: sweep.name, metric: sweep.metric(sweep.report))
    let pools = ReportTable.poolNames(sweep.columns, outcomes.lazy.map(\.point.labels))
    let rows = outcomes.map { outcome in DashboardPages.RunRow(outcome, sweep.columns, pools, running) }
    do {
      return DashboardPages.runs(try query.found(rows, sweep.columns), of: rows.count, query)
    } catch let error as InvalidFilter {
      return "<p class=soft role=alert>\(error.description)</p>"
    }
  }

  private func run(_ prefix: String, _ part: String?) async throws -> PageResponse {
    let store = try await feed.current()
    guard
      prefix.utf8.allSatisfy({
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
      })
    else {
      return Self.notFound
    }
    let found = try store.stages(withPrefix: prefix)
    guard found.count == 1, let run = try store.run(of: found[0].stage.key) else {
      return Self.missing(
        found.isEmpty
          ? "No run has a key that begins with \(prefix)."
          : "\(found.count) runs have a key that begins with \(prefix).")
    }
    let log = try log(of: run.stage.key)
    let work = try await feed.state().running.first { $0.key == run.stage.key }
    // The store has a run's epochs when its worker is done with it; until then the worker's own file has.
    let epochs =
      run.state == .open ? run.epochs.replaced(by: folder.reportedEpochs(of: run.stage.key)) : run.epochs
    switch part {
    case nil:
      let findings = try TransferSections(of: run, in: folder)?.sections ?? []
      return .html(
        DashboardPages.run(
          run, epochs, work, log, findings, try DashboardPages.RunPlace(run.stage.key, store)))
    case "part": return .html(DashboardPages.runParts(run, epochs, work, log).text)
    case "log": return .text(log ?? "No log is here: logs stay where the run was made.\n")
    default: return Self.notFound
    }
  }

  /// The end of what the workers of a run said; nil where they worked elsewhere.
  private func log(of key: ContentKey) throws -> String? {
    let attempts = try folder.stage(key).attempts()
    guard !attempts.isEmpty else { return nil }
    var text = ""
    for attempt in attempts.suffix(5) {
      guard let size = FileStamp(attempt.log)?.size else { continue }
      let bytes = try AtomicFile.read(attempt.log, from: max(0, Int(size) - Self.logTail))
      let tail = String(decoding: bytes, as: UTF8.self)
      text += "attempt \(attempt.number)\(tail.isEmpty ? ": nothing was said" : "")\n\(tail)\n"
    }
    return text
  }
}

/// Whole reports by their sweep, as long as the store's file stays as it is.
private final class ReportCache: Sendable {
  private let pages = Mutex<[String: (stamp: String, text: String)]>([:])

  func page(_ sweep: String, _ stamp: String, _ render: () throws -> String) rethrows -> String {
    if let known = pages.withLock({ $0[sweep] }), known.stamp == stamp { return known.text }
    let text = try render()
    pages.withLock { pages in
      if pages.count >= 4 { pages.removeAll() }
      pages[sweep] = (stamp, text)
    }
    return text
  }
}

/// Who may read.
struct Gate: Sendable {
  enum Verdict: Sendable {
    case open
    case refused(PageResponse)
  }

  /// nil on loopback, where only this machine's users come.
  let token: String?
  /// Names under which this machine's own browser asks; another name means that a page from
  /// elsewhere has been led here.
  private static let ownNames: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
  static let cookie = "mtkd_sweep"

  func check(_ request: PageRequest) -> Verdict {
    guard let token else {
      let host = request.headers["host"] ?? ""
      let name =
        host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
      return Self.ownNames.contains(name.lowercased())
        ? .open : .refused(.text("Ask for 127.0.0.1: other names are not answered here.\n", status: 403))
    }
    if let given = request.headers["authorization"].flatMap(Self.bearer), Self.areEqual(given, token) {
      return .open
    }
    if let cookie = request.cookie(Self.cookie), Self.areEqual(cookie, token) { return .open }
    if let given = request.query["token"], Self.areEqual(given, token) {
      // From here on the cookie says it, and the address can be shown to others.
      let place = "/" + request.path.map(Self.encoded).joined(separator: "/")
      return .refused(
        PageResponse(
          status: 303, type: "text/plain; charset=utf-8",
          headers: [
            ("Location", place),
            ("Set-Cookie", "\(Self.cookie)=\(token); HttpOnly; SameSite=Strict; Path=/"),
          ], body: .bytes([])))
    }
    return .refused(
      PageResponse(
        status: 401, type: "text/plain; charset=utf-8", headers: [("WWW-Authenticate", "Bearer")],
        body: .bytes(
          Array("The address that `mtkd-sweep serve` printed has a token at its end: open that one.\n".utf8)))
    )
  }

  /// The token of an `Authorization` header. Names of schemes are the same in capital and small
  /// letters (RFC 9110, 11.1).
  private static func bearer(_ header: String) -> String? {
    let words = header.split(separator: " ", maxSplits: 1)
    guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
    return words[1].trimmingCharacters(in: .whitespaces)
  }

  /// Takes as long for every wrong text of a length.
  private static func areEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  static func encoded(_ text: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
    let digits = Array("0123456789ABCDEF")
    return text.utf8.map { byte in
      plain.contains(byte)
        ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }
}
