import Pipeline
import Reports
import Results
import Specs
import Storage

/// Test images of a sweep's transfers, for its page.
enum SweepPictures {
  /// Whether a sweep may have some: its metric is one of transfers.
  static func mayBe(in sweep: SweepRecord) throws -> Bool {
    try sweep.metrics.values.contains { TransferMetrics.task(of: $0.name) != nil }
  }

  /// - Parameters:
  ///   - table: of the sweep; cells of its runs are shown.
  ///   - link: to the page of a run.
  /// - Returns: empty where no run's folder is here, and before any is finished.
  static func markup(
    _ table: ReportTable, _ store: ResultStore, in folder: StoreFolder, link: (ContentKey) -> String
  ) throws -> Markup {
    let shown = try PicturesBeside.runs(of: table).compactMap { key -> PicturesBeside.Shown? in
      guard let stage = try store.run(of: key)?.stage,
        let found = try EvaluationFindings(of: stage, in: folder)
      else { return nil }
      return PicturesBeside.Shown(key, found.findings, files: found.pictures)
    }
    return PicturesBeside.markup(shown, of: table, link: link)
  }
}
