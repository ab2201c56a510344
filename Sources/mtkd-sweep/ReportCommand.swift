import ArgumentParser
import Foundation
import Pipeline
import Reports
import Specs
import Storage

/// `mtkd-sweep report`: reads the store, trains nothing.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print mean and deviation of every cell of a sweep.",
    discussion: "Safe to run while the sweep is going on: cells show the seeds that have finished.")

  @OptionGroup var location: StoreLocation
  @OptionGroup var styles: StyleOptions

  @Argument(help: "The sweep, as 'mtkd-sweep list' names it. May be left out where the store holds one.")
  var sweep: String?

  @Option(help: "How to write the table: \(Catalog.tableFormats.names.joined(separator: ", ")).")
  var format = TextTable.name

  @Option(help: "Which metric of the epochs.")
  var metric = "test.acc1"

  @Flag(help: "Exit with 2 where a run has no result.")
  var requireComplete = false

  func validate() throws {
    do { _ = try Catalog.tableFormats.entry(format) } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    let store = try location.open()
    let results = try store.results(of: location.sweep(sweep, in: store).name, metric: metric)
    let table = ReportTable(results)
    Out.put(try Catalog.tableFormats.entry(format).render(table, style: styles.style(for: STDOUT_FILENO)))
    guard !results.isComplete else { return }
    let missing = results.runs.count - results.finished
    Talk.say("\(missing) of \(results.runs.count) runs have no result.")
    if requireComplete { throw ExitCode(ExitCodes.incomplete) }
  }
}
