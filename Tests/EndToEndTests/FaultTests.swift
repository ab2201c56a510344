import Foundation
import Testing

/// Calls of the operating system that fail, one after the other, in the built program: whatever
/// fails and wherever, the program says so by an exit code, and the same command without the fault
/// ends with the same bits.
///
/// `MTKD_FAULTS=all` (`make faults`) tries every call of every kind with every reason; otherwise every eighth
/// call is tried with one of them.
@Suite(.serialized, .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")))
struct FaultTests {
  private static let source = URL(filePath: #filePath).appending(path: "../../Faults/faults.c")
    .standardizedFileURL.path

  private static let grid = """
    { "version": 1, "name": "f", "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 24, "testImages": 12,
      "batchSize": 12, "epochs": 2, "student": { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 4] },
      "method": "baseline" } }
    """

  /// Kinds of calls, and the reasons for which each may fail.
  private static let kinds: [(name: String, reasons: [Int32])] = [
    ("open", [EINTR, EIO, EACCES, EMFILE]), ("write", [ENOSPC, EINTR, EIO]), ("fsync", [EIO, EINTR, ENOSPC]),
    ("rename", [EIO, ENOSPC, EINTR]), ("fork", [EAGAIN, ENOMEM]), ("flock", [EINTR, ENOLCK]),
  ]

  /// Exit codes that a fault may lead to: a result, some without one, held or unavailable, reading or
  /// writing, stopped, no permission. Never a trap, a signal or an error of the program.
  private static let codes: Set<Int32> = [0, 1, 69, 73, 74, 75, 77]

  private let isWhole = ProcessInfo.processInfo.environment["MTKD_FAULTS"] == "all"

  @Test(arguments: kinds.indices)
  func `no call that fails costs a run or changes a number`(_ index: Int) throws {
    let (kind, reasons) = Self.kinds[index]
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let library = sweep.folder.appending(path: "faults.so").path
    let built = try Program.shell(
      "cc -shared -fPIC -O1 -o \(library) '\(Self.source)' -ldl", in: sweep.folder)
    try #require(built.status == 0, "\(built.talk)")
    let calm = try evidence(sweep, store: "calm")
    var all = 0
    #expect(try run(sweep, library, kind, 0, 0, store: "counted", counting: &all).status == 0)
    #expect(all > 0, "\(kind) is never called: the library does not see it")
    var (injected, unharmed) = (0, 0)
    for number in stride(from: 1, through: all, by: isWhole ? 1 : 8) {
      for reason in isWhole ? reasons : [reasons[number / 8 % reasons.count]] {
        let store = "\(kind)-\(number)-\(reason)"
        var calls = 0
        let output = try run(sweep, library, kind, number, reason, store: store, counting: &calls)
        let name = "\(kind) call \(number), \(String(cString: strerror(reason)))"
        // Which calls there are differs a little from run to run.
        if calls >= number { injected += 1 }
        if output.status == 0 { unharmed += 1 }
        #expect(Self.codes.contains(output.status), "\(name): \(output.status) \(output.talk)")
        #expect(output.status == 0 || !output.talk.isEmpty, "\(name): \(output.status) without a word")
        #expect(try sweep.workersAlive().isEmpty, "\(name)")
        // SQLite takes an interrupted sync of its database for an error of the disk, and
        // offers no way to change that.
        let isDatabase = kind == "fsync" && output.talk.contains("store.sqlite")
        if reason == EINTR, !isDatabase {
          #expect(output.status == 0, "\(name): \(output.status) \(output.talk)")
        }
        #expect(try evidence(sweep, store: store) == calm, "\(name)")
        try FileManager.default.removeItem(at: sweep.folder.appending(path: store))
      }
    }
    #expect(injected > 0)
    print("faults: \(kind): \(all) calls occur, \(injected) injected, \(unharmed) without any effect")
  }

  private func run(
    _ sweep: TinySweep, _ library: String, _ kind: String, _ number: Int, _ reason: Int32, store: String,
    counting calls: inout Int
  ) throws -> Program.Output {
    let counter = sweep.folder.appending(path: "counter")
    try Data(count: 8).write(to: counter)
    // What its files are called has the store's name in it, so that libraries and the
    // kernel's files are left alone.
    let path = sweep.folder.appending(path: store).path
    let output = try Program.start(
      ["run", "tiny.json", "-q", "--workers", "1", "--store", path], in: sweep.folder,
      environment: [
        "LD_PRELOAD": library, "FAULT_COUNTER": counter.path, "FAULT_KIND": kind, "FAULT_N": "\(number)",
        "FAULT_ERRNO": "\(reason)", "FAULT_PATH": path,
      ]
    ).finish()
    calls = try Data(contentsOf: counter).withUnsafeBytes { $0.load(as: Int.self) }
    return output
  }

  /// All that the runs came to, bit for bit, of a store that another call without faults has finished.
  private func evidence(_ sweep: TinySweep, store: String) throws -> String {
    let output = try Program.run("run", "tiny.json", "-q", "--store", store, in: sweep.folder)
    if output.status != 0 { return "\(output.status) \(output.talk)" }
    let digests = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    let check = try Program.run("fsck", "--store", store, in: sweep.folder)
    #expect(check.status == 0, "\(store): \(check.out) \(check.talk)")
    return output.out + digests.out
  }
}
