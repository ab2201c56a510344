import Foundation
import Specs
import Storage
import Testing

@testable import Pipeline
@testable import Commands

/// What `status` calls the stages that are at work.
@Suite struct StatusTitleTests {
  @Test func `a stage that two sweeps ask for has the name that the asked one gives it`() throws {
    let made = try MadeUpStore(runs: 6, epochs: 1)
    defer { made.remove() }
    let folder = StoreFolder(made.folder.appending(path: "results").path)
    let writer = try ResultStore(at: folder, .writing)
    try writer.saveSweep(
      SweepRecord(
        name: "second", grid: "{}", canonical: "{}", columns: ["method", "beta"], asked: 1,
        created: MadeUpStore.created),
      points: [SweepPoint(key: made.keys[0], seed: 1, labels: ["baseline", .number(DecimalNumber("5")!)])])
    try writer.close()
    let store = try ResultStore(at: folder, .reading)
    func stage(_ key: ContentKey, _ title: String) -> RunningStage {
      RunningStage(
        key: key, kind: "student", title: title, epoch: 0, epochs: 1, step: 0, steps: 10, loss: nil,
        imagesPerSecond: nil)
    }
    let teacher = ContentKey(hashing: Array("a teacher".utf8))
    let running = [
      stage(made.keys[0], "resnet8 baseline alpha=0e-1 seed 1"), stage(teacher, "teacher resnet56"),
    ]
    let titles = try Standing.named(running, as: store.sweep("second"), store).map(\.title)
    #expect(titles == ["baseline beta=5 seed 1", "teacher resnet56"])
  }
}
