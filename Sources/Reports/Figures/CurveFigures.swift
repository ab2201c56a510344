internal import Specs

/// The course of several runs, epoch by epoch.
struct Course {
  /// As long as the longest run.
  let means: [Double]
  let lows: [Double]
  let highs: [Double]
  let runs: Int

  /// Mean over the runs that are there, with one sample std either way; nil for no runs.
  init?(_ runs: [[Double]]) {
    guard let length = runs.map(\.count).max(), length > 0 else { return nil }
    let samples = (0..<length).map { epoch in
      SampleStatistics(runs.compactMap { epoch < $0.count && $0[epoch].isFinite ? $0[epoch] : nil })
    }
    means = samples.map { $0?.mean ?? .nan }
    lows = samples.map { $0.map { $0.mean - ($0.std ?? 0) } ?? .nan }
    highs = samples.map { $0.map { $0.mean + ($0.std ?? 0) } ?? .nan }
    self.runs = runs.count
  }

  /// - Parameter hasBars: whether its spread is bars now and then rather than a band.
  func draw(_ index: Int, _ frame: Frame, hasBars: Bool, on svg: inout SVG) {
    let known = means.indices.filter { means[$0].isFinite }
    guard !known.isEmpty else { return }
    func points(_ values: [Double]) -> [Point] { known.map { frame.at(Double($0 + 1), values[$0]) } }
    if runs > 1, !hasBars {
      svg.path(points(highs) + points(lows).reversed(), "band f\(index % FigureStyle.count)", isClosed: true)
    }
    svg.path(points(means), FigureStyle.stroke(index), dash: FigureStyle.dash(index))
    // A marker now and then, shifted from line to line, tells them apart without colour.
    let step = max(1, known.count / 6)
    for place in stride(from: min(known.count - 1, index % step), to: known.count, by: step) {
      if runs > 1, hasBars {
        let (low, high) = (points(lows)[place], points(highs)[place])
        svg.bar(low.x, from: low.y, to: high.y, FigureStyle.bar(index))
      }
      svg.marker(index, points(means)[place], radius: 3.6, FigureStyle.fill(index))
    }
  }
}

/// How figures show the spread of seeds.
enum SpreadMarks {
  /// Whether lines in one frame are so many that bands over each other would hide them.
  static func areBars(_ lines: [Int]) -> Bool { lines.contains { $0 > 3 } }
  static func word(_ lines: [Int]) -> String { areBars(lines) ? "bars" : "band" }
}

/// A run that diverged: in which epoch, counted from 1, and where its line ends; at the axis where it has none.
struct Divergence {
  let epoch: Int
  let value: Double?

  /// Of some cells' runs, those that diverged at a known epoch.
  static func all(_ cells: [Cell], _ input: FigureInput) -> [Divergence] {
    let labels = Set(cells.map(\.labels))
    let courses = input.series[input.results.metric] ?? [:]
    return input.results.runs.compactMap { run in
      guard case .failed(let failure) = run.state, failure.cause == .diverged, let epoch = failure.epoch,
        labels.contains(run.labels)
      else { return nil }
      let last = run.key.flatMap { courses[$0] }?.last { $0.isFinite }
      return Divergence(epoch: epoch + 1, value: last)
    }
  }

  /// Epochs that are written beside the crosses of a frame at most.
  private static let mostTexts = 4

  /// A cross where each ends; those at one place are one. What happened is written beside the first cross of an epoch.
  static func draw(_ ends: [Divergence], _ frame: Frame, on svg: inout SVG) {
    let epochs = Set(ends.map(\.epoch)).sorted()
    for (row, epoch) in epochs.enumerated() {
      let points = ends.filter { $0.epoch == epoch }.map { end in
        frame.at(Double(epoch), max(frame.y.low, min(frame.y.high, end.value ?? frame.y.low)))
      }
      var places: [Point] = []
      for point in points where !places.contains(point) { places.append(point) }
      for place in places { svg.cross(place, radius: 4) }
      guard row < mostTexts, let first = places.min(by: { $0.y < $1.y }) else { continue }
      let isLeft = first.x < frame.left + frame.width / 2
      let count = points.count > 1 ? "\(points.count) runs " : ""
      svg.text(
        "\(count)diverged in epoch \(epoch)",
        Point(first.x + (isLeft ? 8 : -8), max(frame.top + 12, first.y - 8 - 13 * Double(row))), "small halo",
        anchor: isLeft ? "start" : "end")
    }
  }
}

/// Several courses in one frame, or in a panel a student, with a legend and a line below.
enum CoursePlot {
  /// Courses of one panel, each with the place of its name.
  typealias Panel = (title: String, courses: [(style: Int, course: Course)], ends: [Divergence])

  static func draw(
    _ panels: [Panel], names: [String], title: String, y: String, note: String, _ input: FigureInput,
    kind: String
  ) throws(NoFigure) -> SVG {
    let hasBars = SpreadMarks.areBars(panels.map(\.courses.count))
    let ends = panels.flatMap(\.ends).map(\.epoch)
    let epochs = (panels.flatMap(\.courses).map(\.course.means.count) + ends).max() ?? 1
    let grid = PanelGrid(panels.count, names, input.options)
    var svg = SVG(width: grid.width, height: grid.height, title: title, description: note)
    svg.text(title, Point(66, 26), "title")
    for (index, panel) in panels.enumerated() {
      let values = panel.courses.flatMap { $0.course.lows + $0.course.highs }
      let scale = Scale(covering: values, count: panels.count > 1 ? 5 : 6)
      let frame = grid.frame(
        index, Scale(epochs: epochs), try input.limited(scale, values, kind: kind))
      if !panel.title.isEmpty {
        svg.text(panel.title, Point(frame.left, frame.top - 9), "label strong", room: frame.width)
      }
      frame.draw(on: &svg, x: "epoch", y: grid.isFirst(index) ? y : "")
      for (style, course) in panel.courses { course.draw(style, frame, hasBars: hasBars, on: &svg) }
      Divergence.draw(panel.ends, frame, on: &svg)
    }
    Legend.draw(names.enumerated().map { ($1, Legend.Mark.line($0)) }, on: &svg, at: grid.legend)
    svg.note(note)
    return svg
  }
}

/// The metric after every epoch, a line a cell.
package enum CurvesFigure: FigureKind {
  package static let name = "curves"
  package static let summary =
    "learning curves: the metric over the epochs, a line a cell, a band or bars over its seeds"

  package static let takesLimits = true

  package static func series(among names: [String]) -> [String] { names }

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let all = input.table.cells
    let courses = all.compactMap { cell in
      Course(input.courses(of: cell, input.results.metric)).map { (cell: cell, course: $0) }
    }
    guard !courses.isEmpty else {
      throw NoFigure(kind: name, reason: "no run has \(input.results.metric) of an epoch yet.")
    }
    let (panels, names) = input.panels(courses, among: all) { [$0.cell] }
    let hidden = Set(courses.map(\.cell.labels))
    let account = input.account(drawn: panels.flatMap(\.cells)) { cell in
      hidden.contains(cell.labels) ? "not shown" : "without epochs"
    }
    let scales = panels.count > 1 && input.options.limits == nil ? " Each panel has its own scale." : ""
    // Cells without a line, because no run of theirs got so far, belong beside the others of their student.
    let without = all.filter { !hidden.contains($0.labels) }
    let ends = panels.map { panel in
      Divergence.all(panel.cells + without.filter { input.belongs($0, to: panel) }, input)
    }
    let spread = SpreadMarks.word(panels.map(\.members.count))
    let crosses = ends.joined().isEmpty ? "" : " × where a run diverged."
    let running = Self.running(panels.flatMap(\.cells), input)
    return try CoursePlot.draw(
      zip(panels, ends).map { ($0.title, $0.members.map { ($0.style, $0.item.course) }, $1) }, names: names,
      title: "\(input.results.name): learning curves", y: input.metricTitle,
      note: "Mean over seeds, \(spread) of one sample std.\(scales)\(crosses)\(running) \(account)", input,
      kind: name)
  }

  /// How many of the drawn runs are not at their end.
  private static func running(_ cells: [Cell], _ input: FigureInput) -> String {
    let labels = Set(cells.map(\.labels))
    let courses = input.series[input.results.metric] ?? [:]
    let count = input.results.runs.count { run in
      guard case .open = run.state, labels.contains(run.labels), let key = run.key else { return false }
      return courses[key]?.contains(where: \.isFinite) == true
    }
    return count == 0 ? "" : " \(counted(count, "run")) of them not at the end yet."
  }
}

/// What the agent is paid.
package enum RewardFigure: FigureKind {
  package static let name = "reward"
  package static let summary = "the agent's reward over the epochs, for each teacher or as a whole"

  package static func series(among names: [String]) -> [String] {
    names.filter { name in
      guard name.hasPrefix("reward") else { return false }
      return name == "reward" || Int(name.dropFirst("reward.".count)) != nil
    }
  }

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let metrics = series(among: input.series.keys.sorted())
    let paid = input.table.cells.filter { cell in metrics.contains { !input.courses(of: cell, $0).isEmpty } }
    let cells = input.kept(paid, most: max(1, FigureStyle.count / max(1, metrics.count))) { [$0] }
    var courses: [(name: String, course: Course)] = []
    for cell in cells {
      for metric in metrics {
        guard let course = Course(input.courses(of: cell, metric)) else { continue }
        let teacher = metric == "reward" ? "" : "teacher \((Int(metric.dropFirst("reward.".count)) ?? 0) + 1)"
        let name = cells.count > 1 ? input.name(cell, among: cells) : ""
        courses.append(([name, teacher].filter { !$0.isEmpty }.joined(separator: ", "), course))
      }
    }
    guard !courses.isEmpty else {
      throw NoFigure(kind: name, reason: "no run of it has an agent that is rewarded.")
    }
    let left = courses.count - FigureStyle.count
    let account = input.account(drawn: cells) { cell in
      paid.contains { $0.labels == cell.labels } ? "not shown" : "without a reward"
    }
    courses = courses.prefix(FigureStyle.count).map { ($0.name.isEmpty ? "reward" : $0.name, $0.course) }
    return try CoursePlot.draw(
      [("", courses.enumerated().map { ($0, $1.course) }, [])], names: courses.map(\.name),
      title: "\(input.results.name): reward of the agent", y: "reward, mean over samples (nats)",
      note:
        "As paid, before normalisation; mean over seeds, \(SpreadMarks.word([courses.count])) of one sample std. \(account)\(left > 0 ? " \(left) of their lines are not shown." : "")",
      input, kind: name)
  }
}
