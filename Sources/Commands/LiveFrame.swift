import Foundation
import Reports
import Specs
import Storage

/// What a terminal shows of a sweep that runs: values in, lines out, none wider and not more of
/// them than the terminal has.
struct LiveFrame {
  struct Work {
    var title: String
    /// From 0.
    var epoch: Int
    var epochs: Int
    var step: Int
    var steps: Int
    /// Of the last batch.
    var loss: Double?
    var imagesPerSecond: Double?
  }

  var name: String
  var finished: Int
  var failed: Int
  var all: Int
  /// Stages of the other kinds: what they are called, how many are made, how many there are.
  var preparations: [(name: String, done: Int, all: Int)] = []
  var work: [Work] = []
  var table: ReportTable?
  /// Seconds until all is done; nil before anything has been measured.
  var remaining: ClosedRange<Double>?
  /// Seconds since 1970.
  var now: Double
  var warnings: [String] = []
  /// How the sweep's claims stood at the last look; nil for a sweep that claims nothing.
  var claims: Claims?

  struct Claims {
    /// `2 of 5 claims open after 3 looks`.
    var summary: String
    /// One a comparison.
    var lines: [String]

    init(summary: String, lines: [String]) {
      self.summary = summary
      self.lines = lines
    }

    init(_ book: ClaimBook) { self.init(summary: book.summary, lines: book.lines) }
  }

  func lines(width: Int, height: Int, _ style: TextStyle) -> [String] {
    // The last column stays free: terminals differ in what they do at the edge.
    let width = max(20, width - 1)
    var lines = [head(style, width)]
    if let detail = detail() { lines.append(style.dim(Self.fitted(detail, width))) }
    let room = max(1, height - 1 - lines.count)
    let workRoom = max(1, min(work.count, room - min(4, room / 2)))
    let titles = work.map(\.title.cells).max() ?? 0
    for entry in work.prefix(work.count > workRoom ? max(0, workRoom - 1) : workRoom) {
      let line = Self.fitted(Self.text(entry, titleWidth: min(titles, max(16, width / 2)), style), width)
      // The bar stands behind two spaces.
      let bar = String(line.dropFirst(2).prefix(Self.workBar))
      lines.append("  \(style.tinted(bar, .running))\(line.dropFirst(2 + Self.workBar))")
    }
    if work.count > workRoom {
      lines.append(Self.fitted("  and \(work.count - max(0, workRoom - 1)) more at work", width))
    }
    for warning in warnings.suffix(2) where lines.count < height - 2 {
      lines.append(style.tinted(Self.fitted("! \(warning)", width), .stopped))
    }
    if let claims { lines += Self.text(claims, width, (height - 1 - lines.count) / 2, style) }
    if let table { lines += self.table(table, width, height - 1 - lines.count, style) }
    return Array(lines.prefix(max(1, height - 1)))
  }

  /// The claims as far as they have room; those that do not are counted.
  private static func text(_ claims: Claims, _ width: Int, _ room: Int, _ style: TextStyle) -> [String] {
    guard room >= 1 else { return [] }
    let shown = claims.lines.count <= room - 1 ? claims.lines.count : max(0, room - 2)
    var lines = [style.dim(fitted("claims: \(claims.summary)", width))]
    lines += claims.lines.prefix(shown).map { fitted("  \($0)", width) }
    if shown < claims.lines.count, room >= 2 {
      lines.append(fitted("  and \(claims.lines.count - shown) more: `mtkd-sweep report --claims`", width))
    }
    return lines
  }

  private func head(_ style: TextStyle, _ width: Int) -> String {
    var words = ["\(finished) of \(all) runs"]
    if failed > 0 { words.append("\(failed) failed") }
    if let remaining {
      words.append("\(duration(remaining.lowerBound)) to \(duration(remaining.upperBound)) left")
    } else if finished + failed < all {
      words.append("time left not known yet")
    }
    let text = words.joined(separator: ", ")
    let cells = max(8, min(30, width - name.cells - text.count - 6))
    let bar = Self.bar(finished + failed, all, cells, style)
    let whole = "\(name)  \(bar)  \(text)"
    guard style.isColoured, whole.cells <= width else { return style.bold(Self.fitted(whole, width)) }
    let good = all > 0 ? min(cells, finished * cells / all) : 0
    let over = all > 0 ? min(cells, (finished + failed) * cells / all) : 0
    let tinted =
      style.tinted(String(bar.prefix(good)), .finished)
      + style.tinted(String(bar.dropFirst(good).prefix(over - good)), .failed) + bar.dropFirst(over)
    return "\(style.bold(name))  \(tinted)  \(style.bold(text))"
  }

  private func detail() -> String? {
    var words = preparations.filter { $0.all > 0 }.map { "\($0.name) \($0.done) of \($0.all)" }
    if let remaining {
      let formatter = DateFormatter()
      formatter.dateFormat = remaining.upperBound > 20 * 3600 ? "EEE HH:mm" : "HH:mm"
      words.append(
        "done by about \(formatter.string(from: Date(timeIntervalSince1970: now + remaining.upperBound)))")
    }
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }

  private static let workBar = 12

  static func bar(_ done: Int, _ all: Int, _ cells: Int, _ style: TextStyle) -> String {
    let full = all > 0 ? min(cells, max(0, done * cells / all)) : 0
    let (on, off) = style.isUnicode ? ("█", "░") : ("#", ".")
    return String(repeating: on, count: full) + String(repeating: off, count: cells - full)
  }

  private static func text(_ work: Work, titleWidth: Int, _ style: TextStyle) -> String {
    let title = padded(shortened(work.title, titleWidth), titleWidth)
    var words = ["  \(bar(work.step, work.steps, workBar, style)) \(title)"]
    words.append(
      work.epochs > 0 ? "epoch \(min(work.epoch + 1, work.epochs))/\(work.epochs)" : "starting")
    if let loss = work.loss, loss.isFinite { words.append("loss \(NumberFormat.fixed(loss, 3))") }
    if let speed = work.imagesPerSecond, speed.isFinite, abs(speed) < 1e9 {
      words.append("\(Int(speed)) images/s")
    }
    return words.joined(separator: "  ")
  }

  /// The table as far as it has room: means of the seeds that are there, and how many those are.
  private func table(_ table: ReportTable, _ width: Int, _ room: Int, _ style: TextStyle) -> [String] {
    guard room >= 4, !table.columns.isEmpty else { return [] }
    let body = zip(table.rows, table.grid).map { row, cells in
      [row] + cells.map { Self.text($0, table, style) }
    }
    let head = [table.results.described.heading] + table.columns
    let limit = max(12, width / 3)
    let texts = ([head] + body).map { $0.map { Self.shortened($0, limit) } }
    let widths = head.indices.map { column in texts.map { $0[column].cells }.max() ?? 0 }
    var (shown, used) = (0, 0)
    while shown < widths.count, used + widths[shown] + (shown > 0 ? 2 : 0) <= width {
      used += widths[shown] + (shown > 0 ? 2 : 0)
      shown += 1
    }
    guard shown > 1 else { return [] }
    func line(_ cells: [String]) -> String {
      zip(cells, widths).prefix(shown).map { text, width in
        let padded = Self.padded(text, width)
        return text.hasPrefix("diverged ") || text.hasPrefix("failed ")
          ? style.tinted(padded, .failed) : padded
      }.joined(separator: "  ")
    }
    let hidden = widths.count - shown
    let isCut = body.count + (hidden > 0 ? 1 : 0) > room - 2
    let rows = isCut ? min(body.count, room - 3) : body.count
    var lines = ["", style.dim(line(texts[0]))]
    lines += texts.dropFirst().prefix(rows).map(line)
    let left = [(body.count - rows, "row"), (hidden, "column")].filter { $0.0 > 0 }
    if !left.isEmpty {
      let words = left.map { counted($0.0, "more \($0.1)") }.joined(separator: " and ")
      lines.append(style.dim(Self.fitted("and \(words): `mtkd-sweep report`", width)))
    }
    return lines
  }

  private static func text(_ cell: Cell?, _ table: ReportTable, _ style: TextStyle) -> String {
    guard let cell else { return "" }
    guard let headline = cell.headline else {
      if cell.isWithheld { return "mixed programs" }
      // Cells that are over without a number say why.
      let words = Set(cell.gaps.map(\.word))
      if words.count == 1, let word = words.first, cell.gaps.allSatisfy({ !$0.isOpen }) {
        return "\(word) \(cell.gaps.count)/\(cell.seeds.count)"
      }
      return "0/\(cell.seeds.count)"
    }
    let text = ReportTable.text(headline, plusMinus: style.isUnicode ? "±" : "+/-", digits: table.digits)
    return headline.count == cell.seeds.count ? text : "\(text) \(headline.count)/\(cell.seeds.count)"
  }

  static func fitted(_ text: String, _ width: Int) -> String {
    text.cells <= width ? text : String(text.prefix(cells: max(1, width - 1))) + "~"
  }

  /// Names differ at their ends: what does not fit goes from the middle.
  private static func shortened(_ text: String, _ width: Int) -> String {
    guard text.cells > width, width > 8 else { return fitted(text, width) }
    let head = (width - 1) / 3
    return "\(text.prefix(cells: head))~\(text.suffix(cells: width - 1 - head))"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.cells))
  }
}

/// Lines at the end of a terminal's output that are drawn over and over, in one write a frame,
/// so that nothing flickers.
struct LiveScreen {
  private let stream: Int32
  private var drawn: [Int] = []

  init(_ stream: Int32) { self.stream = stream }

  /// What COLUMNS and LINES say, else the terminal, read anew each time; 80 and 24
  /// where neither says anything.
  var size: (width: Int, height: Int) {
    var size = winsize()
    let isKnown = ioctl(stream, UInt(TIOCGWINSZ), &size) == 0
    let environment = ProcessInfo.processInfo.environment
    func number(_ name: String, _ own: UInt16, _ usual: Int) -> Int {
      if let given = Int(environment[name] ?? ""), given > 0 { return given }
      return isKnown && own > 0 ? Int(own) : usual
    }
    return (number("COLUMNS", size.ws_col, 80), number("LINES", size.ws_row, 24))
  }

  /// Puts lines in place of the last frame's.
  mutating func draw(_ lines: [String], above: String? = nil) {
    let width = size.width
    let lines = lines.map { ForeignText.screen($0).replacing("\n", with: " ") }
    var text = back(width)
    if let above {
      text += ForeignText.screen(above).split(separator: "\n", omittingEmptySubsequences: false)
        .map { "\(ForeignText.bounded(String($0)))\u{1b}[K\n" }.joined()
    }
    text += lines.map { "\($0)\u{1b}[K\n" }.joined() + "\u{1b}[J"
    write(text)
    drawn = lines.map(Self.seen)
  }

  /// Takes the frame away.
  mutating func clear() {
    if drawn.isEmpty { return }
    write(back(size.width) + "\u{1b}[J")
    drawn = []
  }

  /// To where the last frame began. On a terminal that has become narrower its lines have become several.
  private func back(_ width: Int) -> String {
    let rows = drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / max(1, width)) }
    return rows > 0 ? "\u{1b}[\(rows)A\r" : ""
  }

  /// How many places a line takes: escape sequences take none.
  static func seen(_ line: String) -> Int {
    var (count, isEscape) = (0, false)
    for character in line {
      if character == "\u{1b}" {
        isEscape = true
      } else if isEscape {
        if character.isLetter { isEscape = false }
      } else {
        count += character.cells
      }
    }
    return count
  }

  private func write(_ text: String) {
    let code = SystemCall.write(Array(text.utf8), to: stream)
    if code != 0, stream == STDERR_FILENO { Talk.lose(code) }
  }
}
