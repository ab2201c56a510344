import Foundation
import Testing

/// Transfers whose workers and coordinators are killed at many instants end with the
/// bits of undisturbed ones.
///
/// `MTKD_TRANSFER_KILLS` asks for more kills than a test run has.
@Suite struct TransferInterruptionTests {
  private static let kills =
    ProcessInfo.processInfo.environment["MTKD_TRANSFER_KILLS"].flatMap { Int($0) } ?? 6

  /// A detector and a segmentor on the smallest trunk that there is.
  private static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": { "transfer": {
        "dataset": "synthetic-shapes-32x32-2", "trainImages": 6, "testImages": 3,
        "backbone": { "random": { "family": "tv_resnet", "repeats": [1, 1, 1, 1] } }
      } },
      "blocks": [
        { "name": "boxes", "base": { "transfer": { "detector": "faster-rcnn", "recipe": "mini-det",
          "epochs": 2, "batchSize": 2, "lossGroup": 2, "fpnWidth": 8, "hidden": 16, "roiSample": 16, "evalEvery": 0 } } },
        { "name": "pixels", "base": { "transfer": { "segmentor": "pspnet", "recipe": "mini-seg",
          "steps": 4, "batchSize": 2, "lossGroup": 2, "width": 8, "poolWidth": 8, "evalEvery": 2 } } }
      ],
      "seeds": { "count": 1 }
    }
    """

  /// Tables, digests of runs, and the bytes that all stages published: records with their
  /// states, weights, predictions.
  private func evidence(_ sweep: TinySweep, _ store: String) throws -> String {
    let report = try Program.run("report", "--store", store, "--format", "json", in: sweep.folder)
    let digests = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    #expect(report.status == 0 && digests.status == 0, "\(report.talk) \(digests.talk)")
    let outputs = try Program.shell(
      "cd \(store)/stages && for d in */output; do sha256sum $d/*; done", in: sweep.folder)
    #expect(outputs.status == 0 && outputs.out.contains("curve.json"), "\(outputs.out)")
    return report.out + digests.out + outputs.out
  }

  @Test func `killed at many instants, transfers end with the bits of undisturbed ones`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let begin = Date.now
    let calm = try Program.run("run", "tiny.json", "--store", "calm", "--workers", "1", in: sweep.folder)
    // Of a busy machine; a test that waits for it would keep it busy.
    let length = min(Date.now.timeIntervalSince(begin), 15)
    try #require(calm.status == 0, "\(calm.talk)")
    let expected = try evidence(sweep, "calm")

    var (kills, runs, storms) = (0, 0, 0)
    while kills < Self.kills {
      let store = "storm\(storms)"
      storms += 1
      var ended = false
      while !ended {
        let run = try Program.start(
          ["run", "tiny.json", "--store", store, "--workers", "2", "--quiet"], in: sweep.folder)
        // The golden ratio spreads instants evenly, however many there are; with two
        // workers it is over sooner.
        runs += 1
        let share = (Double(runs) * 0.618).truncatingRemainder(dividingBy: 0.7)
        let instant = Date.now + length * share
        while run.process.isRunning, Date.now < instant { usleep(2000) }
        if run.process.isRunning, kills < Self.kills {
          kills += 1
          if kills % 2 == 0, let worker = try sweep.workersAlive().first {
            // Its coordinator sees it die and starts another.
            kill(worker, SIGKILL)
            ended = try run.finish().status == 0
          } else {
            run.signal(SIGKILL)
            _ = try run.finish()
            let deadline = Date.now + 120
            while try !sweep.workersAlive().isEmpty, Date.now < deadline { usleep(5000) }
          }
        } else {
          let output = try run.finish()
          #expect(output.status == 0, "\(output.talk)")
          ended = true
        }
      }
      #expect(try evidence(sweep, store) == expected, "after \(kills) kills")
    }
    // What was killed is verified by being executed once more, undisturbed.
    let verified = try Program.run("verify", "--all", "--store", "storm0", in: sweep.folder)
    #expect(verified.status == 0, "\(verified.out) \(verified.talk)")
  }
}
