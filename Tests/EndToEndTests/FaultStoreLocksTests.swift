import Foundation
import Testing

/// A file system whose locks no other process sees, simulated by a library that is loaded first;
/// and two coordinators on it.
@Suite struct FaultStoreLocksTests {
  /// Grants every lock without asking anybody.
  private static let library = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <stdarg.h>
    int flock(int file, int operation) { return 0; }
    static int control(const char *name, int file, int command, void *argument) {
      if (command == F_SETLK || command == F_SETLKW) return 0;
      if (command == F_GETLK) { ((struct flock *)argument)->l_type = F_UNLCK; return 0; }
      int (*next)(int, int, ...) = dlsym(RTLD_NEXT, name);
      return next(file, command, argument);
    }
    int fcntl(int file, int command, ...) {
      va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
      return control("fcntl", file, command, argument);
    }
    int fcntl64(int file, int command, ...) {
      va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
      return control("fcntl64", file, command, argument);
    }
    """

  /// A line of shell that prints what SQLite says of a file.
  private static func integrity(_ path: String) -> String {
    "python3 -c 'import sqlite3; print(sqlite3.connect(\"\(path)\").execute(\"PRAGMA integrity_check\").fetchone()[0])'"
  }

  private func prepared() throws -> (sweep: TinySweep, unlocked: [String: String]) {
    let sweep = try TinySweep()
    try sweep.write(Self.library, to: "locks.c")
    let made = try Program.shell("clang -shared -fPIC -o locks.so locks.c -ldl", in: sweep.folder)
    try #require(made.status == 0, "\(made.talk)")
    return (sweep, ["LD_PRELOAD": sweep.folder.appending(path: "locks.so").path])
  }

  @Test
  func
    `two coordinators that would not see each other's locks are both refused, twelve times, and no database is malformed`()
    throws
  {
    let (sweep, unlocked) = try prepared()
    defer { sweep.remove() }
    var malformed = 0
    for _ in 1...12 {
      let both = try (1...2).map { _ in
        try Program.start(["run", "tiny.json", "--workers", "1"], in: sweep.folder, environment: unlocked)
      }.map { try $0.finish() }
      for output in both {
        #expect(output.status == 69, "\(output.talk)")
        #expect(output.talk.contains("does not see the locks") && output.talk.contains("--store"))
      }
      let look = try Program.shell(
        "[ ! -e results/store.sqlite ] || \(Self.integrity("results/store.sqlite")) 2>&1", in: sweep.folder)
      if !["", "ok\n"].contains(look.out) { malformed += 1 }
    }
    #expect(malformed == 0)
    #expect(
      !FileManager.default.fileExists(atPath: sweep.folder.appending(path: "results/store.sqlite").path))
    let doctor = try Program.start(["doctor"], in: sweep.folder, environment: unlocked).finish()
    #expect(doctor.out.contains("!!  locks"), "\(doctor.out)")
    // What is there is read all the same, and written where locks are seen.
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let report = try Program.start(["report"], in: sweep.folder, environment: unlocked).finish()
    #expect(report.status == 0, "\(report.talk)")
    #expect(try Program.run("doctor", in: sweep.folder).out.contains("ok  locks"))
  }

  @Test func `a second run is refused while one goes on, also where somebody deleted its lease`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(of: #""epochs": 3"#, with: #""epochs": 400"#))
    defer { sweep.remove() }
    let first = try Program.start(["run", "tiny.json", "--workers", "1"], in: sweep.folder)
    defer { first.signal(SIGKILL) }
    let database = sweep.folder.appending(path: "results/store.sqlite").path
    let deadline = Date.now + 120
    while !FileManager.default.fileExists(atPath: database) || !first.talkSoFar.contains("done") {
      try #require(Date.now < deadline && first.process.isRunning, "\(first.talkSoFar)")
      usleep(20_000)
    }
    let second = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(second.status == 69 && second.talk.contains("is held by process"), "\(second.talk)")
    let unlock = try Program.run("unlock", "--yes", in: sweep.folder)
    #expect(unlock.status == 69, "its holder lives here: \(unlock.out) \(unlock.talk)")
    try FileManager.default.removeItem(at: sweep.folder.appending(path: "results/lease"))
    let third = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(third.status == 69 && third.talk.contains("is held by process"), "\(third.talk)")
    // A copy of the database is whole meanwhile, and verify is refused before it executes anything.
    let backup = try Program.run("backup", "copy.sqlite", in: sweep.folder)
    #expect(backup.status == 0, "\(backup.talk)")
    #expect(try Program.run("backup", "copy.sqlite", in: sweep.folder).status == 73)
    #expect(
      try Program.shell(Self.integrity("copy.sqlite"), in: sweep.folder).out == "ok\n")
    let verify = try Program.run("verify", "--all", in: sweep.folder)
    #expect(verify.status == 69 && verify.out.isEmpty, "\(verify.out) \(verify.talk)")
    first.signal(SIGINT)
    #expect(try first.finish().status == 75)
  }

  @Test func `a FIFO in the place of any file is named, and never waited for`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    #expect(try Program.run("archive", "tiny", "-o", "tiny.mtkd", in: sweep.folder).status == 0)
    func call(_ line: String) throws -> Program.Output {
      try Program.shell("timeout -s KILL 30 $PROGRAM \(line)", in: sweep.folder)
    }
    #expect(try Program.shell("mkfifo fifo", in: sweep.folder).status == 0)
    for line in [
      "check fifo", "plan fifo", "run fifo", "import fifo --dataset synthetic-1x8x8-3 --network resnet8",
      "unarchive fifo --store there",
    ] {
      let output = try call(line)
      #expect(
        (64...77).contains(output.status) && output.status != 70, "\(line): \(output.status) \(output.talk)")
      #expect(output.talk.contains("FIFO"), "\(line): \(output.talk)")
    }
    let files = try Program.shell(
      "ls -d results/store.sqlite results/lease results/sweeps/tiny.jsonl; ls -d results/stages/*/spec.json results/stages/*/output/manifest.json results/stages/*/attempts/1/records.jsonl results/stages/*/output/final.safetensors | sort -t/ -k5 -u",
      in: sweep.folder
    ).out.split(separator: "\n").map(String.init)
    #expect(files.count == 7, "\(files)")
    for file in files {
      #expect(
        try Program.shell(
          "cp -r results damaged && rm \(file.replacing("results", with: "damaged")) && mkfifo \(file.replacing("results", with: "damaged"))",
          in: sweep.folder
        ).status == 0)
      for line in ["fsck", "report", "run tiny.json", "gc"] {
        let output = try call("\(line) --store damaged")
        #expect(
          (0...77).contains(output.status) && output.status != 70,
          "\(file), \(line): \(output.status) \(output.talk)")
      }
      #expect(try Program.shell("rm -r damaged", in: sweep.folder).status == 0)
    }
  }

  @Test func `another grid does not take the name of a sweep with results over, unless it is told to`() throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    try sweep.write(
      TinySweep.grid.replacingOccurrences(of: #""batchSize": 16"#, with: #""batchSize": 32"#), to: "tiny.json"
    )
    let refused = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(refused.status == 73, "\(refused.talk)")
    #expect(
      refused.talk.contains("--replace") && refused.talk.contains("sweeps rename tiny"), "\(refused.talk)")
    #expect(try Program.run("sweeps", "rename", "tiny", "../x", in: sweep.folder).status == 64)
    #expect(try Program.run("sweeps", "rename", "tiny", "before", in: sweep.folder).status == 0)
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    #expect(try Program.run("list", in: sweep.folder).out.split(separator: "\n").count == 2)
    #expect(try Program.run("sweeps", "rename", "tiny", "before", in: sweep.folder).status == 73, "taken")
    #expect(try Program.run("gc", in: sweep.folder).out == "Nothing to remove.\n")
    #expect(try Program.run("sweeps", "remove", "before", in: sweep.folder).out.contains("--yes"))
    #expect(try Program.run("sweeps", "remove", "before", "--yes", in: sweep.folder).status == 0)
    #expect(try Program.run("gc", "--yes", in: sweep.folder).out.contains("Removed 5 stages"))
    #expect(try Program.run("fsck", in: sweep.folder).status == 0)
    #expect(try Program.run("rebuild", in: sweep.folder).out.contains("1 sweep"))
  }

  @Test func `a program that is replaced while it runs goes on with workers of its own kind`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let copy = sweep.folder.appending(path: "program")
    try FileManager.default.copyItem(at: Program.path, to: copy)
    let run = try Program.start(
      executable: copy, ["run", "tiny.json", "--workers", "1"], in: sweep.folder, environment: [:])
    let deadline = Date.now + 120
    while !run.talkSoFar.contains("done  ") {
      try #require(Date.now < deadline && run.process.isRunning, "\(run.talkSoFar)")
      usleep(5_000)
    }
    // As a build does it: another file of the same name.
    try sweep.write("#!/bin/sh\nexit 3\n", to: "other")
    #expect(try Program.shell("chmod 755 other && mv other program", in: sweep.folder).status == 0)
    let output = try run.finish()
    #expect(output.status == 0, "\(output.talk)")
    let list = try Program.run("list", "--json", in: sweep.folder)
    #expect(list.out.contains(#""programs":1"#), "\(list.out)")
  }

  @Test func `a verification that is interrupted has kept what it found, and goes on`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let verify = try Program.start(["verify", "--all"], in: sweep.folder)
    let deadline = Date.now + 120
    while !verify.outSoFar.contains("  equal  ") {
      try #require(Date.now < deadline)
      usleep(5_000)
    }
    verify.signal(SIGKILL)
    _ = try verify.finish()
    let said = verify.outSoFar.components(separatedBy: "  equal  ").count - 1
    let rest = try Program.run("verify", "--all", "--resume", in: sweep.folder)
    #expect(rest.status == 0, "\(rest.talk)")
    let again = rest.out.components(separatedBy: "  equal  ").count - 1
    #expect(again <= 5 - said && again + said >= 4, "\(said) then \(again)")
    let litter = try Program.run("gc", "--yes", in: sweep.folder)
    #expect(litter.status == 0 && !litter.out.contains("stage"), "\(litter.out)")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: sweep.folder.appending(path: "results").path)
    #expect(!names.contains { $0.hasPrefix("verify.") }, "\(names)")
  }
}
