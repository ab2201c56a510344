import Foundation
import Specs
import Testing

/// Devices as a resource, by trainers that only pretend to have some.
@Suite struct DeviceTests {
  /// Holds its device for a moment and fails where somebody else holds it; on a device
  /// named in `broken` it dies.
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

  private func sweep(_ run: String, seeds: Int = 6, trainer: String = Self.trainer) throws -> TinySweep {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "devices",
          "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 30, "epochs": 1, "method": "baseline",
                    "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] } },
          "blocks": [ { "name": "theirs", "base": { "trainer": { "command": ["sh", "fake.sh"], "name": "fake" } } },
                      { "name": "ours" } ],
          "run": { "workers": 4\(run) }, "seeds": { "count": \(seeds) } }
        """)
    try sweep.write(trainer.replacing("cat > request", with: "read request"), to: "fake.sh")
    return sweep
  }

  /// Programs that stand for those of a driver or of a cluster, first on the path.
  private func put(_ programs: [String: String], in sweep: TinySweep) throws -> String {
    let bin = sweep.folder.appending(path: "bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    for (name, text) in programs {
      try sweep.write("#!/bin/sh\n\(text)\n", to: "bin/\(name)")
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: bin.appending(path: name).path)
    }
    return "\(bin.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
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

  @Test func `name, driver and memory of a device are recorded, and the display says who is on it`() throws {
    let sweep = try sweep("", seeds: 2)
    defer { sweep.remove() }
    let path = try put(
      [
        "nvidia-smi": """
        [ "$1" = --query-gpu=index,name,driver_version,memory.total ] || exit 2
        echo '0, Fake H9, 570.86.15, 81559 MiB'; echo '1, Fake A1, 570.86.15, 24564 MiB'
        """
      ], in: sweep)
    let run = try Program.start(
      ["run", "tiny.json", "--devices", "cuda:1", "--events"], in: sweep.folder,
      environment: ["HELD": sweep.folder.path, "PATH": path]
    ).finish()
    #expect(run.status == 0, "\(run.talk)")
    #expect(run.out.contains("seed 1 on cuda:1"), "\(run.out)")
    let list = try Program.run("export", "--format", "jsonl", in: sweep.folder).out
    #expect(list.contains(", cuda:1 Fake A1, driver 570.86.15, 24564 MiB"), "\(list)")
    #expect(!list.contains("Fake H9"), "another run's device")
  }

  @Test func `what a trainer says of its arithmetic is its profile, and no cell mixes two`() throws {
    let trainer = """
      cat > request
      echo "{\\"record\\":\\"environment\\",\\"profile\\":\\"torch 9.9, $(cat "$HELD/card")\\"}"
      echo '{"record":"epoch","epoch":0,"step":1,"metrics":{"test.acc1":50}}'
      echo '{"record":"finished","metrics":{}}'
      """
    let sweep = try sweep("", seeds: 2, trainer: trainer)
    defer { sweep.remove() }
    for (card, seed) in [("Fake A1", "1"), ("Fake H9", "2")] {
      try sweep.write(card, to: "card")
      let done = try go(sweep, "--only", "seed=\(seed)").0
      #expect(done.status == 0 || done.status == 1, "\(done.talk)")
    }
    let list = try Program.run("export", "--format", "jsonl", in: sweep.folder).out
    #expect(list.contains(#""profile":"torch 9.9, Fake A1""#), "\(list)")
    #expect(list.contains(#""profile":"torch 9.9, Fake H9""#), "\(list)")
    let report = try Program.run("report", in: sweep.folder)
    #expect(report.out.contains("Different programs or numerics made 1 cell"), "\(report.out)")
    let shown = try Program.run("report", "--allow-mixed", in: sweep.folder)
    #expect(
      shown.out.contains("torch 9.9, Fake A1") && shown.out.contains("torch 9.9, Fake H9"), "\(shown.out)")
  }

  @Test func `what a trainer says of its arithmetic comes first and once`() throws {
    let late = """
      cat > request
      echo '{"record":"epoch","epoch":0,"step":1,"metrics":{"test.acc1":50}}'
      echo '{"record":"environment","profile":"torch 9.9"}'
      """
    let sweep = try sweep("", seeds: 1, trainer: late)
    defer { sweep.remove() }
    let done = try go(sweep).0
    #expect(done.status == 1 && done.talk.contains("once, before all other records"), "\(done.talk)")
  }

  @Test func `a plan says which devices there are and forecasts what waits for them`() throws {
    let sweep = try sweep("")
    defer { sweep.remove() }
    func plan(_ words: String...) throws -> (text: String, seconds: Double) {
      let line = ["plan", "tiny.json", "--workers", "8"] + words
      let plan = try Program.start(line, in: sweep.folder, environment: [:]).finish()
      let json = try Program.start(line + ["--json"], in: sweep.folder, environment: [:]).finish()
      #expect(plan.status == 0 && json.status == 0, "\(plan.talk) \(json.talk)")
      let value = try JSONReader.read(Array(json.out.utf8)).value
      let seconds = value.object?["forecast"]?.object?["wallSeconds"]?.number?.double
      return (plan.out, try #require(seconds))
    }
    #expect(try !plan().text.contains("  devices:"))
    let (one, six) = (try plan("--devices", "a"), try plan("--devices", "a,b,c,d,e,f"))
    #expect(one.text.contains("devices: a; one run at a time, for 6 runs of trainers"), "\(one.text)")
    #expect(six.text.contains("6 runs at a time"), "\(six.text)")
    #expect(one.seconds > six.seconds, "\(one.seconds) \(six.seconds)")
  }

  @Test func `on a cluster each task of runs of trainers asks for devices, and others ask for none`() throws {
    for (run, site, asked) in [
      (#", "devices": ["cuda:0"]"#, "", "gpu:1"), (#", "devicesPerRun": 2"#, "", "gpu:2"),
      ("", #", "gres": "gpu:a100:1""#, "gpu:a100:1"), ("", "", nil),
    ] {
      let sweep = try sweep(run, seeds: 2)
      defer { sweep.remove() }
      _ = try put(
        [
          "sbatch":
            "case $1 in --test-only) ;; *) echo x >> \(sweep.folder.path)/jobs; wc -l < \(sweep.folder.path)/jobs;; esac",
          "squeue": "exit 0", "scontrol": "echo 'MaxArraySize = 1001'", "scancel": "exit 0",
        ], in: sweep)
      try sweep.write(#"{ "bin": "\#(sweep.folder.path)/bin", "cpus": 4\#(site) }"#, to: "site.json")
      let submitted = try Program.run(
        "run", "tiny.json", "--executor", "slurm", "--site", "site.json", in: sweep.folder)
      #expect(submitted.talk.contains("submitted batch"), "\(submitted.talk)")
      let scripts = try Program.shell("cat results/batches/*/job.sh", in: sweep.folder).out
      let devices = scripts.split(separator: "\n").filter { $0.contains("--gres") }
      #expect(devices == (asked.map { ["#SBATCH --gres=\($0)"] } ?? []), "\(scripts)")
      let passed = scripts.split(separator: "\n").count { $0.contains("CUDA_VISIBLE_DEVICES") }
      #expect(passed == (asked == nil ? 0 : 1), "\(scripts)")
      let manifests = try Program.shell("cat results/batches/*/manifest*", in: sweep.folder).out
      #expect(
        manifests.contains(#""slots":1"#) == (asked != nil) && manifests.contains(#""slots":4"#),
        "\(manifests)")
    }
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
