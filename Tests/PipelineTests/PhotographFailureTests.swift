import Foundation
@testable import Pipeline
import Specs
import Storage
import Sweeps
import TestSupport
import Testing

/// A folder of photographs that changes under a sweep.
@Suite struct PhotographFailureTests {
  private static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": {
        "dataset": "imagefolder-8:pictures", "batchSize": 4, "epochs": 1, "teacherEpochs": 1, "method": "aver-kd",
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 2] },
        "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 4] }]
      }
    }
    """

  @Test func `a photograph that is taken away fails the run by name, and back again the run has its number`()
    async throws
  {
    let sweep = try InProcessSweep(Self.grid)
    for split in ["train", "val"] {
      for (label, name) in ["ant", "bee"].enumerated() {
        let place = sweep.folder.path("pictures/\(split)/\(name)")
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for index in 0..<4 {
          let pixels = (0..<12 * 10 * 3).map { UInt8(($0 * 5 + index * 7 + label * 90) & 255) }
          try sweep.folder.write(
            JPEG.encoded(pixels, width: 12, height: 10), to: "pictures/\(split)/\(name)/\(index).jpg")
        }
      }
    }
    let (photograph, aside) = (sweep.folder.path("pictures/train/bee/2.jpg"), sweep.folder.path("aside.jpg"))
    // Every stage but the student's sees the folder whole.
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        guard Self.isStudent(workspace.stage.spec) else { return nil }
        try? FileManager.default.moveItem(atPath: photograph, toPath: aside)
        return nil
      })
    #expect(outcome == .someFailed(1))
    let store = try ResultStore(at: sweep.place, .reading)
    let (stage, state) = try #require(try store.stages().first { $0.stage.kind == "student" })
    guard case .failed(let failure) = state else {
      Issue.record("\(state)")
      return
    }
    #expect(failure.cause == .data)
    #expect(
      failure.reason.contains("pictures/train/bee/2.jpg was read when it was indexed"), "\(failure.reason)")

    try FileManager.default.moveItem(atPath: aside, toPath: photograph)
    try ResultStore(at: sweep.place, .writing).setState(.open, of: stage.key)
    try sweep.place.stage(stage.key).forgive()
    #expect(try await sweep.run() == .allDone)
  }

  private static func isStudent(_ path: String) -> Bool {
    (try? StageRequest(document: AtomicFile.read(path)).kind) == "student"
  }
}
