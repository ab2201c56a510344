import Foundation
import Testing

/// Outputs of teachers, written down once: never another bit, never more room than allowed, never a loss.
@Suite struct TeacherOutputsTests {
  static let grid = """
    {
      "version": 1, "name": "views",
      "base": {
        "dataset": "synthetic-1x8x8-3", "trainImages": 96, "testImages": 48, "batchSize": 16, "epochs": 2,
        "teacherEpochs": 2, "views": 2,
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] },
        "teachers": [
          { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }, { "family": "cifar_wrn", "depth": 10, "widen": 1 }
        ]
      },
      "axes": { "method": ["baseline", "aver-kd", "mtkd-rl"] },
      "seeds": { "count": 2 }
    }
    """

  /// Digests of all epochs and checkpoints of runs and teachers.
  private func digests(_ store: String, _ sweep: TinySweep) throws -> String {
    let output = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    return output.out
  }

  private func run(_ arguments: String..., in sweep: TinySweep) throws -> String {
    let output = try Program.start(["run", "tiny.json"] + arguments, in: sweep.folder).finish()
    #expect(output.status == 0, "\(output.talk)")
    return output.talk
  }

  /// The folders of stages of the kind in a store.
  private func stages(_ kind: String, _ store: String, _ sweep: TinySweep) throws -> [URL] {
    let folder = sweep.folder.appending(path: "\(store)/stages")
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).filter {
      try String(contentsOf: $0.appending(path: "spec.json"), encoding: .utf8).contains(
        "\"kind\":\"\(kind)\"")
    }.sorted { $0.path < $1.path }
  }

  private func outputs(_ store: String, _ sweep: TinySweep) throws -> [URL] {
    try stages("teacher-outputs", store, sweep).filter {
      FileManager.default.fileExists(atPath: $0.appending(path: "output/form.json").path)
    }
  }

  private func logs(_ store: String, _ sweep: TinySweep) throws -> String {
    try stages("student", store, sweep).map {
      (try? String(contentsOf: $0.appending(path: "attempts/1/log"), encoding: .utf8)) ?? ""
    }.joined()
  }

  @Test func `runs that read teachers end with the bits of runs that ask them`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    _ = try run("--store", "asked", "--no-cache", in: sweep)
    #expect(try outputs("asked", sweep).isEmpty)
    let expected = try digests("asked", sweep)
    #expect(expected.contains("final"))

    _ = try run("--store", "read", in: sweep)
    #expect(try outputs("read", sweep).count == 2)
    #expect(try digests("read", sweep) == expected)
    #expect(try logs("read", sweep).contains("2 of 2 teachers read"))

    // More seeds find what is there; nothing is written again.
    let before = try outputs("read", sweep).map {
      try $0.resourceValues(forKeys: [.creationDateKey]).creationDate
    }
    try sweep.write(Self.grid.replacingOccurrences(of: #""count": 2"#, with: #""count": 3"#), to: "tiny.json")
    let plan = try Program.run("plan", "tiny.json", "--store", "read", "--json", in: sweep.folder)
    #expect(plan.out.contains("\"preparations\":0"), "\(plan.out)")
    _ = try run("--store", "read", in: sweep)
    #expect(
      try outputs("read", sweep).map { try $0.resourceValues(forKeys: [.creationDateKey]).creationDate }
        == before)
  }

  @Test func `damaged outputs change nothing and are made again`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    _ = try run("--store", "calm", in: sweep)
    // A first method makes the outputs; then some of their bytes change; then the other runs come.
    try sweep.write(
      Self.grid.replacingOccurrences(of: #"["baseline", "aver-kd", "mtkd-rl"]"#, with: #"["mtkd-rl"]"#),
      to: "tiny.json")
    _ = try run("--store", "hurt", in: sweep)
    for stage in try outputs("hurt", sweep) {
      let part = stage.appending(path: "output/part-00000.bin")
      var bytes = try Data(contentsOf: part)
      bytes[bytes.count - 5] ^= 16
      try bytes.write(to: part)
    }
    try sweep.write(
      Self.grid.replacingOccurrences(of: #""aver-kd", "#, with: #""aver-kd-fitnet", "#), to: "tiny.json")
    _ = try run("--store", "hurt", in: sweep)
    _ = try run("--store", "calm", in: sweep)
    func runs(_ store: String) throws -> Set<Substring> {
      Set(try digests(store, sweep).split(separator: "\n"))
    }
    #expect(try runs("hurt").isSubset(of: runs("calm")))
    #expect(try logs("hurt", sweep).contains("another digest"), "the damage was met")
    // The next run that needs them finds the note and makes them again.
    try sweep.write(
      Self.grid.replacingOccurrences(of: #""count": 2"#, with: #""count": 3"#), to: "tiny.json")
    _ = try run("--store", "hurt", in: sweep)
    let damaged = try stages("teacher-outputs", "hurt", sweep).filter {
      FileManager.default.fileExists(atPath: $0.appending(path: "damaged").path)
    }
    #expect(damaged.isEmpty)
    #expect(try outputs("hurt", sweep).count == 2)
  }

  @Test func `outputs without room are done without, and older ones give way`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let talk = try run("--store", "tight", "--cache-limit", "10kB", in: sweep)
    #expect(talk.contains("--cache-limit"), "\(talk)")
    #expect(try outputs("tight", sweep).isEmpty)
    _ = try run("--store", "wide", in: sweep)
    #expect(try digests("tight", sweep) == digests("wide", sweep))

    // Other views, and no room for all: older ones go, those that are read now stay, and the limit holds.
    let first = try outputs("wide", sweep)
    let limit = try bytes(first) * 2
    try sweep.write(Self.grid.replacingOccurrences(of: #""views": 2"#, with: #""views": 3"#), to: "tiny.json")
    _ = try run("--store", "wide", "--replace", "--cache-limit", "\(limit)", in: sweep)
    let now = try outputs("wide", sweep)
    #expect(try bytes(now) <= limit)
    #expect(Set(now).subtracting(first).count == 2 && !Set(first).isSubset(of: now))
  }

  private func bytes(_ stages: [URL]) throws -> Int {
    try stages.reduce(0) { sum, stage in
      let files = try FileManager.default.contentsOfDirectory(
        at: stage.appending(path: "output"), includingPropertiesForKeys: [.fileSizeKey])
      return try sum + files.reduce(0) { try $0 + ($1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
    }
  }
}
