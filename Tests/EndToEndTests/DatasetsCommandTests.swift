import Foundation
import Specs
import TestSupport
import Testing

/// `datasets`: the list, one dataset, and generated images for other frameworks.
@Suite struct DatasetsCommandTests {
  @Test func `datasets of all tasks are listed`() throws {
    let temporary = try TemporaryFolder()
    let folder = URL(filePath: temporary.path)
    let output = try Program.run("datasets", in: folder)
    #expect(output.status == 0, "\(output.talk)")
    for words in [
      ["cifar100", "classification"], ["synthetic-shapes", "found", "detection, segmentation"],
      ["coco2017", "absent", "detection"], ["coco-json", "detection"], ["voc-xml", "detection"],
      ["cityscapes", "segmentation"], ["ade20k", "segmentation"], ["coco-stuff-164k", "segmentation"],
    ] {
      let isListed = output.out.split(separator: "\n").contains { line in
        line.hasPrefix("\(words[0]) ") && words.allSatisfy { line.contains($0) }
      }
      #expect(isListed, "\(words): \(output.out)")
    }
  }

  @Test func `generated shapes are exported whole or not at all, and read back`() throws {
    let temporary = try TemporaryFolder()
    let folder = URL(filePath: temporary.path)
    let output = try Program.run(
      "datasets", "synthetic-shapes-64x64-2", "--export", "shapes", "--train-images", "20", "--test-images",
      "2", in: folder)
    #expect(output.status == 0, "\(output.talk)")
    #expect(output.talk.contains("20 training images and 2 test images"))
    let path = folder.appending(path: "shapes").path
    for file in ["annotations/instances_train.json", "train/19.png", "val/1.png", "labels/val/1.png"] {
      #expect(FileManager.default.fileExists(atPath: "\(path)/\(file)"), "\(file)")
    }
    let read = try Program.run("datasets", "coco-json:shapes", in: folder)
    #expect(read.status == 0, "\(read.talk)")
    #expect(read.out.contains("2 classes, 20 + 2 images") && read.out.contains("classes: disc, square"))
    #expect(read.out.contains("1 box marked as a crowd"))
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/other/mine", withIntermediateDirectories: true)
    let occupied = try Program.run("datasets", "synthetic-shapes", "--export", "other", in: folder)
    #expect(occupied.status != 0 && occupied.talk.contains("other"))
    let files = try Program.run("datasets", "coco-json:shapes", "--export", "again", in: folder)
    #expect(files.status == 64 && files.talk.contains("synthetic-shapes"))
  }

  @Test func `a dataset that is damaged is refused with the record, and a slip in its name with the nearest`()
    throws
  {
    let temporary = try TemporaryFolder()
    let folder = URL(filePath: temporary.path)
    let output = try Program.run(
      "datasets", "synthetic-shapes-32x32-1", "--export", "d", "--train-images", "2", "--test-images", "1",
      in: folder)
    #expect(output.status == 0, "\(output.talk)")
    let file = folder.appending(path: "d/annotations/instances_train.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try text.replacing("\"image_id\":0", with: "\"image_id\":5").write(
      to: file, atomically: true, encoding: .utf8)
    let damaged = try Program.run("datasets", "coco-json:d", in: folder)
    #expect(damaged.status == 65, "\(damaged.status)")
    #expect(damaged.talk.contains("instances_train.json: annotation ") && damaged.talk.contains("image_id 5"))
    let missing = try Program.run("datasets", "ade20k:nowhere", in: folder)
    #expect(missing.status != 0 && missing.talk.contains("annotations with training and validation"))
    let slip = try Program.run("datasets", "citiscapes:d", in: folder)
    #expect(slip.status != 0 && slip.talk.contains("'cityscapes'"))
  }

  @Test func `teachers that learn from more images than students find the folder of the data, too`() throws {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "folder",
          "base": { "dataset": "cifar10:pictures", "trainImages": 20, "testImages": 10, "batchSize": 10, "epochs": 1,
                    "method": "aver-kd", "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] },
                    "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }],
                    "teacherTrainImages": 40 } }
        """)
    defer { sweep.remove() }
    let pictures = sweep.folder.appending(path: "pictures")
    try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
    for (name, count) in [("data_batch_1.bin", 50), ("test_batch.bin", 10)] {
      let records = (0..<count).flatMap { index in
        [UInt8(index % 10)] + (0..<3072).map { UInt8(truncatingIfNeeded: $0 &* (index + 3)) }
      }
      try Data(records).write(to: pictures.appending(path: name))
    }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
  }
}
