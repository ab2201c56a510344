internal import Specs

/// How the weights of the teachers share the whole, epoch by epoch.
package enum WeightsFigure: FigureKind {
  package static let name = "weights"
  package static let summary =
    "ribbons of the teachers' weights over the epochs, logit and feature term; warm-up as a grey strip"
  static let kinds = [("weight.logit", "logit term"), ("weight.feature", "feature term")]
  /// The mean losses of each teacher beside its weight: the last word of
  /// `teacher.2.logit`, and a panel's title.
  private static let losses = [("logit", "logit loss"), ("feature", "feature loss")]
  /// Cells at most; more than three are drawn less tall.
  private static let most = 12

  package static func series(among names: [String]) -> [String] {
    names.filter { name in kinds.contains { teacher(name, $0.0) != nil } }
  }

  /// The metrics of the losses, which are drawn below the weights where the input has them.
  package static func lossSeries(among names: [String]) -> [String] {
    names.filter { name in losses.contains { lossTeacher(name, $0.0) != nil } }
  }

  /// The place of a teacher in a metric's name such as `teacher.2.logit`.
  private static func lossTeacher(_ metric: String, _ term: String) -> Int? {
    let words = metric.split(separator: ".", omittingEmptySubsequences: false)
    return words.count == 3 && words[0] == "teacher" && words[2] == term ? Int(words[1]) : nil
  }

  /// The mean loss of every teacher by epoch, a line each.
  private static func drawLosses(_ input: FigureInput, _ cell: Cell, _ frames: [Frame], on svg: inout SVG) {
    for (column, (term, title)) in losses.enumerated() {
      let found = input.series.keys.compactMap { name in lossTeacher(name, term).map { ($0, name) } }
        .sorted { $0.0 < $1.0 }
      let courses = found.compactMap { teacher, name in
        Course(input.courses(of: cell, name)).map { (teacher: teacher, course: $0) }
      }
      guard let epochs = courses.map(\.course.means.count).max() else { continue }
      let values = courses.flatMap { $0.course.lows + $0.course.highs }
      var frame = frames[column]
      frame.x = Scale(epochs: epochs)
      frame.y = Scale(covering: values, from: false)
      svg.text("\(title) of each teacher", Point(frame.left, frame.top - 10))
      frame.draw(on: &svg, x: "epoch", y: column == 0 ? "mean over samples" : "")
      let hasBars = SpreadMarks.areBars([courses.count])
      for (teacher, course) in courses { course.draw(teacher, frame, hasBars: hasBars, on: &svg) }
    }
  }

  /// The place of a teacher in a metric's name such as `weight.logit.2`.
  static func teacher(_ metric: String, _ kind: String) -> Int? {
    metric.hasPrefix(kind + ".") ? Int(metric.dropFirst(kind.count + 1)) : nil
  }

  /// The weights of a cell's teachers in one term, epoch by epoch, in the order of the pool.
  private static func courses(_ cell: Cell, _ kind: String, _ input: FigureInput) -> [Course] {
    let metrics = input.series.keys.filter { teacher($0, kind) != nil }
      .sorted { teacher($0, kind)! < teacher($1, kind)! }
    return metrics.compactMap { Course(input.courses(of: cell, $0)) }
  }

  /// The cells that say most, and a sentence about the others.
  private static func chosen(_ input: FigureInput) throws(NoFigure) -> (cells: [Cell], account: String) {
    // Cells with more than one teacher say more.
    let all = input.table.cells.filter { cell in kinds.contains { !courses(cell, $0.0, input).isEmpty } }
    let several = all.filter { cell in kinds.contains { courses(cell, $0.0, input).count > 1 } }
    // Weights that are equal by definition say less than those that something decides.
    let decided = several.filter { cell in kinds.contains { !areEqual(courses(cell, $0.0, input)) } }
    let candidates = decided.isEmpty ? several.isEmpty ? all : several : decided
    let cells = input.kept(candidates, most: most) { [$0] }
    guard !cells.isEmpty else { throw NoFigure(kind: name, reason: "no run of it weighs its teachers.") }
    let account = input.account(drawn: cells) { cell in
      if candidates.contains(where: { $0.labels == cell.labels }) { return "not shown" }
      if several.contains(where: { $0.labels == cell.labels }) { return "with equal weights of all teachers" }
      return all.contains { $0.labels == cell.labels } ? "with one teacher" : "without weights of teachers"
    }
    return (cells, account)
  }

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let (cells, account) = try chosen(input)
    let teachers = cells.flatMap { cell in kinds.map { courses(cell, $0.0, input).count } }.max()!
    let names = (0..<teachers).map { "teacher \($0 + 1)" }
    let hasLosses = input.series.keys.contains { !lossSeries(among: [$0]).isEmpty }
    let rows = hasLosses ? 2 : 1
    let (panel, gap) = (310.0, 66.0)
    let tall = cells.count > 3 ? 100.0 : 180
    let pitch = tall + 90
    let width = 66 + 2 * panel + gap + 20 + Legend.width(names)
    var svg = SVG(
      width: width, height: 70 + Double(cells.count * rows) * pitch + 24,
      title: "\(input.results.name): weights of the teachers",
      description: "Each ribbon is a teacher's share of the weights, mean over samples and seeds.")
    svg.text("\(input.results.name): weights of the teachers", Point(66, 26), "title")
    var hasWarmup = false
    for (row, cell) in cells.enumerated() {
      let ribbons = kinds.map { courses(cell, $0.0, input) }
      let warmup = warmup(ribbons)
      if warmup > 0 { hasWarmup = true }
      for (column, kind) in kinds.enumerated() {
        guard let epochs = ribbons[column].map(\.means.count).max() else { continue }
        let top = 74 + Double(row * rows) * pitch
        let totals = (0..<epochs).map { epoch in sum(ribbons[column], epoch) }
        let frame = Frame(
          x: Scale(epochs: epochs),
          y: Scale(covering: Array(totals.dropFirst(warmup)), count: tall < 150 ? 3 : 5, from: true),
          left: 66 + Double(column) * (panel + gap), top: top, width: panel, height: tall)
        let title = [
          cells.count > 1 || !input.table.cells.isEmpty ? input.name(cell, among: input.table.cells) : "",
          kind.1,
        ]
        let text = title.filter { !$0.isEmpty }.joined(separator: ", ")
        svg.text(text, Point(frame.left, top - 10), room: panel + (column == 0 ? gap - 12 : 0))
        frame.draw(
          on: &svg, x: "epoch", y: column == 0 ? tall < 150 ? "weight" : "weight (sum of teachers)" : "")
        if warmup > 0 { strip(warmup, totals[0], frame, on: &svg) }
        draw(ribbons[column], after: warmup, frame, on: &svg)
        svg.line(Point(frame.left, frame.bottom), Point(frame.right, frame.bottom), "axis")
      }
      if hasLosses {
        let empty = kinds.indices.map { column in
          Frame(
            x: Scale(epochs: 1), y: Scale(covering: [0, 1], from: true),
            left: 66 + Double(column) * (panel + gap), top: 74 + Double(row * rows + 1) * pitch, width: panel,
            height: tall)
        }
        drawLosses(input, cell, empty, on: &svg)
      }
    }
    legend(
      names, at: Point(width - Legend.width(names), 74), losses: hasLosses ? 74 + pitch : nil, on: &svg)
    let warmupNote =
      hasWarmup ? " Grey strip: the first epochs, in which all teachers weigh the same (warm-up)." : ""
    svg.note(
      "Mean over samples and seeds of executed weights, stacked in the order of the "
        + "pool.\(warmupNote) \(account)"
    )
    return svg
  }

  /// The teachers' ribbons and, further down, the lines of their losses where these are drawn.
  private static func legend(_ names: [String], at corner: Point, losses y: Double?, on svg: inout SVG) {
    Legend.draw(names.indices.map { (names[$0], Legend.Mark.ribbon($0)) }, on: &svg, at: corner)
    guard let y else { return }
    Legend.draw(
      names.indices.map { (names[$0], Legend.Mark.line($0)) }, on: &svg, at: Point(corner.x, y))
  }

  /// Of all teachers in an epoch.
  private static func sum(_ courses: [Course], _ epoch: Int) -> Double {
    courses.reduce(0) {
      $0 + (epoch < $1.means.count && $1.means[epoch].isFinite ? $1.means[epoch] : 0)
    }
  }

  /// How many epochs at the beginning weigh all teachers the same in every term, where later ones do not.
  static func warmup(_ terms: [[Course]]) -> Int {
    let several = terms.filter { $0.count > 1 }
    guard let epochs = several.flatMap({ $0.map(\.means.count) }).max() else { return 0 }
    func isEqual(_ epoch: Int) -> Bool {
      several.allSatisfy { courses in
        courses.allSatisfy { course in
          epoch < course.means.count && epoch < courses[0].means.count
            && abs(course.means[epoch] - courses[0].means[epoch]) < 1e-6
        }
      }
    }
    let count = (0..<epochs).prefix(while: isEqual).count
    return count < epochs ? count : 0
  }

  /// What stands for the epochs before anything decides.
  private static func strip(_ epochs: Int, _ sum: Double, _ frame: Frame, on svg: inout SVG) {
    let end = frame.at(Double(epochs + 1), 0).x
    svg.rectangle(
      Point(frame.left, frame.top), width: end - frame.left, height: frame.height, "strip",
      hint: "warm-up: all teachers weigh the same, \(NumberFormat.fixed(sum, 2)) together")
    guard end - frame.left >= 14 else { return }
    svg.text(
      "warm-up", Point((frame.left + end) / 2 + 4, frame.top + frame.height / 2), "small", anchor: "middle",
      turned: true)
  }

  /// Whether all teachers weigh the same in every epoch.
  private static func areEqual(_ courses: [Course]) -> Bool {
    courses.allSatisfy { course in
      zip(course.means, courses[0].means).allSatisfy { abs($0 - $1) < 1e-6 || ($0.isNaN && $1.isNaN) }
    }
  }

  private static func draw(_ ribbons: [Course], after skipped: Int, _ frame: Frame, on svg: inout SVG) {
    let epochs = Array(skipped..<(ribbons.map(\.means.count).max() ?? 0))
    var floor = Array(repeating: 0.0, count: epochs.count)
    for (index, ribbon) in ribbons.enumerated() {
      let top = zip(floor, epochs).map { $0 + sum([ribbon], $1) }
      // A single epoch is a ribbon too: half an epoch either way.
      let places =
        epochs.count == 1
        ? [max(frame.x.low, Double(skipped) + 0.75), min(frame.x.high, Double(skipped) + 1.25)]
        : epochs.map { Double($0 + 1) }
      func edge(_ values: [Double]) -> [Point] {
        places.enumerated().map { frame.at($0.element, values[min($0.offset, values.count - 1)]) }
      }
      svg.path(edge(top) + edge(floor).reversed(), FigureStyle.ribbon(index), isClosed: true)
      hatch(index, edge(top), edge(floor), on: &svg)
      let middle = places.count / 2
      if let last = top.indices.last, top[last] - floor[last] > 14 / frame.height * frame.y.high {
        let y = (edge(top)[middle].y + edge(floor)[middle].y) / 2 + 4
        svg.text(
          "\(index + 1)", Point(edge(top)[middle].x, y), FigureStyle.ink(onRibbon: index), anchor: "middle")
      }
      floor = top
    }
  }

  /// Upright strokes over a ribbon whose lightness another one has already.
  private static func hatch(_ index: Int, _ top: [Point], _ floor: [Point], on svg: inout SVG) {
    guard let (step, dash) = FigureStyle.hatch(index), let first = top.first, let last = top.last else {
      return
    }
    func height(_ edge: [Point], _ x: Double) -> Double {
      guard let place = edge.indices.dropLast().last(where: { edge[$0].x <= x }) else { return edge[0].y }
      let (a, b) = (edge[place], edge[place + 1])
      return a.y + (b.y - a.y) * (x - a.x) / max(b.x - a.x, 1e-9)
    }
    for x in stride(from: first.x + step / 2, to: last.x - 0.5, by: step) {
      svg.line(Point(x, height(top, x)), Point(x, height(floor, x)), "hatch", dash: dash)
    }
  }
}

/// What the weights of the teachers are for the images of each class, after the last epoch.
package enum ClassWeightsFigure: FigureKind {
  package static let name = "class-weights"
  package static let summary = "the teachers' weights by class of the image, after the last epoch"
  /// Classes of a frame, and cells of a picture.
  private static let (most, mostCells) = (40, 6)
  /// Pixels from a frame's top to the next one's.
  private static let pitch = 230.0

  package static func series(among names: [String]) -> [String] {
    names.filter { name in WeightsFigure.kinds.contains { parts(name, $0.0) != nil } }
  }

  /// Teacher and class of `weight.logit.2.class.7`.
  private static func parts(_ metric: String, _ kind: String) -> (teacher: Int, label: Int)? {
    guard metric.hasPrefix(kind + ".") else { return nil }
    let words = metric.dropFirst(kind.count + 1).split(separator: ".")
    guard words.count == 3, words[1] == "class", let teacher = Int(words[0]), let label = Int(words[2]) else {
      return nil
    }
    return (teacher, label)
  }

  /// By class, then teacher.
  private static func weights(_ cell: Cell, _ kind: String, _ input: FigureInput) -> [[Double]] {
    var means: [Int: [Int: Double]] = [:]
    for metric in input.series.keys.sorted() {
      guard let (teacher, label) = parts(metric, kind) else { continue }
      let last = input.courses(of: cell, metric).compactMap { $0.last { $0.isFinite } }
      if let sample = SampleStatistics(last) { means[label, default: [:]][teacher] = sample.mean }
    }
    guard let classes = means.keys.max(), let teachers = means.values.flatMap(\.keys).max() else {
      return []
    }
    return (0...classes).map { label in (0...teachers).map { means[label]?[$0] ?? 0 } }
  }

  private static func teachers(_ cell: Cell, _ input: FigureInput) -> Int {
    WeightsFigure.kinds.map { weights(cell, $0.0, input).first?.count ?? 0 }.max()!
  }

  /// Whether something decides a cell's weights, which equal ones do not show.
  private static func isDecided(_ cell: Cell, _ input: FigureInput) -> Bool {
    WeightsFigure.kinds.contains { kind in
      weights(cell, kind.0, input).contains { row in row.contains { abs($0 - row[0]) > 1e-6 } }
    }
  }

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let candidates = input.table.cells.filter { teachers($0, input) > 0 }
    // Weights that are equal by definition say less than those that something decides.
    let decided = candidates.filter { isDecided($0, input) }
    let several = candidates.filter { teachers($0, input) > 1 }
    let cells = input.kept(
      decided.isEmpty ? several.isEmpty ? candidates : several : decided, most: mostCells
    ) { [$0] }
    guard !cells.isEmpty else {
      throw NoFigure(kind: name, reason: "no run of it recorded weights by class.")
    }
    let fields = cells.flatMap { cell in
      WeightsFigure.kinds.map { kind in
        let title = "\(input.name(cell, among: input.table.cells)), \(kind.1)"
        return (title: title, weights: weights(cell, kind.0, input))
      }
    }.filter { !$0.weights.isEmpty }
    let classes = fields.map(\.weights.count).max()!
    let shown = min(classes, most)
    let names = (0..<cells.map { teachers($0, input) }.max()!).map { "teacher \($0 + 1)" }
    let inner = max(360, Double(shown) * 22)
    // Both terms of a cell stand beside each other where there is room.
    let across = inner <= 440 && fields.count > 1 ? 2 : 1
    let width = Double(across) * (66 + inner) + 24 + Legend.width(names)
    var svg = SVG(
      width: width, height: 58 + Double((fields.count + across - 1) / across) * pitch,
      title: "\(input.results.name): weights of the teachers by class",
      description: "Each bar is a class; its parts are the teachers' weights, mean over samples and seeds.")
    svg.text("\(input.results.name): weights of the teachers by class", Point(66, 26), "title")
    for (place, field) in fields.enumerated() {
      let corner = Point(66 + Double(place % across) * (66 + inner), 66 + Double(place / across) * pitch)
      draw(field.weights, field.title, at: corner, width: inner, classes: shown, on: &svg)
    }
    Legend.draw(
      names.indices.map { (names[$0], Legend.Mark.ribbon($0)) }, on: &svg,
      at: Point(width - Legend.width(names), 66))
    let left = classes - shown
    let account = input.account(drawn: cells) { other in
      guard candidates.contains(where: { $0.labels == other.labels }) else {
        return "without weights by class"
      }
      if isDecided(other, input) { return "not shown" }
      return teachers(other, input) > 1 ? "with equal weights of all teachers" : "with one teacher"
    }
    svg.note(
      "After the last epoch, mean over samples and seeds; stacked in the order of the pool. "
        + "\(account)\(left > 0 ? " \(left) more classes are not shown." : "")"
    )
    return svg
  }

  /// The weights of a cell in one term of the loss, by class, then teacher.
  private static func draw(
    _ weights: [[Double]], _ title: String, at corner: Point, width: Double, classes: Int, on svg: inout SVG
  ) {
    let shown = min(classes, weights.count)
    let step = shown > 20 ? 5 : 1
    let ticks = stride(from: 0, to: shown, by: step).map { (value: Double($0), text: "\($0)") }
    let frame = Frame(
      x: Scale(low: -0.5, high: Double(shown) - 0.5, ticks: ticks),
      y: Scale(covering: weights.map { $0.reduce(0, +) }, count: 5, from: true),
      left: corner.x, top: corner.y, width: width, height: 150)
    svg.text(title, Point(frame.left, frame.top - 8), room: width)
    frame.draw(on: &svg, x: "class of the image", y: "weight")
    for label in 0..<shown {
      draw(weights[label], of: label, frame, thick: 0.8 * width / Double(shown), on: &svg)
    }
    svg.line(Point(frame.left, frame.bottom), Point(frame.right, frame.bottom), "axis")
  }

  /// The bar of a class: its teachers' weights upon each other.
  private static func draw(
    _ weights: [Double], of label: Int, _ frame: Frame, thick: Double, on svg: inout SVG
  ) {
    var floor = 0.0
    for (teacher, weight) in weights.enumerated() {
      let (top, bottom) = (frame.at(Double(label), floor + weight), frame.at(Double(label), floor))
      svg.rectangle(
        Point(top.x - thick / 2, top.y), width: thick, height: bottom.y - top.y, FigureStyle.ribbon(teacher),
        hint: "class \(label), teacher \(teacher + 1): \(NumberFormat.fixed(weight, 3))")
      svg.hatch(teacher, over: Point(top.x - thick / 2, top.y), width: thick, height: bottom.y - top.y)
      floor += weight
    }
  }
}
