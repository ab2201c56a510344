public import Specs

/// A stage for an executor: this program again, with arguments.
public struct Job: Sendable {
  /// Of the stage.
  public let key: ContentKey
  /// Of this program.
  public let arguments: [String]
  /// Nil takes a variable away.
  public let environment: [String: String?]
  /// Where its output and diagnostics go.
  public let log: String

  /// A worker of a stage; what `environment` does not name is as this process has it.
  public init(key: ContentKey, arguments: [String], environment: [String: String?], log: String) {
    self.key = key
    self.arguments = arguments
    self.environment = environment
    self.log = log
  }
}

/// How a worker ended.
public enum JobEnd: Hashable, Sendable {
  case exited(Int)
  case killed(signal: Int)
  /// It could not be started; a sentence.
  case notStarted(String)
  /// It could not be started for now, because processes, descriptors or memory have run out; a
  /// sentence. It costs no try.
  case noRoom(String)
}

/// Something that runs jobs: processes here, later a cluster.
public protocol Executor: Sendable {
  static var name: String { get }
  /// Whether a job may be several runs that one process trains side by side (default: no).
  static var takesGroups: Bool { get }
  /// Runs one job to its end.
  ///
  /// - Parameter started: called once with an identifier that `stop` takes.
  func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd
  /// Asks for a snapshot and an end, or ends at once.
  func stop(_ identifier: Int, atOnce: Bool)
}

extension Executor {
  public static var takesGroups: Bool { false }
}
