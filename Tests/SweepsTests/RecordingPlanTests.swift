import Specs
import Testing

@testable import Sweeps

/// When what teachers say is worth writing down, and for whom.
@Suite struct RecordingPlanTests {
  private static let networks = ["a", "b"].map { ModelSpec(family: "f", parameters: ["name": .string($0)]) }
  private static let dataset = DatasetSpec(name: "d")

  private static func run(
    _ method: String, views: Int, epochs: Int, seed: Int = 1, teachers: Int = 2
  ) -> PlannedRun {
    let recipe = RecipeSpec.student(epochs: epochs)
    let pool = networks.prefix(teachers).map { TeacherSpec(network: $0, recipe: recipe, seed: 0) }
    return PlannedRun(
      spec: RunSpec(
        dataset: dataset, student: networks[0], method: MethodSpec(name: method), teachers: pool,
        recipe: recipe,
        seed: seed, views: views), labels: [], block: 0)
  }

  private func plan(
    _ runs: [PlannedRun], done: Set<ContentKey> = [], exists: (ContentKey) -> Bool = { _ in false }
  ) -> SweepPlan {
    SweepPlan(runs).recordingTeachers(
      runs, reads: ["logits": .heads, "maps": .maps, "deep": .stages, "alone": .none], done: done,
      exists: exists
    )
  }

  @Test func `outputs are written where the epochs that read them are more than the views`() {
    #expect(plan([Self.run("maps", views: 4, epochs: 4)]).records.isEmpty)
    #expect(plan([Self.run("maps", views: 4, epochs: 5)]).records.count == 2)
    #expect(plan((1...3).map { Self.run("maps", views: 4, epochs: 2, seed: $0) }).records.count == 2)
    #expect(plan([Self.run("maps", views: 0, epochs: 50)]).records.isEmpty)
    let runs = [Self.run("maps", views: 4, epochs: 5)]
    #expect(plan(runs, done: [SweepPlan(runs).runKeys[0]]).records.isEmpty)
  }

  @Test func `maps are kept only where somebody reads them`() {
    let logits = Self.run("logits", views: 2, epochs: 9)
    let one = Self.run("maps", views: 2, epochs: 9, teachers: 1)
    #expect(plan([logits]).records.values.allSatisfy { $0.keeps == .heads })
    let both = plan([logits, one])
    #expect(both.records.values.filter { $0.keeps == .maps }.map(\.teacher.network) == [Self.networks[0]])
    #expect(both.records.count == 2)
    // Both runs wait for the one set of outputs of the teacher that they share.
    let students = both.stages.filter { $0.kind == StudentStage.kind }
    #expect(students.map(\.helpers.count) == [2, 1])
    #expect(students[0].helpers.contains(students[1].helpers[0]))
  }

  @Test func `outputs with maps that are there already serve those who read logits`() {
    let runs = [Self.run("logits", views: 2, epochs: 9)]
    let full = Set(
      runs[0].spec.teachers.map { TeacherOutputsStage($0, on: Self.dataset, views: 2, keeps: .maps).key })
    let chosen = plan(runs) { full.contains($0) }
    #expect(Set(chosen.records.keys) == full)
  }

  @Test func `maps of all stages are kept where somebody reads them, in an output of their own`() throws {
    let deep = plan([Self.run("deep", views: 2, epochs: 9), Self.run("maps", views: 2, epochs: 9)])
    #expect(deep.records.values.map(\.keeps) == [.stages, .stages])
    let keys = TeacherOutputs.heads.sufficient.map { keeps in
      TeacherOutputsStage(
        deep.records.values.first!.teacher, on: Self.dataset, views: 2, keeps: keeps)
    }
    #expect(Set(keys.map(\.key)).count == 3)
    for stage in keys {
      let read = try TeacherOutputsStage(JSONReader.read(stage.canonicalBytes).value, at: "")
      #expect(read == stage)
    }
  }

  @Test func `no run's key depends on what is written down`() {
    let runs = [Self.run("maps", views: 4, epochs: 50), Self.run("logits", views: 4, epochs: 50)]
    #expect(plan(runs).runKeys == SweepPlan(runs).runKeys)
    #expect(Set(plan(runs).stages.map(\.key)).isSuperset(of: SweepPlan(runs).stages.map(\.key)))
  }

  @Test func `views are part of a run where there are some, and leave old keys alone where there are none`() {
    let fresh = Self.run("maps", views: 0, epochs: 2).spec
    let fixed = Self.run("maps", views: 3, epochs: 2).spec
    #expect(!String(decoding: fresh.canonicalBytes, as: UTF8.self).contains("views"))
    #expect(StudentStage(fresh).key != StudentStage(fixed).key)
    #expect(try! RunSpec(JSONReader.read(fixed.canonicalBytes).value) == fixed)
  }
}
