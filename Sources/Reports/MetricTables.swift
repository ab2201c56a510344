internal import Specs

/// A sweep's table of one metric, or its tables of several metrics side by side: the same
/// cells in the same order.
public struct MetricTables: Sendable {
  /// One at least; the first one's rows, columns and order are those of all.
  package private(set) var tables: [ReportTable]
  private let cells: [[[JSONValue]: Cell]]

  /// - Precondition: one table at least, all of the same runs laid out alike.
  package init(_ tables: [ReportTable]) {
    precondition(!tables.isEmpty)
    self.tables = tables
    cells = tables.map { Dictionary($0.cells.map { ($0.labels, $0) }) { first, _ in first } }
  }

  package var first: ReportTable { tables[0] }
  var isOfSeveral: Bool { tables.count > 1 }

  /// A column of the first table, of one of the metrics.
  package struct Column: Sendable {
    package let title: String
    /// What all metrics of the column share; empty where columns are metrics and nothing else.
    let group: String
    let table: Int
    let column: Int
  }

  /// For each column of the first table one a metric.
  package var columns: [Column] {
    guard isOfSeveral else {
      return first.columns.enumerated().map { Column(title: $1, group: "", table: 0, column: $0) }
    }
    // Without settings across, the only column is the metric.
    let isMetricAlone = first.columns == [first.results.described.heading]
    return first.columns.enumerated().flatMap { place, title in
      tables.enumerated().map { number, table in
        isMetricAlone
          ? Column(title: table.results.described.heading, group: "", table: number, column: place)
          : Column(title: "\(title) \(table.results.metric)", group: title, table: number, column: place)
      }
    }
  }

  /// What stands in a row of the first table.
  package func cell(_ row: Int, _ column: Column) -> Cell? {
    first.grid[row][column.column].flatMap { cells[column.table][$0.labels] }
  }

  /// Whether a finished cell has another metric of these and not this one: detectors have no
  /// mIoU, and nothing is missing.
  package func isOfOtherMetric(_ cell: Cell) -> Bool {
    isOfSeveral && cell.headline == nil && !cell.gaps.isEmpty
      && cell.gaps.allSatisfy { $0.word == "not recorded" }
      && cells.contains { $0[cell.labels]?.headline != nil }
  }

  /// Runs without a number of any metric.
  package var missing: Int {
    let runs = tables.map(\.source.runs)
    return runs[0].indices.count { place in
      tables.allSatisfy { table in
        if case .value = Cell.choice(of: table.source.runs[place], table.source.select) {
          false
        } else {
          true
        }
      }
    }
  }

  /// Without what stands beside the headlines in brackets.
  mutating func hideBest() {
    for place in tables.indices { tables[place].hideBest() }
  }

  // MARK: As texts

  /// The table, then claims, declared comparisons and the paper's numbers where there are some.
  func sheets(_ style: TextStyle) -> [Sheet] {
    guard isOfSeveral else { return first.sheets(style) }
    if first.layout.isLong { return tables.flatMap { titled($0.sheets(style), $0) } }
    let columns = columns
    let rows = first.rowHeads.enumerated().map { row, heads in
      heads.map { Sheet.Entry($0) } + columns.map { entry(row, $0, style) }
    }
    var sheet = Sheet(
      title: first.results.name, head: first.rowNames + columns.map(\.title), stubs: first.rowNames.count,
      rows: rows, notes: notes(style))
    sheet.constants = first.constants(style)
    sheet.note = first.results.note
    var sheets = [sheet]
    if let claims = first.claims { sheets.append(claims.sheet(digits: first.digits, style)) }
    for table in tables {
      if !table.comparisons.isEmpty { sheets += titled([table.comparisonSheet(style)], table) }
      if let paper = table.paper { sheets += titled([paper.sheet(digits: table.digits, style)], table) }
    }
    return sheets
  }

  private func titled(_ sheets: [Sheet], _ table: ReportTable) -> [Sheet] {
    sheets.map { sheet in
      var sheet = sheet
      sheet.title = "\(sheet.title), \(table.results.metric)"
      return sheet
    }
  }

  func entry(_ row: Int, _ column: Column, _ style: TextStyle) -> Sheet.Entry {
    guard let cell = cell(row, column) else { return Sheet.Entry("") }
    return isOfOtherMetric(cell) ? Sheet.Entry("-") : tables[column.table].entry(cell, style)
  }

  /// Lines of all footers, what several say once.
  func notes(_ style: TextStyle) -> [String] {
    var lines: [String] = []
    for part in parts(style) where !lines.contains(part[0]) || part.count > 1 { lines += part }
    return lines
  }

  /// Lines with those that belong to them.
  private func parts(_ style: TextStyle) -> [[String]] {
    var parts: [[String]] = []
    for table in tables {
      var own: [[String]] = []
      let others = Set(table.cells.filter(isOfOtherMetric).map(\.labels))
      for line in table.notes(style) + table.gapNotes(without: others) + table.trustNotes() {
        if line.hasPrefix("  "), !own.isEmpty { own[own.count - 1].append(line) } else { own.append([line]) }
      }
      // A ranking and a gap are of a metric.
      parts += own.map { part in
        part.count > 1 ? ["\(table.results.metric): \(part[0])"] + part.dropFirst() : part
      }
    }
    return parts
  }
}
