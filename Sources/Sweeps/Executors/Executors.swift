public import Specs

/// An option of one executor, as `run --NAME VALUE` or `run --executor-option NAME=VALUE` gives it.
public struct ExecutorOption: Sendable {
  /// As the command line spells it, without dashes.
  public let name: String
  /// What its value is called; nil for a flag.
  public let valueName: String?
  /// A phrase for its help.
  public let help: String

  /// An option with a value, or a flag where the value has no name.
  public init(_ name: String, valueName: String? = nil, help: String) {
    self.name = name
    self.valueName = valueName
    self.help = help
  }
}

/// What an executor is made from.
public struct ExecutorRequest: Sendable {
  /// Path of this program, as other machines that share the file system find it.
  public let program: String
  /// The very file that this process runs, even where another program has its path by now.
  public let running: String
  /// What every worker finds in its environment besides the job's own.
  public let environment: [String: String]
  /// The executor's own options by their names; a flag has the value "".
  public let options: [String: String]
  /// For executors that cannot send signals.
  public let attempts: AttemptAccess
  /// Is told what is started and how it ended.
  public let trace: (@Sendable (String) -> Void)?

  /// What one call of `run` hands to its executor.
  ///
  /// - Parameter running: the file that this process runs (default: `program`).
  public init(
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
public struct AttemptAccess: Sendable {
  /// Leaves the wish to stop where the job's worker looks for it.
  public let askToStop: @Sendable (Job) -> Void
  /// Whether the job's worker has ever claimed its attempt.
  public let hasBegun: @Sendable (Job) -> Bool

  /// The two things that an executor without signals needs of an attempt; tests hand
  /// in functions of their own.
  public init(
    askToStop: @escaping @Sendable (Job) -> Void, hasBegun: @escaping @Sendable (Job) -> Bool
  ) {
    self.askToStop = askToStop
    self.hasBegun = hasBegun
  }
}

/// Where workers run, as `run --executor` names it: an entry of the catalog makes the executor
/// and declares its options.
///
///     ExecutorDescription(name: "twice", help: "every worker twice", options: []) { request in
///       .workers(Twice(try LocalProcesses(executable: request.running)), count: nil)
///     }
public struct ExecutorDescription: Sendable {
  /// What an entry of the catalog makes.
  public enum Made: Sendable {
    /// Runs workers one by one, so many at a time; nil for as many as the call asks for.
    case workers(any Executor, count: Int?)
    /// Queues scripts on a cluster, and the call may leave.
    case cluster(SchedulerDescription)
  }

  public let name: String
  public let help: String
  public let options: [ExecutorOption]
  /// Whether a call may leave while jobs go on.
  package let isCluster: Bool
  /// What is wrong with the options, a sentence; nil where nothing is.
  public let complaint: @Sendable (_ options: [String: String]) -> String?
  /// Makes the executor of one call of `run`.
  public let make: @Sendable (ExecutorRequest) throws -> Made

  /// An entry of the catalog.
  ///
  /// - Parameters:
  ///   - name: as `run --executor` spells it.
  ///   - isCluster: whether a call may leave while jobs go on.
  public init(
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
  package static var executors: Catalog { executorsHere.extended }

  fileprivate static let executorsHere = Catalog(
    "executor",
    [.local] + Catalog<SchedulerDescription>.schedulers.entries.map { ExecutorDescription($0) } + [.ssh]
  ) { $0.name }

  /// What is wrong with the options that were given for the executor of a name, a
  /// sentence; nil where nothing is.
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

extension Extensions {
  /// Adds an executor, which `run --executor` then takes; its options are given as `--executor-option
  /// NAME=VALUE`.
  ///
  /// - Throws: `ExtensionError.nameTaken` where another executor has its name.
  public mutating func add(_ executor: ExecutorDescription) throws(ExtensionError) {
    try add(executor, to: .executorsHere) { [$0.name] }
  }
}
