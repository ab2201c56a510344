/// The keys of a grid file, in one place: the reader allows them, the schema lists them.
package enum GridKeys {
  package static let top = [
    "$schema", "version", "name", "note", "extends", "base", "axes", "zip", "exclude", "include", "blocks",
    "seeds", "teacherSeeds", "run", "report", "claims",
  ]
  package static let seeds = ["count", "first", "upTo", "step"]
  package static let claim = ["compare", "where", "metric", "select", "smallest", "level", "average"]
  package static let comparison = ["compare", "average"]
  package static let block = ["name", "base", "axes", "zip", "exclude", "include", "seeds"]
  package static let run = [
    "workers", "threadsPerRun", "order", "onDiverged", "retries", "maxMinutesPerRun", "devices",
    "devicesPerRun",
    "runsPerDevice", "deviceCheck",
  ]
  /// Devices of a run, and runs of a device, at most.
  package static let mostDevices = 64
  package static let report = [
    "metric", "direction", "select", "epoch", "rows", "columns", "average", "compareTo", "test", "correction",
    "paperValues",
  ]

  /// Tables and figures of the paper whose numbers a grid's `paperValues` may name after `paperPrefix`.
  package static let paperTables = [
    "table1", "table2", "table3", "table4", "table5", "table6a", "table6b", "table6c", "table7",
    "fig2-loss-terms",
    "readme",
  ]
  package static let paperPrefix = "preset:paper/"

  /// Threads of a run at most.
  package static let mostThreads = 64
}
