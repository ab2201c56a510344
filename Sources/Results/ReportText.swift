internal import Reports
internal import Specs
internal import Storage

/// A sweep's table as `mtkd-sweep report` writes it, for programs that have no command line.
public enum ReportText {
  /// The table of a sweep, laid out as its grid asks.
  ///
  ///     print(try ReportText.table(of: "demo", in: "results", format: "markdown"))
  ///
  /// - Parameters:
  ///   - sweep: its name, as its grid has it.
  ///   - store: folder of the results.
  ///   - format: a name of the formats of `report --format`.
  /// - Throws: errors that say what of the sweep, the store or the format is not there.
  public static func table(of sweep: String, in store: String, format: String) throws -> String {
    let format = try Catalog.tableFormats.entry(format)
    let store = try ResultStore(at: StoreFolder(store), .reading)
    let record = try store.sweep(sweep)
    let report = try record.report
    let results = try store.results(of: record, report)
    let table = ReportTable(results, ReportLayout(report))
    return format.render(table, style: TextStyle(isUnicode: true, isColoured: false))
  }
}
