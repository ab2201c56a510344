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
    let known = Self.sampled(means.indices.filter { means[$0].isFinite && frame.x.contains(Double($0 + 1)) })
    guard !known.isEmpty else { return }
    func points(_ values: [Double]) -> [Point] { known.map { frame.at(Double($0 + 1), values[$0]) } }
    if runs > 1, !hasBars {
      svg.band(index, upper: points(highs), lower: points(lows))
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

extension Course {
  /// Points of a line at most: more than pixels show nothing more.
  private static let points = 400

  private static func sampled(_ epochs: [Int]) -> [Int] {
    guard epochs.count > points else { return epochs }
    return (0..<points).map { epochs[$0 * (epochs.count - 1) / (points - 1)] }
  }
}

/// How figures show the spread of seeds.
enum SpreadMarks {
  /// Whether lines in one frame are so many that bands over each other would hide them.
  static func areBars(_ lines: [Int]) -> Bool { lines.contains { $0 > 3 } }
  static func word(_ lines: [Int]) -> String { areBars(lines) ? "bars" : "band" }
}

/// A run that diverged: in which epoch, counted from 1, and where its line ends; at
/// the axis where it has none.
struct Divergence {
  let epoch: Int
  let value: Double?

  /// Of some cells' runs, those that diverged at a known epoch.
  static func all(_ cells: [Cell], _ input: FigureInput) -> [Divergence] {
    let labels = Set(cells.map(\.labels))
    let courses = input.series[input.results.metric] ?? [:]
    return input.results.runs.compactMap { run in
      guard let epoch = run.state.divergedIn, labels.contains(run.labels) else { return nil }
      let last = run.key.flatMap { courses[$0] }?.last { $0.isFinite }
      return Divergence(epoch: epoch, value: last)
    }
  }

  /// Epochs that are written beside the crosses of a frame at most.
  private static let mostTexts = 4

  /// A cross where each ends; those at one place are one. What happened is written beside the
  /// first cross of an epoch.
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

  /// - Parameter isLate: the last third of the epochs alone.
  static func draw(
    _ panels: [Panel], names: [String], title: String, y: String, note: String, _ input: FigureInput,
    kind: String, isLate: Bool = false
  ) throws(NoFigure) -> SVG {
    let hasBars = SpreadMarks.areBars(panels.map(\.courses.count))
    let epochs = Self.epochs(panels)
    let first = isLate ? LastThird.first(of: epochs) ?? 1 : 1
    let x = first > 1 ? Scale(epochs: first...epochs) : Scale(epochs: epochs)
    let grid = PanelGrid(panels.count, names, input.options)
    var svg = SVG(width: grid.width, height: grid.height, title: title, description: note)
    svg.text(title, Point(66, 26), "title")
    for (index, panel) in panels.enumerated() {
      let values = panel.courses.flatMap { [$0.course.lows, $0.course.highs] }.flatMap {
        $0.dropFirst(first - 1)
      }
      let scale = Scale(covering: values, count: panels.count > 1 ? 5 : 6)
      let frame = grid.frame(index, x, try input.limited(scale, values, kind: kind))
      if !panel.title.isEmpty {
        svg.text(panel.title, Point(frame.left, frame.top - 9), "label strong", room: frame.width)
      }
      frame.draw(on: &svg, x: "epoch", y: grid.isFirst(index) ? y : "")
      for (style, course) in panel.courses {
        svg.group(input.options.isForPage ? "data-line=\"\(style)\"" : nil) {
          course.draw(style, frame, hasBars: hasBars, on: &$0)
        }
      }
      Divergence.draw(panel.ends.filter { $0.epoch >= first }, frame, on: &svg)
      if input.options.isForPage { svg.pick(index, frame) }
    }
    for (place, name) in names.enumerated() {
      let corner = Point(grid.legend.x, grid.legend.y + Double(place) * Legend.rowHeight)
      svg.group(input.options.isForPage ? "class=\"key\" data-line=\"\(place)\"" : nil) {
        Legend.draw([(name, Legend.Mark.line(place))], on: &$0, at: corner)
      }
    }
    svg.note(note)
    return svg
  }

  /// As long as the longest line, or the latest end.
  private static func epochs(_ panels: [Panel]) -> Int {
    (panels.flatMap(\.courses).map(\.course.means.count) + panels.flatMap(\.ends).map(\.epoch)).max() ?? 1
  }

  /// The same as a figure of a page, with the values that its script reads and the last third of the epochs.
  static func markup(
    _ panels: [Panel], names: [String], title: String, y: String, note: String, _ input: FigureInput,
    kind: String
  ) -> Markup {
    var input = input
    input.options.isForPage = true
    func svg(isLate: Bool) -> String? {
      guard
        let svg = try? draw(
          panels, names: names, title: title, y: y, note: note, input, kind: kind, isLate: isLate)
      else { return nil }
      let first = isLate ? LastThird.first(of: epochs(panels)) ?? 1 : 1
      return svg.text(
        input.options,
        attributes: " data-first=\"\(first)\" data-last=\"\(epochs(panels))\"\(isLate ? " hidden" : "")")
    }
    guard let whole = svg(isLate: false) else { return "" }
    let late = LastThird.first(of: epochs(panels)) == nil ? "" : svg(isLate: true) ?? ""
    let plots = panels.map { panel in
      let lines = names.indices.map { place in
        (names[place], panel.courses.first { $0.style == place }?.course.means ?? [])
      }
      return (title: panel.title, lines: lines)
    }
    let course = CourseData(name: kind, plots: plots)
    return """
      <figure class=course data-zoom="\(kind)" data-course="\(course.text)">\(Markup(trusted: whole + late))</figure>
      """
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
    let parts = try parts(input)
    return try CoursePlot.draw(
      parts.panels, names: parts.names, title: "\(input.results.name): learning curves", y: input.metricTitle,
      note: parts.note, input, kind: name)
  }

  /// For a page, whose lines can be read and switched; empty where there is nothing to draw.
  package static func markup(_ input: FigureInput) -> Markup {
    guard let parts = try? parts(input) else { return "" }
    return CoursePlot.markup(
      parts.panels, names: parts.names, title: "\(input.results.name): learning curves", y: input.metricTitle,
      note: parts.note, input, kind: name)
  }

  private static func parts(
    _ input: FigureInput
  ) throws(NoFigure) -> (panels: [CoursePlot.Panel], names: [String], note: String) {
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
    return (
      zip(panels, ends).map { ($0.title, $0.members.map { ($0.style, $0.item.course) }, $1) }, names,
      "Mean over seeds, \(spread) of one sample std.\(scales)\(crosses)\(running) \(account)"
    )
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

  /// Cells of several teachers at most, each in a panel of its own.
  private static let mostPanels = 12

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let metrics = series(among: input.series.keys.sorted())
    let paid = input.table.cells.filter { cell in metrics.contains { !input.courses(of: cell, $0).isEmpty } }
    guard !paid.isEmpty else {
      throw NoFigure(kind: Self.name, reason: "no run of it has an agent that is rewarded.")
    }
    let isOne = metrics.count == 1
    let cells = input.kept(paid, most: isOne ? FigureStyle.count : mostPanels) { [$0] }
    func name(_ cell: Cell) -> String { cells.count > 1 ? input.name(cell, among: cells) : "" }
    let (panels, names) =
      isOne ? lines(cells, metrics[0], input, name) : facets(cells, metrics, input, name)
    let account = input.account(drawn: cells) { cell in
      paid.contains { $0.labels == cell.labels } ? "not shown" : "without a reward"
    }
    let spread = SpreadMarks.word(panels.map(\.courses.count))
    let scales = panels.count > 1 ? " Each panel has its own scale." : ""
    return try CoursePlot.draw(
      panels, names: names, title: "\(input.results.name): reward of the agent",
      y: panels.count > 1 ? "reward (nats)" : "reward, mean over samples (nats)",
      note:
        "As paid, before normalisation; mean over samples and seeds, \(spread) of one sample "
        + "std.\(scales) \(account)",
      input, kind: Self.name)
  }

  /// One reward for all teachers: a line a cell.
  private static func lines(
    _ cells: [Cell], _ metric: String, _ input: FigureInput, _ name: (Cell) -> String
  ) -> (panels: [CoursePlot.Panel], names: [String]) {
    let courses = cells.enumerated().compactMap { index, cell in
      Course(input.courses(of: cell, metric)).map { (style: index, course: $0) }
    }
    return ([("", courses, [])], cells.map { name($0).isEmpty ? "reward" : name($0) })
  }

  /// A reward for each teacher: a panel a cell, whose lines are teachers.
  private static func facets(
    _ cells: [Cell], _ metrics: [String], _ input: FigureInput, _ name: (Cell) -> String
  ) -> (panels: [CoursePlot.Panel], names: [String]) {
    func number(_ metric: String) -> Int { Int(metric.dropFirst("reward.".count)) ?? -1 }
    let shown = metrics.sorted { number($0) < number($1) }.prefix(FigureStyle.count)
    let panels = cells.map { cell -> CoursePlot.Panel in
      let courses = shown.enumerated().compactMap { index, metric in
        Course(input.courses(of: cell, metric)).map { (style: index, course: $0) }
      }
      return (name(cell), courses, [])
    }
    return (panels, shown.map { $0 == "reward" ? "all teachers" : "teacher \(number($0) + 1)" })
  }
}
