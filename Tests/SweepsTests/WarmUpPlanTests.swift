import Specs
import TestSupport
import Testing

@testable import Sweeps

/// Which runs train their first epochs alike, and what their keys have to prove for that.
@Suite struct WarmUpPlanTests {
  private static let network = ModelSpec(family: "f", parameters: [:])
  private static let method = MethodDescription(
    name: "m", summary: "", readsTeachers: true,
    options: [
      OptionDescription("alpha", .number(minimum: DecimalNumber(0)), standard: 1, help: ""),
      OptionDescription("agent", .choice(["a", "b"]), standard: "a", help: ""),
      OptionDescription("warmupEpochs", .integer(minimum: 0), standard: 1, help: ""),
    ],
    warmUp: { options in
      let epochs = options["warmupEpochs"]?.integer ?? 0
      return epochs > 0 ? (epochs, ["alpha"]) : nil
    })

  private func run(
    _ options: [String: JSONValue] = [:], epochs: Int = 16, seed: Int = 1,
    change: (inout RunSpec) -> Void = { _ in }
  ) -> PlannedRun {
    let recipe = RecipeSpec.student(epochs: epochs)
    var spec = RunSpec(
      dataset: DatasetSpec(name: "d"), student: Self.network,
      method: MethodSpec(name: "m", options: options),
      teachers: [TeacherSpec(network: Self.network, recipe: .student(epochs: 5), seed: 0)], recipe: recipe,
      seed: seed)
    change(&spec)
    return PlannedRun(spec: spec, labels: [], block: 0)
  }

  private func stage(_ run: PlannedRun) -> WarmUpStage? { WarmUpStage(run.spec, Self.method) }

  private func plan(_ runs: [PlannedRun], done: Set<ContentKey> = []) -> SweepPlan {
    SweepPlan(runs).sharingWarmUps(runs, done: done) { WarmUpStage($0, Self.method) }
  }

  @Test func `what only the policy reads, and what comes later, is in no key of first epochs`() throws {
    let key = try #require(stage(run())).key
    #expect(stage(run(["agent": "b"]))?.key == key)
    // Another length moves all milestones, none of which is in the first epoch.
    #expect(stage(run(epochs: 80))?.key == key)
  }

  @Test func `whatever the first epochs depend on is in their key`() throws {
    let key = try #require(stage(run())).key
    let others: [PlannedRun] = [
      run(["alpha": 2]), run(["warmupEpochs": 2]), run(seed: 2), run { $0.views = 4 },
      run { $0.recipe.learningRate = DecimalNumber(1) }, run { $0.recipe.batchSize = 7 },
      run { $0.teachers.append($0.teachers[0]) }, run { $0.teachers[0].seed = 1 },
      run { $0.dataset.trainImages = 10 }, run { $0.recipe.convolution = .direct },
      run { $0.student = ModelSpec(family: "g", parameters: [:]) },
      // A rate that falls within the first epochs, and one that knows its end from the beginning.
      run(["warmupEpochs": 11]), run { $0.recipe.schedule = .cosine },
    ]
    let keys = others.map { stage($0)?.key }
    #expect(!keys.contains(key) && !keys.contains(nil) && Set(keys).count == others.count)
    let cosine = run(epochs: 80) { $0.recipe.schedule = .cosine }
    #expect(stage(cosine)?.key != keys.last)
    let early = stage(run(["warmupEpochs": 11]))?.key
    #expect(stage(run(["warmupEpochs": 11], epochs: 80))?.key != early)
  }

  @Test func `a run without such epochs shares none`() {
    #expect(stage(run(["warmupEpochs": 0])) == nil)
    let stranger = run { $0.trainer = TrainerSpec(command: ["t"], files: []) }
    #expect(stage(stranger) == nil)
  }

  @Test func `first epochs become a stage where two runs that are still to be made share them`() throws {
    let alone = [run(), run(seed: 2), run(["alpha": 2])]
    #expect(plan(alone).warmUps.isEmpty)
    #expect(plan(alone).stages.map(\.kind) == SweepPlan(alone).stages.map(\.kind))
    let runs = alone + [run(["agent": "b"])]
    let shared = plan(runs)
    let warmUp = try #require(shared.stages.first { $0.kind == WarmUpStage.kind })
    #expect(shared.warmUps.count == 1 && shared.warmUps[warmUp.key] == stage(run()))
    #expect(shared.runKeys == SweepPlan(runs).runKeys, "no run's key depends on it")
    let readers = shared.stages.filter { $0.helpers.contains(warmUp.key) }.map(\.key)
    #expect(readers == [shared.runKeys[0], shared.runKeys[3]])
    #expect(shared.stages.map(\.kind).filter { $0 != "student" } == ["dataset", "teacher", "warm-up"])
    #expect(plan(runs, done: [shared.runKeys[3]]).warmUps.isEmpty)
  }

  @Test func `first epochs come back from their encoding`() throws {
    let written = try #require(stage(run(["agent": "b", "alpha": 2]) { $0.views = 2 }))
    let read = try StageRequest(document: StageRequest(written).document).decoded(as: WarmUpStage.self)
    #expect(read == written && read.key == written.key)
  }
}
