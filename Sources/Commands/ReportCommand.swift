import ArgumentParser
import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage

/// `mtkd-sweep report`: reads the store, trains nothing.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Print mean and std of every cell of a sweep.",
    discussion: "Safe to run while the sweep is going on: cells show the seeds that have finished.")

  @OptionGroup var location: StoreLocation
  @OptionGroup var styles: StyleOptions

  @Argument(
    help: "The sweep, as 'mtkd-sweep list' names it. May be left out where the store holds one.",
    completion: Completions.sweeps)
  var sweep: String?

  @Option(
    help:
      ArgumentHelp(
        "How to write the table: \(Catalog.tableFormats.names.joined(separator: ", ")); or "
          + "\(SweepPage.name): one page with everything, for a browser."),
    completion: Completions.reportFormats)
  var format = TextTable.name

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("File to write. (default: -, standard output)", valueName: "file"))
  var output: String?

  @OptionGroup var options: ReportOptions

  @Flag(help: "Exit with 2 where a run has no result.")
  var requireComplete = false

  @Flag(help: "The table of the grid's claims alone.")
  var claims = false

  @Flag(help: "Exit with 2 where a claim of the grid is open.")
  var requireDecided = false

  @Option(
    help: ArgumentHelp(
      "Choose settings, such as alpha,beta, for each method by its validation images, and tell the test "
        + "result of what was chosen.", valueName: "settings"), completion: Completions.varying)
  var choose: String?

  @Option(
    help: ArgumentHelp(
      "\(PublicationTable.name): with --format latex, a table for a paper; its tests go to a "
        + "file of their own.",
      valueName: "style"))
  var style: String?

  func validate() throws {
    if let style {
      guard style == PublicationTable.name else {
        throw ValidationError("There is no style '\(style)'. Known: \(PublicationTable.name).")
      }
      guard format == LaTeXTable.name else {
        throw ValidationError("--style \(PublicationTable.name) is for --format \(LaTeXTable.name).")
      }
      if claims || choose != nil || options.long {
        throw ValidationError(
          "--style \(PublicationTable.name) is of the table, not of --claims, --choose or --long.")
      }
    }
    if choose != nil { try options.tests.checkOneMetric("--choose") }
    if choose != nil, format == SweepPage.name || claims {
      throw ValidationError("--choose is a table of its own, of any format but \(SweepPage.name).")
    }
    if format == SweepPage.name {
      if claims {
        throw ValidationError("--claims is a table; the page of --format \(SweepPage.name) has it already.")
      }
      return
    }
    do { _ = try Catalog.tableFormats.entry(format) } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    let store = try location.open()
    let record = try location.sweep(sweep, in: store)
    if let choose {
      let destination = ExportDestination(output: output)
      let style = destination.isStandardOutput ? styles.style(for: STDOUT_FILENO) : TextStyle()
      let sheet = try options.chosen(TestOptions.names(choose), record, in: store).sheet(
        digits: options.tests.digits, style)
      let text = try Catalog.tableFormats.entry(format).render(sheet, style: style)
      return try destination.write { write in try write(ExportedFile(path: "", text)) }
    }
    var all = try options.tables(record, in: store, isPaper: style != nil)
    let looks = LookLog(of: record.name, in: location.folder)
    for place in all.indices { looks.show(&all[place]) }
    let tables = MetricTables(all)
    let table = tables.first
    let results = table.source
    if claims || requireDecided, table.claims == nil {
      throw NothingThere(
        description:
          "\(record.name) claims nothing: write \"claims\" into its grid and run it (docs/statistics.md).")
    }
    let destination = ExportDestination(output: output)
    let style = destination.isStandardOutput ? styles.style(for: STDOUT_FILENO) : TextStyle()
    let text =
      switch format {
      case LaTeXTable.name where self.style != nil: try paper(tables)
      case let name where claims:
        try claimsText(table, Catalog.tableFormats.entry(name), style)
      case SweepPage.name:
        try SweepPage.render(
          story(record, tables, in: store).timed(in: location.folder),
          figures: store.figures(of: record.name, table),
          pictures: SweepPictures.markup(table, store, in: location.folder) { "#r-\($0.short)" })
      case MarkdownTable.name: try MarkdownReport.render(story(record, tables, in: store), style: style)
      default: try Catalog.tableFormats.entry(format).render(tables, style: style)
      }
    try destination.write { write in try write(ExportedFile(path: "", text)) }
    if requireDecided, let book = table.claims, book.undecided > 0 {
      Talk.say("\(book.undecided) of \(counted(book.entries.count, "claim")) without an answer.")
      throw ExitCode(.incomplete)
    }
    let withheld = table.cells.count { $0.isWithheld }
    if withheld > 0 {
      Talk.say(
        "\(withheld == 1 ? "1 cell shows" : "\(withheld) cells show") no numbers: different programs or "
          + "numerics made them. --allow-mixed shows them.")
      if requireComplete { throw ExitCode(.incomplete) }
    }
    let missing = tables.missing
    guard missing > 0 else { return }
    Talk.say("\(missing) of \(results.runs.count) runs \(missing == 1 ? "has" : "have") no result.")
    if requireComplete { throw ExitCode(.incomplete) }
  }

  private func story(
    _ record: SweepRecord, _ tables: MetricTables, in store: ResultStore
  ) throws -> SweepStory {
    var story = try store.story(of: record, tables.first)
    story.others = Array(tables.tables.dropFirst())
    return story
  }

  /// The table; its tests beside it in `NAME-tests.tex`, below it on standard output.
  private func paper(_ tables: MetricTables) throws -> String {
    let text = PublicationTable.render(tables)
    guard let tests = PublicationTable.tests(tables) else { return text }
    guard let output, output != "-" else { return "\(text)\n% The tests.\n\(tests)" }
    let stem = output.hasSuffix(".tex") ? String(output.dropLast(4)) : output
    let file = "\(stem)-tests.tex"
    try ExportDestination(output: file).write { write in try write(ExportedFile(path: "", tests)) }
    Talk.say("The tests are in \(file).")
    return text
  }

  private func claimsText(
    _ table: ReportTable, _ format: any TableFormat.Type, _ style: TextStyle
  ) throws -> String {
    guard let book = table.claims else { return "" }
    if format.name == JSONTable.name {
      return Commands.json([
        "schema": "mtkd-sweep-claims-1", "sweep": .string(table.results.name), "claims": book.json,
      ])
    }
    return format.render(book.sheet(digits: table.digits, style), style: style)
  }
}
