import Foundation
import Testing

/// Devices as a resource, by trainers that only pretend to have some.
@Suite struct DeviceTests {
  /// Holds its device for a moment and fails where somebody else holds it; on a device named in `broken` it dies.
  private static let trainer = """
    cat > request
    echo "$MTKD_DEVICE $CUDA_VISIBLE_DEVICES" >> "$HELD/used"
    for device in $(echo "$MTKD_DEVICE" | tr , ' '); do
      if grep -qx "$device" "$HELD/broken" 2>/dev/null; then echo "device $device is gone" >&2; exit 9; fi
      mkdir "$HELD/$device" || { echo '{"record":"failed","reason":"the device is taken","cause":"other"}'; exit 0; }
    done
    sleep 0.3
    for device in $(echo "$MTKD_DEVICE" | tr , ' '); do rmdir "$HELD/$device"; done
    echo '{"record":"epoch","epoch":0,"step":1,"metrics":{"test.acc1":50}}'
    echo '{"record":"finished","metrics":{}}'
    """

  private func sweep(_ run: String, seeds: Int = 6) throws -> TinySweep {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "devices",
          "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 30, "epochs": 1, "method": "baseline",
                    "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] } },
          "blocks": [ { "name": "theirs", "base": { "trainer": { "command": ["sh", "fake.sh"], "name": "fake" } } },
                      { "name": "ours" } ],
          "run": { "workers": 4\(run) }, "seeds": { "count": \(seeds) } }
        """)
    try sweep.write(Self.trainer.replacing("cat > request", with: "read request"), to: "fake.sh")
    return sweep
  }

  private func go(_ sweep: TinySweep, _ words: String...) throws -> (Program.Output, used: [String]) {
    let done = try Program.start(
      ["run", "tiny.json"] + words, in: sweep.folder, environment: ["HELD": sweep.folder.path]
    ).finish()
    let used = (try? String(contentsOf: sweep.folder.appending(path: "used"), encoding: .utf8)) ?? ""
    return (done, used.split(separator: "\n").map(String.init))
  }

  @Test func `each run of a trainer has a device to itself, and runs of this program take none`() throws {
    let sweep = try sweep("")
    defer { sweep.remove() }
    let (done, used) = try go(sweep, "--devices", "cuda:0,cuda:3")
    #expect(done.status == 0, "\(done.talk)")
    #expect(
      done.talk.contains("Devices for runs of trainers: cuda:0, cuda:3; 2 runs at a time"), "\(done.talk)")
    #expect(used.count == 6 && Set(used) == ["cuda:0 0", "cuda:3 3"], "\(used)")
    let list = try Program.run("export", "--format", "jsonl", in: sweep.folder).out
    #expect(list.contains(", cuda:0") && list.contains(", cuda:3"), "devices are recorded with attempts")
  }

  @Test func `a grid says how many devices a run has, and the command line which`() throws {
    let sweep = try sweep(#", "devices": ["a", "b", "c", "d"], "devicesPerRun": 2"#)
    defer { sweep.remove() }
    let (done, used) = try go(sweep)
    #expect(done.status == 0 && used.allSatisfy { ["a,b ", "c,d "].contains($0) }, "\(done.talk) \(used)")
    let few = try go(sweep, "--devices", "a").0
    #expect(few.status == 65 && few.talk.contains("A run needs 2 devices"), "\(few.talk)")
    let twice = try go(sweep, "--devices", "a,a").0
    #expect(twice.status == 65 && twice.talk.contains("a is named twice"), "\(twice.talk)")
  }

  @Test func `a device that its check gives up is set aside, and its runs go on elsewhere`() throws {
    let sweep = try sweep(
      #", "devices": ["good", "bad"], "deviceCheck": ["sh", "check.sh"], "retries": 0"#, seeds: 4)
    defer { sweep.remove() }
    try sweep.write("bad\n", to: "broken")
    try sweep.write("! grep -qx \"$MTKD_DEVICE\" broken\n", to: "check.sh")
    let (done, used) = try go(sweep)
    #expect(done.status == 0, "\(done.talk)")
    #expect(done.talk.contains("bad is set aside: `sh check.sh` says that it does not work"), "\(done.talk)")
    #expect(used.count { $0 == "bad " } == 1 && used.count { $0 == "good " } == 4, "\(used)")
  }

  @Test func `when no device is left the sweep stops and says so, and the same command goes on`() throws {
    let sweep = try sweep(#", "devices": ["bad"], "deviceCheck": ["sh", "check.sh"]"#, seeds: 2)
    defer { sweep.remove() }
    try sweep.write("bad\n", to: "broken")
    try sweep.write("! grep -qx \"$MTKD_DEVICE\" broken\n", to: "check.sh")
    let (done, _) = try go(sweep)
    #expect(done.status != 0 && done.talk.contains("no device is left"), "\(done.talk)")
    try sweep.write("", to: "broken")
    let again = try go(sweep).0
    #expect(again.status == 0, "\(again.talk)")
  }
}
