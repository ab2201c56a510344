internal import Specs

/// Every cell with its labels and statistics. `schema` rises when the meaning of a member changes.
package enum JSONTable: TableFormat {
  package static let name = "json"

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    CanonicalJSON.text(of: value(table)) + "\n"
  }

  static func value(_ table: ReportTable) -> JSONValue {
    let results = table.results
    return .object([
      "schema": "mtkd-sweep-report-1", "sweep": .string(results.name), "metric": .string(results.metric),
      "select": "last", "ddof": 1, "runs": .number(DecimalNumber(results.runs.count)),
      "finished": .number(DecimalNumber(results.finished)),
      "cells": .array(table.cells.map { cell($0, results.columns) }),
    ])
  }

  private static func cell(_ cell: Cell, _ columns: [String]) -> JSONValue {
    .object([
      "labels": .object(Dictionary(zip(columns, cell.labels)) { $1 }),
      "seeds": .array(cell.seeds.map { .number(DecimalNumber($0)) }), "last": statistics(cell.last),
      "best": statistics(cell.best),
      "gaps": .array(
        cell.gaps.map {
          ["seed": .number(DecimalNumber($0.seed)), "kind": .string($0.word), "reason": .string($0.reason)]
        }),
    ])
  }

  private static func statistics(_ statistics: SampleStatistics?) -> JSONValue {
    guard let statistics else { return .null }
    func number(_ value: Double?) -> JSONValue {
      value.flatMap { DecimalNumber($0) }.map { .number($0) } ?? .null
    }
    return [
      "n": .number(DecimalNumber(statistics.count)), "mean": number(statistics.mean),
      "std": number(statistics.deviation),
    ]
  }
}
