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
      "How to write the table: \(Catalog.tableFormats.names.joined(separator: ", ")); or \(SweepPage.name): one page with everything, for a browser.",
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

  func validate() throws {
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
    var table = try options.table(record, in: store)
    LookLog(of: record.name, in: location.folder).show(&table)
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
      case let name where claims:
        try claimsText(table, Catalog.tableFormats.entry(name), style)
      case SweepPage.name:
        try SweepPage.render(
          store.story(of: record, table).timed(in: location.folder),
          figures: store.figures(of: record.name, table))
      case MarkdownTable.name: try MarkdownReport.render(store.story(of: record, table), style: style)
      default: try Catalog.tableFormats.entry(format).render(table, style: style)
      }
    try destination.write { write in try write(ExportedFile(path: "", text)) }
    if requireDecided, let book = table.claims, book.undecided > 0 {
      Talk.say("\(book.undecided) of \(counted(book.entries.count, "claim")) without an answer.")
      throw ExitCode(.incomplete)
    }
    let withheld = table.cells.count { $0.isWithheld }
    if withheld > 0 {
      Talk.say(
        "\(withheld == 1 ? "1 cell shows" : "\(withheld) cells show") no numbers: different programs or numerics made "
          + "them. --allow-mixed shows them.")
      if requireComplete { throw ExitCode(.incomplete) }
    }
    guard !results.isComplete else { return }
    let missing = results.runs.count - results.answered
    Talk.say("\(missing) of \(results.runs.count) runs \(missing == 1 ? "has" : "have") no result.")
    if requireComplete { throw ExitCode(.incomplete) }
  }

  private func claimsText(
    _ table: ReportTable, _ format: any TableFormat.Type, _ style: TextStyle
  ) throws -> String {
    guard let book = table.claims else { return "" }
    if format.name == JSONTable.name {
      return mtkd_sweep.json([
        "schema": "mtkd-sweep-claims-1", "sweep": .string(table.results.name), "claims": book.json,
      ])
    }
    return format.render(book.sheet(digits: table.digits, style), style: style)
  }
}
