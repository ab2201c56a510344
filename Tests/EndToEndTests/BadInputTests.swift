import Foundation
import TestSupport
import Testing

/// What a person gets who made a mistake: a sentence with the place and the next step, the right exit
/// code, nothing half-written.
@Suite struct BadInputTests {
  static let grids: [(mistake: String, grid: String, says: [String])] = [
    (
      "unknown key",
      #"{"version": 1, "name": "g", "base": {"alfa": 1, "student": "resnet8", "method": "baseline"}}"#,
      ["alfa", "alpha"]
    ),
    (
      "unknown student",
      #"{"version": 1, "name": "g", "base": {"student": "resnet9", "method": "baseline"}}"#,
      ["resnet9", "resnet8"]
    ),
    (
      "unknown method", #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "mktd-rl"}}"#,
      ["mktd-rl", "mtkd-rl"]
    ),
    (
      "unknown dataset",
      #"{"version": 1, "name": "g", "base": {"dataset": "cifar1000", "student": "resnet8", "method": "baseline"}}"#,
      ["cifar1000", "cifar100"]
    ),
    (
      "wrong type",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "baseline", "epochs": "ten"}}"#,
      ["epochs"]
    ),
    (
      "negative alpha",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"], "alpha": -1}}"#,
      ["alpha"]
    ),
    (
      "M larger than the pool",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["resnet14"], "take": [2]}}}"#,
      ["2", "1"]
    ),
    (
      "a reward that its objective cannot use",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "mtkd-rl", "teachers": ["resnet14", "resnet20"], "rewardScope": "perSample"}}"#,
      ["rewardScope", "linear"]
    ),
    (
      "an agent that cannot mix dynamically",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "mtkd-rl", "teachers": ["resnet14", "resnet20"], "mixing": "dynamic"}, "axes": {"policy": ["pg", "ppo"]}}"#,
      ["dynamic", "pg"]
    ),
    (
      "empty axis",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "baseline"}, "axes": {"epochs": []}}"#,
      ["epochs"]
    ),
    (
      "filter without effect",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "baseline"}, "axes": {"epochs": [1, 2]}, "exclude": [{"epochs": 7}]}"#,
      ["exclude"]
    ),
    (
      "a billion runs",
      #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"]}, "axes": {"alpha": {"range": [0, 999, 1]}, "beta": {"range": [0, 999, 1]}, "temperature": {"range": [1, 1000, 1]}}}"#,
      ["000"]
    ),
    (
      "duplicate key",
      #"{"version": 1, "name": "g", "name": "h", "base": {"student": "resnet8", "method": "baseline"}}"#,
      ["name"]
    ),
    ("a hundred thousand brackets", String(repeating: "[", count: 100_000), ["1:"]),
    ("no closing brace", #"{"version": 1"#, ["1:"]),
  ]

  @Test(arguments: grids.indices)
  func `a grid with a mistake is refused with place and name`(_ index: Int) throws {
    let (mistake, grid, words) = Self.grids[index]
    let sweep = try TinySweep(grid: grid)
    defer { sweep.remove() }
    for command in ["check", "plan", "run"] {
      let output = try Program.run(command, "tiny.json", in: sweep.folder)
      #expect(output.status == 65, "\(mistake), \(command): \(output.talk)")
      #expect(output.talk.contains("tiny.json:"), "\(mistake), \(command): \(output.talk)")
      for word in words { #expect(output.talk.contains(word), "\(mistake), \(command): \(output.talk)") }
      #expect(!output.talk.contains("Fatal error"))
      #expect(
        !FileManager.default.fileExists(atPath: sweep.folder.appending(path: "results").path), "\(mistake)")
    }
  }

  @Test func `a grid in another encoding is refused`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try Data([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]).write(to: sweep.folder.appending(path: "tiny.json"))
    let output = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(output.status == 65)
    #expect(output.talk.contains("UTF-8"))
  }

  @Test func `a grid that is a folder or absent is named`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let folder = try Program.run("check", ".", in: sweep.folder)
    #expect(folder.status == 66, "\(folder.talk)")
    let absent = try Program.run("run", "nowhere.json", in: sweep.folder)
    #expect(absent.status == 66, "\(absent.talk)")
    #expect(absent.talk.contains("nowhere.json"))
  }

  @Test func `all mistakes of a grid are named at once`() throws {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "g", "nots": "x",
          "base": { "student": "resnet9", "dataset": "cifar1000", "epochs": "ten",
                    "teachers": ["resnet14"], "alpha": -1 },
          "axes": { "method": ["aver-kd", "mktd-rl"], "temperature": 4 } }
        """)
    defer { sweep.remove() }
    let output = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(output.status == 65)
    let heads = output.talk.split(separator: "\n").filter { $0.hasPrefix("tiny.json:") }
    let expected = [
      (#"1:30: unknown key "nots""#, "note"), (#"2:24: unknown network "resnet9""#, "resnet8"),
      (#"2:46: unknown dataset "cifar1000""#, "cifar100"), (#"2:69: epochs is "ten""#, "integer"),
      ("3:48: alpha is -1", "0 or more"), (#"4:35: unknown method "mktd-rl""#, "mtkd-rl"),
      ("4:62: expected a list", "range"),
    ]
    #expect(heads.count == expected.count, "\(output.talk)")
    for (head, (place, hint)) in zip(heads, expected) {
      #expect(head.hasPrefix("tiny.json:\(place)") && head.contains(hint), "\(head)")
    }
    #expect(output.talk.split(separator: "\n").count { $0.hasSuffix(" ^") } == expected.count)
  }

  @Test func `an absent dataset says where to put it`() throws {
    let sweep = try TinySweep(
      grid:
        #"{"version": 1, "name": "g", "base": {"dataset": "cifar100:nowhere", "student": "resnet8", "method": "baseline"}}"#
    )
    defer { sweep.remove() }
    let plan = try Program.run("plan", "tiny.json", in: sweep.folder)
    #expect(plan.status == 0, "\(plan.talk)")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 66, "\(run.talk)")
    #expect(run.talk.contains("cifar100") && run.talk.contains("train.bin"), "\(run.talk)")
  }

  @Test func `a truncated dataset is an error that says where`() throws {
    let sweep = try TinySweep(
      grid:
        #"{"version": 1, "name": "g", "base": {"dataset": "cifar10:data", "student": "resnet8", "method": "baseline"}}"#
    )
    defer { sweep.remove() }
    let data = sweep.folder.appending(path: "data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    try Data(count: 3073 * 2 - 5).write(to: data.appending(path: "data_batch_1.bin"))
    try Data(count: 3073).write(to: data.appending(path: "test_batch.bin"))
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status != 0)
    #expect(run.talk.contains("data_batch_1.bin"), "\(run.talk)")
  }

  @Test(.enabled(if: Available.mountNamespaces, "a file system of the test's own is made"))
  func `a full disk ends with a sentence, and the store can still be opened`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.shell(
      """
      unshare -rm sh -c 'mkdir -p small && mount -t tmpfs -o size=400k tmpfs small && \
        "$PROGRAM" run tiny.json --store small; echo "status $?"; \
        mount -o remount,size=200m small; "$PROGRAM" run tiny.json --store small; echo "status $?"'
      """, in: sweep.folder)
    #expect(output.talk.contains("No space left") || output.talk.contains("full"), "\(output.talk)")
    #expect(output.out.contains("status 74"), "\(output.out) \(output.talk)")
    #expect(output.out.hasSuffix("status 0\n"), "\(output.out) \(output.talk)")
  }

  @Test(.enabled(if: Available.mountNamespaces, "a file system of the test's own is made"))
  func `a read-only folder ends with a sentence`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.shell(
      #"unshare -rm sh -c 'mkdir fixed && mount -t tmpfs -o ro tmpfs fixed && "$PROGRAM" run tiny.json --store fixed/results'"#,
      in: sweep.folder)
    #expect([73, 74, 77].contains(output.status), "\(output.status) \(output.talk)")
    #expect(output.talk.contains("fixed"), "\(output.talk)")
  }
}
