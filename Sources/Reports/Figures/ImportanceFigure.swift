internal import Specs

/// Which settings, interactions of settings and seeds the spread of the metric comes from, as shares that add
/// up to 100 %.
package enum ImportanceFigure: FigureKind {
  package static let name = "importance"
  package static let summary =
    "the share of settings, their interactions and seeds in the spread: sums of squares over "
    + "the balanced part"
  private static let most = 14
  /// 2 to so many subsets are summed up, over every run.
  private static let mostSettings = 10
  private static let rowHeight = 26.0
  private static let width = 380.0

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    guard let part = BalancedPart(of: input.table.cells) else {
      throw NoFigure(kind: name, reason: "no settings are crossed completely by cells with the same seeds.")
    }
    guard part.settings.count <= mostSettings else {
      throw NoFigure(
        kind: name,
        reason:
          "\(part.settings.count) settings vary, and it takes \(mostSettings) at most: choose with --where.")
    }
    guard let shares = shares(input, part) else {
      throw NoFigure(kind: name, reason: "all \(part.runs) runs of its balanced part have the same value.")
    }
    let longest = min(300, shares.map { TextFit.width($0.name) }.max() ?? 0)
    let left = 16 + longest + 10
    let height = Double(shares.count) * rowHeight
    let width = input.options.frameWidth(beside: left + 84, usual: Self.width)
    var svg = SVG(
      width: left + width + 84, height: 44 + height + 82,
      title: "\(input.results.name): where the spread of \(input.metricTitle) comes from",
      description:
        "A bar a setting, an interaction of settings and the seeds: its share in the total sum of squares "
        + "over \(part.runs) runs, \(input.selection).")
    svg.text(input.results.name, Point(16, 26), "title")
    let top = max(shares.map(\.share).max() ?? 1, 0.05)
    let frame = Frame(
      x: Scale(covering: [0, 100 * top], count: 6, from: true),
      y: Scale(low: 0, high: Double(shares.count), ticks: []), left: left, top: 40, width: width,
      height: height)
    frame.draw(on: &svg, x: "% of the total sum of squares of \(input.results.metric)", y: "", vertical: true)
    for (row, share) in shares.enumerated() { draw(share, row, frame, longest, &svg) }
    svg.note(note(input, part, shares))
    return svg
  }

  struct Share: Equatable {
    enum Kind { case setting, interaction, seeds }
    let name: String
    let kind: Kind
    /// Of the total sum of squares.
    var share: Double
  }

  /// The largest first; what seeds do last. Nil where all runs have one value.
  static func shares(_ input: FigureInput, _ part: BalancedPart) -> [Share]? {
    let hasSeeds = part.seeds.count > 1
    let levels = part.settings.map(\.values.count) + (hasSeeds ? [part.seeds.count] : [])
    let sums = SumsOfSquares(levels: levels, values: part.values)
    let mean = part.values.reduce(0) { $0 + abs($1) } / Double(part.runs)
    // What rounding leaves of equal values is no spread.
    guard sums.total > 1e-20 * mean * mean * Double(part.runs) else { return nil }
    let names = part.settings.map { input.results.columns[$0.place] }
    let seedBit = hasSeeds ? 1 << names.count : 0
    var shares: [Share] = []
    var (seeds, rest) = (0.0, 0.0)
    for subset in 1..<sums.effects.count {
      let exact = sums.effects[subset] / sums.total
      // What rounding leaves of nothing.
      let share = exact < 1e-12 ? 0 : exact
      if subset == seedBit {
        seeds = share
      } else if subset & seedBit != 0 {
        rest += share
      } else {
        let members = names.indices.filter { subset >> $0 & 1 == 1 }
        let name =
          members.count == 1
          ? "\(names[members[0]]) (\(part.settings[members[0]].values.count))"
          : members.map { names[$0] }.joined(separator: " × ")
        shares.append(Share(name: name, kind: members.count == 1 ? .setting : .interaction, share: share))
      }
    }
    shares = folded(
      shares.enumerated().sorted { ($1.element.share, $0.offset) < ($0.element.share, $1.offset) }.map(
        \.element))
    guard hasSeeds else { return shares }
    return shares + [
      Share(name: "seeds (\(part.seeds.count))", kind: .seeds, share: seeds),
      Share(name: "seeds × settings", kind: .seeds, share: rest),
    ]
  }

  /// Small interactions beyond those for which there is room become one row.
  private static func folded(_ shares: [Share]) -> [Share] {
    guard shares.count > most else { return shares }
    var (kept, left): ([Share], [Share]) = ([], [])
    for share in shares {
      if share.kind == .setting || kept.count < most - 1 { kept.append(share) } else { left.append(share) }
    }
    guard !left.isEmpty else { return kept }
    return kept + [
      Share(
        name: "\(left.count) further interactions", kind: .interaction,
        share: left.reduce(0) { $0 + $1.share })
    ]
  }

  private static func draw(_ share: Share, _ row: Int, _ frame: Frame, _ room: Double, _ svg: inout SVG) {
    let y = frame.top + (Double(row) + 0.5) * rowHeight
    svg.text(share.name, Point(frame.left - 10, y + 4), anchor: "end", room: room)
    let end = frame.at(100 * share.share, 0).x
    let (corner, height) = (Point(frame.left, y - 8), 16.0)
    let style = share.kind == .setting ? "fill f0" : share.kind == .interaction ? "fill f5" : "fill f6"
    let text = percent(share.share)
    svg.rectangle(
      corner, width: max(0.5, end - frame.left), height: height, "share \(style)",
      hint: "\(share.name): \(text)")
    // Lines across what is no setting: the three kinds are told apart in grey, too.
    if share.kind != .setting {
      let step = share.kind == .interaction ? 8.0 : 4.0
      for x in stride(from: frame.left + step / 2, to: end - 1, by: step) {
        svg.line(Point(x, corner.y), Point(x, corner.y + height), "hatch")
      }
    }
    svg.text(text, Point(end + 6, y + 4))
  }

  static func percent(_ share: Double) -> String {
    share > 0 && share < 0.0005 ? "< 0.1 %" : "\(NumberFormat.fixed(100 * share, 1)) %"
  }

  private static func note(_ input: FigureInput, _ part: BalancedPart, _ shares: [Share]) -> String {
    let sum = NumberFormat.fixed(100 * shares.reduce(0) { $0 + $1.share }, 1)
    let kinds: [(kind: Share.Kind, words: String)] = [
      (.setting, "plain: settings, with the number of their values"),
      (.interaction, "wide hatching: interactions"),
      (.seeds, "narrow hatching: seeds"),
    ]
    let shown = kinds.filter { kind in shares.contains { $0.kind == kind.kind } }.map(\.words)
    let seeds = part.seeds.count > 1 ? ["seeds \(part.seeds.map(String.init).joined(separator: ", "))"] : []
    let crossed = (part.settings.map { input.results.columns[$0.place] } + seeds).joined(separator: " × ")
    var parts = [
      "Together \(sum) % of the sum of squares over \(part.runs) runs, the complete crossing \(crossed), "
        + "\(input.selection); \(shown.joined(separator: "; "))."
    ]
    if part.seeds.count == 1 { parts.append("One seed: what it does cannot be told from interactions.") }
    let all = input.results.runs.count
    if all > part.runs { parts.append("\(all - part.runs) of \(all) runs are not in it.") }
    parts.append(input.account(drawn: part.cells) { _ in "outside of the balanced part" })
    return parts.joined(separator: " ")
  }
}
