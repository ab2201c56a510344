package import Foundation

/// Python programs that read what we write. Tests that need one are skipped where it is
/// missing (`Available.python`).
package enum Python {
  /// The first interpreter that has the modules: `MTKD_PYTHON`, then `.venv` of the
  /// repository, then the system's.
  package static func interpreter(with modules: [String]) -> URL? {
    let named = ProcessInfo.processInfo.environment["MTKD_PYTHON"].map { [$0] } ?? []
    let own = URL(filePath: #filePath).appending(path: "../../../.venv/bin/python3").standardizedFileURL.path
    let imports = "import " + modules.joined(separator: ", ")
    for path in named + [own, "/usr/bin/python3"] where FileManager.default.isExecutableFile(atPath: path) {
      if let answer = try? run(URL(filePath: path), ["-c", imports]), answer.status == 0 {
        return URL(filePath: path)
      }
    }
    return nil
  }

  /// Runs a program to its end; the output goes through a file, so that no pipe can fill up.
  package static func run(
    _ interpreter: URL, _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]
  ) throws -> (status: Int32, out: String) {
    let file = FileManager.default.temporaryDirectory.appending(path: "mtkd-python-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    (process.executableURL, process.arguments) = (interpreter, arguments)
    if let folder { process.currentDirectoryURL = folder }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let handle = try FileHandle(forWritingTo: file)
    (process.standardOutput, process.standardError) = (handle, handle)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
  }
}
