import Foundation
import Networks
import Specs
import Tensors
import Testing

@testable import Training

/// The metrics of the classification task, against numbers worked out by hand.
@Suite struct EvaluationTests {
  private func evaluated(_ logits: [[Double]], _ labels: [Int]) -> Evaluation {
    var evaluation = Evaluation()
    evaluation.add(
      Tensor(logits.flatMap(\.self), [logits.count, logits[0].count]),
      ClassTargets(labels, classes: logits[0].count))
    return evaluation
  }

  @Test func `the calibration error is the gap between confidence and accuracy, bin by bin`() {
    // Two images at a confidence of 0.9, one right and one wrong: 0.8 images apart. One
    // right at 0.62: 0.38 apart.
    func logits(_ share: Double) -> [Double] { [log(share), log(1 - share)] }
    let evaluation = evaluated([logits(0.9), logits(0.9), logits(0.62)], [0, 1, 0])
    #expect(abs(evaluation.calibrationError - 100 * (0.8 + 0.38) / 3) < 1e-4)
    // In one bin, right and wrong would cancel: 0.95 right and 0.95 wrong are 0.9 apart, not 1.
    #expect(abs(evaluated([logits(0.95), logits(0.95)], [0, 1]).calibrationError - 45) < 1e-4)
    #expect(evaluated([logits(0.5)], [0]).metrics(.test)["test.ece"].map { abs($0 - 50) < 1e-4 } == true)
  }

  @Test func `five of ten classes count, and of equal logits those of lower labels come first`() {
    let falling = (0..<10).map { 9 - Double($0) }
    let evaluation = evaluated(
      [falling, falling, Array(repeating: 1, count: 10), Array(repeating: 1, count: 10)], [4, 5, 4, 5])
    #expect(evaluation.correctAmongFive == 2)
    #expect(evaluation.metrics(.validation)["validation.acc5"] == 50)
    #expect(evaluated([Array(repeating: .nan, count: 10)], [0]).correctAmongFive == 0)
  }

  @Test func `below ten classes nothing is said of five`() {
    let evaluation = evaluated([Array(repeating: 0, count: 9)], [0])
    #expect(evaluation.correctAmongFive == nil && evaluation.metrics(.test)["test.acc5"] == nil)
    #expect(evaluation.metrics(.test)["test.acc1"] == 100)
  }

  @Test func `every number that is reported is declared with a direction`() {
    let declared = MetricDescriptions(ClassificationMetrics.descriptions())
    let reported = evaluated([Array(repeating: 0, count: 10)], [0])
    for split in [ClassificationMetrics.Split.test, .validation] {
      for name in reported.metrics(split).keys where name != ClassificationMetrics.images(split) {
        #expect(declared[name].isHigherBetter != nil, "\(name)")
      }
    }
  }
}
