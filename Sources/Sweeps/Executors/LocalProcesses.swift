internal import CProcesses
internal import Foundation

#if canImport(Glibc)
  internal import Glibc
#endif

/// Worker processes on this machine.
///
/// Every worker's standard input is the read end of one pipe whose write end this process alone holds and
/// never writes to: when this process is gone, however it went, workers read the end of file.
package struct LocalProcesses: Executor {
  package static let name = "local"
  package static let takesGroups = true

  private let executable: String
  /// All that a job's process finds besides the job's own.
  private let environment: [String: String]
  private let prefix: [String]
  private let trace: (@Sendable (String) -> Void)?
  /// The read end of the pipe. The write end is never closed.
  private let lifeline: Int32

  /// - Parameters:
  ///   - environment: what every job's process finds besides the job's own.
  ///   - prefix: arguments before those of every job.
  ///   - trace: is told what is started and how it ended.
  /// - Throws: `StartFailure` where there is no descriptor left.
  package init(
    executable: String, environment: [String: String] = [:], prefix: [String] = [],
    trace: (@Sendable (String) -> Void)? = nil
  ) throws {
    self.executable = executable
    self.prefix = prefix
    // This process's own, read once for all jobs.
    self.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    self.trace = trace
    var ends: [CInt] = [0, 0]
    let code = process_pipe(&ends)
    guard code == 0 else { throw StartFailure(executable: executable, code: code) }
    lifeline = ends[0]
  }

  package func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    do throws(StartFailure) {
      let number = try start(job)
      trace?("\(number) started: \(([executable] + prefix + job.arguments).joined(separator: " "))")
      started(Int(number))
      let end = await ChildProcess.end(of: number)
      trace?("\(number) ended: \(end)")
      return end
    } catch {
      trace?("not started: \(error)")
      return error.end
    }
  }

  private func start(_ job: Job) throws(StartFailure) -> Int32 {
    let log = SystemCall.retrying { open(job.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
    guard log >= 0 else { throw StartFailure(executable: job.log, code: errno) }
    defer { close(log) }
    var variables = environment
    for (name, value) in job.environment { variables[name] = value }
    var process = ChildProcess(executable, prefix + job.arguments)
    process.environment = variables
    process.input = lifeline
    process.output = log
    process.error = log
    return try process.start()
  }

  package func stop(_ identifier: Int, atOnce: Bool) {
    kill(pid_t(identifier), atOnce ? SIGKILL : SIGTERM)
  }
}

extension ExecutorDescription {
  package static let local = ExecutorDescription(
    name: LocalProcesses.name, help: "processes on this machine"
  ) { request in
    .workers(
      try LocalProcesses(
        executable: request.running, environment: request.environment, trace: request.trace), count: nil)
  }
}
