import Distillation
import Specs
import TestSupport
import Testing

/// What the catalog says of methods, and what it lets a grid say.
@Suite struct MethodCatalogTests {
  static let descriptions = Catalog.methods.entries.map { $0.description }

  @Test func `the methods of the paper are there`() {
    #expect(
      Set(Catalog.methods.names).isSuperset(of: [
        "baseline", "aver-kd", "aver-kd-fitnet", "amtml-kd", "aekd", "aekd-hint", "eb-kd", "ca-mkd", "mmkd",
        "mtkd-rl",
      ]))
    #expect(Catalog.agents.names == ["pg", "dpg", "ddpg", "ppo"])
  }

  @Test(arguments: Catalog.methods.names)
  func `defaults and presets are options that the method takes`(_ name: String) throws {
    let description = try Catalog.methods.entry(name).description
    #expect(Set(description.options.map(\.name)).count == description.options.count)
    for option in description.options {
      #expect(option.complaint(about: option.standard) == nil, "\(name) \(option.name)")
    }
    _ = try MethodOptions([:], description)
    for preset in description.presets { _ = try MethodOptions(preset.options, description) }
  }

  @Test(arguments: Catalog.methods.names)
  func `the page of methods names every method and every option`(_ name: String) throws {
    let page = try RepositoryFile.text("docs/methods.md")
    let description = try Catalog.methods.entry(name).description
    #expect(page.contains(name))
    for option in description.options { #expect(page.contains("`\(option.name)"), "\(name): \(option.name)") }
    #expect(name == "baseline" || !description.explanation.isEmpty)
  }

  @Test(arguments: descriptions.filter { $0.options.contains { $0.name == "scaling" } }.map(\.name))
  func `under its authors' scaling a method does not read alpha and beta`(_ name: String) throws {
    let description = try Catalog.methods.entry(name).description
    let released = description.reduced(["scaling": "released", "alpha": 2, "beta": 7])
    #expect(released == ["scaling": "released"])
    #expect(description.reduced(["scaling": "eq2", "alpha": 2]) == ["alpha": 2])
  }

  @Test func `options that say nothing are in no key`() {
    let mtkd = MTKDRL.description
    let reference = mtkd.presets.first { $0.name == "reference" }!.options
    #expect(
      mtkd.reduced(reference.merging(["policy": "ppo"]) { $1 }) == ["policy": "ppo", "policyInterval": 1000])
    #expect(mtkd.reduced(["ndWeight": 3, "distTemperature": 2]) == [:])
    #expect(
      mtkd.reduced(["ndMode": "replace", "ndWeight": 3, "beta": 9]) == ["ndMode": "replace", "ndWeight": 3])
    #expect(mtkd.reduced(["warmupEpochs": 0, "warmupWeight": "uniform"]) == ["warmupEpochs": 0])
    let camkd = ConfidenceKD.description
    #expect(camkd.reduced(["camkdWeightGradient": "stop"]) == [:])
    #expect(
      camkd.reduced(["camkdWeightGradient": "stop", "scaling": "released"])
        == ["camkdWeightGradient": "stop", "scaling": "released"])
  }

  @Test func `with one teacher what only a policy reads is in no key`() {
    let mtkd = MTKDRL.description
    let reference = mtkd.presets.first { $0.name == "reference" }!.options
    let idle: [String: JSONValue] = [
      "policy": "ddpg", "stateNorm": "running", "rewardTiming": "postUpdate", "warmupEpochs": 5,
      "warmupWeight": "uniform", "divergenceSign": "towardsCloser", "actionTerms": ["policy"],
    ]
    #expect(
      mtkd.reduced(idle.merging(reference) { $1 }.merging(["alpha": 2]) { $1 }, teachers: 1) == ["alpha": 2])
    #expect(mtkd.reduced(["mixing": "dynamic"], teachers: 1) == [:])
    #expect(mtkd.reduced(["mixing": "dynamic"], teachers: 2) == ["mixing": "dynamic"])
    // A sigmoid still weighs one teacher, by the policy that the run starts with.
    let sigmoid: [String: JSONValue] = ["weightNormaliser": "sigmoid", "policyNetwork": "joint"]
    #expect(mtkd.reduced(sigmoid, teachers: 1) == sigmoid)
    #expect(
      mtkd.reduced(sigmoid.merging(["objective": "log", "policyRate": 1]) { $1 }, teachers: 1) == sigmoid)
    #expect(mtkd.reduced(sigmoid.merging(["actionTerms": ["confidence"]]) { $1 }, teachers: 1) == [:])
    #expect(EntropyKD.description.reduced(["ebkdVariant": "inverse"], teachers: 1) == [:])
    #expect(ConfidenceKD.description.reduced(["camkdWeightGradient": "through"], teachers: 1) == [:])
    #expect(AEKD.description.reduced(["aekdSolver": "releasedStart", "cmax": 1], teachers: 1) == [:])
  }

  /// Every combination of objective, scope and normalisation; those that make sense are named.
  @Test func `a reward goes with its objective, or the options are refused`() {
    let allowed: Set<[String]> = [
      ["linear", "perTeacher", "minmaxRaw"], ["linear", "perTeacher", "minmaxCentred"],
      ["linear", "perTeacher", "none"], ["log", "perTeacher", "minmaxRaw"],
      ["log", "perTeacher", "minmaxCentred"], ["log", "perTeacher", "none"],
      ["bceOnes", "perSample", "zscoreClamp"], ["bceOnes", "perSample", "zscore"],
      ["bceOnes", "perSample", "none"],
    ]
    for objective in PolicyGradient.Objective.allCases.map(\.rawValue) {
      for scope in ["perTeacher", "perSample"] {
        for norm in Reward.Normalisation.allCases.map(\.rawValue) {
          let options: [String: JSONValue] = [
            "objective": .string(objective), "rewardScope": .string(scope), "rewardNorm": .string(norm),
          ]
          let isTaken = (try? MethodOptions(options, MTKDRL.description)) != nil
          #expect(isTaken == allowed.contains([objective, scope, norm]), "\(objective) \(scope) \(norm)")
        }
      }
    }
  }

  @Test(
    arguments: [
      ["policy": "ppo", "mixing": "dynamic"], ["policy": "sac"], ["actionTerms": []],
      ["stateEntries": ["f"]], ["warmupEpochs": -1], ["policyInterval": 0],
    ] as [[String: JSONValue]])
  func `what makes no sense is refused`(_ options: [String: JSONValue]) {
    #expect(throws: InvalidOption.self) { try MethodOptions(options, MTKDRL.description) }
  }
}
