import Foundation
import Testing

/// What is left of a machine for others is for the caller to say.
@Suite struct NicenessTests {
  /// The niceness of a process's first thread, which computes.
  private func niceness(of process: Int32) -> Int? {
    guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return nil }
    // The name of the program stands in brackets and may hold blanks; niceness is the
    // seventeenth word behind it.
    let words = line[line.index(after: line.lastIndex(of: ")")!)...].split(separator: " ")
    return Int(words[16])
  }

  @Test(arguments: [0, 3, 19])
  func `workers have the caller's niceness, and --nice adds to it`(_ more: Int) throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 400")
        .replacing("\"trainImages\": 96", with: "\"trainImages\": 960"))
    defer { sweep.remove() }
    let run = try Program.start(
      executable: URL(filePath: "/usr/bin/nice"),
      ["-n", "7", Program.path.path, "run", "tiny.json", "--workers", "1", "--nice", "\(more)"],
      in: sweep.folder, environment: [:])
    defer { run.signal(SIGINT) }
    let deadline = Date.now + 120
    var (caller, seen): (Int?, Set<Int>) = (nil, [])
    // A worker adds what it is told to once its program has begun.
    func isThere() -> Bool { caller.map { seen.contains(min(19, $0 + more)) } ?? false }
    while !isThere(), run.process.isRunning, Date.now < deadline {
      for worker in try sweep.workersAlive() {
        caller = niceness(of: run.process.processIdentifier)
        niceness(of: worker).map { _ = seen.insert($0) }
      }
      usleep(2000)
    }
    let begun = try #require(caller)
    #expect(begun >= 7)
    #expect(isThere() && seen.isSubset(of: [begun, min(19, begun + more)]), "\(begun): \(seen)")
  }
}
