internal import Specs

/// Cells sorted by their means, each with its interval and every seed a dot, beside a line at a reference:
/// the one figure of a sweep's table.
package enum ForestFigure: FigureKind {
  package static let name = "forest"
  package static let summary =
    "cells sorted by mean, with the 95 % t interval, every seed a dot, and a line at the reference"
  private static let most = 40
  private static let rowHeight = 22.0
  private static let width = 400.0

  package static let takesLimits = true
  package static let takesOrder = true

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let all = input.table.cells.filter { $0.headline != nil }
    guard !all.isEmpty else { throw NoFigure(kind: name, reason: "no cell has a finished run yet.") }
    let cells = input.kept(all, most: most) { [$0] }
    let diverged = input.table.cells.filter { cell in
      cell.headline == nil && !cell.gaps.isEmpty && cell.gaps.allSatisfy { $0.word == "diverged" }
    }
    let lost = Array(diverged.prefix(max(0, most - cells.count)))
    let groups = groups(input, cells, lost)
    // What a heading says needs no word in the rows.
    let hidden = groups.count > 1 ? ["student", "dataset"] : []
    let shown = cells + lost
    let names = Dictionary(
      shown.map { ($0.labels, input.name($0, among: shown, without: hidden)) }
    ) { first, _ in first }
    let longest = min(300, names.values.map { TextFit.width($0) }.max() ?? 0)
    let left = 16 + longest + 10
    let texts = cells.map { ReportTable.text($0.headline, plusMinus: "±", digits: input.table.digits) }
    let column = max(90, (texts.map { TextFit.width($0) }.max() ?? 0) + 12)
    let width = input.options.frameWidth(beside: left + column + 16, usual: Self.width)
    let rows = shown.count + (groups.count > 1 ? groups.count : 0)
    var svg = SVG(
      width: left + width + column + 16, height: 46 + Double(rows) * rowHeight + 70,
      title: "\(input.results.name): every cell by its mean",
      description:
        "A row a cell, the best mean first; the large mark is the mean, the level line its 95 percent t "
        + "interval, each dot a seed, \(input.selection).")
    svg.text(input.results.name, Point(16, 26), "title")
    let x = try input.limited(scale(cells), cells.flatMap { $0.values.map(\.value) }, kind: name)
    let frame = Frame(
      x: x, y: Scale(low: 0, high: Double(rows), ticks: []), left: left, top: 40, width: width,
      height: Double(rows) * rowHeight)
    frame.draw(on: &svg, x: input.metricTitle, y: "", vertical: true)
    var row = 0
    for group in groups {
      let first = row
      if groups.count > 1 {
        svg.text(group.title, Point(16, frame.top + (Double(row) + 0.7) * rowHeight), "label strong")
        row += 1
      }
      if let value = group.reference {
        let at = frame.at(value, 0).x
        let (top, bottom) = (
          frame.top + Double(groups.count > 1 ? first + 1 : first) * rowHeight,
          frame.top + Double(row + group.cells.count + group.lost.count) * rowHeight
        )
        svg.line(Point(at, top), Point(at, bottom), "reference", dash: "5 4")
      }
      for cell in group.cells {
        draw(cell, names[cell.labels] ?? "", row, input, frame, longest, &svg)
        row += 1
      }
      for cell in group.lost {
        drawLost(cell, names[cell.labels] ?? "", row, frame, longest, &svg)
        row += 1
      }
    }
    svg.note(note(input, cells, lost))
    return svg
  }

  /// A cell all of whose runs diverged.
  private static func drawLost(
    _ cell: Cell, _ name: String, _ row: Int, _ frame: Frame, _ longest: Double, _ svg: inout SVG
  ) {
    let y = frame.top + (Double(row) + 0.5) * rowHeight
    svg.text(name, Point(frame.left - 10, y + 4), anchor: "end", room: longest)
    svg.cross(Point(frame.left, y), radius: 4)
    svg.text("diverged \(cell.gaps.count)/\(cell.seeds.count)", Point(frame.right + 10, y + 4))
  }

  private struct Group {
    let title: String
    var cells: [Cell]
    var lost: [Cell] = []
    /// Where the reference line of these cells stands.
    var reference: Double?
  }

  /// By student and dataset, the best mean first in each: cells of different students
  /// answer different questions.
  private static func groups(_ input: FigureInput, _ cells: [Cell], _ lost: [Cell]) -> [Group] {
    let places = ["student", "dataset"].compactMap { input.place($0) }
    let sign = input.results.described.isHigherBetter == false ? -1.0 : 1.0
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: Group] = [:]
    for cell in cells + lost {
      let key = places.map { cell.labels[$0] }
      if groups[key] == nil {
        order.append(key)
        groups[key] = Group(
          title: key.filter { $0 != .null }.map(ReportTable.text).joined(separator: " "), cells: [])
      }
      if cell.headline == nil { groups[key]!.lost.append(cell) } else { groups[key]!.cells.append(cell) }
    }
    let reference = referenceMethod(input)
    return order.map { key in
      var group = groups[key]!
      group.cells = input.ordered(group.cells, sign)
      let means = group.cells.filter { cell in
        reference != nil && input.label(cell, "method").map(ReportTable.text) == reference
      }.map { $0.headline!.mean }
      // The best of its cells, where the reference has several.
      group.reference = means.max { sign * $0 < sign * $1 }
      return group
    }
  }

  /// The method that the others are seen against: the one that the grid compares with, else the baseline.
  private static func referenceMethod(_ input: FigureInput) -> String? {
    let names = input.table.layout.compareTo.compactMap { ReportPreferences.methods(inFamily: $0).last }
    let methods = Set(input.table.cells.compactMap { input.label($0, "method").map(ReportTable.text) })
    return (names + ["baseline"]).first { methods.contains($0) }
  }

  /// Over the seeds and what intervals need, at most as much again on either side.
  private static func scale(_ cells: [Cell]) -> Scale {
    let values = cells.flatMap { $0.values.map(\.value) }
    let (low, high) = (values.min()!, values.max()!)
    let room = (high - low) * 0.35
    let intervals = cells.compactMap { $0.headline?.moments.interval() }
    return Scale(
      covering: values + intervals.map { max($0.low, low - room) }
        + intervals.map { min($0.high, high + room) },
      count: 6)
  }

  private static func draw(
    _ cell: Cell, _ name: String, _ row: Int, _ input: FigureInput, _ frame: Frame, _ room: Double,
    _ svg: inout SVG
  ) {
    let y = frame.top + (Double(row) + 0.5) * rowHeight
    svg.text(name, Point(frame.left - 10, y + 4), anchor: "end", room: room)
    let sample = cell.headline!
    let x = frame.x
    if let interval = sample.moments.interval() {
      let (from, to) = (
        frame.at(max(x.low, interval.low), 0).x, frame.at(min(x.high, interval.high), 0).x
      )
      svg.line(Point(from, y), Point(to, y), "edge")
      // An end beyond the frame is left open.
      for (end, isInside) in [(from, interval.low >= x.low), (to, interval.high <= x.high)] where isInside {
        svg.line(Point(end, y - 4), Point(end, y + 4), "edge")
      }
    }
    let methods = input.methods
    let index = input.label(cell, "method").map(ReportTable.text).flatMap(methods.firstIndex(of:)) ?? 0
    for (place, value) in cell.values.enumerated() {
      // Equal values stand above each other.
      let equals = cell.values.indices.filter { cell.values[$0].value == value.value }
      let lift =
        (Double(equals.firstIndex(of: place)!) - Double(equals.count - 1) / 2)
        * min(6, 14 / Double(equals.count))
      svg.marker(
        0, Point(frame.at(value.value, 0).x, y + lift), radius: 2.6, "seed dot f\(index % FigureStyle.count)",
        hint: "seed \(value.seed): \(NumberFormat.fixed(value.value, input.table.digits + 1))")
    }
    let text = ReportTable.text(sample, plusMinus: "±", digits: input.table.digits)
    svg.marker(
      index, Point(frame.at(sample.mean, 0).x, y), radius: 5, "mean \(FigureStyle.fill(index))",
      hint: "\(name): \(text)")
    svg.text(cell.gaps.isEmpty ? text : "\(text) *", Point(frame.right + 10, y + 4))
  }

  private static func note(_ input: FigureInput, _ cells: [Cell], _ lost: [Cell]) -> String {
    let seeds = Set(cells.map(\.values.count)).sorted().map(String.init).joined(separator: " or ")
    var parts = [
      "Large mark: mean over \(seeds) seeds; dots: seeds; level: 95 % t interval, open where it leaves the "
        + "frame; \(input.selection)."
    ]
    if let reference = referenceMethod(input) {
      let places = Set(["student", "dataset"].compactMap { input.place($0) })
      let own = cells.filter { input.label($0, "method").map(ReportTable.text) == reference }
      let isOne = Set(own.map { cell in places.sorted().map { cell.labels[$0] } }).count == own.count
      if !own.isEmpty { parts.append("Dashed: \(isOne ? "" : "the best cell of ")\(reference).") }
    }
    if cells.contains(where: { !$0.gaps.isEmpty }) { parts.append("*: without every seed.") }
    if !lost.isEmpty { parts.append("×: every seed diverged.") }
    let left = Set(lost.map(\.labels))
    parts.append(
      input.account(drawn: cells) { left.contains($0.labels) ? "diverged" : "not shown" })
    return parts.joined(separator: " ")
  }
}

extension FigureInput {
  /// In the order of the table.
  var methods: [String] {
    var methods: [String] = []
    for cell in table.cells {
      guard let name = label(cell, "method").map(ReportTable.text), !methods.contains(name) else { continue }
      methods.append(name)
    }
    return methods
  }
}
