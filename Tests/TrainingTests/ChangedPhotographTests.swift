import Datasets
import Distillation
import Foundation
import Networks
import Specs
import TestSupport
import Testing
import Training

/// Photographs are read while a run goes on, and somebody may touch them then.
@Suite struct ChangedPhotographTests {
  /// Two classes, eight photographs for training and two for measuring each.
  private static func photographs(in folder: TemporaryFolder) throws -> Dataset {
    for (split, count) in [("train", 8), ("val", 2)] {
      for (label, name) in ["ant", "bee"].enumerated() {
        let place = folder.path("\(split)/\(name)")
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for index in 0..<count {
          try write(index + 8 * label, to: "\(split)/\(name)/\(index).jpg", in: folder)
        }
      }
    }
    return try DatasetCatalog.read(DatasetCatalog.locate("imagefolder-8:\(folder.path)").spec)
  }

  private static func write(_ number: Int, to name: String, in folder: TemporaryFolder) throws {
    let pixels = (0..<20 * 16 * 3).map { UInt8(($0 * 3 + number * 11) & 255) }
    try folder.write(JPEG.encoded(pixels, width: 20, height: 16), to: name)
  }

  private static func run(
    _ dataset: Dataset, _ method: MethodSpec = MethodSpec(name: "baseline"), teachers: [Teacher] = []
  ) throws -> TrainingRun {
    try TrainingRun(
      student: TinyRun.network(8), teachers: teachers, method: method,
      recipe: .student(epochs: 2, batchSize: 4), source: DatasetBatches(dataset, batchSize: 4, seed: 1),
      seed: 1)
  }

  /// The error that ends a run; nil where it comes to its end.
  private static func end(of run: TrainingRun) throws -> DatasetError? {
    var run = run
    do {
      while try run.step() != nil {}
      return nil
    } catch let error as DatasetError {
      return error
    }
  }

  @Test func `a photograph that vanishes ends the run with its name and what to do`() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(Self.photographs(in: folder))
    try FileManager.default.removeItem(atPath: folder.path("train/bee/3.jpg"))
    let error = try #require(try Self.end(of: run))
    #expect(
      error.description
        == "\(folder.path)/train/bee/3.jpg was read when it was indexed and cannot be any more (No such file or directory). "
        + "Put the old file back and type `mtkd-sweep retry`; or run the grid again as it is: with other photographs it is other runs."
    )
    // Back again, it is as if nothing had been.
    try Self.write(11, to: "train/bee/3.jpg", in: folder)
    #expect(try Self.end(of: run) == nil)
  }

  @Test(arguments: ["train/ant/0.jpg", "val/bee/1.jpg"])
  func `a photograph that holds other bytes is never shown, in training or in measuring`(_ name: String)
    throws
  {
    let folder = try TemporaryFolder()
    let run = try Self.run(Self.photographs(in: folder))
    try Self.write(77, to: name, in: folder)
    let path = folder.path(name)
    #expect(
      try Self.end(of: run)
        == .changedPhotograph(file: path, problem: "holds other bytes than when it was indexed"))
  }

  @Test func `a method that looks at all images before the first batch says it as well`() throws {
    let folder = try TemporaryFolder()
    let dataset = try Self.photographs(in: folder)
    let built = try BuiltNetwork(TinyRun.network(6), dataset.task)
    let teacher = Teacher(built, built.state(seed: 5))
    let method = MethodSpec(name: "aver-kd", options: ["ndMode": "replace"])
    _ = try Self.run(dataset, method, teachers: [teacher])
    try FileManager.default.removeItem(atPath: folder.path("train/ant/7.jpg"))
    #expect(throws: DatasetError.self) { try Self.run(dataset, method, teachers: [teacher]) }
  }
}
