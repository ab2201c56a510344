import Foundation
@testable import Pipeline
import Specs
import Storage
import Sweeps
import Synchronization
import TestSupport
import Testing

/// First epochs that runs share: trained once, and nobody can tell from a result.
@Suite struct WarmUpTests {
  /// Four agents, two rewards, two lengths of the run; all learn from the same two first epochs of the student.
  static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": {
        "dataset": "synthetic-1x8x8-2", "trainImages": 8, "testImages": 6, "batchSize": 4, "epochs": 4, "teacherEpochs": 1,
        "warmupEpochs": 2, "method": "mtkd-rl",
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 2] },
        "teachers": [
          { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 4] }, { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 4, 2] }
        ]
      },
      "axes": { "policy": ["pg", "dpg", "ddpg", "ppo"] },
      "include": [
        { "preset": "reference", "policyInterval": 1 }, { "stateEntries": ["cos", "kl"], "stateNorm": "running" },
        { "mixing": "dynamic", "epochs": 5 }
      ]
    }
    """

  /// What a finished store says of its runs, without the stages that help.
  private func runs(_ sweep: InProcessSweep) throws -> [String] {
    let store = try ResultStore(at: sweep.place, .reading)
    return try store.stages().filter { $0.stage.kind == StudentStage.kind }.flatMap { stage, state in
      try ["\(stage.key.short) \(state)"]
        + store.curve(of: stage.key).map { "\($0.epoch) \($0.step) \($0.state) \($0.metrics.values)" }
        + store.checkpoints(of: stage.key).map { "\($0.kind) \($0.epoch) \($0.step) \($0.digest)" }
        + store.metrics(of: stage.key).values.map { "\($0.name) \($0.value)" }
    }
  }

  private static let alone = Task {
    let sweep = try InProcessSweep(grid)
    guard try await sweep.run(sharing: false) == .allDone else { throw Killed() }
    return try WarmUpTests().runs(sweep)
  }

  @Test func `runs that take first epochs over end with the bits of runs that train them`() async throws {
    let sweep = try InProcessSweep(Self.grid)
    let plan = try sweep.plan()
    #expect(plan.plan.warmUps.count == 1 && plan.plan.warmUpOfRun.count == 7)
    let taken = Mutex(0)
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        let request = try? StageRequest(document: AtomicFile.read(workspace.stage.spec))
        if let run = try? request?.decoded(as: StudentStage.self).run,
          TakenWarmUp.of(run, in: workspace) != nil
        {
          taken.withLock { $0 += 1 }
        }
        return nil
      })
    #expect(outcome == .allDone)
    #expect(taken.withLock { $0 } == 7)
    #expect(try runs(sweep) == (try await Self.alone.value))
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7])
  func `killed after any step, who trains them and who takes them over go on to the same bits`(
    _ cut: Int
  ) async throws {
    let sweep = try InProcessSweep(Self.grid)
    let outcome = try await sweep.run(
      InProcessExecutor { attempt, workspace in
        guard attempt == 1 else { return nil }
        let steps = Mutex(0)
        workspace.afterStep = {
          if steps.withLock({
            $0 += 1; return $0
          }) == cut {
            throw Killed()
          }
        }
        return nil
      })
    #expect(outcome == .allDone)
    #expect(try runs(sweep) == (try await Self.alone.value))
  }

  @Test(arguments: [1, 2, 3, 5])
  func `asked to leave after any step, they go on to the same bits`(_ cut: Int) async throws {
    let sweep = try InProcessSweep(Self.grid)
    let outcome = try await sweep.run(
      InProcessExecutor { attempt, workspace in
        guard attempt == 1 else { return nil }
        let steps = Mutex(0)
        workspace.afterStep = {
          if steps.withLock({
            $0 += 1; return $0
          }) == cut {
            workspace.requestStop()
          }
        }
        return nil
      })
    #expect(outcome == .allDone)
    #expect(try runs(sweep) == (try await Self.alone.value))
  }

  @Test func `damaged first epochs are noticed, done without and made again`() async throws {
    let sweep = try InProcessSweep(Self.grid)
    let damaged = Mutex<String?>(nil)
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        let request = try? StageRequest(document: AtomicFile.read(workspace.stage.spec))
        guard request?.kind == StudentStage.kind, damaged.withLock({ $0 }) == nil,
          let run = try? request?.decoded(as: StudentStage.self).run, let key = WarmUpStage.of(run)?.key
        else { return nil }
        let path = "\(workspace.store.stage(key).output)/\(WarmUpForm.name(ofPart: 0))"
        damaged.withLock { $0 = path }
        guard var bytes = try? AtomicFile.read(path) else { return nil }
        bytes[bytes.count - 9] ^= 1
        try? Data(bytes).write(to: URL(filePath: path))
        return nil
      })
    #expect(outcome == .allDone)
    #expect(damaged.withLock { $0 } != nil)
    #expect(try runs(sweep) == (try await Self.alone.value))
  }
}
