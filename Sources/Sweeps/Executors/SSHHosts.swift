internal import Synchronization

/// Worker processes on machines that are reached by ssh and see the store under the same path.
///
/// The connection is the lifeline: `ssh` hands on the end of this process's pipe, and a worker that reads it
/// ends. A signal cannot be handed on, so a worker is asked to stop by a file in its attempt's folder.
package final class SSHHosts: Executor {
  package static let name = "ssh"

  private let program: String
  private let processes: LocalProcesses
  private let attempts: AttemptAccess
  private let hosts: Set<String>
  private let state: Mutex<State>
  /// How often in a row a host may fail before nobody waits for it.
  private static let patience = 3

  private struct State {
    /// Hosts as often as they have free places.
    var free: [String]
    var running: [Int: Job] = [:]
    /// How often in a row a host could not be reached.
    var failures: [String: Int] = [:]
    var isStopping = false
  }

  /// - Parameters:
  ///   - hosts: as ssh takes them, each as often as it may have workers.
  ///   - command: `ssh` with its options, the host still to come.
  ///   - program: path of this program on the hosts.
  package init(hosts: [String], command: [String], program: String, attempts: AttemptAccess) throws {
    self.program = program
    self.attempts = attempts
    self.hosts = Set(hosts)
    processes = try LocalProcesses(executable: "/usr/bin/env", prefix: command)
    state = Mutex(State(free: hosts))
  }

  package static let standardCommand = [
    "ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-T",
  ]

  package func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    // The remote side has a shell, so the words are quoted for it.
    var words = ["exec", "env"]
    let variables = job.environment.sorted { $0.key < $1.key }
    words += variables.filter { $0.value == nil }.flatMap { ["-u", $0.key] }
    words += variables.compactMap { name, value in value.map { "\(name)=\(ShellWord.quoted($0))" } }
    words += [ShellWord.quoted(program)] + job.arguments.map(ShellWord.quoted)
    let line = words.joined(separator: " ")
    while true {
      switch takeHost() {
      case .none: return .notStarted("none of \(hosts.sorted().joined(separator: ", ")) can be reached")
      case .later: try? await Task.sleep(for: .milliseconds(200))
      case .host(let host):
        let end = await run(job, line, on: host, started)
        // 255 is ssh's own: the worker's codes are below. A worker that had begun may live on
        // behind a broken connection, so its attempt is not for another; one that never began costs
        // nothing but a try elsewhere.
        guard end == .exited(255) else { return end }
        if attempts.hasBegun(job) { return .notStarted("the connection to \(host) broke") }
      }
    }
  }

  private func run(
    _ job: Job, _ line: String, on host: String, _ started: @Sendable (Int) -> Void
  ) async -> JobEnd {
    let remote = Job(key: job.key, arguments: [host, line], environment: [:], log: job.log)
    let identifier = Mutex(0)
    let end = await processes.run(remote) { process in
      identifier.withLock { $0 = process }
      state.withLock { $0.running[process] = job }
      started(process)
    }
    state.withLock { state in
      state.running[identifier.withLock(\.self)] = nil
      state.failures[host] = end == .exited(255) ? state.failures[host, default: 0] + 1 : 0
      state.free.append(host)
    }
    return end
  }

  package func stop(_ identifier: Int, atOnce: Bool) {
    let job = state.withLock { state in
      state.isStopping = true
      return state.running[identifier]
    }
    if atOnce { return processes.stop(identifier, atOnce: true) }
    if let job { attempts.askToStop(job) }
  }

  private enum Answer {
    case host(String)
    /// All that can be reached are busy.
    case later
    case none
  }

  /// The free host that has failed least, of those that are worth a try.
  private func takeHost() -> Answer {
    state.withLock { state in
      func failures(_ host: String) -> Int { state.failures[host, default: 0] }
      guard !state.isStopping, hosts.contains(where: { failures($0) < Self.patience }) else { return .none }
      let least = state.free.indices.filter { failures(state.free[$0]) < Self.patience }
        .min { failures(state.free[$0]) < failures(state.free[$1]) }
      return least.map { .host(state.free.remove(at: $0)) } ?? .later
    }
  }
}

extension ExecutorDescription {
  package static let ssh = ExecutorDescription(
    name: SSHHosts.name, help: "processes on machines that share the store's folder",
    options: [
      ExecutorOption(
        "hosts", valueName: "a,b",
        help: "machines that see the store under the same path, separated by commas; 'a:4' for four workers"),
      ExecutorOption(
        "remote-program", valueName: "path", help: "path of this program on the machines, where it is another"
      ),
      ExecutorOption("ssh-command", valueName: "command", help: "how to call ssh, with its options"),
    ],
    complaint: { hosts($0).isEmpty ? "--executor ssh needs --hosts a,b." : nil }
  ) { request in
    let hosts = hosts(request.options)
    let command = request.options["ssh-command"].map { $0.split(separator: " ").map(String.init) }
    return .workers(
      try SSHHosts(
        hosts: hosts, command: command ?? SSHHosts.standardCommand,
        program: request.options["remote-program"] ?? request.program, attempts: request.attempts),
      count: hosts.count)
  }

  /// Each host as often as it may have workers.
  private static func hosts(_ options: [String: String]) -> [String] {
    (options["hosts"] ?? "").split(separator: ",").flatMap { text -> [String] in
      let parts = text.split(separator: ":")
      if parts.count == 2, let count = Int(parts[1]), (1...10_000).contains(count) {
        return Array(repeating: String(parts[0]), count: count)
      }
      return [String(text)]
    }
  }
}
