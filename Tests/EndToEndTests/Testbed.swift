import Foundation
import Synchronization
import Testing

/// A virtual Slurm cluster of its own on loopback, and a folder with grids to run on it.
final class Testbed {
  /// Beside the repository, as the specification is. A machine without it, or without
  /// Slurm, skips these tests.
  static let script = URL(filePath: #filePath).appending(path: "../../../../shared/tools/slurm-testbed")
    .standardizedFileURL.path

  static let isHere: Bool = {
    let hasSlurm = ["/usr/bin", "/usr/local/bin"].contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/sbatch")
    }
    return hasSlurm && FileManager.default.isExecutableFile(atPath: script)
  }()

  /// So that clusters that come up at the same moment do not look at the same ports.
  private static let started = Mutex(Int(getpid()) % 100)

  let folder: URL
  /// Of the cluster; Unix sockets lie below it, so it is short.
  private let cluster: String
  var clusterFolder: String { cluster }
  private let settings: [String: String]

  /// - Parameter settings: of the testbed, without their prefix.
  init(_ settings: [String: String] = [:], site: String) throws {
    let name = UUID().uuidString.prefix(8)
    cluster = "/tmp/mtkd-slurm-\(name)"
    folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-cluster-\(name)")
    let number = Self.started.withLock {
      $0 += 1
      return $0
    }
    let port = ["SLURM_TESTBED_PORT": "\(20000 + number % 200 * 50)"]
    self.settings = Dictionary(
      uniqueKeysWithValues: settings.map { ("SLURM_TESTBED_\($0.key)", $0.value) }
    ).merging(port) { $1 }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try TinySweep.grid.write(to: folder.appending(path: "tiny.json"), atomically: false, encoding: .utf8)
    try site.write(to: folder.appending(path: "site.json"), atomically: false, encoding: .utf8)
    try FileManager.default.createDirectory(
      at: folder.appending(path: "results"), withIntermediateDirectories: true)
    try site.write(to: folder.appending(path: "results/slurm.json"), atomically: false, encoding: .utf8)
    try does("up")
  }

  deinit {
    _ = try? does("down")
    try? FileManager.default.removeItem(atPath: cluster)
    try? FileManager.default.removeItem(at: folder)
  }

  /// The variable that makes Slurm's commands talk to this cluster.
  var environment: [String: String] { ["SLURM_CONF": "\(cluster)/etc/slurm.conf"] }

  @discardableResult
  func does(_ words: String...) throws -> String {
    // Daemons must not inherit what Foundation watches for the end of the command: it would wait for theirs.
    // The shell around them keeps it, because where it closes early, Foundation waits for the command with
    // all others waiting behind it.
    let line = ([Self.script] + words + [cluster]).joined(separator: " ")
    let closing = Program.withoutDescriptors(line)
    let output = try Program.start(
      executable: URL(filePath: "/bin/bash"), ["-c", closing], in: folder, environment: settings
    ).finish()
    guard output.status == 0 else { throw Refused(command: line, talk: output.talk) }
    return output.out
  }

  struct Refused: Error {
    let command: String
    let talk: String
  }

  /// A line of shell with the cluster's configuration.
  @discardableResult
  func shell(_ line: String) throws -> Program.Output {
    try Program.start(shell: line, in: folder, environment: environment).finish()
  }

  func write(_ text: String, to name: String) throws {
    try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
  }

  @discardableResult
  func run(_ arguments: String...) throws -> Program.Output {
    try Program.start(arguments, in: folder, environment: environment).finish()
  }

  /// Submits, or goes on with, a grid.
  @discardableResult
  func sweep(_ grid: String = "tiny.json", waiting: Bool) throws -> Program.Output {
    try Program.start(
      ["run", grid, "--executor", "slurm"] + (waiting ? ["--wait"] : []), in: folder,
      environment: environment
    ).finish()
  }

  /// What a finished store says: the table, and of each run the digests of every epoch's
  /// state and of its checkpoints.
  func evidence(store: String = "results") throws -> String {
    let report = try run("report", "--store", store, "--format", "json")
    #expect(report.status == 0, "\(report.talk)")
    let digests = try run("list", "--digests", "--store", store)
    #expect(digests.status == 0 && digests.out.contains("final"), "\(digests.talk)")
    return report.out + digests.out
  }

  /// The evidence of the same grid run here, in a store of its own, by nobody disturbed;
  /// made once for each grid.
  func undisturbed(_ grid: String = "tiny.json") throws -> String {
    let text = try String(contentsOf: folder.appending(path: grid), encoding: .utf8)
    return try Self.calm.withLock { known in
      if let evidence = known[text] { return evidence }
      let output = try run("run", grid, "--store", "calm")
      try #require(output.status == 0, "\(output.talk)")
      let evidence = try self.evidence(store: "calm")
      known[text] = evidence
      return evidence
    }
  }

  private static let calm = Mutex<[String: String]>([:])

  /// Waits for something to become true, which is a failure if it does not.
  ///
  /// - Parameter seconds: that it may take on a free machine; one that is full of tests
  ///   gets three times as long.
  func wait(
    _ seconds: Double, for what: String, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () throws -> Bool
  ) throws {
    let deadline = Date.now + 3 * seconds
    while try !condition() {
      guard Date.now < deadline else {
        let queue = try? shell("squeue -r --states=all; sinfo -N -l; cat results/batches/*/log-*").out
        Issue.record("no \(what) within \(3 * seconds) s\n\(queue ?? "")", sourceLocation: sourceLocation)
        throw Refused(command: what, talk: "waited in vain")
      }
      usleep(50_000)
    }
  }

  // What lies in the store

  /// Folders of batches that are not void.
  func batches() throws -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: path("results/batches"))) ?? []
    return all.filter { !FileManager.default.fileExists(atPath: path("results/batches/\($0)/void")) }.sorted()
  }

  func path(_ relative: String) -> String { folder.appending(path: relative).path }

  /// Paths of the attempts at stages of a kind, in the order of their stages and numbers.
  func attempts(_ kind: String = "student") throws -> [String] {
    let output = try shell(
      "grep -l '\"kind\":\"\(kind)\"' results/stages/*/spec.json | sort | xargs -r -n1 dirname | while read d; do ls -1dv $d/attempts/* 2>/dev/null; done"
    )
    return output.out.split(separator: "\n").map(String.init)
  }

  func has(_ attempt: String, _ pattern: String) throws -> Bool {
    try shell("ls \(attempt)/\(pattern)").status == 0
  }

  /// Process number of an attempt's worker.
  func worker(of attempt: String) throws -> Int32 {
    let text = try String(contentsOfFile: path("\(attempt)/claim"), encoding: .utf8)
    let match = try #require(text.firstMatch(of: /"process":(\d+)/))
    return try #require(Int32(match.1))
  }

  func exitCode(of attempt: String) -> Int? {
    guard let text = try? String(contentsOfFile: path("\(attempt)/exit.json"), encoding: .utf8),
      let match = text.firstMatch(of: /"code":(\d+)/)
    else { return nil }
    return Int(match.1)
  }
}

extension Program {
  /// A line of bash that runs a command which leaves daemons behind.
  static func withoutDescriptors(_ line: String) -> String {
    "(for f in /proc/$BASHPID/fd/*; do n=${f##*/}; [ $n -le 2 ] || [ $n = 255 ] || eval \"exec $n>&-\"; done; \(line)) & wait $!"
  }

  static func start(shell line: String, in folder: URL, environment: [String: String]) throws -> Running {
    try start(executable: URL(filePath: "/bin/sh"), ["-c", line], in: folder, environment: environment)
  }
}
