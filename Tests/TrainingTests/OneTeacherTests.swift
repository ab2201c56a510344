import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// Options that are in no key with one teacher change no bit of the student, whatever they are set to.
@Suite struct OneTeacherTests {
  /// The student's arrays after the whole run, by their names.
  private func student(_ method: String, _ options: [String: JSONValue]) throws -> [String: [Double]] {
    var tiny = TinyRun()
    tiny.method = method
    tiny.options = options
    tiny.teachers = 1
    tiny.precision = .single
    var run = try tiny.run()
    let names = Set(try Safetensors(decoding: plain(tiny).snapshot.encoded()).entries.map(\.name))
    while try run.step() != nil {}
    let end = try Safetensors(decoding: run.snapshot.encoded())
    var arrays: [String: [Double]] = [:]
    for entry in end.entries where names.contains(entry.name) { arrays[entry.name] = entry.tensor?.doubles }
    return arrays
  }

  /// A run without teachers: it has the student's arrays and no others.
  private func plain(_ tiny: TinyRun) throws -> TrainingRun {
    var baseline = tiny
    baseline.method = "baseline"
    baseline.options = [:]
    return try baseline.run()
  }

  private static let cases: [(method: String, options: [String: JSONValue])] =
    MTKDRL.description.options.flatMap { option -> [(String, [String: JSONValue])] in
      let values: [JSONValue] =
        switch option.kind {
        case .choice(let words): words.map { .string($0) }
        case .words(let words):
          [.array([.string(words[0]), .string(words[1])]), .array([.string(words[1])])]
        case .integer: [0, 2]
        case .integerOr: [1]
        case .number: [3]
        default: []
        }
      return values.map { ("mtkd-rl", [option.encodedName: $0]) }
    } + [
      ("mtkd-rl", ["policy": "ppo", "rewardTiming": "postUpdate", "stateNorm": "running"]),
      ("mtkd-rl", ["policy": "ddpg", "warmupEpochs": 0]),
      ("mtkd-rl", ["mixing": "dynamic", "warmupEpochs": 0]),
      ("mtkd-rl", ["mixing": "dynamic", "actionTerms": ["policy", "divergence"]]),
      (
        "mtkd-rl",
        ["weightNormaliser": "sigmoid", "divergenceSign": "towardsCloser", "rewardTiming": "postUpdate"]
      ),
      ("eb-kd", ["ebkdVariant": "inverse"]), ("ca-mkd", ["camkdWeightGradient": "through"]),
      ("aekd", ["aekdSolver": "releasedStart"]), ("aekd-hint", ["cmax": 1]),
    ]

  @Test(arguments: cases.map { "\($0.method) \(JSONValue.object($0.options))" })
  func `a run is the run that its reduced options name`(_ name: String) throws {
    let (method, options) = try #require(
      Self.cases.first { "\($0.method) \(JSONValue.object($0.options))" == name })
    let description = try Catalog.methods.entry(method).description
    guard (try? MethodOptions(options, description)) != nil else { return }
    let reduced = description.reduced(options, teachers: 1)
    #expect(try student(method, options) == student(method, reduced))
  }
}
