import Foundation
import Testing

/// Few open files and few processes: fewer workers, no try lost, and never a run that hangs.
@Suite struct ResourceTests {
  private static let tools = ["/usr/bin/setpriv", "/usr/bin/prlimit"]

  /// Root may have as many processes as it likes, so another user is needed.
  private static let canLimit =
    geteuid() == 0 && tools.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

  @Test func `with few open files a sweep of many workers ends with the same table`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let calm = try Program.run("run", "tiny.json", "-q", "--store", "calm", in: sweep.folder)
    for limit in [16, 20, 26, 28] {
      let output = try Program.shell(
        "ulimit -n \(limit); \"$PROGRAM\" run tiny.json -q --workers 7 --store s\(limit)", in: sweep.folder)
      #expect(output.status == 0 && output.out == calm.out, "\(limit): \(output.status) \(output.talk)")
      #expect(!output.talk.contains("CONTINUATION"), "\(output.talk)")
    }
  }

  @Test(.enabled(if: canLimit))
  func `with few processes fewer workers run and no try is counted`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let calm = try Program.run("run", "tiny.json", "-q", "--store", "calm", in: sweep.folder)
    // The user's processes are counted wherever they run, so each limit has a user of its own.
    func run(_ limit: Int, as user: Int) throws -> Program.Output {
      try Program.shell(
        "chmod 777 . && setpriv --reuid \(user) --regid \(user) --clear-groups prlimit --nproc=\(limit) "
          + "\"$PROGRAM\" run tiny.json --workers 7 --store p\(limit)", in: sweep.folder)
    }
    let few = try run(14, as: 61_014)
    #expect(few.status == 0 && few.out == calm.out, "\(few.status) \(few.talk)")
    #expect(few.talk.contains("could not be started") && !few.talk.contains("DIED"), "\(few.talk)")
    let none = try run(3, as: 61_003)
    #expect(none.status == 69 && none.talk.contains("ulimit -u"), "\(none.status) \(none.talk)")
  }
}
