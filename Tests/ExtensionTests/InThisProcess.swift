import Pipeline
import Sweeps

/// Stages one after the other in the process that coordinates them: no worker is started.
struct InThisProcess: Executor {
  static let name = "in-this-process"

  func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    started(1)
    return Worker.run(job)
  }

  /// Nothing to do: a stage that runs in this process ends with it.
  func stop(_ identifier: Int, atOnce: Bool) {}
}

extension ExecutorDescription {
  static let inThisProcess = ExecutorDescription(
    name: InThisProcess.name, help: "stages one after the other in the coordinator's own process"
  ) { _ in
    .workers(InThisProcess(), count: 1)
  }
}
