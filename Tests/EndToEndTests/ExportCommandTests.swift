import Foundation
import Specs
import TestSupport
import Testing

@Suite struct ExportCommandTests {
  /// Reads every event file with the real package: one line a scalar.
  static let readEvents = """
    import sys, glob, os
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    for folder in sorted(glob.glob(sys.argv[1] + "/*/")):
        events = EventAccumulator(folder, size_guidance={"scalars": 0}); events.Reload()
        for tag in sorted(events.Tags()["scalars"]):
            for point in events.Scalars(tag):
                print(os.path.basename(folder[:-1]).split(".")[-1], tag, point.step, repr(point.value))
    """

  /// Reads a file store with the real package: one line a point, a parameter and a state.
  static let readMLflow = """
    import sys
    from mlflow.tracking import MlflowClient
    client = MlflowClient("file://" + sys.argv[1])
    experiment = client.get_experiment_by_name("made-up")
    for run in client.search_runs([experiment.experiment_id], max_results=1000):
        key = run.data.tags["mtkd.run"][:10]
        print(key, "status", run.info.status, run.info.run_name)
        for name, value in sorted(run.data.params.items()): print(key, "param", name, value)
        for name in sorted(run.data.metrics):
            for point in client.get_metric_history(run.info.run_id, name):
                print(key, name, point.step, repr(point.value))
    """

  @Test(.enabled(if: Available.python("tensorboard"), "the tensorboard package reads event files"))
  func `TensorBoard reads every number of every run`() throws {
    let python = try #require(Python.interpreter(with: ["tensorboard"]))
    let made = try MadeUpStore(runs: 6, epochs: 3)
    defer { made.remove() }
    let export = try Program.run("export", "--format", "tensorboard", "-o", "board", in: made.folder)
    #expect(export.status == 0, "\(export.talk)")
    let answer = try Python.run(python, ["-c", Self.readEvents, "board"], in: made.folder)
    let lines = Set(answer.out.split(separator: "\n").map(String.init))
    for run in 0..<4 {
      for epoch in 0..<3 {
        // Event files hold 32 bits.
        let value = Double(Float(MadeUpStore.loss(run: run, epoch: epoch)))
        let line = "\(made.keys[run].short) train/loss \(epoch + 1) \(value)"
        #expect(lines.contains(line), "\(line) not in \(answer.out)")
      }
    }
    #expect(lines.contains("\(made.keys[0].short) parameters 3 1234.0"))
    #expect(lines.count { $0.hasPrefix(made.keys[4].short) } == 4, "two epochs of the run that diverged")
  }

  /// Reads what the page HPARAMS reads with the real package: one line a run.
  static let readSettings = """
    import sys, glob
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata
    for folder in sorted(glob.glob(sys.argv[1] + "/*/")):
        events = EventAccumulator(folder); events.Reload()
        content = lambda tag: events.SummaryMetadata(tag).plugin_data.content
        start = metadata.parse_session_start_info_plugin_data(content("_hparams_/session_start_info"))
        end = metadata.parse_session_end_info_plugin_data(content("_hparams_/session_end_info"))
        values = {k: getattr(v, v.WhichOneof("kind")) for k, v in start.hparams.items()}
        print(values["seed"], values["method"], values["recipe.epochs"], end.status)
    """

  @Test(.enabled(if: Available.python("tensorboard"), "the tensorboard package reads event files"))
  func `TensorBoard reads the settings of every run and how it ended`() throws {
    let python = try #require(Python.interpreter(with: ["tensorboard"]))
    let made = try MadeUpStore(runs: 6, epochs: 3)
    defer { made.remove() }
    #expect(
      try Program.run("export", "--format", "tensorboard", "-o", "board", in: made.folder).status == 0)
    let answer = try Python.run(python, ["-c", Self.readSettings, "board"], in: made.folder)
    #expect(
      answer.out.split(separator: "\n").map(String.init).sorted()
        == [
          "1.0 aver-kd 3.0 1", "1.0 baseline 3.0 1", "2.0 aver-kd 3.0 2", "2.0 baseline 3.0 1",
          "3.0 aver-kd 3.0 3", "3.0 baseline 3.0 1",
        ], "\(answer.out)")
  }

  @Test(.enabled(if: Available.python("mlflow"), "the mlflow package reads a file store"))
  func `MLflow reads the experiment with its parameters and states`() throws {
    let python = try #require(Python.interpreter(with: ["mlflow"]))
    let made = try MadeUpStore(runs: 6, epochs: 3)
    defer { made.remove() }
    let export = try Program.run("export", "--format", "mlflow", "-o", "a folder", in: made.folder)
    #expect(export.status == 0, "\(export.talk)")
    let answer = try Python.run(
      python, ["-c", Self.readMLflow, made.folder.appending(path: "a folder").path],
      environment: ["MLFLOW_ALLOW_FILE_STORE": "true"])
    let lines = Set(answer.out.split(separator: "\n").map(String.init))
    for run in 0..<4 {
      let key = made.keys[run].short
      for epoch in 0..<3 {
        let value = MadeUpStore.accuracy(run: run, epoch: epoch)
        #expect(lines.contains("\(key) test.acc1 \(epoch + 1) \(value)"), "\(answer.out)")
      }
      #expect(lines.contains("\(key) param seed \(run % 3 + 1)"))
      #expect(lines.contains { $0.hasPrefix("\(key) status FINISHED resnet8 ") })
    }
    #expect(lines.contains { $0.hasPrefix("\(made.keys[4].short) status FAILED ") }, "\(answer.out)")
    #expect(lines.contains { $0.hasPrefix("\(made.keys[5].short) status RUNNING ") }, "\(answer.out)")
  }

  @Test func `texts go to standard output or whole to a file, and are the same`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 3)
    defer { made.remove() }
    for format in ["csv", "jsonl"] {
      let printed = try Program.run("export", "made-up", "--format", format, in: made.folder)
      #expect(printed.status == 0, "\(printed.talk)")
      let written = try Program.run("export", "--format", format, "-o", "out.\(format)", in: made.folder)
      #expect(written.status == 0 && written.out.isEmpty)
      let file = try String(contentsOf: made.folder.appending(path: "out.\(format)"), encoding: .utf8)
      #expect(file == printed.out)
      for key in made.keys { #expect(file.contains(key.description)) }
    }
    #expect(try leftovers(made.folder).isEmpty)
  }

  @Test func `a folder that an export made is replaced, anything else is kept`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 2)
    defer { made.remove() }
    let mine = made.folder.appending(path: "mine")
    try FileManager.default.createDirectory(at: mine, withIntermediateDirectories: true)
    try "thesis".write(to: mine.appending(path: "thesis.tex"), atomically: false, encoding: .utf8)
    let refused = try Program.run("export", "--format", "mlflow", "-o", "mine", in: made.folder)
    #expect(refused.status == 73 && refused.talk.contains("mine is there already"), "\(refused.talk)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: mine.path) == ["thesis.tex"])
    for _ in 0..<2 {
      #expect(
        try Program.run("export", "--format", "tensorboard", "-o", "board/", in: made.folder).status == 0)
    }
    let nowhere = try Program.run("export", "-o", "no/such/folder.csv", in: made.folder)
    #expect(nowhere.status == 73 && nowhere.talk.contains("no/such/folder.csv"), "\(nowhere.talk)")
    let unsaid = try Program.run("export", "--format", "mlflow", in: made.folder)
    #expect(unsaid.status == 66 && unsaid.talk.contains("-o DIR"), "\(unsaid.talk)")
    #expect(try leftovers(made.folder).isEmpty)
  }

  private func leftovers(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".aside") }
  }
}
