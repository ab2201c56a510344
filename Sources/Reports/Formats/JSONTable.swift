internal import Specs

/// Every cell with its labels and statistics, and the declared comparisons. `schema` rises when the
/// meaning of a member changes.
package enum JSONTable: TableFormat {
  package static let name = "json"

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    CanonicalJSON.text(of: value(table)) + "\n"
  }

  /// Of several metrics a report each, in the order in which they were named.
  package static func render(_ tables: MetricTables, style: TextStyle) -> String {
    guard tables.isOfSeveral else { return render(tables.first, style: style) }
    let value: JSONValue = [
      "schema": "mtkd-sweep-reports-1", "sweep": .string(tables.first.results.name),
      "reports": .array(tables.tables.map(value)),
    ]
    return CanonicalJSON.text(of: value) + "\n"
  }

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    let value: JSONValue = .object([
      "schema": "mtkd-sweep-sheet-1", "title": .string(sheet.title),
      "head": .array(sheet.head.map { .string($0) }),
      "rows": .array(sheet.rows.map { .array($0.map { .string($0.text) }) }),
      "notes": .array(sheet.notes.map { .string($0) }),
    ])
    return CanonicalJSON.text(of: value) + "\n"
  }

  static func value(_ table: ReportTable) -> JSONValue {
    let results = table.results
    var members: [String: JSONValue] = [
      "schema": "mtkd-sweep-report-1", "sweep": .string(results.name), "metric": .string(results.metric),
      "select": .string(results.select.rawValue), "ddof": 1,
      "direction": direction(results), "unit": results.described.unit.map { .string($0) } ?? .null,
      "epoch": .string(results.epoch.rawValue),
      "runs": .number(DecimalNumber(results.runs.count)),
      "finished": .number(DecimalNumber(results.finished)),
      "cells": .array(table.cells.map { cell($0, table) }),
      "test": .string(table.layout.test.rawValue), "correction": .string(table.layout.correction.rawValue),
      "comparisons": .array(table.comparisons.map { comparison($0, results) }),
    ]
    if !results.dataNotes.isEmpty { members["data"] = .array(results.dataNotes.map { .string($0) }) }
    if let claims = table.claims { members["claims"] = claims.json }
    if let paper = table.paper { members["paper"] = self.paper(paper, results) }
    return .object(members)
  }

  private static func direction(_ results: SweepResults) -> JSONValue {
    results.described.isHigherBetter.map { .string(MetricDirection($0).rawValue) } ?? .null
  }

  private static func paper(_ paper: PaperComparison, _ results: SweepResults) -> JSONValue {
    [
      "table": .string(paper.table.name), "notes": .array(paper.table.notes.map { .string($0) }),
      "settings": .array(paper.settings.map { .string($0.difference) }),
      "cells": .array(
        paper.rows.map { row in
          [
            "labels": labels(row.cell, results), "mean": number(row.value.mean),
            "std": number(row.value.std),
            "source": .string(row.value.source), "p": number(row.welch?.p),
            "difference": number(row.cell.headline.map { $0.mean - row.value.mean }),
          ]
        }),
    ]
  }

  private static func cell(_ cell: Cell, _ table: ReportTable) -> JSONValue {
    let place = table.place(of: cell)
    var members: [String: JSONValue] = [
      "labels": labels(cell, table.results),
      "seeds": .array(cell.seeds.map { .number(DecimalNumber($0)) }),
      "values": .array(
        cell.values.map { ["seed": .number(DecimalNumber($0.seed)), "value": number($0.value)] }),
      "headline": statistics(cell.headline), "last": statistics(cell.last), "best": statistics(cell.best),
      "gaps": .array(
        cell.gaps.map {
          ["seed": .number(DecimalNumber($0.seed)), "kind": .string($0.word), "reason": .string($0.reason)]
        }),
      "programs": .array(
        cell.programs.map {
          [
            "program": .string($0.program),
            "seeds": .array($0.seeds.map { .number(DecimalNumber($0)) }),
          ]
        }),
      "withheld": .bool(cell.isWithheld),
    ]
    if let place {
      members["rank"] = place.place == .first ? 1 : 2
      members["rankDistinguishable"] = place.isDistinguishable.map { .bool($0) } ?? .null
    }
    return .object(members)
  }

  private static func labels(_ cell: Cell, _ results: SweepResults) -> JSONValue {
    .object(Dictionary(zip(results.columns, cell.labels.map(results.original))) { $1 })
  }

  /// Comparisons of two methods, with the settings in which they differ.
  package static func render(
    _ comparisons: [CellComparison], a: String, b: String, _ results: SweepResults, settings: [String]
  ) -> String {
    let value: JSONValue = .object([
      "schema": "mtkd-sweep-compare-1", "a": .string(a), "b": .string(b), "sweep": .string(results.name),
      "metric": .string(results.metric), "select": .string(results.select.rawValue),
      "cells": .array(
        comparisons.map { item in
          guard case .object(var members) = comparison(item, results) else { return .null }
          members["context"] = .string(item.context)
          (members["statisticsA"], members["statisticsB"]) = (
            statistics(item.a.headline), statistics(item.b.headline)
          )
          return .object(members)
        }),
      "settings": .array(settings.map { .string($0) }),
    ])
    return CanonicalJSON.text(of: value) + "\n"
  }

  /// What moved between two sweeps or stores.
  package static func render(_ comparison: SweepComparison) -> String {
    let rows = comparison.rows.map { row -> JSONValue in
      guard case .object(var members) = self.comparison(row.comparison, comparison.a.results) else {
        return .null
      }
      members["context"] = .string(row.comparison.context)
      members["verdict"] = .string(
        row.verdict == .within ? "within" : row.verdict == .unknown ? "unknown" : row.verdict.rawValue)
      members["b"] = labels(row.comparison.b, comparison.b.results)
      members["statisticsA"] = statistics(row.comparison.a.headline)
      members["statisticsB"] = statistics(row.comparison.b.headline)
      return .object(members)
    }
    func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    let value: JSONValue = .object([
      "schema": "mtkd-sweep-compare-1", "a": .string(comparison.a.name), "b": .string(comparison.b.name),
      "metric": .string(comparison.a.results.metric), "select": .string(comparison.a.results.select.rawValue),
      "cells": .array(rows), "onlyA": list(comparison.onlyA), "onlyB": list(comparison.onlyB),
      "unclear": list(comparison.unclear), "programs": list(comparison.programs),
      "settings": .array(
        comparison.settings.map {
          [
            "path": .string($0.path), "a": .string($0.a), "b": .string($0.b),
            "cells": .number(DecimalNumber($0.cells)),
          ]
        }),
    ])
    return CanonicalJSON.text(of: value) + "\n"
  }

  private static func comparison(_ comparison: CellComparison, _ results: SweepResults) -> JSONValue {
    var members: [String: JSONValue] = [
      "a": labels(comparison.a, results), "b": labels(comparison.b, results),
      "difference": number(comparison.difference), "interval": interval(comparison.interval),
      "p": number(comparison.p), "adjusted": number(comparison.adjusted),
    ]
    if let paired = comparison.paired {
      members["paired"] = [
        "n": .number(DecimalNumber(paired.count)), "difference": number(paired.difference),
        "std": number(paired.std), "interval": interval(paired.interval), "t": number(paired.pairedT),
        "signFlip": number(paired.signFlip), "wilcoxon": number(paired.wilcoxon),
        "smallestReachable": number(paired.smallestReachable), "d": number(paired.effectSize),
        "correlation": number(paired.correlation),
      ]
    }
    if let welch = comparison.welch {
      members["welch"] = [
        "difference": number(welch.difference), "freedom": number(welch.freedom), "p": number(welch.p),
        "interval": interval(welch.interval), "g": number(welch.effectSize),
      ]
    }
    return .object(members)
  }

  private static func statistics(_ statistics: SampleStatistics?) -> JSONValue {
    guard let statistics else { return .null }
    return [
      "n": .number(DecimalNumber(statistics.count)), "mean": number(statistics.mean),
      "std": number(statistics.std), "median": number(statistics.median),
      "ci95": interval(statistics.moments.interval()),
      "bootstrap95": interval(Bootstrap.interval(of: statistics.values)),
    ]
  }

  private static func interval(_ interval: Interval?) -> JSONValue {
    guard let interval else { return .null }
    return .array([number(interval.low), number(interval.high)])
  }

  private static func number(_ value: Double?) -> JSONValue {
    value.flatMap { DecimalNumber($0) }.map { .number($0) } ?? .null
  }
}
