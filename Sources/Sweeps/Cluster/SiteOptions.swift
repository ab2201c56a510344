package import Specs

/// What a cluster wants to be told of every job, from a small JSON file of the site
/// (`docs/slurm.md`). Changes no result.
package struct SiteOptions: Hashable, Sendable {
  package var partition: String?
  package var account: String?
  package var qos: String?
  package var constraint: String?
  /// As `sbatch --time` takes it.
  package var time: String?
  /// As `sbatch --mem` takes it.
  package var memory: String?
  /// Of one array task, which runs as many stages at a time.
  package var cpus = 1
  /// How many tasks of an array run at a time; nil for no limit.
  package var tasksAtOnce: Int?
  /// How many tasks all arrays of one call have together; more work makes longer tasks.
  package var maxTasks = 1000
  /// How long a task of short runs should be.
  package var chunkMinutes = 15
  /// How long before its time limit a task is told to write snapshots.
  package var leadSeconds = 120
  /// Whether the site lets jobs go back into the queue.
  package var requeue = true
  /// Devices of each task that runs trainers, as `sbatch --gres` takes them, such as `gpu:a100:1`.
  package var gres: String?
  /// Further lines for the script, without `#SBATCH`.
  package var extra: [String] = []
  package var exclude: [String] = []
  package var environment: [String: String] = [:]
  /// Folder of `sbatch` and the others, where it is not on the path.
  package var bin: String?
  /// Between the first two looks at the queue; later ones are further apart.
  package var pollSeconds = 5
  /// Before a stage that never started is submitted again; doubled each time.
  package var retrySeconds = 60

  package init() {}

  private static let keys = [
    "account", "bin", "chunkMinutes", "constraint", "cpus", "environment", "exclude", "extra", "gres",
    "leadSeconds",
    "maxTasks", "memory", "partition", "pollSeconds", "qos", "requeue", "retrySeconds", "tasksAtOnce", "time",
  ]

  /// - Parameter path: for messages.
  /// - Throws: `SiteError` for anything that is not expected.
  package init(reading bytes: [UInt8], at path: String) throws(SiteError) {
    self.init()
    do {
      let json = try JSONReader.read(bytes, allowsComments: true).value
      let object = try SpecObject(json)
      for name in (json.object ?? [:]).keys.sorted() where !Self.keys.contains(name) {
        let hint = NearestName.of(name, among: Self.keys).map { "; did you mean \"\($0)\"?" } ?? ""
        throw SiteError(path: path, problem: "unknown key \"\(name)\"\(hint)")
      }
      func text(_ name: String) throws -> String? {
        guard let text = try object.optional(name, SpecObject.string) else { return nil }
        // One of these on a line of its own would be another line of the script.
        guard !text.isEmpty, !text.contains(where: \.isNewline) else {
          throw SpecError(path: name, expected: "one line of text")
        }
        return text
      }
      func count(_ name: String, _ standard: Int, from least: Int = 1) throws -> Int {
        let value = try object.optional(name, SpecObject.integer) ?? standard
        guard value >= least else { throw SpecError(path: name, expected: "an integer from \(least) on") }
        return value
      }
      func lines(_ name: String) throws -> [String] {
        try (object.optional(name, SpecObject.array) ?? []).map { value in
          guard let line = value.string, !line.isEmpty, !line.contains(where: \.isNewline) else {
            throw SpecError(path: name, expected: "a list of single lines")
          }
          return line
        }
      }
      (partition, account, qos) = (try text("partition"), try text("account"), try text("qos"))
      (constraint, time, memory) = (try text("constraint"), try text("time"), try text("memory"))
      gres = try text("gres")
      (bin, extra, exclude) = (try text("bin"), try lines("extra"), try lines("exclude"))
      cpus = try count("cpus", cpus)
      tasksAtOnce = object["tasksAtOnce"] == nil ? nil : try count("tasksAtOnce", 1)
      maxTasks = try count("maxTasks", maxTasks)
      chunkMinutes = try count("chunkMinutes", chunkMinutes, from: 0)
      leadSeconds = try count("leadSeconds", leadSeconds)
      pollSeconds = try count("pollSeconds", pollSeconds)
      retrySeconds = try count("retrySeconds", retrySeconds, from: 0)
      requeue = try object.optional("requeue", SpecObject.bool) ?? requeue
      for (name, value) in object["environment"]?.object ?? [:] {
        guard let value = value.string, ShellWord.isVariable(name), !value.contains(where: \.isNewline) else {
          throw SpecError(path: "environment.\(name)", expected: "a variable's name and one line of text")
        }
        environment[name] = value
      }
      if let time, Self.seconds(ofTime: time) == nil {
        throw SpecError(path: "time", expected: "a time as sbatch takes it, such as \"4:00:00\" or \"1-12\"")
      }
    } catch let error as SiteError {
      throw error
    } catch {
      throw SiteError(path: path, problem: "\(error)")
    }
  }

  /// Seconds of a task's time limit; nil for none.
  package var wallSeconds: Int? { time.flatMap(Self.seconds(ofTime:)) }

  /// Seconds of a time as `sbatch --time` takes it: `minutes`, `minutes:seconds`,
  /// `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`, `days-hours:minutes:seconds`. Nil for
  /// anything else, and for no limit.
  package static func seconds(ofTime text: String) -> Int? {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    guard halves.count <= 2, let last = halves.last else { return nil }
    let parts = last.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard !parts.contains(nil), (1...3).contains(parts.count) else { return nil }
    let numbers = parts.compactMap(\.self)
    guard numbers.allSatisfy({ (0..<1_000_000).contains($0) }) else { return nil }
    if halves.count == 2 {
      guard let days = Int(halves[0]), (0..<100_000).contains(days) else { return nil }
      let padded = numbers + Array(repeating: 0, count: 3 - numbers.count)
      return ((days * 24 + padded[0]) * 60 + padded[1]) * 60 + padded[2]
    }
    switch numbers.count {
    case 1: return numbers[0] * 60
    case 2: return numbers[0] * 60 + numbers[1]
    default: return (numbers[0] * 60 + numbers[1]) * 60 + numbers[2]
    }
  }
}

/// A site file that cannot be followed.
package struct SiteError: UserError, Equatable {
  package var exitStatus: ExitStatus { .badInput }
  package let path: String
  package let problem: String

  package init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  package var description: String { "\(path): \(problem) (docs/slurm.md lists the keys of a site file)" }
}
