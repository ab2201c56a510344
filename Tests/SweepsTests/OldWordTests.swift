import Specs
import TestSupport
import Testing

@testable import Sweeps

/// `warmupEpochs` was two settings. The old word is read where it can mean one thing only.
@Suite struct OldWordTests {
  private static let base = #""student": "resnet8", "teachers": ["resnet14"]"#

  private func expand(_ members: String, _ base: String) throws -> GridExpansion {
    try GridExpansion(
      ToyGrid.read("{\"version\": 1, \"name\": \"g\",\n\"base\": {\(Self.base), \(base)}\(members)}"), .toy)
  }

  private func problems(_ members: String, _ base: String) -> [GridProblem] {
    do throws(GridRejected) {
      _ = try GridExpansion(
        ToyGrid.read("{\"version\": 1, \"name\": \"g\",\n\"base\": {\(Self.base), \(base)}\(members)}"), .toy)
      return []
    } catch { return error.problems }
  }

  @Test func `both words make the same run, and the old one a note`() throws {
    let old = try expand("", #""method": "mtkd-rl", "warmupEpochs": 2"#)
    let new = try expand("", #""method": "mtkd-rl", "policyWarmupEpochs": 2"#)
    #expect(old.runs[0].spec.canonicalBytes == new.runs[0].spec.canonicalBytes)
    let text = String(decoding: old.runs[0].spec.canonicalBytes, as: UTF8.self)
    #expect(text.contains(#""options":{"warmupEpochs":2}"#), "keys are what they were")
    #expect(new.warnings.isEmpty)
    expect(old.warnings, toBe: ["2:79 \"warmupEpochs\" is read as \"policyWarmupEpochs\""])
  }

  @Test func `an axis over the old word is noted once, and its column keeps its name`() throws {
    let grid = try expand(#", "axes": {"warmupEpochs": [1, 2, 3]}"#, #""method": "mtkd-rl""#)
    #expect(grid.warnings.count == 1 && grid.runs.count == 3)
    #expect(grid.columns == ["student", "method", "warmupEpochs"])
    #expect(grid.runs.map { $0.labels[2] } == [1, 2, 3])
  }

  @Test func `without the method it is the rate's, and nobody's where the rate has none`() throws {
    let rate = try expand(#", "axes": {"warmupEpochs": [1, 2]}"#, #""method": "aver-kd", "recipe": "vit""#)
    #expect(rate.warnings.isEmpty && rate.runs.map { $0.spec.recipe.warmupEpochs } == [1, 2])
    let none = try expand(#", "axes": {"warmupEpochs": [1, 2]}"#, #""method": "aver-kd""#)
    #expect(none.runs.count == 1)
    expect(none.warnings, toBe: ["2:89 no method of this block reads \"warmupEpochs\""])
  }

  @Test func `where it could mean both it is an error that names both`() {
    let found = problems("", #""method": "mtkd-rl", "recipe": "vit", "warmupEpochs": 2"#)
    expect(found, toBe: ["2:112 \"warmupEpochs\" could mean two things"])
    #expect(found[0].message.contains("\"policyWarmupEpochs\""))
    let filter = problems(
      #", "axes": {"alpha": [1, 2]}, "exclude": [{"warmupEpochs": 1, "alpha": 2}]"#,
      #""method": "mtkd-rl", "recipe": "vit""#)
    #expect(filter.contains { $0.message.contains("could mean two things") })
  }

  @Test func `with both words each means its own`() throws {
    let spec = try expand(
      "", #""method": "mtkd-rl", "recipe": "vit", "warmupEpochs": 2, "policyWarmupEpochs": 3"#
    ).runs[0].spec
    #expect(spec.recipe.warmupEpochs == 2 && spec.method.options["warmupEpochs"] == 3)
  }

  @Test func `one place that means one thing here and another there is an error`() {
    let found = problems(
      #", "axes": {"warmupEpochs": [1, 2]}, "zip": [{"method": ["aver-kd", "mtkd-rl"], "recipe": ["vit", "student"]}]"#,
      #""epochs": 8"#)
    #expect(
      found.contains { $0.message.contains("in some runs here") && $0.message.contains("policyWarmupEpochs") }
    )
  }

  @Test func `filters know the option by both words`() throws {
    for word in ["warmupEpochs", "policyWarmupEpochs"] {
      let unset = try expand(
        #", "axes": {"alpha": [1, 2]}, "exclude": [{"\#(word)": 1, "alpha": 2}]"#, #""method": "mtkd-rl""#)
      #expect(unset.runs.count == 1, "\(word)")
      let set = try expand(
        #", "axes": {"warmupEpochs": [1, 2]}, "exclude": [{"\#(word)": 2}]"#, #""method": "mtkd-rl""#)
      #expect(set.runs.count == 1, "\(word)")
    }
  }
}
