import Foundation
import Networks
import Specs
import TestSupport
import Testing

/// Weights that a trainer names with its epochs: which are kept, and who can have them.
@Suite(.enabled(if: Available.python("json"), "python3 plays a trainer")) struct KeptWeightsTests {
  /// Names its teacher's weights with each epoch, the last byte being the epoch's number. It dies once
  /// before its fourth epoch.
  private static let trainer = """
    import json, os, sys
    request = json.loads(sys.stdin.readline())
    if "ask" in request:
        print(json.dumps({"record": "description", "methods": [{"name": "ours", "teachers": True}],
                          "metrics": {"test.mAP": {"direction": "higher", "headline": True}}}))
        sys.exit()
    folder, values = request["folder"], [1, 5, 3, 2, 4]
    with open(request["teachers"][0], "rb") as file:
        teacher = file.read()
    for epoch in range(request["reported"], 5):
        if epoch == 3 and not os.path.exists(folder + "/died"):
            open(folder + "/died", "w").close()
            sys.exit(1)
        name = "w%d.safetensors" % epoch
        with open(os.path.join(folder, name), "wb") as file:
            file.write(teacher[:-1] + bytes([epoch]))
        print(json.dumps({"record": "epoch", "epoch": epoch, "step": epoch + 1, "weights": name,
                          "metrics": {"test.mAP": values[epoch]}}), flush=True)
    print(json.dumps({"record": "finished", "metrics": {"test.mAP": 4}}), flush=True)
    """

  private static let grid = """
    { "version": 1, "name": "kept", "run": { "retries": 1 },
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 15, "batchSize": 16, "epochs": 5,
        "teacherEpochs": 1, "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }, "method": "ours",
        "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }],
        "trainer": { "command": ["python3", "t.py"], "protocol": 2 } } }
    """

  private func sweep(_ trainer: String = Self.trainer) throws -> TinySweep {
    let sweep = try TinySweep(grid: Self.grid)
    try sweep.write(trainer, to: "t.py")
    return sweep
  }

  /// The folder with what the run has published.
  private func output(_ sweep: TinySweep) throws -> URL {
    let stages = sweep.folder.appending(path: "results/stages")
    let folders = try FileManager.default.contentsOfDirectory(
      at: stages, includingPropertiesForKeys: nil)
    return try #require(
      folders.map { $0.appending(path: "output") }.first {
        FileManager.default.fileExists(atPath: $0.appending(path: "checkpoints.json").path)
      })
  }

  private func weights(_ folder: URL) throws -> [String: UInt8] {
    var found: [String: UInt8] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".safetensors") {
      found[name] = try Data(contentsOf: folder.appending(path: name)).last
    }
    return found
  }

  @Test
  func
    `the best and the last are kept, through a death, and go to the store, to export and to import`()
    throws
  {
    let sweep = try sweep()
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let output = try output(sweep)
    #expect(try weights(output) == ["best.safetensors": 1, "final.safetensors": 4])
    let left = output.deletingLastPathComponent().appending(path: "trainer")
    #expect(try weights(left) == [:], "what is kept is taken out of the trainer's folder")

    let key = output.deletingLastPathComponent().lastPathComponent
    let shown = try JSONReader.read(
      Array(Program.run("show", key, "--json", in: sweep.folder).out.utf8)
    ).value
    let kinds = try #require(shown.object?["checkpoints"]?.array).map {
      "\($0.object?["kind"]?.string ?? "") \($0.object?["epoch"]?.integer ?? -1)"
    }
    #expect(kinds == ["best 1", "final 4"])
    for (epoch, byte) in [("best", UInt8(1)), ("last", 4), ("2", 1), ("5", 4)] {
      let file = sweep.folder.appending(path: "\(epoch).safetensors")
      let made = try Program.run(
        "export", key, "--format", "safetensors", "--epoch", epoch, "-o", file.path,
        in: sweep.folder)
      try #require(made.status == 0, "\(made.talk)")
      let state = try Safetensors(decoding: Array(Data(contentsOf: file)))
      let original = try Safetensors(
        decoding: Array(
          Data(
            contentsOf: output.appending(path: byte == 1 ? "best.safetensors" : "final.safetensors")
          )))
      for entry in state.entries {
        #expect(entry.bytes == original[entry.name]?.bytes, "\(entry.name)")
      }
      #expect(!state.entries.isEmpty)
    }
    let gone = try Program.start(
      ["export", key, "--format", "safetensors", "--epoch", "4", "-o", "x.safetensors"],
      in: sweep.folder
    ).finish()
    #expect(
      gone.status == 65 && gone.talk.contains("after 2, 5") && gone.talk.contains("--keep"),
      "\(gone.talk)")
    let taken = try Program.run(
      "import", "best.safetensors", "--dataset", "synthetic-1x8x8-3", "--name", "theirs",
      in: sweep.folder)
    #expect(taken.status == 0, "\(taken.talk)")
  }

  @Test func `more are kept where the call says so`() throws {
    let sweep = try sweep(Self.trainer.replacing("epoch == 3 and", with: "epoch == 9 and"))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", "--keep", "3", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    #expect(
      try weights(output(sweep)) == [
        "after-3.safetensors": 2, "after-4.safetensors": 3, "best.safetensors": 1,
        "final.safetensors": 4,
      ])
    let key = try output(sweep).deletingLastPathComponent().lastPathComponent
    let verified = try Program.start(["verify", key], in: sweep.folder).finish()
    #expect(verified.status == 0, "\(verified.out)\(verified.talk)")
    let refused = try Program.start(["run", "tiny.json", "--keep", "0"], in: sweep.folder).finish()
    #expect(refused.status == 64 && refused.talk.contains("--keep is 1 or more"))
  }

  @Test(arguments: [
    (#"file.write(teacher[:-1] + bytes([epoch]))"#, #"file.write(b"PK")"#, "no safetensors file"),
    (#""weights": name,"#, #""weights": "other","#, "it is not in"),
    (#""weights": name,"#, #""weights": "../x","#, "the name of a file in the run's folder"),
    (
      #""metrics": {"test.mAP": 4}})"#, #""metrics": {}, "files": ["best.safetensors"]})"#,
      "Choose another one"
    ),
  ])
  func `weights that are not what they should be fail their run`(
    _ old: String, _ new: String, _ says: String
  ) throws {
    let sweep = try sweep(
      Self.trainer.replacing(old, with: new).replacing("epoch == 3 and", with: "epoch == 9 and")
        .replacing(
          #"print(json.dumps({"record": "finished""#,
          with:
            #"open(folder + "/best.safetensors", "w").close(); print(json.dumps({"record": "finished""#
        ))
    defer { sweep.remove() }
    let run = try Program.start(["run", "tiny.json"], in: sweep.folder).finish()
    #expect(run.status == 1, "\(run.talk)")
    let status = try Program.start(["status"], in: sweep.folder).finish()
    #expect(status.out.contains(says), "\(status.out)")
  }
}
