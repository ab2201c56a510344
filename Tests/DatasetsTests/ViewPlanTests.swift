import Specs
import Tensors
import Testing

@testable import Datasets

@Suite struct ViewPlanTests {
  private let images = ImageSet(
    task: ImageTask(channels: 1, height: 8, width: 8, classes: 2), labels: Array(repeating: 0, count: 40),
    pixels: (0..<40 * 64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 64) }, mean: [0.5], std: [0.25])

  @Test func `the choice depends on seed, epoch and image, and not on the batch`() {
    let plan = ViewPlan.fixed(count: 4)
    let all = plan.choice(Array(0..<400), seed: 7, epoch: 3)!
    #expect(plan.choice([11, 5], seed: 7, epoch: 3) == [all[11], all[5]])
    #expect(plan.choice(Array(0..<400), seed: 7, epoch: 4) != all)
    #expect(plan.choice(Array(0..<400), seed: 8, epoch: 3) != all)
    #expect(ViewPlan.fresh.choice([0], seed: 7, epoch: 3) == nil)
    #expect(ViewPlan(views: 0) == .fresh && ViewPlan(views: 3) == .fixed(count: 3))
  }

  @Test func `every view is as likely as the others`() {
    var counts = [0, 0, 0, 0]
    for epoch in 0..<20 {
      for view in ViewPlan.fixed(count: 4).choice(Array(0..<500), seed: 1, epoch: epoch)! {
        counts[view] += 1
      }
    }
    // 10 000 draws: 2500 each with a std of 43.
    #expect(counts.allSatisfy { abs($0 - 2500) < 5 * 43 }, "\(counts)")
  }

  @Test func `a fixed view is one picture, whoever asks in whatever batch`() throws {
    let augmentation = Augmentation.standard
    func view(_ index: Int, _ number: Int) throws -> [Float] {
      try augmentation.batch(of: images, indices: [index], views: [number]).floats
    }
    let both = try augmentation.batch(of: images, indices: [3, 9], views: [1, 0]).floats
    #expect(try both == view(3, 1) + view(9, 0))
    // Of 9 × 9 × 2 crops, most of 40 images have two different ones.
    let different = try (0..<40).count { try view($0, 0) != view($0, 1) }
    #expect(different >= 30)
  }
}
