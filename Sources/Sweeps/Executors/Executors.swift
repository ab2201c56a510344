package import Specs

/// An option of one executor, as `run --NAME VALUE` or `run --executor-option NAME=VALUE` gives it.
package struct ExecutorOption: Sendable {
  package let name: String
  /// What its value is called; nil for a flag.
  package let valueName: String?
  package let help: String

  package init(_ name: String, valueName: String? = nil, help: String) {
    self.name = name
    self.valueName = valueName
    self.help = help
  }
}

/// What an executor is made from.
package struct ExecutorRequest: Sendable {
  /// Path of this program, as other machines that share the file system find it.
  package let program: String
  /// The very file that this process runs, even where another program has its path by now.
  package let running: String
  /// What every worker finds in its environment besides the job's own.
  package let environment: [String: String]
  /// The executor's own options by their names; a flag has the value "".
  package let options: [String: String]
  package let attempts: AttemptAccess
  /// Is told what is started and how it ended.
  package let trace: (@Sendable (String) -> Void)?

  package init(
    program: String, running: String? = nil, environment: [String: String] = [:],
    options: [String: String] = [:],
    attempts: AttemptAccess, trace: (@Sendable (String) -> Void)? = nil
  ) {
    self.program = program
    self.running = running ?? program
    self.environment = environment
    self.options = options
    self.attempts = attempts
    self.trace = trace
  }
}

/// What an attempt's folder is used for by executors that cannot send signals.
package struct AttemptAccess: Sendable {
  /// Leaves the wish to stop where the job's worker looks for it.
  package let askToStop: @Sendable (Job) -> Void
  /// Whether the job's worker has ever claimed its attempt.
  package let hasBegun: @Sendable (Job) -> Bool

  package init(
    askToStop: @escaping @Sendable (Job) -> Void, hasBegun: @escaping @Sendable (Job) -> Bool
  ) {
    self.askToStop = askToStop
    self.hasBegun = hasBegun
  }
}

/// Where workers run, as `run --executor` names it: an entry of the catalog makes the executor and declares its options.
///
///     ExecutorDescription(name: "twice", help: "every worker twice", options: []) { request in
///       .workers(Twice(try LocalProcesses(executable: request.running)), count: nil)
///     }
package struct ExecutorDescription: Sendable {
  package enum Made: Sendable {
    /// Runs workers one by one, so many at a time; nil for as many as the call asks for.
    case workers(any Executor, count: Int?)
    /// Queues scripts on a cluster, and the call may leave.
    case cluster(SchedulerDescription)
  }

  package let name: String
  package let help: String
  package let options: [ExecutorOption]
  /// Whether a call may leave while jobs go on.
  package let isCluster: Bool
  /// What is wrong with the options, a sentence; nil where nothing is.
  package let complaint: @Sendable (_ options: [String: String]) -> String?
  package let make: @Sendable (ExecutorRequest) throws -> Made

  package init(
    name: String, help: String, options: [ExecutorOption] = [], isCluster: Bool = false,
    complaint: @escaping @Sendable ([String: String]) -> String? = { _ in nil },
    make: @escaping @Sendable (ExecutorRequest) throws -> Made
  ) {
    self.name = name
    self.help = help
    self.options = options
    self.isCluster = isCluster
    self.complaint = complaint
    self.make = make
  }

  /// The jobs of a cluster.
  package init(_ scheduler: SchedulerDescription) {
    self.init(
      name: scheduler.name, help: scheduler.help,
      options: [
        ExecutorOption(
          "site", valueName: "file",
          help: "a file with the site's options (docs/slurm.md); kept in the store for later calls"),
        ExecutorOption("wait", help: "stay until all is done, instead of leaving once jobs are submitted"),
      ], isCluster: true
    ) { _ in .cluster(scheduler) }
  }
}

extension Catalog where Entry == ExecutorDescription {
  package static let executors = Catalog(
    "executor",
    [.local] + Catalog<SchedulerDescription>.schedulers.entries.map { ExecutorDescription($0) } + [.ssh]
  ) { $0.name }

  /// What is wrong with the options that were given for the executor of a name, a sentence; nil where nothing is.
  ///
  /// - Throws: `UnknownName` for an executor that is not in the catalog.
  package func complaint(_ name: String, _ options: [String: String]) throws(UnknownName) -> String? {
    let chosen = try entry(name)
    for option in options.keys.sorted() where !chosen.options.contains(where: { $0.name == option }) {
      let readers = entries.filter { $0.options.contains { $0.name == option } }.map(\.name)
      return readers.isEmpty
        ? "The executor \(name) has no option '\(option)'."
        : "--\(option) is an option of \(readers.joined(separator: " and ")), not of \(name)."
    }
    return chosen.complaint(options)
  }
}
