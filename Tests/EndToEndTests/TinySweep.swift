import Foundation

/// A folder of its own with a grid in it: sweeps that take seconds even in a debug build.
struct TinySweep {
  let folder: URL

  /// Two methods, one teacher, two seeds, images of 8 × 8.
  static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": {
        "dataset": "synthetic-1x8x8-3", "trainImages": 96, "testImages": 48, "batchSize": 16, "epochs": 3, "teacherEpochs": 2,
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] },
        "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }]
      },
      "axes": { "method": ["baseline", "mtkd-rl"] },
      "seeds": { "count": 2 }
    }
    """

  init(grid: String = TinySweep.grid) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write(grid, to: "tiny.json")
  }

  func write(_ text: String, to name: String) throws {
    try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// Process identifiers of workers of this folder's store that are alive.
  func workersAlive() throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { process in
      guard let line = try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline")) else { return false }
      let words = String(decoding: line, as: UTF8.self).split(separator: "\0")
      let isHere =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")) == folder.path
      return words.contains("worker") && isHere
    }
  }
}
