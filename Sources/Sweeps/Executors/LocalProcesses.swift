internal import Foundation
internal import Subprocess
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#endif

/// Worker processes on this machine.
///
/// Every worker's standard input is the read end of one pipe whose write end this process alone holds and never writes to: when this process is
/// gone, however it went, workers read the end of file.
package struct LocalProcesses: Executor {
  package static let name = "local"

  private let executable: String
  /// All that a job's process finds besides the job's own.
  private let environment: [String: String]
  private let prefix: [String]
  private let trace: (@Sendable (String) -> Void)?
  private let lifeline: (read: FileDescriptor, write: FileDescriptor)

  /// - Parameters:
  ///   - environment: what every job's process finds besides the job's own.
  ///   - prefix: arguments before those of every job.
  ///   - trace: is told what is started and how it ended.
  package init(
    executable: String, environment: [String: String] = [:], prefix: [String] = [],
    trace: (@Sendable (String) -> Void)? = nil
  ) throws {
    (self.executable, self.prefix) = (executable, prefix)
    // This process's own, read once: `Environment.inherit` would read it twice for each job.
    self.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    self.trace = trace
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    lifeline = (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
  }

  package func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    do {
      let log = try FileDescriptor.open(
        job.log, .writeOnly, options: [.create, .append, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o644))
      var variables = environment
      for (name, value) in job.environment { variables[name] = value }
      let environment = Environment.custom(
        Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(rawValue: $0.key)!, $0.value) }))
      let result = try await Subprocess.run(
        .path(FilePath(executable)), arguments: Arguments(prefix + job.arguments), environment: environment,
        input: .fileDescriptor(lifeline.read, closeAfterSpawningProcess: false),
        output: .fileDescriptor(log, closeAfterSpawningProcess: true), error: .combinedWithOutput
      ) { execution in
        let identifier = Int(execution.processIdentifier.value)
        trace?("\(identifier) started: \(([executable] + prefix + job.arguments).joined(separator: " "))")
        started(identifier)
      }
      trace?("\(result.processIdentifier.value) ended: \(result.terminationStatus)")
      switch result.terminationStatus {
      case .exited(let code): return .exited(Int(code))
      case .signaled(let signal): return .killed(signal: Int(signal))
      }
    } catch {
      return .notStarted("\(executable): \(error)")
    }
  }

  package func stop(_ identifier: Int, atOnce: Bool) {
    kill(pid_t(identifier), atOnce ? SIGKILL : SIGTERM)
  }
}
