internal import Synchronization

/// Worker processes on machines that are reached by ssh and see the store under the same path.
///
/// The connection is the lifeline: `ssh` hands on the end of this process's pipe, and a worker that reads it ends. A signal cannot be handed on, so a
/// worker is asked to stop by a file in its attempt's folder.
package final class SSHHosts: Executor {
  package static let name = "ssh"

  private let program: String
  private let processes: LocalProcesses
  private let askToStop: @Sendable (Job) -> Void
  private let state: Mutex<State>

  private struct State {
    /// Hosts in the order in which they were named, as often as they have free places.
    var free: [String]
    var running: [Int: Job] = [:]
    /// How often a host did not even start a worker since it last did.
    var failures: [String: Int] = [:]
  }

  /// - Parameters:
  ///   - hosts: as ssh takes them, each as often as it may have workers.
  ///   - command: `ssh` with its options, the host still to come.
  ///   - program: path of this program on the hosts.
  ///   - askToStop: leaves the wish to stop where the job's worker looks for it.
  package init(
    hosts: [String], command: [String], program: String, askToStop: @escaping @Sendable (Job) -> Void
  ) throws {
    (self.program, self.askToStop) = (program, askToStop)
    processes = try LocalProcesses(executable: "/usr/bin/env", prefix: command)
    state = Mutex(State(free: hosts))
  }

  package static let standardCommand = [
    "ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-T",
  ]

  package func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    guard let host = takeHost() else { return .notStarted("no host is free") }
    // The remote side has a shell, so the words are quoted for it.
    var words = ["exec", "env"]
    words += job.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\(SlurmText.quoted($0.value))" }
    words += [SlurmText.quoted(program)] + job.arguments.map(SlurmText.quoted)
    let remote = Job(
      key: job.key, arguments: [host, words.joined(separator: " ")], environment: [:], log: job.log)
    let identifier = Atomic<Int>(0)
    let end = await processes.run(remote) { process in
      identifier.store(process, ordering: .releasing)
      state.withLock { $0.running[process] = job }
      started(process)
    }
    state.withLock { state in
      state.running[identifier.load(ordering: .acquiring)] = nil
      // 255 is ssh's own: the worker's codes are below.
      state.failures[host] = end == .exited(255) ? state.failures[host, default: 0] + 1 : 0
      state.free.append(host)
    }
    return end == .exited(255) ? .notStarted("\(host) could not be reached, or the connection broke") : end
  }

  package func stop(_ identifier: Int, atOnce: Bool) {
    if atOnce { return processes.stop(identifier, atOnce: true) }
    if let job = state.withLock({ $0.running[identifier] }) { askToStop(job) }
  }

  /// The free host that has failed least.
  private func takeHost() -> String? {
    state.withLock { state in
      let least = state.free.indices.min {
        state.failures[state.free[$0], default: 0] < state.failures[state.free[$1], default: 0]
      }
      return least.map { state.free.remove(at: $0) }
    }
  }
}
