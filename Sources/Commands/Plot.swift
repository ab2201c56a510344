import ArgumentParser
import Foundation
import Reports
import Results
import Specs
import Storage

/// `mtkd-sweep plot`: a figure of a sweep.
struct Plot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw a figure of a sweep.",
    discussion: """
      Kinds:
      \(Catalog.figures.entries.map { "  \($0.name.padding(toLength: 15, withPad: " ", startingAt: 0))\($0.summary)" }.joined(separator: "\n"))

      For a paper: --width 3.3in --no-title, and --font with the name of its font.
      The file's ending decides: .svg is written here; .png and .pdf need rsvg-convert, inkscape or ImageMagick.
      """)

  @OptionGroup var location: StoreLocation
  @OptionGroup var options: TestOptions

  @Argument(
    help: ArgumentHelp("Which figure: one of the kinds above.", valueName: "kind"),
    completion: Completions.figures)
  var kind: String

  @Argument(
    help: "The sweep, as 'mtkd-sweep list' names it. May be left out where the store holds one.",
    completion: Completions.sweeps)
  var sweep: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "File to write, ending with .svg, .png or .pdf; - for SVG on standard output.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp("With the kind 'axis': the setting on the horizontal axis.", valueName: "setting"),
    completion: Completions.varying)
  var x: String?

  @Flag(
    help: ArgumentHelp(
      "With the kind 'weights': also each teacher's logit and feature loss, below its weights."))
  var losses = false

  @Option(
    help: ArgumentHelp(
      "How wide: 3.3in, 84mm, 240pt. Text keeps its size of 9 pt where the kind can be made so narrow.",
      valueName: "length"))
  var width: String?

  @Option(help: ArgumentHelp("The font's name.", valueName: "name"))
  var font: String?

  @Flag(help: "Without the title: a paper has a caption.")
  var noTitle = false

  @Option(
    help: ArgumentHelp("The ends of the metric's axis, such as 70,80.", valueName: "low,high"))
  var ylim: String?

  @Option(
    help: ArgumentHelp(
      "With the kind 'forest': \(FigureOptions.CellOrder.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "order"))
  var order: FigureOptions.CellOrder?

  func validate() throws {
    try checkPaper()
    do { _ = try Catalog.figures.entry(kind) } catch { throw ValidationError("\(error)") }
    guard output == "-" || Self.formats.contains(ending) else {
      throw ValidationError(
        "--output ends with \(Self.formats.map { ".\($0)" }.joined(separator: ", ")), or is -.")
    }
    if x != nil, kind != AxisFigure.name {
      throw ValidationError("--x belongs to the kind '\(AxisFigure.name)'.")
    }
    if losses, kind != WeightsFigure.name {
      throw ValidationError("--losses belongs to the kind '\(WeightsFigure.name)'.")
    }
  }

  /// What belongs to some kinds only, and what is no length, no font and no range.
  private func checkPaper() throws {
    let figure = try? Catalog.figures.entry(kind)
    if let width, FigureOptions.pixels(width) == nil {
      throw ValidationError("--width is a length from 1in to 40in, such as 3.3in, 84mm or 240pt.")
    }
    if let font, !FigureOptions.isFont(font) {
      throw ValidationError("--font is the name of a font: letters, digits, spaces and hyphens.")
    }
    if ylim != nil, limits == nil {
      throw ValidationError("--ylim is two numbers, the lower one first: 70,80.")
    }
    let kinds = Catalog.figures.entries
    let limited = kinds.filter { $0.takesLimits }.map { $0.name }.joined(separator: ", ")
    let sorted = kinds.filter { $0.takesOrder }.map { $0.name }.joined(separator: ", ")
    if ylim != nil, let figure, !figure.takesLimits {
      throw ValidationError("--ylim belongs to the kinds \(limited).")
    }
    if order != nil, let figure, !figure.takesOrder {
      throw ValidationError("--order belongs to the kinds \(sorted).")
    }
  }

  private var limits: ClosedRange<Double>? {
    let numbers = (ylim ?? "").split(separator: ",").map { Double($0) }
    guard numbers.count == 2, let low = numbers[0], let high = numbers[1], low < high, (high - low).isFinite
    else {
      return nil
    }
    return low...high
  }

  private var figureOptions: FigureOptions {
    var options = FigureOptions()
    options.width = width.flatMap(FigureOptions.pixels)
    (options.font, options.hasTitle, options.limits) = (font, !noTitle, limits)
    options.order = order ?? .mean
    return options
  }

  private static let formats = ["svg", "png", "pdf"]

  private var ending: String { output.split(separator: ".").last.map { $0.lowercased() } ?? "" }

  func run() throws {
    let store = try location.open()
    let record = try location.sweep(sweep, in: store)
    let figure = try Catalog.figures.entry(kind)
    let preferences = try options.preferences(record)
    let results = try options.results(record, preferences, in: store)
    var layout = ReportLayout(preferences)
    (layout.rows, layout.columns) = ([], [])
    (layout.digits, layout.allowMixed) = (options.digits, options.allowMixed)
    // Courses over the epochs are of runs and claims have means of their own.
    let isOfRuns = !figure.series(among: try store.metricNames()).isEmpty || figure == ClaimsFigure.self
    if isOfRuns { layout.average = [] }
    try layout.checkAverages(results)
    var table = ReportTable(results, layout)
    table.claims = try store.claims(of: record)
    let withheld = table.cells.filter(\.isWithheld).count
    if withheld > 0 {
      Talk.say(
        "\(counted(withheld, "cell")) left out because of different programs or numerics. "
          + "--allow-mixed draws all."
      )
    }
    var input = FigureInput(table, series: try series(figure, record.name, results, store), x: x)
    input.options = figureOptions
    let svg = try figure.draw(input)
    if let asked = input.options.width, let width, svg.width > asked * 1.02 {
      let (inches, points) = (svg.width / 96, 9 * asked / svg.width)
      Talk.say(
        "This figure needs \(NumberFormat.fixed(inches, 1))in for text of 9 pt; at \(width) its text is "
          + "\(NumberFormat.fixed(points, 1)) pt. --where leaves cells out.")
    }
    let text = svg.text(input.options)
    let isPicture = output != "-" && ending != "svg"
    let bytes = isPicture ? try PictureConverter.convert(text, to: ending) : Array(text.utf8)
    try ExportDestination(output: output).write { write in try write(ExportedFile(path: "", bytes: bytes)) }
  }

  private func series(
    _ figure: any FigureKind.Type, _ sweep: String, _ results: SweepResults, _ store: ResultStore
  ) throws -> [String: [ContentKey: [Double]]] {
    let recorded = try store.metricNames()
    let names = figure.series(among: recorded) + (losses ? WeightsFigure.lossSeries(among: recorded) : [])
    if losses, WeightsFigure.lossSeries(among: names).isEmpty {
      throw NoFigure(
        kind: figure.name,
        reason: "its runs recorded no losses by teacher; programs of before did not. Leave out --losses.")
    }
    // Learning curves are of the metric that is asked for, and of no other.
    let wanted = figure == CurvesFigure.self ? names.filter { $0 == results.metric } : names
    guard !wanted.isEmpty else { return [:] }
    let keys = try store.points(of: sweep).map(\.key)
    let kept = Set(results.runs.compactMap(\.key))
    var series: [String: [ContentKey: [Double]]] = [:]
    for name in wanted {
      for (key, values) in zip(keys, try store.series(of: sweep, metric: name)) where kept.contains(key) {
        guard let last = values.last else { continue }
        var course = Array(repeating: Double.nan, count: last.epoch + 1)
        for value in values { course[value.epoch] = value.value }
        series[name, default: [:]][key] = course
      }
    }
    return series
  }
}

extension FigureOptions.CellOrder: ExpressibleByArgument {}

/// Turns SVG into pictures with a program of the system.
enum PictureConverter {
  /// Tried in this order; `IN` and `OUT` stand for files.
  private static let programs: [(name: String, arguments: @Sendable (_ format: String) -> [String])] = [
    ("rsvg-convert", { ["--format", $0, "--zoom", $0 == "png" ? "2" : "1", "--output", "OUT", "IN"] }),
    ("inkscape", { ["IN", "--export-type", $0, "--export-dpi", "192", "--export-filename", "OUT"] }),
    ("magick", { _ in ["-density", "192", "IN", "OUT"] }),
    ("convert", { _ in ["-density", "192", "IN", "OUT"] }),
  ]

  /// - Parameter format: `png` or `pdf`.
  /// - Throws: `NoConverter` where no program of the system does it.
  static func convert(_ svg: String, to format: String) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-plot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (input, output) = (folder.appending(path: "figure.svg"), folder.appending(path: "figure.\(format)"))
    try Data(svg.utf8).write(to: input)
    let signature: [UInt8] = format == "png" ? [0x89, 0x50, 0x4e, 0x47] : Array("%PDF".utf8)
    var tried: [String] = []
    for program in programs {
      guard let path = find(program.name) else { continue }
      let process = Process()
      process.executableURL = path
      process.arguments = program.arguments(format).map { word in
        word == "IN" ? input.path : word == "OUT" ? output.path : word
      }
      (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try process.run()
      process.waitUntilExit()
      if process.terminationStatus == 0, let data = try? Data(contentsOf: output),
        data.starts(with: signature)
      {
        return Array(data)
      }
      tried.append(program.name)
    }
    throw NoConverter(format: format, tried: tried)
  }

  private static func find(_ name: String) -> URL? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(
      separator: ":")
    return folders.map { URL(filePath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}

/// No program of the system that turns SVG into a picture.
struct NoConverter: UserError {
  var exitStatus: ExitStatus { .unavailable }
  let format: String
  /// Those that are there and did not do it.
  let tried: [String]

  var description: String {
    let found =
      tried.isEmpty
      ? "None of rsvg-convert, inkscape and ImageMagick is installed"
      : "\(tried.joined(separator: " and ")) did not"
    return
      "\(found) to make a .\(format). `apt-get install librsvg2-bin` brings one; or write an .svg, "
      + "which needs none."
  }
}
