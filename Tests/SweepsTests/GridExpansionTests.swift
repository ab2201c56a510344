import Specs
import Sweeps
import TestSupport
import Testing

@Suite struct GridExpansionTests {
  private static let base = #""base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"]}"#

  private func expand(_ members: String, limit: Int = GridExpansion.usualLimit) throws -> GridExpansion {
    try GridExpansion(ToyGrid.read("{\"version\": 1, \"name\": \"g\", \(members)}"), .toy, limit: limit)
  }

  /// Settings of each run in words: method, options, epochs, teachers, seed.
  private func words(_ expansion: GridExpansion) -> [String] {
    expansion.runs.map { run in
      let options = run.spec.method.options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return
        ([run.spec.method.name] + options + [
          "e\(run.spec.recipe.epochs)", "M\(run.spec.teachers.count)", "s\(run.spec.seed)",
        ])
        .joined(separator: " ")
    }
  }

  // The corpus

  @Test(arguments: GridCase.good)
  func `a good grid becomes runs`(_ grid: GridCase) throws {
    let expansion = try GridExpansion(ToyGrid.read(grid.text), .toy)
    #expect(!expansion.runs.isEmpty && expansion.warnings.isEmpty)
  }

  @Test(arguments: GridCase.bad.filter { !$0.isStructural })
  func `a grid with wrong names or values is refused with every place`(_ grid: GridCase) throws {
    let read = try ToyGrid.read(grid.text)
    do throws(GridRejected) {
      _ = try GridExpansion(read, .toy)
      Issue.record("it was accepted")
    } catch {
      expect(error.problems, toBe: grid.problems)
    }
  }

  private func judged(_ text: String, others: [String: String] = [:]) -> [GridProblem] {
    do throws(GridRejected) {
      _ = try GridExpansion(ToyGrid.draft(text, others: others).judged(by: .toy), .toy)
      return []
    } catch { return error.problems }
  }

  @Test(arguments: GridCase.bad)
  func `judging names adds nothing that another complaint brings with it`(_ grid: GridCase) {
    expect(judged(grid.text), toBe: grid.problems)
  }

  @Test func `mistakes of form and wrong names are told at once, each at its place and once`() {
    let found = judged(
      """
      {
        "version": 1, "name": "g", "nots": "x",
        "base": {
          "student": "resnet9",
          "dataset": "cifar10",
          "teachers": ["resnet14", "resnet41"],
          "epochs": "ten",
          "alpha": -1, "seed": 3
        },
        "axes": {"method": ["aver-kd", "mktd-rl"], "temperature": 4, "beta": {"range": [0, 1, 0.3]}},
        "exclude": [{"alfa": 1}, {"method": "aver-dk", "beta": {"lte": 2}}],
        "include": [{"student": "resnet9", "mixing": "statc"}],
        "seeds": [-1],
        "report": {"select": "worst", "rows": ["student", "studnt"], "compareTo": ["aver-kd - base-line"]}
      }
      """)
    expect(
      found,
      toBe: [
        "2:30 unknown key \"nots\"; did you mean \"note\"?",
        "4:16 unknown network \"resnet9\"; did you mean \"resnet8\"?",
        "5:16 unknown dataset \"cifar10\"; did you mean \"cifar100\"?",
        "6:30 unknown network \"resnet41\"; did you mean \"resnet14\"?",
        "7:15 epochs is \"ten\" and should be an integer, 1 or more",
        "8:14 alpha is -1 and should be a number, 0 or more",
        "8:18 seeds are replicates of every cell",
        "10:34 unknown method \"mktd-rl\"; did you mean \"mtkd-rl\"?",
        "10:61 expected a list of values",
        "10:82 the step 0.3 leads from 0 to 0.9, not to 1",
        "11:16 unknown setting \"alfa\"; did you mean \"alpha\"?",
        "11:29 unknown method \"aver-dk\"; did you mean \"aver-kd\"?",
        "11:59 unknown key \"lte\"; did you mean \"lt\"?",
        "12:27 unknown network \"resnet9\"; did you mean \"resnet8\"?",
        "12:48 mixing is \"statc\" and should be \"static\" or \"dynamic\"",
        "13:13 expected a seed",
        "14:24 expected one of last",
        "14:53 unknown setting \"studnt\"; did you mean \"student\"?",
        "14:78 unknown method \"base-line\"; did you mean \"baseline\"?",
      ])
  }

  @Test func `names are judged whatever is wrong around them`() {
    let block = #"{"name": "a", "base": {"student": "resnet9"}}"#
    let cases: [(String, [String])] = [
      (
        "{\"version\": 1,\n \"base\": {\"student\": \"resnet9\"}}",
        ["1:2 there is no \"name\"", "2:22 unknown network"]
      ),
      (
        "{\"version\": 1, \"name\": \"g\",\n \"blocks\": [\(block), 5]}",
        ["2:47 unknown network", "2:60 expected a block"]
      ),
      (
        "{\"version\": 1, \"name\": \"g\",\n \"blocks\": 5, \"base\": {\"student\": \"resnet9\"}}",
        ["2:12 expected a list of blocks", "2:35 unknown network"]
      ),
      (
        "{\"version\": 1, \"name\": \"g\",\n \"axes\": {\"teachers\": {\"pool\": [\"resnet14\", \"resnet41\"], \"take\": [1, 2, 3]}}}",
        ["2:45 unknown network \"resnet41\"", "2:73 take 3 of a pool of 2"]
      ),
      (
        "{\"version\": 1, \"name\": \"g\",\n \"axes\": {\"teachers\": {\"pool\": [\"resnet41\"]}}}",
        ["2:23 how many teachers to \"take\"", "2:33 unknown network \"resnet41\""]
      ),
    ]
    for (text, places) in cases { expect(judged(text), toBe: places) }
  }

  @Test func `a grid that extends another is told of both, its own mistakes first`() {
    let found = judged(
      "{\"version\": 1, \"name\": \"g\", \"extends\": \"old.json\",\n \"base\": {\"student\": \"resnet9\"}}",
      others: [
        "old.json":
          "{\"version\": 1, \"name\": \"old\", \"bse\": {}, \"base\": {\"method\": \"mktd-rl\"}}"
      ])
    #expect(
      found.map { "\($0.place.file):\($0.place.line):\($0.place.column)" }
        == ["grid.json:2:22", "old.json:1:31", "old.json:1:61"])
  }

  // Products

  @Test func `a block is the product of its axes, the last one fastest, times the seeds`() throws {
    let grid = try expand(
      Self.base
        + #", "axes": {"epochs": [1, 2], "alpha": [0, 3]}, "seeds": [5, 4], "run": {"order": "cellMajor"}"#)
    #expect(
      words(grid) == [
        "aver-kd alpha=0 e1 M1 s5", "aver-kd alpha=0 e1 M1 s4", "aver-kd alpha=3 e1 M1 s5",
        "aver-kd alpha=3 e1 M1 s4",
        "aver-kd alpha=0 e2 M1 s5", "aver-kd alpha=0 e2 M1 s4", "aver-kd alpha=3 e2 M1 s5",
        "aver-kd alpha=3 e2 M1 s4",
      ])
    #expect(grid.asked == 8)
  }

  @Test func `a run and its teachers are computed alike`() throws {
    let grid = try expand(
      Self.base + #", "axes": {"numerics": ["portable", "native"], "convolution": ["auto", "direct"]}"#)
    let found = grid.runs.map { run in
      ([run.spec.recipe] + run.spec.teachers.map(\.recipe)).map { "\($0.numerics) \($0.convolution)" }
    }
    #expect(
      found == ["portable auto", "portable direct", "native auto", "native direct"].map { [$0, $0] })
  }

  @Test func `the usual order gives every cell its first seed before any its second`() throws {
    let grid = try expand(Self.base + #", "axes": {"alpha": [0, 2, 3]}, "seeds": {"count": 2}"#)
    #expect(
      words(grid) == [
        "aver-kd alpha=0 e240 M1 s1", "aver-kd alpha=2 e240 M1 s1", "aver-kd alpha=3 e240 M1 s1",
        "aver-kd alpha=0 e240 M1 s2",
        "aver-kd alpha=2 e240 M1 s2", "aver-kd alpha=3 e240 M1 s2",
      ])
  }

  @Test func `a zip group is walked together and multiplied with the rest`() throws {
    let grid = try expand(
      Self.base + #", "zip": [{"epochs": [60, 240], "temperature": [1, 2]}], "axes": {"alpha": [0, 3]}"#)
    #expect(
      words(grid) == [
        "aver-kd alpha=0 temperature=1 e60 M1 s1", "aver-kd alpha=0 temperature=2 e240 M1 s1",
        "aver-kd alpha=3 temperature=1 e60 M1 s1", "aver-kd alpha=3 temperature=2 e240 M1 s1",
      ])
  }

  @Test func `exclude takes away, include adds and is never taken away`() throws {
    let grid = try expand(
      Self.base
        + #", "axes": {"alpha": [0, 2, 3], "epochs": [1, 2]}, "exclude": [{"alpha": {"ge": 2}, "epochs": 2}, {"alpha": [0], "epochs": {"not": 2}}], "include": [{"alpha": 3, "epochs": 2}]"#
    )
    #expect(
      words(grid) == [
        "aver-kd alpha=0 e2 M1 s1", "aver-kd alpha=2 e1 M1 s1", "aver-kd alpha=3 e1 M1 s1",
        "aver-kd alpha=3 e2 M1 s1",
      ])
  }

  @Test(arguments: [
    (#"{"lt": 2}"#, [2, 3]), (#"{"le": 2}"#, [3]), (#"{"gt": 2}"#, [0, 2]), (#"{"ge": 2}"#, [0]),
    (#"{"not": 2}"#, [2]),
    (#"{"not": [0, 2]}"#, [0, 2]), (#"{"gt": 0, "lt": 3}"#, [0, 3]), ("2.0", [0, 3]), ("[0, 3]", [2]),
  ])
  func `each kind of filter removes what it says`(_ filter: String, _ left: [Int]) throws {
    let grid = try expand(
      Self.base + ", \"axes\": {\"alpha\": [0, 2, 3]}, \"exclude\": [{\"alpha\": \(filter)}]")
    #expect(grid.runs.map { $0.spec.method.options["alpha"]?.integer } == left)
  }

  @Test func `filters know methods by their aliases`() throws {
    let grid = try expand(
      Self.base + #", "axes": {"method": ["averkd", "baseline"]}, "exclude": [{"method": "aver-kd"}]"#)
    #expect(words(grid) == ["baseline e240 M0 s1"])
  }

  @Test func `include alone makes no product`() throws {
    let grid = try expand(Self.base + #", "include": [{"alpha": 2}, {"alpha": 3}], "seeds": [1, 2]"#)
    #expect(
      words(grid) == [
        "aver-kd alpha=2 e240 M1 s1", "aver-kd alpha=3 e240 M1 s1", "aver-kd alpha=2 e240 M1 s2",
        "aver-kd alpha=3 e240 M1 s2",
      ])
  }

  @Test func `the sweep is the union of its blocks`() throws {
    let grid = try expand(
      Self.base
        + #", "blocks": [{"name": "a", "axes": {"alpha": [2, 3]}}, {"name": "b", "axes": {"alpha": [3, 4]}}, {"name": "c", "base": {"alpha": 2}, "seeds": [1, 2]}]"#
    )
    #expect(grid.asked == 6)
    #expect(
      words(grid) == [
        "aver-kd alpha=2 e240 M1 s1", "aver-kd alpha=3 e240 M1 s1", "aver-kd alpha=4 e240 M1 s1",
        "aver-kd alpha=2 e240 M1 s2",
      ])
    #expect(grid.runs.map(\.block) == [0, 0, 1, 2])
    #expect(grid.sharing == ["aver-kd stands in several blocks: 6 runs asked for are 4"])
  }

  @Test func `pools become so many teachers, in their order`() throws {
    let grid = try expand(
      #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["wrn-16-1", "resnet14", "resnet8"], "take": [1, 3]}}"#
    )
    #expect(
      grid.runs.map { $0.spec.teachers.map(\.network.family) } == [
        ["cifar_wrn"], ["cifar_wrn", "cifar_resnet", "cifar_resnet"],
      ])
    let all = try expand(
      #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["wrn-16-1", "resnet14", "resnet8"], "take": [2], "choose": "all"}}"#
    )
    #expect(
      all.runs.map { $0.spec.teachers.map { $0.network.parameters["depth"]?.integer } } == [
        [16, 14], [16, 8], [14, 8],
      ])
  }

  @Test func `a filter sees the value of a setting that nothing names, where the run has one`() throws {
    let axes = #", "axes": {"method": ["baseline", "aver-kd"]}"#
    #expect(try words(expand(Self.base + axes + #", "exclude": [{"alpha": 1}]"#)) == ["baseline e240 M0 s1"])
    #expect(throws: GridRejected.self) { try expand(Self.base + axes + #", "exclude": [{"alpha": 2}]"#) }
    #expect(
      try words(expand(Self.base + axes + #", "exclude": [{"method": "baseline", "epochs": {"ge": 240}}]"#))
        == ["aver-kd e240 M1 s1"])
    for filter in [
      #"{"dataset": "synthetic"}"#, #"{"views": 0}"#, #"{"learningRate": 0.05}"#, #"{"recipe": "student"}"#,
      #"{"teacherEpochs": 240}"#, #"{"convolution": "auto"}"#, #"{"batchSize": {"lt": 65}}"#,
    ] {
      let grid = try expand(
        Self.base + #", "exclude": [\#(filter)], "axes": {"method": ["aver-kd"]}, "include": [{"alpha": 3}]"#)
      #expect(words(grid) == ["aver-kd alpha=3 e240 M1 s1"], "\(filter)")
    }
    let presets =
      #""base": {"student": "resnet8", "method": "mtkd-rl", "teachers": ["resnet14"]}, "axes": {"preset": ["paper", "reference"]}"#
    #expect(
      try words(expand(presets + #", "exclude": [{"mixing": "dynamic"}]"#)) == ["mtkd-rl e240 M1 s1"])
  }

  @Test func `different runs that a table would show as one are refused`() throws {
    func expectClash(_ members: String, _ name: String) {
      #expect {
        try expand(members)
      } throws: { error in
        "\(error)".contains("two different cells would both be shown as \"\(name)\"")
      }
    }
    let trainers = #"[{"command": ["a"], "name": "t"}, {"command": ["b"], "name": "t"}]"#
    expectClash(Self.base + #", "axes": {"trainer": \#(trainers)}"#, "resnet8 aver-kd t")
    expectClash(
      Self.base
        + #", "blocks": [{"name": "x", "base": {"trainer": {"command": ["a"], "name": "t"}}}, {"name": "y", "base": {"trainer": {"command": ["b"], "name": "t"}}}]"#,
      "resnet8 aver-kd t")
    let apart = #"[{"command": ["a"], "name": "t"}, {"command": ["b"], "name": "u"}]"#
    #expect(try expand(Self.base + #", "axes": {"trainer": \#(apart)}"#).runs.count == 2)
  }

  // Identity

  /// What the expansion puts together from shared parts, against each run's own encoding.
  @Test(arguments: [
    #""axes": {"alpha": [0, 1, 2], "epochs": [1, 10]}, "seeds": [3, 10, 100]"#,
    #""axes": {"method": ["baseline", "aver-kd", "mtkd-rl"], "beta": [5, 7.5], "learningRate": [0.1, 0.05], "student": ["resnet8", "wrn-16-1"]}"#,
    #""teacherSeeds": "perSeed", "axes": {"temperature": [4, 3], "teachers": [["resnet14"], ["resnet14", "wrn-16-1"]]}, "seeds": [1, 2]"#,
    #""axes": {"preset": ["paper", "reference"], "method": ["mtkd-rl"]}, "include": [{"views": 4, "alpha": 3}, {"trainer": {"command": ["x"]}, "warmupEpochs": 2}]"#,
    #""blocks": [{"name": "a", "axes": {"alpha": [1, 2]}, "seeds": [1, 2]}, {"name": "b", "axes": {"alpha": [2, 3]}, "seeds": [2, 3]}]"#,
  ])
  func `plan and keys are those of the runs one by one`(_ members: String) throws {
    let grid = try expand(Self.base + ", " + members)
    let plan = SweepPlan(grid.runs)
    #expect(plan.runKeys == grid.runs.map { StudentStage($0.spec).key })
    #expect(Set(plan.runKeys).count == grid.runs.count, "each once")
    let students = plan.stages.filter { $0.kind == StudentStage.kind }
    #expect(students.map(\.spec) == grid.runs.map { $0.spec.canonicalBytes })
    #expect(students.map(\.inputs) == grid.runs.map { StudentStage($0.spec).inputs })
    for stage in plan.stages { #expect(try StageRequest(document: stage.document) == stage) }
  }

  @Test func `a baseline over five alphas and two pools is one run, and the expansion says so`() throws {
    let grid = try expand(
      #""base": {"student": "resnet8"}, "axes": {"method": ["baseline", "aver-kd"], "alpha": [0, 1, 2, 3, 4], "teachers": {"pool": ["resnet14", "wrn-16-1"], "take": [1, 2]}}, "seeds": [1, 2]"#
    )
    #expect(grid.asked == 40)
    #expect(grid.runs.count { $0.spec.method.name == "baseline" } == 2, "one a seed")
    #expect(grid.runs.count { $0.spec.method.name == "aver-kd" } == 20)
    #expect(grid.sharing == ["baseline does not read alpha, teachers: 20 runs asked for are 2"])
  }

  @Test func `a default that is written out is the default`() throws {
    let plain = try expand(Self.base).runs[0].spec
    let written = try expand(
      #""base": {"student": "resnet8", "method": "averkd", "teachers": ["resnet14"], "alpha": 1.0, "temperature": 4, "epochs": 240, "batchSize": 64, "recipe": "student", "learningRate": 0.05, "dataset": "synthetic"}"#
    ).runs[0].spec
    #expect(plain == written)
    #expect(plain.canonicalBytes == written.canonicalBytes)
  }

  @Test func `an option that the method does not read changes nothing`() throws {
    let plain = try expand(Self.base).runs[0].spec
    let more = try expand(
      #""base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"], "beta": 7, "mixing": "dynamic", "preset": "reference"}"#
    )
    #expect(more.runs[0].spec == plain)
    #expect(more.warnings.isEmpty, "only axes are worth a word")
  }

  @Test func `an axis that no method of its block reads is worth a warning`() throws {
    let grid = try expand(#""base": {"student": "resnet8", "method": "baseline"}, "axes": {"alpha": [1, 2]}"#)
    expect(grid.warnings, toBe: ["1:92 no method of this block reads \"alpha\""])
    #expect(grid.warnings.allSatisfy { $0.severity == .warning })
    #expect(grid.runs.count == 1 && grid.asked == 2)
  }

  @Test func `a value twice in an axis is worth a warning, written alike or by an alias`() throws {
    let grid = try expand(Self.base + #", "axes": {"alpha": [0, 2.0, 2], "epochs": {"range": [3, 5, 1]}}"#)
    expect(
      grid.warnings, toBe: ["1:135 2 appears twice, as 2.0, in the axis \"alpha\"; its runs are made once"])
    #expect(grid.runs.count == 6 && grid.asked == 9)
    #expect(grid.sharing == ["aver-kd is asked for more than once: 9 runs asked for are 6"])
    let alias = try expand(Self.base + #", "axes": {"method": ["aver-kd", "averkd"]}"#)
    expect(alias.warnings, toBe: ["1:139 \"averkd\" appears twice, as \"aver-kd\","])
    #expect(try expand(Self.base + #", "zip": [{"epochs": [5, 5], "alpha": [0, 1]}]"#).warnings.isEmpty)
  }

  @Test func `top-level axes beside blocks are told to be a block of their own`() {
    func message(_ members: String) -> [String] {
      do {
        _ = try expand(members)
        return []
      } catch let error as GridRejected {
        return error.problems.map { "\($0.place.line):\($0.place.column) \($0.message)" }
      } catch { return ["\(error)"] }
    }
    let found = message(
      "\"base\": {\"dataset\": \"synthetic\", \"student\": \"resnet8\"},\n\"axes\": {\"epochs\": [1, 2]},\n\"blocks\": [{\"name\": \"a\", \"base\": {\"method\": \"baseline\"}}]"
    )
    #expect(found.count == 1 && found[0].hasPrefix("2:1 "), "\(found)")
    #expect(found[0].contains("a block of their own") && found[0].contains("no \"method\""))
    let single = message(#""base": {"student": "resnet8"}, "axes": {"epochs": [1, 2]}"#)
    #expect(single.count == 1 && single[0].contains("a run here has no \"method\""))
  }

  @Test func `a rate that falls several times at once is worth a warning`() throws {
    let grid = try expand(
      Self.base + #", "axes": {"epochs": [2, 8]}, "include": [{"epochs": 8, "teacherEpochs": 2}]"#)
    let messages = grid.warnings.map(\.message).filter { $0.contains("falls 3 times at once") }
    #expect(messages.count == 2 && messages.allSatisfy { $0.contains("in 2 epochs") })
    let long = try expand(#""base": {"student": "resnet8", "method": "baseline", "epochs": 8}"#)
    #expect(long.warnings.isEmpty)
  }

  @Test func `a preset is its options, and a set option wins`() throws {
    func options(_ members: String) throws -> [String: JSONValue] {
      try expand(
        #""base": {"student": "resnet8", "method": "mtkd-rl", "teachers": ["resnet14"], \#(members)}"#
      ).runs[0].spec.method.options
    }
    #expect(try options(#""preset": "paper""#) == [:])
    #expect(try options(#""preset": "reference""#) == ["mixing": "dynamic"])
    #expect(try options(#""preset": "reference", "mixing": "static""#) == [:])
  }

  @Test func `teachers are one pool for all seeds, or one for each`() throws {
    let fixed = try expand(Self.base + #", "seeds": [3, 4]"#)
    #expect(fixed.runs.map { $0.spec.teachers[0].seed } == [0, 0])
    let own = try expand(Self.base + #", "seeds": [3, 4], "teacherSeeds": "perSeed""#)
    #expect(own.runs.map { $0.spec.teachers[0].seed } == [3, 4])
  }

  @Test func `names of sweep and blocks, workers and report are in no run`() throws {
    let plain = try expand(Self.base).runs.map(\.spec)
    let other = try GridExpansion(
      ToyGrid.read(
        "{\"version\": 1, \"name\": \"other\", \"note\": \"n\", \"blocks\": [{\"name\": \"b\"}], \(Self.base), \"run\": {\"workers\": 7, \"retries\": 9}, \"report\": {\"metric\": \"test.loss\"}}"
      ),
      .toy)
    #expect(other.runs.map(\.spec) == plain)
  }

  // Labels

  @Test func `columns are student, method and what varies, and labels hold what is read`() throws {
    let grid = try expand(
      #""base": {"student": "resnet8", "teachers": ["resnet14"], "epochs": 3}, "axes": {"method": ["baseline", "mtkd-rl"], "beta": [5, 10]}"#
    )
    #expect(grid.columns == ["student", "method", "beta"])
    #expect(
      grid.runs.map(\.labels) == [
        ["resnet8", "baseline", .null], ["resnet8", "mtkd-rl", 5], ["resnet8", "mtkd-rl", 10],
      ])
  }

  @Test func `a block that says nothing of a column has the default there`() throws {
    let grid = try expand(
      Self.base + #", "blocks": [{"name": "a"}, {"name": "b", "base": {"alpha": 3}}]"#)
    #expect(grid.columns == ["student", "method", "alpha"])
    #expect(grid.runs.map { $0.labels[2] } == [1, 3])
    let other = try expand(
      Self.base + #", "blocks": [{"name": "a", "axes": {"alpha": [2, 3]}}, {"name": "b"}]"#)
    #expect(other.columns == ["student", "method", "alpha"])
    #expect(other.runs.map { $0.labels[2] } == [2, 3, 1])
  }

  @Test func `two commands that look alike are two runs`() throws {
    let trainers =
      "[{\"command\": [\"caf\\u00e9\"], \"name\": \"a\"}, {\"command\": [\"cafe\\u0301\"], \"name\": \"b\"}]"
    let grid = try expand(Self.base + ", \"axes\": {\"trainer\": \(trainers)}")
    #expect(Set(grid.runs.map { StudentStage($0.spec).key }).count == 2)
    #expect(grid.runs.map { $0.spec.trainer?.command.first?.utf8.count } == [5, 6])
  }

  // Size

  @Test func `ten thousand runs may be asked for, and more when that is meant`() throws {
    #expect(try expand(Self.base + #", "seeds": {"count": 10000}"#).runs.count == 10_000)
    #expect(throws: GridRejected.self) { try expand(Self.base + #", "seeds": {"count": 10001}"#) }
    #expect(
      try expand(Self.base + #", "seeds": {"count": 10001}"#, limit: GridExpansion.limit).asked == 10_001)
  }

  @Test func `sizes beyond all integers are refused before anything is made`() throws {
    let axes = ["alpha", "temperature", "epochs", "batchSize", "learningRate"].map {
      "\"\($0)\": {\"range\": [1, 10000, 1]}"
    }
    #expect {
      try expand(Self.base + ", \"axes\": {\(axes.joined(separator: ","))}", limit: GridExpansion.limit)
    } throws: { error in "\(error)".contains("more than 10^18 runs") }
  }
}
