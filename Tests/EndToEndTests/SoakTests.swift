import Foundation
import Specs
import Storage
import Testing

/// A small sweep in bad company: coordinators and workers killed at random instants, files corrupted and cut
/// in between, a disk that is full, a store that cannot be written, clocks that jump, second coordinators. At
/// the end the table and all digests are those of an undisturbed run.
///
/// `make soak` runs it long (`MTKD_SOAK_KILLS`, `MTKD_SOAK_SEED`); a short one is part of every test run.
@Suite struct SoakTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let kills = environment["MTKD_SOAK_KILLS"].flatMap { Int($0) } ?? 12

  /// What was done to it.
  private struct Tally {
    var kills = 0
    var workerKills = 0
    var runs = 0
    var sweeps = 0
    var corruptions = 0
    var checks = 0
    var refusals = 0
    var stages = 0
    var attempts = 0
    var finishedTwice = 0

    var line: String {
      "soak: \(kills) kills (\(workerKills) of workers) in \(runs) runs of \(sweeps) sweeps, \(corruptions) files damaged, "
        + "\(refusals) second coordinators turned away, \(checks) integrity checks; \(stages) stages took \(attempts) attempts, "
        + "\(finishedTwice) finished more than once"
    }
  }

  /// A generator that a report of a failure can name.
  private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var word = state
      word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
      return word ^ (word >> 31)
    }
  }

  private func evidence(_ sweep: TinySweep, store: String) throws -> String {
    let report = try Program.run("report", "--store", store, "--format", "json", in: sweep.folder)
    let digests = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    #expect(report.status == 0 && digests.out.contains("final"), "\(report.talk) \(digests.talk)")
    return report.out + digests.out
  }

  @Test func `killed, corrupted and contended, a sweep ends with the bits of a calm one`() throws {
    let seed = Self.environment["MTKD_SOAK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
    var dice = Dice(state: seed)
    var tally = Tally()
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let calm = try Program.run("run", "tiny.json", "--store", "calm", in: sweep.folder)
    try #require(calm.status == 0, "\(calm.talk)")
    let expected = try evidence(sweep, store: "calm")
    while tally.kills < Self.kills {
      tally.sweeps += 1
      let store = "storm\(tally.sweeps)"
      var ended = false
      while !ended {
        tally.runs += 1
        // By way of `env`: the clock's library changes the environment as it starts, and Swift
        // then finds no arguments.
        let run = try Program.start(
          executable: URL(filePath: "/usr/bin/env"),
          [Program.path.path, "run", "tiny.json", "--store", store],
          in: sweep.folder, environment: clock(&dice))
        let deadline = Date.now + .random(in: 0.02...1.2, using: &dice)
        while run.process.isRunning, Date.now < deadline { usleep(2000) }
        var isContended = false
        if Int.random(in: 0..<6, using: &dice) == 0, run.process.isRunning {
          isContended = true
          // Whoever comes second does not get in, and does no harm if the first has gone meanwhile.
          let second = try Program.run("run", "tiny.json", "--store", store, in: sweep.folder)
          if second.status == 69 {
            tally.refusals += 1
          } else {
            #expect(second.status == 0, "\(second.talk)")
          }
        }
        if run.process.isRunning, tally.kills < Self.kills {
          let workers = try sweep.workersAlive()
          if Bool.random(using: &dice), let worker = workers.randomElement(using: &dice) {
            kill(worker, SIGKILL)
            (tally.kills, tally.workerKills) = (tally.kills + 1, tally.workerKills + 1)
            if Bool.random(using: &dice) { usleep(.random(in: 0...200_000, using: &dice)) }
          }
          run.signal(SIGKILL)
          tally.kills += 1
          _ = try run.finish()
          try check(sweep, store, &tally)
          let deadline = Date.now + 60
          while try !sweep.workersAlive().isEmpty, Date.now < deadline { usleep(5000) }
          if Int.random(in: 0..<3, using: &dice) == 0 { damage(sweep, store, &dice, &tally) }
        } else {
          let output = try run.finish()
          // Of two that start together the other may have been first.
          if output.status == 69, isContended {
            tally.refusals += 1
            continue
          }
          #expect(output.status == 0, "seed \(seed): \(output.talk)")
          ended = true
        }
      }
      try check(sweep, store, &tally)
      let found = try evidence(sweep, store: store)
      #expect(found == expected, "seed \(seed), sweep \(tally.sweeps), \(tally.line)")
      try count(sweep, store, &tally)
      try FileManager.default.removeItem(at: sweep.folder.appending(path: store))
    }
    print(tally.line + " (seed \(seed))")
  }

  /// Another day for each life, where a library is there that makes processes believe so;
  /// files keep their real times.
  private func clock(_ dice: inout Dice) -> [String: String] {
    let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    let hours = Int.random(in: -48...48, using: &dice)
    guard FileManager.default.fileExists(atPath: library), Bool.random(using: &dice) else { return [:] }
    return [
      "LD_PRELOAD": library, "FAKETIME": "\(hours < 0 ? "" : "+")\(hours)h", "DONT_FAKE_MONOTONIC": "1",
      "NO_FAKE_STAT": "1",
    ]
  }

  private func check(_ sweep: TinySweep, _ store: String, _ tally: inout Tally) throws {
    let file = sweep.folder.appending(path: "\(store)/store.sqlite").path
    guard FileManager.default.fileExists(atPath: file) else { return }
    tally.checks += 1
    do {
      let problems = try ResultStore(file: file, .reading).damages()
      #expect(problems.isEmpty, "\(problems)")
    } catch {
      // Killed before its tables were all made: there is nothing in it yet.
      switch error {
      case .absent, .older: break
      default: throw error
      }
    }
  }

  /// Cuts a file of the store, or changes a byte of it: snapshots, records, outputs, specifications, whatever
  /// comes; not the database, which SQLite looks after.
  private func damage(_ sweep: TinySweep, _ store: String, _ dice: inout Dice, _ tally: inout Tally) {
    let root = sweep.folder.appending(path: "\(store)/stages")
    let names = FileManager.default.subpaths(atPath: root.path) ?? []
    let files = names.sorted().filter { name in
      !name.contains("damaged-")
        && ["zst", "jsonl", "json", "safetensors", "bin"].contains { name.hasSuffix(".\($0)") }
    }
    guard let name = files.randomElement(using: &dice) else { return }
    let file = root.appending(path: name)
    guard var bytes = try? [UInt8](Data(contentsOf: file)), !bytes.isEmpty else { return }
    if Bool.random(using: &dice) {
      bytes.removeLast(.random(in: 1...bytes.count, using: &dice))
    } else {
      bytes[.random(in: 0..<bytes.count, using: &dice)] ^= .random(in: 1...255, using: &dice)
    }
    if (try? Data(bytes).write(to: file)) != nil { tally.corruptions += 1 }
  }

  /// Counts attempts, and those that finished what another had: each needs a reason, which is damage, or a
  /// kill between its last record and its output.
  private func count(_ sweep: TinySweep, _ store: String, _ tally: inout Tally) throws {
    let root = sweep.folder.appending(path: "\(store)/stages").path
    for stage in try FileManager.default.contentsOfDirectory(atPath: root) {
      tally.stages += 1
      let folder = StoreFolder("\(sweep.folder.path)/\(store)").stage(try #require(.init(stage)))
      var finished = 0
      for attempt in try folder.attempts() {
        tally.attempts += 1
        var reader = RecordReader(attempt.records)
        let records = (try? reader.next()) ?? []
        let isFinished = records.contains { if case .finished = $0.record { true } else { false } }
        // Its output still lies where it grew: it was killed before it was there for all.
        if isFinished, !FileManager.default.fileExists(atPath: attempt.output) { finished += 1 }
      }
      if finished > 1 { tally.finishedTwice += finished - 1 }
    }
    #expect(tally.finishedTwice <= tally.corruptions, "\(tally.line)")
  }

  @Test(
    .enabled(
      if: (try? Program.shell("unshare -rm true", in: FileManager.default.temporaryDirectory).status) == 0))
  func `a disk that is full again and again, and a store that cannot be written, cost nothing`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", "--store", "calm", in: sweep.folder).status == 0)
    // The disk grows a little each time; every run but the last ends for want of room or of the right to
    // write. A worker that is still leaving keeps the disk writable for a moment.
    let output = try Program.shell(
      """
      unshare -rm sh -c 'mkdir -p small && mount -t tmpfs -o size=200k tmpfs small || exit 9
        for size in 300k 500k 700k 1m 1500k 200m; do
          "$PROGRAM" run tiny.json --store small/r >/dev/null 2>>talk; echo "$size $?"
          until mount -o remount,ro small 2>>talk; do sleep 0.1; done
          "$PROGRAM" run tiny.json --store small/r >/dev/null 2>>talk; echo "ro $?"
          mount -o remount,rw,size=$size small
        done
        "$PROGRAM" run tiny.json --store small/r >/dev/null 2>>talk; echo "end $?"; cp -r small/r full'
      """, in: sweep.folder)
    let codes = output.out.split(separator: "\n")
    #expect(codes.last == "end 0", "\(output.out) \(output.talk)")
    #expect(codes.contains { $0.hasSuffix(" 74") }, "it was full at least once: \(output.out)")
    #expect(
      codes.filter { $0.hasPrefix("ro ") }.allSatisfy { ["ro 73", "ro 74", "ro 77"].contains($0) },
      "\(output.out)")
    #expect(try evidence(sweep, store: "full") == evidence(sweep, store: "calm"))
    let problems = try ResultStore(file: sweep.folder.appending(path: "full/store.sqlite").path, .reading)
      .damages()
    #expect(problems.isEmpty, "\(problems)")
  }
}
