package import Reports
internal import Specs
package import Storage

extension ReportTable {
  /// With the paper's numbers of a table such as `preset:paper/table1` beside it; as
  /// it is where none is named.
  package func beside(_ paper: String?, in store: ResultStore) throws -> ReportTable {
    guard let paper else { return self }
    let table = try Catalog.paperTables.entry(String(paper.dropFirst(GridKeys.paperPrefix.count)))
    // The paper's numbers are of cells, whatever the table averages.
    var plain = layout
    plain.average = []
    let each = layout.average.isEmpty ? self : ReportTable(source, plain)
    let specs = try store.specs(of: each.cells.compactMap(\.key)).compactMapValues { try? RunSpec($0) }
    var copy = self
    copy.paper = PaperComparison(each, table, specs: specs)
    return copy
  }
}
