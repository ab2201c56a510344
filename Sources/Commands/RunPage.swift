import Pipeline
import Reports
import Specs
import Storage

/// `mtkd-sweep show RUN --page FILE`: one run as a page that needs nothing else.
enum RunPage {
  static func write(_ key: ContentKey, to file: String, _ store: ResultStore, in folder: StoreFolder) throws {
    guard let run = try store.run(of: key) else {
      throw NothingThere(
        description: "No run has the key \(key.short) any more. `mtkd-sweep list` lists them.")
    }
    let findings = try TransferSections(of: run, in: folder)?.sections ?? []
    let facts = SweepPage.Section(
      id: "run", title: "This run", body: DashboardPages.runFacts(run, run.epochs, nil))
    let text = SweepPage.document(
      title: "\(run.stage.title) · mtkd-sweep",
      header: """
        <p class=eyebrow>mtkd-sweep run</p><h1>\(run.stage.title)</h1>\
        <p class="lede mono">\(run.stage.key.description)</p>
        """,
      sections: findings + [facts], script: PageScript.report)
    let destination = ExportDestination(output: file)
    try destination.write { write in try write(ExportedFile(path: "", text)) }
    if !destination.isStandardOutput { Talk.say("The page of \(run.stage.title) is in \(file).") }
  }
}

extension TransferSections {
  /// Of a finished evaluation whose folder is here; nil for other runs.
  init?(of run: StoredRun, in folder: StoreFolder) throws {
    guard let found = try EvaluationFindings(of: run.stage, in: folder) else { return nil }
    self.init(
      found.findings, pictures: found.pictures,
      course: run.epochs.map { (step: $0.step, metrics: $0.metrics) })
  }
}
