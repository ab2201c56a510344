internal import Specs

/// Tables of a page: the one of the report, every cell in full, the declared comparisons.
package enum TableSections {
  /// The table with its notes.
  package static func main(_ table: ReportTable) -> Markup { main(MetricTables([table])) }

  /// The tables of several metrics side by side.
  static func main(_ tables: MetricTables) -> Markup {
    let table = tables.first
    let columns = tables.columns
    let stubs = table.rowNames.map { name -> Markup in
      "<th scope=col class=text><button type=button>\(name.isEmpty ? "setting" : name)</button></th>"
    }
    let head = columns.map { column -> Markup in
      "<th scope=col><button type=button>\(column.title)</button></th>"
    }
    let body = table.rowHeads.enumerated().map { row, heads -> Markup in
      let names = heads.map { text -> Markup in "<th scope=row class=text>\(Markup.breakable(text))</th>" }
      let cells = columns.map { column -> Markup in
        let cell = tables.cell(row, column)
        if let cell, tables.isOfOtherMetric(cell) { return "<td data-v=\"\">–</td>" }
        return self.cell(cell, tables.tables[column.table])
      }
      return "<tr>\(names)\(cells)</tr>\n"
    }
    let notes = list(
      tables.isOfSeveral ? tables.notes(TextStyle()) : table.notes(TextStyle()) + table.trustNotes())
    return """
      <div class=scroll tabindex=0 role=group aria-label="Table"><table class=sortable id=main-table><thead><tr>\(stubs)\(head)</tr></thead><tbody>
      \(body)</tbody></table></div><ul class=notes>\(notes)</ul>
      """
  }

  /// Notes as items of a list.
  private static func list(_ notes: [String]) -> [Markup] {
    notes.map { line -> Markup in
      let text = line.hasPrefix("  ") ? String(line.dropFirst(2)) : line
      if line.hasPrefix("  ") { return "<li class=gap>\(text)</li>" }
      return text.hasPrefix("WARNING") ? "<li class=warning>\(text)</li>" : "<li>\(text)</li>"
    }
  }

  /// Which cells lack a number, and why.
  static func gaps(_ table: ReportTable) -> Markup {
    let lines = table.gapNotes()
    let items: Markup = lines.isEmpty ? "" : "<ul class=notes>\(list(lines))</ul>"
    return "<p>\(Narration.missing(table.source))</p>\(items)"
  }

  private static func cell(_ cell: Cell?, _ table: ReportTable) -> Markup {
    guard let cell else { return "<td data-v=\"\"></td>" }
    if cell.isWithheld { return "<td data-v=\"\"><span class=\"tag blocked\">mixed programs</span></td>" }
    let digits = table.digits
    let other = table.results.select == .bestOnTest ? cell.last : cell.best
    let beside: Markup =
      other.map { "<span class=sub>[\(ReportTable.text($0, plusMinus: "±", digits: digits))]</span>" } ?? ""
    var remarks: [Markup] = []
    if let shortfall = cell.shortfall {
      remarks.append("<span class=\"tag \(cell.gaps[0].tone)\">\(shortfall)</span>")
    }
    if cell.isMixed { remarks.append("<span class=\"tag blocked\">mixed programs</span>") }
    let remark: Markup = remarks.isEmpty ? "" : "<span class=sub>\(remarks)</span>"
    let mark: Markup =
      table.mark(of: cell, TextStyle()).map { mark in
        let title =
          [
            ("#1", "best"), ("#2", "second best"), ("≈", "not distinguishable from the best"),
            (TextStyle.untestable, "not testable"),
          ].filter { mark.contains($0.0) }.map(\.1).joined(separator: ", ")
        return "<span class=rank title=\"\(title)\">\(mark)</span>"
      } ?? ""
    let text = ReportTable.text(cell.headline, plusMinus: "±", digits: digits)
    return """
      <td data-v="\(cell.headline.map { $0.mean.description } ?? "")">\(mark)<span class=value>\(text)</span>\(beside)\(remark)</td>
      """
  }

  static func cells(_ table: ReportTable) -> Markup { cells(MetricTables([table])) }

  /// Every cell with its numbers in full, metric by metric.
  static func cells(_ tables: MetricTables) -> Markup {
    let parts = tables.tables.enumerated().map { place, table in
      cells(
        table, id: place == 0 ? "cell-table" : "cell-table-\(place + 1)",
        title: tables.isOfSeveral ? "Every cell in full, \(table.results.metric)" : "Every cell in full")
    }
    return "\(parts)"
  }

  private static func cells(_ table: ReportTable, id: String, title: String) -> Markup {
    let columns = table.results.columns
    let pools = ReportTable.poolNames(table.results)
    let head =
      columns.map { name -> Markup in "<th scope=col class=text><button type=button>\(name)</button></th>" }
      + ["n", "mean", "std", "95 % interval", "median", "best epoch", "without a number"].map {
        name -> Markup in
        "<th scope=col><button type=button>\(name)</button></th>"
      }
    let digits = table.digits + 1
    func number(_ value: Double?) -> Markup {
      value.map { "<td data-v=\"\($0.description)\">\(NumberFormat.fixed($0, digits))</td>" }
        ?? "<td data-v=\"\">–</td>"
    }
    let rows = table.cells.map { cell -> Markup in
      let labels = cell.labels.map { label -> Markup in
        if let number = label.number {
          return "<td class=text data-v=\"\(number.description)\">\(number.description)</td>"
        }
        return "<td class=text>\(label == .null ? "" : pools[label] ?? ReportTable.text(label))</td>"
      }
      let interval = cell.headline?.moments.interval().map {
        "\(NumberFormat.fixed($0.low, digits)) to \(NumberFormat.fixed($0.high, digits))"
      }
      return """
        <tr>\(labels)<td data-v="\(cell.headline?.count ?? 0)">\(cell.headline?.count ?? 0)</td>\(number(cell.headline?.mean))\(number(cell.headline?.std))\
        <td>\(interval ?? "–")</td>\(number(cell.headline?.median))\(number(cell.best?.mean))<td>\(cell.isWithheld ? "mixed programs" : cell.shortfall ?? "")</td></tr>

        """
    }
    return """
      <details><summary>\(title)</summary><div class=scroll tabindex=0 role=group aria-label="\(title)"><table class=sortable id="\(id)"><thead><tr>\(head)</tr></thead><tbody>
      \(rows)</tbody></table></div></details>
      """
  }

  static func sheets(_ table: ReportTable) -> Markup { sheets(MetricTables([table])) }

  /// What the grid's report block, or the command, declared beside the table; empty where nothing was.
  static func sheets(_ tables: MetricTables) -> Markup {
    let parts = tables.tables.enumerated().map { place, table in
      sheets(table, of: tables.isOfSeveral ? table.results.metric : nil, isFirst: place == 0)
    }
    return "\(parts)"
  }

  /// - Parameters:
  ///   - metric: named in titles where there are several.
  ///   - isFirst: claims are of no metric of the table.
  private static func sheets(_ table: ReportTable, of metric: String?, isFirst: Bool) -> Markup {
    let style = TextStyle()
    let suffix = isFirst ? "" : "-\(metric ?? "")"
    func titled(_ sheet: Sheet) -> Sheet {
      var sheet = sheet
      if let metric { sheet.title += ", \(metric)" }
      return sheet
    }
    var parts: [Markup] = []
    if isFirst, let claims = table.claims {
      parts.append(sheet(claims.sheet(digits: table.digits, style), id: "claims-table"))
    }
    if !table.comparisons.isEmpty {
      parts.append(comparisons(table, style, titled, "comparison-table\(suffix)"))
    }
    if let paper = table.paper {
      parts.append(sheet(titled(paper.sheet(digits: table.digits, style)), id: "paper-table\(suffix)"))
    }
    return "\(parts)"
  }

  /// The declared family; folded into one line where nothing in it is distinguishable.
  private static func comparisons(
    _ table: ReportTable, _ style: TextStyle, _ titled: (Sheet) -> Sheet, _ id: String
  ) -> Markup {
    let body = sheet(titled(table.comparisonSheet(style)), id: id)
    let tested = table.comparisons.count { $0.adjusted != nil }
    guard !table.comparisons.contains(where: { $0.isDistinguishable == true }), tested > 0 else {
      return body
    }
    let over =
      table.layout.correction == .none
      ? "" : ", adjusted over \(counted(tested, "comparison")) (\(table.layout.correction.title))"
    let names = table.layout.compareTo.prefix(3).joined(separator: ", ")
    return """
      <details class=none-found><summary>\(counted(table.comparisons.count, "comparison")) (\(names)\(table.layout.compareTo.count > 3 ? ", …" : "")): \
      none is distinguishable\(over)</summary>\(body)</details>
      """
  }

  private static func sheet(_ sheet: Sheet, id: String) -> Markup {
    let head = sheet.head.enumerated().map { index, name -> Markup in
      let isText: Markup = index < sheet.stubs ? " class=text" : ""
      return "<th scope=col\(isText)><button type=button>\(name.isEmpty ? "comparison" : name)</button></th>"
    }
    let rows = sheet.rows.map { entries -> Markup in
      let cells = entries.enumerated().map { index, entry -> Markup in
        index < sheet.stubs
          ? "<th scope=row class=text>\(Markup.breakable(entry.text))</th>" : "<td>\(entry.text)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    let notes = sheet.notes.map { note -> Markup in
      note.hasPrefix("  ") ? "<li class=gap>\(String(note.dropFirst(2)))</li>" : "<li>\(note)</li>"
    }
    return """
      <h3>\(sheet.title)</h3><div class=scroll tabindex=0 role=group aria-label="Table"><table class=sortable id="\(id)"><thead><tr>\(head)</tr></thead><tbody>
      \(rows)</tbody></table></div><ul class=notes>\(notes)</ul>
      """
  }
}

extension Cell.Gap {
  /// The colour of the page that goes with the word.
  fileprivate var tone: String {
    switch word {
    case "diverged", "failed", "blocked": word
    default: "open"
    }
  }
}
