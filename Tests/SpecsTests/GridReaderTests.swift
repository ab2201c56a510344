import Specs
import TestSupport
import Testing

@Suite struct GridReaderTests {
  private func problems(_ text: String, others: [String: String] = [:]) -> [GridProblem] {
    do throws(GridRejected) {
      _ = try ToyGrid.read(text, others: others)
      return []
    } catch { return error.problems }
  }

  @Test(arguments: GridCase.good)
  func `a good grid is read`(_ grid: GridCase) { #expect(problems(grid.text).map(\.rendered) == []) }

  @Test(arguments: GridCase.bad.filter(\.isStructural))
  func `a bad grid is refused with every place and reason`(_ grid: GridCase) {
    expect(problems(grid.text), toBe: grid.problems)
  }

  @Test(arguments: GridCase.bad.filter { !$0.isStructural })
  func `names are left to the vocabulary`(_ grid: GridCase) {
    #expect(problems(grid.text).map(\.rendered) == [])
  }

  @Test func `a problem shows its line and a caret under the place`() {
    let found = problems("{\n\t\"version\": 1, \"nme\": \"é\",\n  \"name\": \"g\" }")
    #expect(
      found.map(\.rendered) == [
        "grid.json:2:16: unknown key \"nme\"; did you mean \"name\"?\n  \t\"version\": 1, \"nme\": \"é\",\n  \t              ^"
      ])
  }

  @Test func `a long line is cut around the place`() throws {
    let text =
      "{\"version\": 1, \"name\": \"g\", \"note\": \"\(String(repeating: "n", count: 500))\", \"bas\": {}}"
    let rendered = try #require(problems(text).first).rendered
    let lines = rendered.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines[1].count <= 122)
    let caret = try #require(lines[2].firstIndex(of: "^"))
    #expect(
      lines[1][
        lines[1].index(
          lines[1].startIndex, offsetBy: lines[2].distance(from: lines[2].startIndex, to: caret))...
      ].hasPrefix("\"bas\""))
  }

  @Test(arguments: [
    "version: 1\nname: g\n", "# a grid\n---\nversion: 1\n", "- a\n- b\n",
  ])
  func `YAML is called by its name`(_ text: String) {
    #expect(
      problems(text).map(\.message).allSatisfy { $0.contains("this looks like YAML, and a grid is JSON") })
    #expect(problems("{\"version\": 1,").allSatisfy { !$0.message.contains("YAML") })
  }

  @Test func `a number is quoted as it is written`() {
    let found = problems(
      "{\"version\": 1, \"name\": \"g\", \"seeds\": [1, 2.0], \"run\": {\"workers\": 1e1}}")
    #expect(found.map(\.message).contains { $0.hasSuffix("found 2.0") })
    #expect(found.map(\.message).contains { $0.hasSuffix("found 1e1") })
  }

  @Test func `twenty problems are printed and the rest counted`() {
    let keys = (0..<25).map { "\"k\($0)\": 0" }.joined(separator: ",")
    let rejected = GridRejected(problems("{\"version\": 1, \"name\": \"g\", \(keys)}"))
    #expect(rejected.problems.count == 25)
    #expect(rejected.description.hasSuffix("\n… and 5 more"))
    #expect(rejected.description.components(of: "unknown key") == 20)
  }

  @Test func `thousands of problems in one long grid are named in a moment`() {
    let rows = (0..<20_000).map { "{\"a\(String($0))\": }\n".dropLast(3) + "{}}" }.joined(separator: ",\n")
    let found = problems("{\"version\": 1, \"name\": \"g\", \"exclude\": [\n\(rows)]}")
    #expect(found.count == 20_000)
    #expect(found.last?.place.line == 20_001)
  }

  // What stands in a grid

  @Test func `settings keep their places and spellings`() throws {
    let grid = try ToyGrid.read(
      #"{"version": 1, "name": "g", "base": {"epochs": 5.0, "alpha": 0.10, "student": "a"}}"#)
    let base = try #require(grid.blocks.first).base
    #expect(base["epochs"]?.isInteger == false)
    #expect(base["alpha"]?.value == .number(DecimalNumber(mantissa: 1, exponent: -1)))
    #expect(base["student"]?.spot.place == GridPlace(file: "grid.json", line: 1, column: 79))
  }

  @Test func `seeds come from a list or by count`() throws {
    func seeds(_ text: String) throws -> [Int] {
      try ToyGrid.read("{\"version\": 1, \"name\": \"g\"\(text)}").blocks[0].seeds
    }
    #expect(try seeds("") == [1])
    #expect(try seeds(", \"seeds\": [7, 3]") == [7, 3])
    #expect(try seeds(", \"seeds\": {\"count\": 3}") == [1, 2, 3])
    #expect(try seeds(", \"seeds\": {\"count\": 2, \"first\": 0}") == [0, 1])
  }

  @Test func `a pool gives prefixes, or all subsets in its order`() throws {
    func pools(_ take: String) throws -> [String] {
      let grid = try ToyGrid.read(
        "{\"version\": 1, \"name\": \"g\", \"axes\": {\"teachers\": {\"pool\": [\"a\", \"b\", \"c\", \"d\"], \(take)}}}"
      )
      return grid.blocks[0].axes[0].values.map { $0.value.array!.map { $0.string! }.joined() }
    }
    #expect(try pools("\"take\": [1, 3]") == ["a", "abc"])
    #expect(try pools("\"take\": [2], \"choose\": \"all\"") == ["ab", "ac", "ad", "bc", "bd", "cd"])
    #expect(try pools("\"take\": [4, 3], \"choose\": \"all\"") == ["abcd", "abc", "abd", "acd", "bcd"])
  }

  @Test func `blocks start from the base and the seeds of the file`() throws {
    let grid = try ToyGrid.read(
      """
      {"version": 1, "name": "g", "base": {"a": 1, "b": 2}, "seeds": [1, 2], "axes": {"x": [1]},
       "blocks": [{"name": "one", "base": {"b": 3}}, {"name": "two", "seeds": [9]}]}
      """)
    #expect(grid.blocks.map(\.name) == [nil, "one", "two"])
    #expect(grid.blocks.map { $0.base["b"]?.value } == [2, 3, 2])
    #expect(grid.blocks.map(\.seeds) == [[1, 2], [1, 2], [9]])
    #expect(grid.blocks.map(\.axes.count) == [1, 0, 0], "a block takes nothing else from the top level")
  }

  @Test func `preferences are read and have defaults`() throws {
    let plain = try ToyGrid.read(#"{"version": 1, "name": "g"}"#)
    #expect(
      plain.run.retries == 2 && plain.run.order == .seedMajor && plain.run.onDiverged == .record
        && plain.run.workers == nil)
    #expect(
      plain.report.metric == nil && plain.report.select == .last && plain.teacherSeeds == .fixed)
    let set = try ToyGrid.read(
      #"{"version": 1, "name": "g", "teacherSeeds": "perSeed", "run": {"workers": 3, "order": "shortestFirst", "retries": 0, "maxMinutesPerRun": 0.5}, "report": {"select": "bestOnTest", "rows": ["method"]}}"#
    )
    #expect(set.run.workers == 3 && set.run.order == .shortestFirst && set.run.retries == 0)
    #expect(set.run.maxMinutesPerRun == DecimalNumber(mantissa: 5, exponent: -1))
    #expect(set.report.select == .bestOnTest && set.report.rows == ["method"] && set.teacherSeeds == .perSeed)
  }

  // Extending

  @Test func `what a file says replaces what it extends, key by key in base, run and report`() throws {
    let others = [
      "old.json": """
      {"version": 1, "name": "old", "note": "n", "base": {"a": 1, "b": 2}, "axes": {"x": [1, 2]}, "exclude": [{"x": 1}],
       "seeds": [1, 2, 3], "run": {"workers": 4, "retries": 5}, "report": {"metric": "m", "rows": ["r"]}}
      """
    ]
    let grid = try ToyGrid.read(
      """
      {"extends": "old.json", "version": 1, "name": "new", "base": {"b": 20, "c": 30}, "axes": {"y": [1]}, "run": {"retries": 1}, "report": {"rows": []}}
      """, others: others)
    #expect(grid.name == "new" && grid.note == "n")
    #expect(grid.blocks.count == 1)
    #expect(grid.blocks[0].base.mapValues(\.value) == ["a": 1, "b": 20, "c": 30])
    #expect(grid.blocks[0].axes.map(\.name) == ["y"], "axes are replaced as a whole")
    #expect(grid.blocks[0].exclude.count == 1 && grid.blocks[0].seeds == [1, 2, 3])
    #expect(grid.run.workers == 4 && grid.run.retries == 1)
    #expect(grid.report.metric == "m" && grid.report.rows == [])
  }

  @Test func `grids may extend grids that extend`() throws {
    let others = [
      "a": #"{"version": 1, "name": "a", "base": {"x": 1, "y": 1, "z": 1}}"#,
      "b": #"{"version": 1, "name": "b", "extends": "a", "base": {"y": 2, "z": 2}}"#,
    ]
    let grid = try ToyGrid.read(
      #"{"version": 1, "name": "c", "extends": "b", "base": {"z": 3}}"#, others: others)
    #expect(grid.blocks[0].base.mapValues(\.value) == ["x": 1, "y": 2, "z": 3])
  }

  @Test func `a mistake in an extended grid is shown in that grid`() {
    let found = problems(
      #"{"version": 1, "name": "g", "extends": "old.json"}"#,
      others: ["old.json": "{\"version\": 1,\n \"name\": \"old\", \"bse\": {}}"])
    #expect(found.map(\.place) == [GridPlace(file: "old.json", line: 2, column: 17)])
    expect(
      problems(#"{"version": 1, "name": "g", "extends": "old.json"}"#, others: ["old.json": "{"]),
      toBe: ["1:2 expected a name"])
  }

  @Test func `grids that extend each other or nothing are refused`() {
    expect(
      problems(
        #"{"version": 1, "name": "g", "extends": "a"}"#,
        others: [
          "a": #"{"version": 1, "name": "a", "extends": "b"}"#,
          "b": #"{"version": 1, "name": "b", "extends": "a"}"#,
        ]), toBe: ["1:40 a extends itself"])
    expect(
      problems(#"{"version": 1, "name": "g", "extends": "none"}"#),
      toBe: ["1:40 cannot read none: there is no such grid"])
    expect(problems(#"{"version": 1, "name": "g", "extends": 3}"#), toBe: ["1:40 'extends' should be"])
    let chain = Dictionary(
      uniqueKeysWithValues: (0..<20).map {
        ("g\($0)", "{\"version\": 1, \"name\": \"g\", \"extends\": \"g\($0 + 1)\"}")
      })
    expect(
      problems(#"{"version": 1, "name": "g", "extends": "g0"}"#, others: chain),
      toBe: ["1:40 more than 8 grids extend one another"])
  }
}

extension String {
  /// How often a text occurs.
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
