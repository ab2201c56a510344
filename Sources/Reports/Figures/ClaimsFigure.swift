internal import Specs

#if canImport(Glibc)
  internal import Glibc
#endif

/// The evidence of every claim over its looks, and its difference with the interval over n.
package enum ClaimsFigure: FigureKind {
  package static let name = "claims"
  package static let summary = "the evidence of each claim over n, with its bound, and the difference over n"
  private static let width = 420.0
  private static let height = 220.0

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    guard let book = input.table.claims else {
      throw NoFigure(kind: name, reason: "it claims nothing. Write \"claims\" into its grid.")
    }
    let entries = book.entries.filter { $0.state.path.contains { $0.pairs > 1 } }
    guard !entries.isEmpty else { throw NoFigure(kind: name, reason: "no claim has two pairs of seeds yet.") }
    let names = entries.map { entry in
      entry.context.isEmpty ? entry.claim.compare : "\(entry.claim.compare), \(entry.context)"
    }
    let texts = zip(names, entries).map { "\($0): \($1.answer(2))" }
    let legendTop = 46 + 2 * (height + 64)
    // Claims tell their settings: the picture is as wide as the longest, up to a page.
    let widest = texts.map { TextFit.width($0) }.max() ?? 0
    var svg = SVG(
      width: max(70 + width + 30, min(860, 74 + widest + 2 * SVG.margin)),
      height: legendTop + Double(names.count) * Legend.rowHeight + 40,
      title: "\(input.results.name): claims",
      description:
        "Above, e of each claim over the seeds, on a log axis; below, the difference with its interval.")
    svg.text("\(input.results.name): claims after \(counted(book.looks, "look"))", Point(16, 26), "title")
    let most = max(3, entries.flatMap { $0.state.path.map(\.pairs) }.max() ?? 3)
    let ticks = (2...most).filter { most <= 14 || $0 % ((most + 13) / 14) == 0 }
    let x = Scale(
      low: 1.7, high: Double(max(most, 3)) + 0.3, ticks: ticks.map { (Double($0), "\($0)") })
    drawEvidence(entries, book, x, &svg)
    drawDifferences(entries, x, &svg)
    for (index, text) in texts.enumerated() {
      let y = legendTop + Double(index) * Legend.rowHeight
      svg.line(
        Point(36, y - 4), Point(62, y - 4), FigureStyle.stroke(index), dash: FigureStyle.dash(index))
      svg.marker(index, Point(49, y - 4), radius: 4, FigureStyle.fill(index))
      svg.text(text, Point(70, y))
    }
    let drawn = Set(entries.flatMap(\.cells))
    let account = input.account(drawn: input.table.cells.filter { drawn.contains($0.labels) }) { cell in
      book.entries.contains { $0.cells.contains(cell.labels) }
        ? "without two pairs of seeds yet" : "in no claim"
    }
    svg.note("Dashed level: the bound for the first claim to be decided (Holm). \(account)")
    return svg
  }

  /// log10 e; what is below 1/100 is drawn there.
  private static func drawEvidence(
    _ entries: [ClaimBook.Entry], _ book: ClaimBook, _ x: Scale, _ svg: inout SVG
  ) {
    func height(_ look: ClaimState.Look) -> Double { max(-2, look.logEvidence / 2.302585092994046) }
    let bound = (Double(book.entries.count) / book.set.level.double).logarithm10
    var values: [Double] = [bound, 0]
    for entry in entries { values += entry.state.path.filter { $0.pairs > 1 }.map(height) }
    let low = min(-1, values.min() ?? -1).rounded(.down)
    let high = (values.max() ?? 2).rounded(.up) + 0.2
    let step = max(1, ((high - low) / 6).rounded(.up))
    let ticks = stride(from: low, through: high, by: step).map { power -> (Double, String) in
      (power, power >= 0 && power < 5 ? NumberFormat.fixed(pow10(power), 0) : "1e\(Int(power))")
    }
    let frame = Frame(
      x: x, y: Scale(low: low, high: high, ticks: ticks), left: 70, top: 46, width: width,
      height: self.height)
    frame.draw(on: &svg, x: "pairs of seeds", y: "evidence e")
    svg.line(frame.at(x.low, bound), frame.at(x.high, bound), "reference", dash: "6 4")
    for (index, entry) in entries.enumerated() {
      let points = entry.state.path.filter { $0.pairs > 1 }.map { frame.at(Double($0.pairs), height($0)) }
      svg.path(points, FigureStyle.stroke(index), dash: FigureStyle.dash(index))
      for point in points {
        svg.marker(index, point, radius: 3.5, FigureStyle.fill(index), hint: entry.claim.compare)
      }
    }
  }

  private static func drawDifferences(_ entries: [ClaimBook.Entry], _ x: Scale, _ svg: inout SVG) {
    let looks = entries.map { $0.state.path.filter { $0.mean != nil && $0.pairs > 1 } }
    var means: [Double] = [0]
    var ends: [Double] = []
    for look in looks.flatMap(\.self) {
      if let mean = look.mean { means.append(mean) }
      if let interval = look.interval { ends += [interval.low, interval.high] }
    }
    let (lowest, highest) = (means.min() ?? 0, means.max() ?? 0)
    let reach = max(1e-9, (highest - lowest) * 0.75)
    // Early intervals are far wider than what they shrink to: the frame cuts them.
    let y = Scale(covering: means + ends.map { min(highest + reach, max(lowest - reach, $0)) })
    let frame = Frame(x: x, y: y, left: 70, top: 46 + height + 64, width: width, height: height)
    frame.draw(on: &svg, x: "pairs of seeds", y: "difference")
    svg.line(frame.at(x.low, 0), frame.at(x.high, 0), "reference", dash: "6 4")
    for (index, path) in looks.enumerated() {
      let shift = (Double(index) - Double(looks.count - 1) / 2) * min(9, 48 / Double(looks.count))
      let points = path.map { look in
        let point = frame.at(Double(look.pairs), look.mean!)
        return Point(point.x + shift, point.y)
      }
      for (look, point) in zip(path, points) {
        if let interval = look.interval {
          let (low, high) = (max(y.low, interval.low), min(y.high, interval.high))
          svg.line(
            Point(point.x, frame.at(2, low).y), Point(point.x, frame.at(2, high).y), FigureStyle.bar(index))
        }
        svg.marker(index, point, radius: 4, FigureStyle.fill(index))
      }
    }
  }
}

extension Double {
  fileprivate var logarithm10: Double { log10(self) }
}

private func pow10(_ power: Double) -> Double { pow(10, power) }
