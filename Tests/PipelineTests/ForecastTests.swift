import Networks
import Specs
import Sweeps
import Testing

@testable import Pipeline

/// What a forecast says before anything like the work has been measured.
@Suite struct ForecastTests {
  private static func stages(of sweep: InProcessSweep) throws -> [any StageKind] {
    try sweep.plan().plan.stages.map { try $0.stage }
  }

  @Test func `training and asking a family have rates of their own, and a run the rate of its parts`() throws
  {
    let (student, teacher) = (try NetworkNames.spec("mobilenetv2"), try NetworkNames.spec("wrn-16-2"))
    // A second of each.
    let both = AssumedRate.run(student, own: 17e9, [(teacher, 65e9)])
    #expect(abs(both - 41e9) < 1)
    #expect(AssumedRate.run(student, own: 0, [(teacher, 1e9)]) == AssumedRate.inference(teacher))
    #expect(AssumedRate.run(student, own: 0, []) == 17e9)
    let other = try NetworkNames.spec("vgg8")
    #expect(AssumedRate.training(other) < AssumedRate.inference(other))
  }

  @Test func `what a teacher leaves is in the forecast of the disk as what a student leaves is`() throws {
    let sweep = try InProcessSweep(InProcessSweep.grid)
    var meter = CostMeter()
    let costs = try Self.stages(of: sweep).map {
      ($0, try $0.cost(hasHelpers: false, &meter)?.diskBytes ?? 0)
    }
    let teachers = costs.filter { $0.0 is TeacherStage }.map(\.1)
    #expect(!teachers.isEmpty && teachers.allSatisfy { $0 > 0 })
    let all = costs.reduce(0) { $0 + $1.1 }
    #expect(try sweep.plan().forecast.diskBytes == all)
  }
}
