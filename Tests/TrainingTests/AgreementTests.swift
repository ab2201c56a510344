import Networks
import Specs
import Tensors
import Testing

@testable import Training

/// How often a student and each of its teachers name the same class.
@Suite struct AgreementTests {
  @Test func `images for which both name one class are counted, right or wrong`() {
    var evaluation = Evaluation()
    // Four images; the student names 0, 1, 2 and, of two equal logits, the lower: 0.
    let logits = Tensor([9, 0, 0, 0, 9, 0, 0, 0, 9, 5, 5, 0], [4, 3])
    evaluation.add(logits, ClassTargets([0, 2, 2, 1], classes: 3), beside: [[0, 1, 2, 0], [1, 1, 0, 1]])
    evaluation.add(Tensor([0, 1, 0], [1, 3]), ClassTargets([0], classes: 3), beside: [[2], [1]])
    #expect(evaluation.agreements == [4, 2])
    #expect(evaluation.metrics(.test)["test.agreement.0"] == 80)
    #expect(evaluation.metrics(.validation)["validation.agreement.1"] == 40)
    #expect(evaluation.accuracy == 40)
  }

  @Test func `a run counts what its student and its teachers say, and is not changed by it`() throws {
    var tiny = TinyRun(method: "aver-kd", teachers: 3, samples: 40, batchSize: 8)
    tiny.precision = .single
    var (plain, measured) = (try tiny.run(), try tiny.run(measuringAgreement: true))
    let (teachers, images) = (try tiny.trainedTeachers, tiny.source.images)
    var epochs = 0
    while let report = try measured.step() {
      let other = try #require(try plain.step())
      guard let epoch = report.finishedEpoch, let calm = other.finishedEpoch else { continue }
      epochs += 1
      #expect(epoch.state == calm.state)
      let own = named(measured.network.network(images, Pass(measured.state, .inference)).logits)
      for (place, teacher) in teachers.enumerated() {
        let taught = named(teacher.network.network(images, Pass(teacher.state, .inference)).logits)
        let shared = own.indices.filter { own[$0] == taught[$0] }.count
        #expect(epoch.metrics["test.agreement.\(place)"] == 100 * Double(shared) / 40)
      }
      let others = epoch.metrics.values.filter { !$0.name.hasPrefix("test.agreement.") }
      #expect(others == calm.metrics.values && epoch.metrics.values.count == others.count + 3)
    }
    #expect(epochs == 3)
  }

  @Test func `a run that goes on in a new process asks its teachers again and counts the same`() throws {
    let tiny = TinyRun(method: "aver-kd")
    var whole = try tiny.run(measuringAgreement: true)
    var last: EpochRecord?
    var cut: Snapshot?
    while let report = try whole.step() {
      if report.finishedEpoch?.epoch == 0 { cut = whole.snapshot }
      last = report.finishedEpoch ?? last
    }
    var second = try tiny.run(measuringAgreement: true)
    try second.restore(from: #require(cut))
    var end: EpochRecord?
    while let report = try second.step() { end = report.finishedEpoch ?? end }
    #expect(end == last && end?.metrics["test.agreement.1"] != nil)
  }

  @Test func `every number of it is declared with a direction`() {
    let declared = MetricDescriptions(ClassificationMetrics.descriptions(teachers: 2))
    for name in ["test.agreement.0", "validation.agreement.1"] {
      #expect(declared[name].isHigherBetter == true && declared[name].unit == "%")
      #expect(ClassificationMetrics.request(for: name) == "\"agreement\": true")
    }
    #expect(ClassificationMetrics.request(for: "test.agreement.x") == nil)
    #expect(ClassificationMetrics.request(for: "test.acc1") == nil)
  }

  /// The place of each row's largest logit, by sorting.
  private func named(_ logits: Tensor) -> [Int] {
    let (values, classes) = (logits.doubles, logits.shape[1])
    return (0..<logits.shape[0]).map { row in
      let own = values[row * classes..<(row + 1) * classes]
      return own.enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }[0].offset
    }
  }
}
