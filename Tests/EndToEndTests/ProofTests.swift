import Foundation
import Testing

/// What a store says can be proven, moved, checked and made again.
@Suite struct ProofTests {
  private func finished(_ grid: String = TinySweep.grid) throws -> TinySweep {
    let sweep = try TinySweep(grid: grid)
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    try #require(output.status == 0, "\(output.talk)")
    return sweep
  }

  private func call(_ arguments: String..., in sweep: TinySweep) throws -> Program.Output {
    try Program.start(arguments, in: sweep.folder).finish()
  }

  /// The table and every digest.
  private func evidence(_ sweep: TinySweep, store: String = "results") throws -> String {
    let report = try call("report", "--store", store, "--format", "json", in: sweep)
    let digests = try call("list", "--digests", "--store", store, in: sweep)
    #expect(report.status == 0 && digests.status == 0, "\(report.talk) \(digests.talk)")
    return report.out + digests.out
  }

  private func database(_ sweep: TinySweep, _ statement: String) throws {
    let output = try Program.shell(
      "python3 -c 'import sqlite3, sys; db = sqlite3.connect(\"results/store.sqlite\"); db.executescript(sys.argv[1]); db.commit()' \"\(statement)\"",
      in: sweep.folder)
    try #require(output.status == 0, "\(output.talk)")
  }

  @Test func `runs that are executed again have the same bits, and are sealed`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let all = try call("verify", "--all", "--workers", "2", in: sweep)
    #expect(all.status == 0, "\(all.out) \(all.talk)")
    // Four runs and a teacher.
    #expect(all.out.components(separatedBy: "  equal  ").count == 6, "\(all.out)")
    let one = try call("verify", "--sample", "1", "--json", in: sweep)
    #expect(one.status == 0 && one.out.contains("\"outcome\":\"equal\""), "\(one.out)")
    let report = try call("report", in: sweep)
    #expect(
      report.out.contains("Verified: 4 of 4 runs were executed again; every epoch's bits"), "\(report.out)")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: sweep.folder.appending(path: "results").path)
    #expect(!left.contains { $0.hasPrefix("verify.") })
  }

  @Test func `a changed number, state or checkpoint is found, with its epoch`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let key = try call("list", "tiny", in: sweep).out.split(separator: " ").first.map(String.init)
    let run = try #require(key)
    try database(
      sweep,
      "UPDATE metric SET value = value + 1e-9 WHERE epoch = 1 AND name = (SELECT id FROM name WHERE name = 'train.loss') AND stage = (SELECT id FROM stage WHERE lower(hex(key)) LIKE '\(run)%')"
    )
    let changed = try call("verify", run, in: sweep)
    #expect(changed.status == 3, "\(changed.out) \(changed.talk)")
    #expect(changed.out.contains("first in epoch 2: train.loss"), "\(changed.out)")
    #expect(changed.out.contains("same program, CPU and kernels"), "\(changed.out)")
    let refused = try call("report", in: sweep)
    #expect(refused.status == 74 && refused.talk.contains("epochs were changed after they were written"))
    #expect(refused.out.isEmpty, "no number of a changed store is shown")
    // Where the change came before there were digests, the seal says it.
    try database(sweep, "DELETE FROM stage_digest")
    #expect(try call("report", in: sweep).out.contains("WARNING: 1 of them came to other bits"))

    // One bit of a stored checkpoint.
    let others = try call("list", "tiny", in: sweep).out.split(separator: "\n").compactMap {
      $0.split(separator: " ").first.map(String.init)
    }
    try database(
      sweep,
      "UPDATE content SET frame = CAST(substr(frame, 1, length(frame) - 9) || x'00' || substr(frame, length(frame) - 7) AS BLOB) WHERE id = (SELECT content FROM checkpoint WHERE kind = 'final' AND stage = (SELECT id FROM stage WHERE lower(hex(key)) LIKE '\(others[1])%'))"
    )
    let flipped = try call("verify", others[1], in: sweep)
    #expect(flipped.status == 3 && flipped.out.contains("checkpoint"), "\(flipped.out) \(flipped.talk)")
    let check = try call("fsck", in: sweep)
    #expect(check.status == 1 && check.out.contains("checkpoint"), "\(check.out) \(check.talk)")
  }

  @Test func `what cannot be compared says why and ends with 4`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let run = try #require(
      try call("list", "tiny", in: sweep).out.split(separator: " ").first.map(String.init))
    try database(sweep, "UPDATE stage SET state = 'open' WHERE lower(hex(key)) LIKE '\(run)%'")
    let open = try call("verify", run, in: sweep)
    #expect(open.status == 4 && open.out.contains("not finished"), "\(open.out) \(open.talk)")
    #expect(try call("verify", "ffff", in: sweep).status == 66)
    #expect(try call("verify", in: sweep).status == 64)
  }

  @Test func `the database is made again from the folders`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let expected = try evidence(sweep)
    try FileManager.default.removeItem(at: sweep.folder.appending(path: "results/store.sqlite"))
    let rebuilt = try call("rebuild", in: sweep)
    #expect(rebuilt.status == 0, "\(rebuilt.talk)")
    #expect(try evidence(sweep) == expected)
    let again = try call("run", "tiny.json", "--events", in: sweep)
    #expect(again.status == 0 && !again.out.contains("\"event\":\"started\""), "\(again.out)")
    #expect(try call("fsck", in: sweep).status == 0)
  }

  @Test func `a rebuild that would lose results is refused`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let expected = try evidence(sweep)
    #expect(try call("gc", "--folders", "--yes", in: sweep).status == 0)
    #expect(try evidence(sweep) == expected, "the database alone has the results")
    let refused = try call("rebuild", in: sweep)
    #expect(refused.status == 1 && refused.talk.contains("4 results"), "\(refused.talk)")
    #expect(try evidence(sweep) == expected)
    // Nothing runs again for want of folders.
    let again = try call("run", "tiny.json", "--events", in: sweep)
    #expect(again.status == 0 && !again.out.contains("\"event\":\"started\""), "\(again.out)")
  }

  @Test func `damage in folders is found`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    #expect(try call("fsck", in: sweep).out == "Every digest is right.\n")
    let stages = sweep.folder.appending(path: "results/stages")
    let output = try #require(
      FileManager.default.enumerator(at: stages, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
        .first { $0.lastPathComponent == "best.safetensors" })
    var bytes = try Data(contentsOf: output)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: output)
    let check = try call("fsck", in: sweep)
    #expect(check.status == 1 && check.out.contains("best.safetensors"), "\(check.out)")
  }

  @Test func `what no sweep reaches is shown first and removed on demand`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    #expect(try call("gc", in: sweep).out == "Nothing to remove.\n")
    try sweep.write(
      TinySweep.grid.replacingOccurrences(of: #""count": 2"#, with: #""count": 1"#), to: "tiny.json")
    #expect(try call("run", "tiny.json", in: sweep).status == 0)
    let expected = try call("report", "--format", "json", in: sweep).out
    let shown = try call("gc", in: sweep)
    #expect(shown.out.contains("2 stages") && shown.out.contains("seed 2"), "\(shown.out)")
    #expect(try call("gc", in: sweep).out == shown.out, "showing removes nothing")
    #expect(try call("gc", "--yes", in: sweep).out.contains("Removed 2 stages"))
    #expect(try call("gc", in: sweep).out == "Nothing to remove.\n")
    #expect(try call("report", "--format", "json", in: sweep).out == expected)
  }

  @Test func `a sweep travels in one file`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let expected = try call("report", "--format", "json", in: sweep).out
    #expect(try call("archive", "tiny", "-o", "tiny.mtkd", in: sweep).status == 0)
    #expect(try call("archive", "tiny", "-o", "tiny.mtkd", in: sweep).status == 73, "nothing is overwritten")
    let back = try call("unarchive", "tiny.mtkd", "--store", "there", in: sweep)
    #expect(back.status == 0, "\(back.talk)")
    #expect(try call("report", "--store", "there", "--format", "json", in: sweep).out == expected)
    // Teachers' states travelled too: runs can be executed again, and the grid can grow.
    let verified = try call("verify", "--sample", "1", "--store", "there", in: sweep)
    #expect(verified.status == 0, "\(verified.out) \(verified.talk)")
    let grown = try call("run", "tiny.json", "--store", "there", "--events", in: sweep)
    #expect(grown.status == 0 && !grown.out.contains("\"event\":\"started\""), "\(grown.out)")
    // Into a store that has it already: nothing changes.
    #expect(try call("unarchive", "tiny.mtkd", in: sweep).status == 0)
    #expect(try call("report", "--format", "json", in: sweep).out == expected)

    var bytes = try Data(contentsOf: sweep.folder.appending(path: "tiny.mtkd"))
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: sweep.folder.appending(path: "bad.mtkd"))
    let refused = try call("unarchive", "bad.mtkd", "--store", "nowhere", in: sweep)
    #expect(refused.status == 74 && refused.talk.contains("digest"), "\(refused.talk)")
  }

  @Test
  func `an archive without checkpoints draws the same table, says what it lacks, and the sweep can grow`()
    throws
  {
    let sweep = try finished()
    defer { sweep.remove() }
    let size = { (name: String) in
      try FileManager.default.attributesOfItem(atPath: sweep.folder.appending(path: name).path)[.size] as? Int
        ?? 0
    }
    #expect(try call("archive", "tiny", "-o", "whole.mtkd", in: sweep).status == 0)
    #expect(try call("archive", "tiny", "-o", "light.mtkd", "--without-checkpoints", in: sweep).status == 0)
    #expect(try size("light.mtkd") < size("whole.mtkd"))
    #expect(try call("unarchive", "light.mtkd", "--store", "there", in: sweep).status == 0)
    for format in ["text", "csv", "json", "latex"] {
      let (here, there) = (
        try call("report", "--format", format, in: sweep),
        try call("report", "--format", format, "--store", "there", in: sweep)
      )
      #expect(there.status == 0 && there.out == here.out, "\(format): \(there.talk)")
    }
    #expect(try call("fsck", "--store", "there", in: sweep).status == 0)
    let run = try #require(
      try call("list", "tiny", in: sweep).out.split(separator: " ").first.map(String.init))
    let export = try call("export", run, "--format", "safetensors", "--store", "there", in: sweep)
    #expect(export.status != 0 && !export.talk.isEmpty, "\(export.talk)")
    // One seed more: what teachers were is trained again, and the bits are those of the whole store.
    let text = try String(contentsOf: sweep.folder.appending(path: "tiny.json"), encoding: .utf8)
    try sweep.write(text.replacingOccurrences(of: #""count": 2"#, with: #""count": 3"#), to: "tiny.json")
    let grown = try call("run", "tiny.json", "--store", "there", in: sweep)
    let here = try call("run", "tiny.json", in: sweep)
    #expect(grown.status == 0 && grown.out == here.out, "\(grown.talk)")
    let verified = try call("verify", run, "--store", "there", in: sweep)
    #expect(verified.status == 0 && verified.out.contains("keeps no checkpoint of it"), "\(verified.out)")
  }

  @Test func `a stage that takes too long leaves a snapshot, and the next run goes on`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(of: #""epochs": 3"#, with: #""epochs": 400"#)
        .replacingOccurrences(of: #"["baseline", "mtkd-rl"]"#, with: #"["baseline"]"#)
        .replacingOccurrences(of: #""count": 2"#, with: #""count": 1"#))
    defer { sweep.remove() }
    let short = try call("run", "tiny.json", "--minutes", "0.001", "--nice", "3", in: sweep)
    #expect(short.status == 1 && short.talk.contains("it took longer than"), "\(short.talk)")
    let status = try call("status", in: sweep)
    #expect(status.out.contains("1 blocked"), "\(status.out)")
    let whole = try call("run", "tiny.json", "--memory", "1GB", in: sweep)
    #expect(whole.status == 0, "\(whole.talk)")
    let show = try call("list", "--digests", in: sweep)
    #expect(show.out.contains("epoch 399"))
  }

  @Test func `plan says where a run is asked for, and what changed where it must run again`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let run = try #require(
      try call("list", "tiny", in: sweep).out.split(separator: " ").first.map(String.init))
    let done = try call("plan", "tiny.json", "--explain", run, in: sweep)
    #expect(done.status == 0, "\(done.talk)")
    #expect(
      done.out.contains("has its result") && done.out.contains("tiny.json:8:")
        && done.out.contains("method = "))

    try sweep.write(
      TinySweep.grid.replacingOccurrences(of: #""batchSize": 16"#, with: #""batchSize": 32"#), to: "tiny.json"
    )
    // The plan's own keys: those that the dry list of a new sweep shows.
    let plan = try call("plan", "tiny.json", "--json", in: sweep)
    #expect(plan.out.contains("\"toRun\":4"), "\(plan.out)")
    let gone = try call("plan", "tiny.json", "--explain", run, in: sweep)
    #expect(gone.out.contains("does not ask for it"), "\(gone.out)")
    #expect(try call("plan", "tiny.json", "--explain", "ffff", in: sweep).status == 66)
  }
}
