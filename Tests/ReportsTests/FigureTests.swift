import Foundation
import FoundationXML
import Specs
import Testing

@testable import Reports

/// Figures by their structure: what is drawn, where, and with which words.
@Suite struct FigureTests {
  /// Two methods over alpha and beta with three seeds, a baseline that reads neither,
  /// and courses of everything.
  static let input: FigureInput = {
    var runs: [SweepResults.Run] = []
    var series: [String: [ContentKey: [Double]]] = [:]
    func add(_ method: String, _ alpha: String?, _ beta: String?, _ mean: Double) {
      for seed in 1...3 {
        let key = ContentKey(hashing: Array("\(method) \(alpha ?? "") \(beta ?? "") \(seed)".utf8))
        let value = mean + Double(seed - 2) * 0.5
        func number(_ text: String?) -> JSONValue { text.map { .number(DecimalNumber($0)!) } ?? .null }
        runs.append(
          SweepResults.Run(
            labels: ["resnet8", .string(method), number(alpha), number(beta)], seed: seed,
            state: .finished, numbers: MadeUp.numbers(last: value, best: value + 0.5), key: key,
            programs: ["one"]))
        series["test.acc1", default: [:]][key] = [value - 20, value - 5, value]
        series["cpu.seconds", default: [:]][key] = Array(repeating: mean / 10 + Double(seed) / 10, count: 3)
        guard method == "mtkd-rl" else { continue }
        for teacher in 0..<2 {
          let weights = [0.5, teacher == 0 ? 0.6 : 0.4, teacher == 0 ? 0.7 : 0.3]
          series["weight.logit.\(teacher)", default: [:]][key] = weights
          series["weight.feature.\(teacher)", default: [:]][key] = weights
          series["reward.\(teacher)", default: [:]][key] = [-3, -2, Double(-1 - teacher)]
          for label in 0..<4 {
            series["weight.logit.\(teacher).class.\(label)", default: [:]][key] = [
              .nan, .nan, teacher == 0 ? 0.75 : 0.25,
            ]
          }
        }
      }
    }
    add("baseline", nil, nil, 70)
    for alpha in ["0", "0.5", "2"] {
      for beta in ["0", "5"] {
        add("aver-kd-fitnet", alpha, beta, 71 + Double(alpha)! + Double(beta)! / 10)
        add("mtkd-rl", alpha, beta, 72 + Double(alpha)! + Double(beta)! / 10)
      }
    }
    let results = SweepResults(
      name: "a <sweep> & more", columns: ["student", "method", "alpha", "beta"], runs: runs,
      metric: MadeUp.metric())
    return FigureInput(claiming(results), series: series, x: "alpha")
  }()

  @Test(arguments: Catalog.figures.names.filter { $0 != "teachers" })
  func `every kind is well-formed, titled, inside its frame and without identifiers`(_ name: String) throws {
    let svg = try Catalog.figures.entry(name).draw(Self.input)
    let drawing = try Drawing(svg.text)
    #expect(drawing.elements("title").first?.text.contains("a <sweep> & more") == true)
    #expect(!drawing.elements("desc").isEmpty && drawing.elements("text").count > 5)
    #expect(
      !svg.text.contains("nan") && !svg.text.contains("inf\"") && !svg.text.contains(" id=")
        && !svg.text.contains("href"))
    for element in drawing.all {
      for (names, limit) in [(["x", "x1", "x2", "cx"], svg.width), (["y", "y1", "y2", "cy"], svg.height)] {
        for name in names {
          guard let value = element.attributes[name].flatMap(Double.init) else { continue }
          #expect(value >= 0 && value <= limit, "\(element.name) \(name) = \(value) of \(limit)")
        }
      }
    }
    for point in drawing.elements("path").flatMap(\.points) {
      #expect(point.x >= 0 && point.x <= svg.width && point.y >= 0 && point.y <= svg.height)
    }
    #expect(drawing.texts.contains { $0.contains("seeds") || $0.contains("seed") })
  }

  /// A table that claims a difference of two of its methods.
  private static func claiming(_ results: SweepResults) -> ReportTable {
    let place = results.columns.firstIndex(of: "method")!
    var methods: [String] = []
    for run in results.runs {
      let name = run.labels[place].title
      if !methods.contains(name) { methods.append(name) }
    }
    var table = ReportTable(results)
    let seeds = Set(results.runs.map(\.seed)).sorted()
    let set = ClaimSet(
      claims: [ClaimSpec(first: methods[1], second: methods[0])], seeds: seeds, count: seeds.count)
    table.claims = ClaimBook(set, columns: results.columns, cells: table.cells.map(\.labels)) { _ in results }
    return table
  }

  @Test func `the losses of each teacher are drawn below its weights where the input has them`() throws {
    let plain = try WeightsFigure.draw(Self.input)
    var series = Self.input.series
    for (metric, courses) in Self.input.series {
      guard let place = WeightsFigure.teacher(metric, "weight.logit") else { continue }
      series["teacher.\(place).logit"] = courses.mapValues { $0.map { $0 + Double(place) } }
      series["teacher.\(place).feature"] = courses
    }
    let names = series.keys.sorted()
    #expect(WeightsFigure.lossSeries(among: names + ["teacher.acc1.0", "teacher.x.logit"]).count == 4)
    let drawing = try Drawing(
      WeightsFigure.draw(FigureInput(Self.input.table, series: series, x: "alpha")).text)
    #expect(drawing.texts.contains("logit loss of each teacher"))
    #expect(drawing.texts.contains("feature loss of each teacher"))
    #expect(!plain.text.contains("loss of each teacher"))
  }

  @Test
  func
    `a figure over alpha has a line a method and beta, bars where there are four, and a mark for every seed`()
    throws
  {
    let drawing = try Drawing(AlphaFigure.draw(Self.input).text)
    #expect(drawing.marks("line", of: "path").count == 4, "two methods at two betas")
    // Four bands over each other would hide the lines: a bar at each of three alphas instead.
    #expect(drawing.marks("band", of: "path").isEmpty && drawing.marks("bar", of: "path").count == 12)
    let bar = try #require(drawing.marks("bar", of: "path").first).points
    #expect(bar.count == 6 && bar[2].x == bar[3].x && bar[2].y > bar[3].y && bar[0].y == bar[1].y)
    #expect(drawing.texts.joined().contains("bars of one sample std"))
    #expect(drawing.all.count { $0.style.contains("dot") } == 4 * 3 * 3, "three alphas and three seeds each")
    #expect(drawing.marks("reference", of: "line").count == 2, "the baseline, and its line in the legend")
    #expect(drawing.texts.contains("α (weight of the logit term)") && drawing.texts.contains("test.acc1 (%)"))
    for tick in ["0", "0.5", "2"] { #expect(drawing.texts.contains(tick)) }
    // Means rise with alpha: later points stand higher, which is a smaller y.
    let line = try #require(drawing.marks("line", of: "path").first).points
    #expect(line.count == 3 && line[0].x < line[1].x && line[1].x < line[2].x)
    #expect(line[0].y > line[1].y && line[1].y > line[2].y)
    // Linear in alpha and in the metric: (0.5 - 0) / (2 - 0) of the way in both.
    #expect(((line[1].x - line[0].x) / (line[2].x - line[0].x)).isNear(0.25, absolute: 0.002))
    #expect(((line[1].y - line[0].y) / (line[2].y - line[0].y)).isNear(0.25, absolute: 0.002))
  }

  /// Two methods over a rate, one more that has a single rate, one rate at which all diverged, and
  /// four cells that read none.
  private static let uneven: FigureInput = {
    var runs: [SweepResults.Run] = []
    func add(_ method: String, _ rate: JSONValue, _ mean: Double?) {
      for seed in 1...2 {
        let failure = FailureRecord(cause: .diverged, reason: "the loss is not finite")
        runs.append(
          SweepResults.Run(
            labels: ["resnet8", .string(method), rate], seed: seed,
            state: mean == nil ? .failed(failure) : .finished,
            numbers: mean.map { MadeUp.numbers(last: $0 + Double(seed), best: 80) }, programs: ["one"]))
      }
    }
    let rates: [JSONValue] = [
      .number(DecimalNumber("0.1")!), .number(DecimalNumber("0.2")!), .number(DecimalNumber("0.3")!),
    ]
    for (place, method) in ["aver-kd", "ca-mkd"].enumerated() {
      for (step, rate) in rates.enumerated() {
        add(method, rate, step == 2 ? nil : Double(70 + place + step))
      }
    }
    add("mtkd-rl", rates[0], 75)
    for (place, method) in ["a", "b", "c", "d"].enumerated() { add(method, .null, Double(60 + place)) }
    let results = SweepResults(
      name: "uneven", columns: ["student", "method", "rate"], runs: runs, metric: MadeUp.metric())
    return FigureInput(ReportTable(results), x: "rate")
  }()

  @Test func `an axis draws groups of one cell, all level lines and a cross where every seed diverged`()
    throws
  {
    let drawing = try Drawing(AxisFigure.draw(Self.uneven).text)
    // A mark of its own for the method under study, in the picture and in the legend; crosses
    // at the axis, one a cell.
    #expect(drawing.texts.contains("mtkd-rl"), "\(drawing.texts)")
    #expect(drawing.marks("reference", of: "line").count == 8, "four lines, four times in the legend")
    let crosses = drawing.marks("diverged", of: "line")
    #expect(crosses.count == 4, "two strokes for each of two cells")
    #expect(drawing.texts.contains("0.3"), "the rate at which all diverged is on the axis")
    let note = drawing.texts.joined(separator: " ")
    let account = "11 cells: 9 drawn, 1 of them with no partner on this axis, 2 diverged (rate=0.3)."
    #expect(note.contains(account), "\(note)")
  }

  @Test(arguments: Catalog.figures.names.filter { $0 != "teachers" })
  func `every figure ends with an account of all cells`(_ name: String) throws {
    let drawing = try Drawing(Catalog.figures.entry(name).draw(Self.input).text)
    let note = drawing.texts.joined(separator: " ")
    let start = try #require(note.range(of: "13 cells: "), "\(note)")
    let numbers = note[start.upperBound...].split(separator: ".")[0].split(separator: ",").compactMap {
      part in
      part.contains(" of them ") ? nil : Int(part.drop { $0 == " " }.prefix { $0.isNumber })
    }
    #expect(numbers.reduce(0, +) == 13, "\(note)")
    #expect(!note.contains("--"), "pictures stand on pages, where no option can be given")
  }

  @Test func `values fifty times apart stand on a logarithmic axis`() throws {
    #expect(AxisFigure.isLogarithmic([0.01, 0.1, 1]) && AxisFigure.isLogarithmic([1, 50]))
    #expect(!AxisFigure.isLogarithmic([1, 49]) && !AxisFigure.isLogarithmic([0, 100]))
    #expect(!AxisFigure.isLogarithmic([-1, 100]) && !AxisFigure.isLogarithmic([]))
    let results = SweepResults(
      name: "rates", columns: ["student", "method", "rate"],
      runs: ["0.01", "0.1", "100"].flatMap { rate in
        (1...2).map { seed in
          SweepResults.Run(
            labels: ["s", "m", .number(DecimalNumber(rate)!)], seed: seed, state: .finished,
            numbers: MadeUp.numbers(last: Double(70 + seed), best: 80), programs: ["one"])
        }
      }, metric: MadeUp.metric())
    let drawing = try Drawing(AxisFigure.draw(FigureInput(ReportTable(results), x: "rate")).text)
    let line = try #require(drawing.marks("line", of: "path").first).points
    // One decade, then three.
    #expect(((line[2].x - line[1].x) / (line[1].x - line[0].x)).isNear(3, absolute: 0.01))
    #expect(drawing.texts.contains("rate, log scale"))
    for tick in ["0.01", "0.1", "1", "10", "100"] { #expect(drawing.texts.contains(tick)) }
  }

  @Test func `what does not fit keeps the best, the second and the compared cells`() throws {
    let results = MadeUp.results((0..<40).map { ("m\($0)", [Double(50 + $0), Double(51 + $0)]) })
    let input = FigureInput(ReportTable(results))
    let kept = input.kept(input.table.cells, most: 8) { [$0] }
    #expect(kept.map { $0.labels[1].string } == (32..<40).map { "m\($0)" })
    let seeds = try Drawing(SeedsFigure.draw(input).text)
    #expect(seeds.texts.contains("m39") && !seeds.texts.contains("m0"))
    #expect(seeds.texts.joined(separator: " ").contains("40 cells: 30 drawn, 10 not shown."))
  }

  @Test func `a heat map has a field and a number a cell`() throws {
    let drawing = try Drawing(HeatMapFigure.draw(Self.input).text)
    let fields = drawing.elements("rect").filter { $0.title?.hasPrefix("α = ") == true }
    #expect(fields.count == 12)
    #expect(drawing.texts.count { $0.hasPrefix("± ") } == 12)
    #expect(drawing.texts.contains("α (logit term)") && drawing.texts.contains("β (feature term)"))
    // The highest mean is the brightest, the lowest the darkest.
    let colours = fields.compactMap { $0.attributes["fill"] }
    #expect(colours.contains("rgb(254,232,56)") && colours.contains("rgb(0,34,78)"))
  }

  @Test
  func
    `loss terms are marks with bars, of a shape each, with the baseline where alpha and beta are not read`()
    throws
  {
    let drawing = try Drawing(LossTermsFigure.draw(Self.input).text)
    // Two methods, two alphas above 0, four marks each: an axis that does not begin at
    // 0 has no use for columns.
    let marks = drawing.all.filter { $0.style.contains("fill") && $0.title?.contains(" ± ") == true }
    #expect(marks.count == 16 && drawing.marks("bar", of: "path").count == 16)
    #expect(marks.count { $0.name == "circle" } == 4, "every term has a shape of its own")
    #expect(drawing.all.count { $0.style.contains("dot") } == 16 * 3)
  }

  @Test func `learning curves begin with epoch 1 and end with the last`() throws {
    let drawing = try Drawing(CurvesFigure.draw(Self.input).text)
    #expect(drawing.marks("line", of: "path").count == 8, "as many as there are colours")
    #expect(drawing.texts.contains { $0.contains("13 cells: 8 drawn, 5 not shown") }, "\(drawing.texts)")
    #expect(drawing.marks("line", of: "path").allSatisfy { $0.points.count == 3 })
    #expect(drawing.texts.contains("epoch"))
  }

  /// Three methods: of the second a run diverged after an epoch, the third has one run under way and two
  /// that diverged before any.
  private static let troubled: FigureInput = {
    var runs: [SweepResults.Run] = []
    var series: [String: [ContentKey: [Double]]] = [:]
    func failure(_ epoch: Int) -> RunState {
      .failed(FailureRecord(cause: .diverged, reason: "the loss is not finite", epoch: epoch, step: 1))
    }
    for (method, seed, state, course) in [
      ("aver-kd", 1, RunState.finished, [50.0, 60, 70, 71]), ("aver-kd", 2, .finished, [51, 61, 71, 72]),
      ("ca-mkd", 1, .finished, [50, 60, 70, 70]), ("ca-mkd", 2, failure(2), [50, 40]),
      ("mtkd-rl", 1, .open, [50, 60]), ("at", 1, failure(0), []), ("at", 2, failure(0), []),
    ] as [(String, Int, RunState, [Double])] {
      let key = ContentKey(hashing: Array("\(method) \(seed)".utf8))
      runs.append(
        SweepResults.Run(
          labels: ["resnet8", .string(method)], seed: seed, state: state,
          numbers: state == .finished ? MadeUp.numbers(last: course.last!, best: 80) : nil, key: key,
          programs: ["one"]))
      if !course.isEmpty { series["test.acc1", default: [:]][key] = course }
    }
    let results = SweepResults(
      name: "troubled", columns: ["student", "method"], runs: runs, metric: MadeUp.metric())
    return FigureInput(ReportTable(results), series: series)
  }()

  @Test func `curves say where a run diverged, and draw those that are under way`() throws {
    let drawing = try Drawing(CurvesFigure.draw(Self.troubled).text)
    let lines = drawing.marks("line", of: "path").filter { $0.points.count > 1 }
    #expect(Set(lines.map(\.points.count)) == [4, 2], "\(lines.map(\.points.count))")
    #expect(drawing.texts.contains("diverged in epoch 3"), "\(drawing.texts)")
    #expect(drawing.texts.contains("2 runs diverged in epoch 1"), "\(drawing.texts)")
    // A cross is two strokes; runs that diverged at one place share one.
    let strokes = drawing.marks("diverged", of: "line")
    #expect(strokes.count == 4)
    let middles = strokes.map { (Double($0.attributes["x1"]!)! + Double($0.attributes["x2"]!)!) / 2 }
    let ends = lines[0].points
    #expect(middles.contains { $0.isNear(ends[2].x, absolute: 0.1) }, "at epoch 3")
    #expect(middles.contains { $0.isNear(ends[0].x, absolute: 0.1) }, "at epoch 1")
    let note = drawing.texts.joined(separator: " ")
    #expect(note.contains("× where a run diverged. 1 run of them not at the end yet."), "\(note)")
  }

  @Test func `ribbons of weights fill the whole`() throws {
    let drawing = try Drawing(WeightsFigure.draw(Self.input).text)
    let ribbons = drawing.all.filter { $0.name == "path" && $0.style.contains("ribbon") }
    #expect(ribbons.count == 6 * 2 * 2, "six cells, two terms, two teachers")
    // The weights sum to 1: the upper edge of the second ribbon is level.
    let upper = Set(ribbons[1].points.prefix(2).map(\.y))
    #expect(upper.count == 1)
    // The first epoch weighs both the same: a strip up to where the ribbons begin.
    let strips = drawing.marks("strip", of: "rect")
    #expect(strips.count == 12 && strips[0].title == "warm-up: all teachers weigh the same, 1.00 together")
    let end = Double(strips[0].attributes["x"]!)! + Double(strips[0].attributes["width"]!)!
    #expect(end.isNear(ribbons[0].points[0].x, absolute: 0.02))
    #expect(drawing.texts.joined(separator: " ").contains("(warm-up). 13 cells: 6 drawn, 7 without weights"))
    #expect(drawing.texts.contains("teacher 1") && drawing.texts.contains("teacher 2"))
    let classes = try Drawing(ClassWeightsFigure.draw(Self.input).text)
    let parts = classes.elements("rect").filter { $0.title?.hasPrefix("class ") == true }
    // Six cells that decide something, four classes, two teachers.
    #expect(parts.count == 6 * 8 && classes.texts.contains("class of the image"))
    #expect(classes.texts.contains("mtkd-rl alpha=2 beta=5, logit term"))
    #expect(classes.texts.joined(separator: " ").contains("13 cells: 6 drawn, 7 without weights by class"))
    let heights = parts.map { Double($0.attributes["height"]!)! }
    #expect((heights[0] / heights[1]).isNear(3, absolute: 0.01), "0.75 and 0.25")
  }

  @Test func `bands over each other have edges with the dashes of their lines`() throws {
    let two = Self.input.table.results.filtered(by: [try LabelFilter("method=mtkd-rl")])
    let drawing = try Drawing(AlphaFigure.draw(FigureInput(ReportTable(two), x: "alpha")).text)
    #expect(drawing.marks("band", of: "path").count == 2)
    let edges = drawing.elements("path").filter { $0.style.contains("faint") }
    #expect(edges.count == 4 && Set(edges.map { $0.attributes["stroke-dasharray"] ?? "" }).count == 2)
  }

  @Test func `claims have marks in their legend, and settings as long as they are`() throws {
    let drawing = try Drawing(ClaimsFigure.draw(Self.input).text)
    #expect(drawing.all.allSatisfy { !$0.style.contains("dot") }, "pale marks are alike in grey")
  }

  @Test func `areas beside each other differ in lightness, and those of one lightness in their strokes`() {
    let looks = (0..<FigureStyle.count).map { index in
      "\(index % 2) \(FigureStyle.hatch(index).map { "\($0.step) \($0.dash ?? "")" } ?? "plain")"
    }
    #expect(Set(looks).count == FigureStyle.count, "\(looks)")
  }

  @Test func `epochs that weigh all the same are a warm-up only where later ones do not`() throws {
    func course(_ values: [Double]) throws -> Course { try #require(Course([values])) }
    let decided = try [course([1, 0.25, 0.3]), course([1, 0.75, 0.7])]
    let equal = try [course([0.5, 0.5, 0.5]), course([0.5, 0.5, 0.5])]
    #expect(WeightsFigure.warmup([decided, decided]) == 1 && WeightsFigure.warmup([decided, equal]) == 1)
    #expect(WeightsFigure.warmup([equal, equal]) == 0 && WeightsFigure.warmup([[decided[0]]]) == 0)
  }

  @Test func `rewards are drawn for each teacher, and every seed once`() throws {
    let rewards = try Drawing(RewardFigure.draw(Self.input).text)
    #expect(
      rewards.texts.contains { $0.hasSuffix("teacher 1") } && rewards.texts.contains { $0.contains("nats") })
    // A panel a cell, a line a teacher, and a legend for all.
    #expect(rewards.texts.contains("alpha=2 beta=5") && rewards.texts.count { $0.hasPrefix("teacher ") } == 2)
    #expect(rewards.elements("path").count { $0.style.contains("line") } == 6 * 2)
    #expect(rewards.texts.joined(separator: " ").contains("13 cells: 6 drawn, 7 without a reward"))
    let seeds = try Drawing(SeedsFigure.draw(Self.input).text)
    #expect(seeds.all.count { $0.style.contains("dot") } == 13 * 3)
    #expect(seeds.texts.contains("seed 3") && seeds.texts.contains("baseline"))
  }

  @Test func `the front holds what nothing beats in both`() throws {
    let points: [(cost: Double, value: Double)] = [
      (1, 70), (2, 72), (2, 71), (3, 71.5), (4, 75), (0.5, 60), (1, 69),
    ]
    #expect(CostFigure.front(points, true) == [5, 0, 1, 4])
    #expect(CostFigure.front(points.map { ($0.cost, -$0.value) }, false) == [5, 0, 1, 4])
    let drawing = try Drawing(CostFigure.draw(Self.input).text)
    #expect(drawing.texts.contains("cpu.seconds, mean of an epoch (s)"))
    #expect(drawing.texts.contains { $0.hasPrefix("13  ") }, "every cell has its name")
    // The legend's marks are those of the drawing: a diamond's colour is the same in both.
    let (diamonds, circles) = (drawing.marks("fill", of: "path"), drawing.marks("fill", of: "circle"))
    #expect(!diamonds.isEmpty && diamonds.allSatisfy { $0.style == ["fill", "f1"] })
    #expect(!circles.isEmpty && circles.allSatisfy { $0.style == ["fill", "f0"] })
  }

  @Test func `costs begin at nothing, and processor time goes before the clock's`() throws {
    #expect(
      CostFigure.series(among: ["measured.cpuSeconds", "measured.seconds", "test.acc1"]) == [
        "measured.cpuSeconds"
      ])
    let results = MadeUp.results([("a", [70, 71]), ("b", [72, 73])])
    let keyed = results.runs.enumerated().map { place, run in
      SweepResults.Run(
        labels: run.labels, seed: run.seed, state: run.state, numbers: run.numbers,
        key: ContentKey(hashing: [UInt8(place)]),
        programs: run.programs)
    }
    let table = ReportTable(
      SweepResults(name: "x", columns: results.columns, runs: keyed, metric: results.described))
    let seconds = Dictionary(keyed.enumerated().map { ($1.key!, [$0 % 2 == 0 ? 0.1 : 20]) }) { $1 }
    let drawing = try Drawing(CostFigure.draw(FigureInput(table, series: ["seconds": seconds])).text)
    // One std below a mean of 10 is -4.
    #expect(!drawing.texts.contains { $0.hasPrefix("-") } && drawing.texts.contains("0"), "\(drawing.texts)")
  }

  @Test func `texts that are too long lose their middle, and sentences go on in another line`() {
    let name = "mini-shufflev2-01 aver-kd-fitnet M=4 alpha=0.5"
    #expect(TextFit.shortened(name, to: 1000) == name && TextFit.shortened("short", to: 60) == "short")
    let short = TextFit.shortened(name, to: 250)
    #expect(short.hasPrefix("mi") && short.hasSuffix("M=4 alpha=0.5") && short.contains("…"), "\(short)")
    #expect(TextFit.width(short) <= 250 && TextFit.width(short) > 235)
    #expect(TextFit.shortened(name, to: 1) == "…")
    let sentence = "Mean of n = 3 seeds, band of one sample std, each seed a mark."
    let lines = TextFit.lines(sentence, "note", to: 150)
    #expect(lines.joined(separator: " ") == sentence && lines.count > 2)
    #expect(lines.allSatisfy { TextFit.width($0, "note") <= 150 })
    var svg = SVG(width: 200, height: 100, title: "t", description: "d")
    svg.note(sentence)
    #expect(svg.height > 100, "the picture grows with the lines at its foot")
  }

  /// Long names of everything that a picture shows: sweep, student, method with its options,
  /// trainer, teachers, metric.
  ///
  /// - Parameter hasTrainers: whether methods differ in their trainers, too.
  static func wordy(hasTrainers: Bool) -> FigureInput {
    func long(_ label: JSONValue) -> JSONValue {
      switch label.string {
      case "resnet8": "cifar_shufflenet_v2(width=0.5, blocks=[3, 7, 3], channels=[24, 48, 96, 192])"
      case "mtkd-rl":
        "mtkd-rl(policy=ppo, objective=log, stateEntries=[ce, cos, kl], rewardNorm=minmaxCentred, mixing=dynamic)"
      case let name?: .string("\(name) with a feature loss of its own and eleven other settings")
      case nil: label
      }
    }
    let plain = input.results
    let runs = plain.runs.map { run in
      let device: JSONValue =
        run.labels[1] == "mtkd-rl"
        ? "the first, longer of two trainers in words" : "WWWWWWWW MMMMMMMM 蒸留蒸留蒸留蒸留蒸留蒸留蒸留蒸留"
      return SweepResults.Run(
        labels: run.labels.map(long) + (hasTrainers ? [device] : []), seed: run.seed, state: run.state,
        numbers: run.numbers,
        key: run.key,
        programs: run.programs)
    }
    let results = SweepResults(
      name: "a-sweep-name-of-sixty-three-characters-as-long-as-grids-allow-1",
      columns: plain.columns + (hasTrainers ? ["trainer"] : []), runs: runs, metric: plain.described,
      select: .bestOnTest)
    return FigureInput(claiming(results), series: input.series, x: "method")
  }

  @Test(arguments: Catalog.figures.names.filter { $0 != "teachers" })
  func `no text leaves the picture or runs into its neighbour`(_ name: String) throws {
    for var input in [Self.input, Self.wordy(hasTrainers: name != "axis")] {
      if name == "axis" { input.x = "method" }
      let svg = try Catalog.figures.entry(name).draw(input)
      let drawing = try Drawing(svg.text)
      let boxes = drawing.elements("text").map { Box($0) }
      for box in boxes {
        #expect(
          box.left >= 0 && box.right <= svg.width && box.top >= 0 && box.bottom <= svg.height,
          "\(box) in \(svg.width) × \(svg.height)")
        let overlapped = boxes.filter { $0 != box && $0.overlaps(box) }
        #expect(overlapped.isEmpty, "\(box) over \(overlapped)")
      }
      // What was cut is there as a whole.
      for element in drawing.elements("text") where element.text.contains("…") {
        let whole = try #require(element.title, "\(element.text)")
        var rest = whole[...]
        for piece in element.text.split(separator: "…") {
          let place = try #require(rest.firstRange(of: piece.drop { $0 == " " }), "\(piece) in \(whole)")
          rest = rest[place.upperBound...]
        }
        #expect(whole.count > element.text.count)
      }
    }
  }

  @Test func `a sweep without what a kind needs says what that is`() {
    let bare = FigureInput(ReportTable(MadeUp.results([("baseline", [70, 71]), ("mtkd-rl", [71, 72])])))
    for kind in Catalog.figures.entries where !["seeds", "forest", "importance"].contains(kind.name) {
      let error = #expect(throws: NoFigure.self, "\(kind.name)") { try kind.draw(bare) }
      #expect((error?.description.count ?? 0) > 50)
    }
    #expect(throws: Never.self) { try SeedsFigure.draw(bare) }
    #expect(throws: Never.self) { try ForestFigure.draw(bare) }
    var unknown = Self.input
    unknown.x = "gamma"
    #expect(throws: NoFigure.self) { try AxisFigure.draw(unknown) }
  }

  @Test func `numbers of teachers are an axis of their own`() throws {
    let results = SweepResults(
      name: "x", columns: ["student", "method", "teachers"],
      runs: [["a"], ["a", "b"], ["a", "b", "c", "d"]].flatMap { pool in
        (1...2).map { seed in
          SweepResults.Run(
            labels: ["s", "m", .array(pool.map { .string($0) })], seed: seed,
            state: .finished, numbers: MadeUp.numbers(last: Double(70 + pool.count + seed), best: 80))
        }
      }, metric: MadeUp.metric())
    let drawing = try Drawing(TeachersFigure.draw(FigureInput(ReportTable(results))).text)
    #expect(drawing.texts.contains("M (number of teachers)"))
    for tick in ["1", "2", "4"] { #expect(drawing.texts.contains(tick)) }
  }

  @Test(arguments: [
    ([70.0, 74.0], ["70", "71", "72", "73", "74"]), ([0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ([0.011, 0.029], ["0.010", "0.015", "0.020", "0.025", "0.030"]),
    ([5, 5], ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]),
    ([-3, 12], ["-5", "0", "5", "10", "15"]),
  ])
  func `ticks are round numbers around the values`(_ values: [Double], _ texts: [String]) {
    #expect(Scale(covering: values).ticks.map(\.text) == texts)
  }

  @Test func `whole epochs only`() {
    #expect(Scale(epochs: 3).ticks.map(\.text) == ["1", "2", "3"])
    #expect(Scale(epochs: 1).ticks.map(\.text) == ["1"])
    #expect(Scale(epochs: 240).ticks.map(\.text) == ["1", "50", "100", "150", "200"])
  }

  /// WCAG's contrast of graphics, 3 to 1, against light and dark ground; and no two series with
  /// one marker and one dash.
  @Test func `series stand out from either ground and from each other`() {
    func luminance(_ colour: String) -> Double {
      let value = Int(colour.dropFirst(), radix: 16)!
      let parts = [value >> 16, value >> 8 & 255, value & 255].map { Double($0) / 255 }
      let linear = parts.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    func contrast(_ a: String, _ b: String) -> Double {
      let (x, y) = (luminance(a), luminance(b))
      return (max(x, y) + 0.05) / (min(x, y) + 0.05)
    }
    for colour in FigureStyle.light { #expect(contrast(colour, "#ffffff") >= 3, "\(colour)") }
    for colour in FigureStyle.dark { #expect(contrast(colour, "#15181c") >= 3, "\(colour)") }
    let looks = (0..<FigureStyle.count).map { "\($0 % 6) \(FigureStyle.dash($0) ?? "")" }
    #expect(Set(looks).count == looks.count)
    // The field of colours rises in lightness, so that it reads in grey.
    let greys = stride(from: 0.0, through: 1, by: 0.05).map { share -> Double in
      let parts = FigureStyle.heat(share).colour.dropFirst(4).dropLast().split(separator: ",").map {
        Double($0)!
      }
      return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
    #expect(zip(greys, greys.dropFirst()).allSatisfy { $0 < $1 })
  }
}

/// Where a text stands, by an estimate of its width that is not the program's: each character as wide as the
/// mean of its kind in DejaVu Sans.
private struct Box: Equatable, CustomStringConvertible {
  let text: String
  let left, right, top, bottom: Double

  init(_ element: Drawing.Element) {
    text = element.text
    func number(_ name: String) -> Double { element.attributes[name].flatMap(Double.init) ?? 0 }
    let size =
      element.style.contains("title")
      ? 15.0 * 1.1 : element.style.contains("note") ? 11 : element.style.contains("small") ? 10.5 : 12
    let width =
      size
      * text.unicodeScalars.reduce(0.0) { sum, scalar in
        sum
          + (scalar.value > 0x1100 && scalar.value != 0x2026
            ? 1 : "il.,:;'|!()[]/- ".unicodeScalars.contains(scalar) ? 0.33 : 0.6)
      }
    let (x, y) = (number("x"), number("y"))
    let start =
      switch element.attributes["text-anchor"] {
      case "middle": -width / 2;
      case "end": -width;
      default: 0.0
      }
    if element.attributes["transform"] != nil {
      (left, right, top, bottom) = (x - 0.75 * size, x + 0.2 * size, y - start - width, y - start)
    } else {
      (left, right, top, bottom) = (x + start, x + start + width, y - 0.75 * size, y + 0.2 * size)
    }
  }

  func overlaps(_ other: Box) -> Bool {
    left < other.right - 1 && other.left < right - 1 && top < other.bottom - 1 && other.top < bottom - 1
  }

  var description: String { "\"\(text)\" at \(Int(left)) to \(Int(right)), \(Int(top)) to \(Int(bottom))" }
}

/// An SVG text, parsed.
private struct Drawing {
  struct Element {
    let name: String
    let attributes: [String: String]
    var text = ""
    /// Of a `title` inside.
    var title: String?

    var style: [Substring] { (attributes["class"] ?? "").split(separator: " ") }

    /// Of a path of straight lines.
    var points: [(x: Double, y: Double)] {
      (attributes["d"] ?? "").split(whereSeparator: { "MLZ".contains($0) }).compactMap { pair in
        let numbers = pair.split(separator: " ").compactMap { Double($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
      }
    }
  }

  let all: [Element]

  init(_ svg: String) throws {
    let reader = Reader()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    guard parser.parse() else {
      throw Malformed(reason: "\(parser.parserError.map { "\($0)" } ?? "") line \(parser.lineNumber)")
    }
    all = reader.all
  }

  struct Malformed: Error { let reason: String }

  func elements(_ name: String) -> [Element] { all.filter { $0.name == name } }
  func marks(_ style: String, of name: String) -> [Element] {
    elements(name).filter { $0.style.contains { $0 == style } }
  }
  var texts: [String] { elements("text").map(\.text) }

  private final class Reader: NSObject, XMLParserDelegate {
    var all: [Element] = []
    var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String] = [:]
    ) {
      open.append(all.count)
      all.append(Element(name: name, attributes: attributes))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if let last = open.last { all[last].text += text }
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
      let closed = open.removeLast()
      if name == "title", let parent = open.last { all[parent].title = all[closed].text }
    }
  }
}
