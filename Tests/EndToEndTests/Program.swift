import Foundation
import Testing

/// The built program, run as a user runs it.
struct Program {
  /// What one call left behind.
  struct Output {
    let status: Int32
    let out: String
    let talk: String
  }

  /// Beside the test bundle, where the package manager puts executables.
  static let path: URL = {
    var folder = URL(filePath: CommandLine.arguments[0]).standardizedFileURL.deletingLastPathComponent()
    while folder.path != "/" {
      let candidate = folder.appending(path: "mtkd-sweep")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
      folder = folder.deletingLastPathComponent()
    }
    return URL(filePath: #filePath).appending(path: "../../../.build/debug/mtkd-sweep").standardizedFileURL
  }()

  /// Runs to the end.
  @discardableResult
  static func run(_ arguments: String..., in folder: URL) throws -> Output {
    try start(arguments, in: folder).finish()
  }

  /// Runs a line of shell in which `$PROGRAM` is the program: for mounts, limits and pipes.
  static func shell(_ line: String, in folder: URL) throws -> Output {
    try Running(URL(filePath: "/bin/sh"), ["-c", line], in: folder).finish()
  }

  static func start(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:]
  ) throws -> Running {
    try Running(path, arguments, in: folder, environment)
  }

  static func start(
    executable: URL, _ arguments: [String], in folder: URL, environment: [String: String]
  ) throws -> Running {
    try Running(executable, arguments, in: folder, environment)
  }

  /// A call that has not ended yet. Its output goes to files, so that no pipe can fill up.
  final class Running {
    let process = Process()
    private let out: URL
    private let talk: URL

    fileprivate init(
      _ executable: URL, _ arguments: [String], in folder: URL, _ environment: [String: String] = [:]
    ) throws {
      let name = UUID().uuidString
      out = folder.appending(path: ".out-\(name)")
      talk = folder.appending(path: ".talk-\(name)")
      for file in [out, talk] { try Data().write(to: file) }
      process.executableURL = executable
      process.arguments = arguments
      process.currentDirectoryURL = folder
      process.environment = ProcessInfo.processInfo.environment.merging(
        environment.merging(["PROGRAM": Program.path.path, "NO_COLOR": "1"]) { $1 }
      ) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: out)
      process.standardError = try FileHandle(forWritingTo: talk)
      try process.run()
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    var outSoFar: String { (try? String(contentsOf: out, encoding: .utf8)) ?? "" }
    var talkSoFar: String { (try? String(contentsOf: talk, encoding: .utf8)) ?? "" }

    func finish() throws -> Output {
      process.waitUntilExit()
      let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
      return Output(
        status: status, out: try String(contentsOf: out, encoding: .utf8),
        talk: try String(contentsOf: talk, encoding: .utf8))
    }
  }
}
