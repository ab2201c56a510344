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
    abstract: "Print mean and deviation of every cell of a sweep.",
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

  func validate() throws {
    if format == SweepPage.name { return }
    do { _ = try Catalog.tableFormats.entry(format) } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    let store = try location.open()
    let record = try location.sweep(sweep, in: store)
    let table = try options.table(record, in: store)
    let results = table.results
    let destination = ExportDestination(output: output)
    let style = destination.isStandardOutput ? styles.style(for: STDOUT_FILENO) : TextStyle()
    let text =
      switch format {
      case SweepPage.name:
        try SweepPage.render(
          store.story(of: record, table).timed(in: location.folder),
          figures: store.figures(of: record.name, table))
      case MarkdownTable.name: try MarkdownReport.render(store.story(of: record, table), style: style)
      default: try Catalog.tableFormats.entry(format).render(table, style: style)
      }
    try destination.write { write in try write(ExportedFile(path: "", text)) }
    let withheld = table.cells.count { $0.isWithheld }
    if withheld > 0 {
      Talk.say(
        "\(withheld) cells show no numbers: different programs or numerics made them. --allow-mixed shows them."
      )
      if requireComplete { throw ExitCode(.incomplete) }
    }
    guard !results.isComplete else { return }
    let missing = results.runs.count - results.answered
    Talk.say("\(missing) of \(results.runs.count) runs \(missing == 1 ? "has" : "have") no result.")
    if requireComplete { throw ExitCode(.incomplete) }
  }
}
