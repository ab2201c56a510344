import Foundation
import TestSupport
import Testing

/// A sweep on a folder of JPEGs, decoded while it trains.
@Suite struct PhotographRunTests {
  @Test func `what was left out of a folder stands below the table and beside each run`() throws {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "photos",
          "base": { "dataset": "imagefolder-16:pictures", "batchSize": 4, "epochs": 1, "method": "baseline",
                    "student": { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 2] } } }
        """)
    defer { sweep.remove() }
    for split in ["train", "val"] {
      for (label, name) in ["dark", "light"].enumerated() {
        let folder = sweep.folder.appending(path: "pictures/\(split)/\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for index in 0..<4 {
          let pixels = (0..<20 * 20 * 3).map { UInt8(($0 * 37 + index * 11) % 60 + 180 * label) }
          try Data(JPEG.encoded(pixels, width: 20, height: 20)).write(
            to: folder.appending(path: "\(index).jpg"))
        }
      }
    }
    try sweep.write("no picture", to: "pictures/train/dark/notes.txt")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    let note = "imagefolder-16-2: 2 classes, 8 + 8 images, 1 left out (not a picture)"
    #expect(run.out.contains("\nData: \(note)"), "\(run.out)")
    // Where the pictures are gone, the store still tells it.
    try FileManager.default.removeItem(at: sweep.folder.appending(path: "pictures"))
    for format in ["markdown", "latex", "html", "json"] {
      let report = try Program.run("report", "--format", format, in: sweep.folder).out
      #expect(report.contains("1 left out (not a picture)"), "\(format): \(report)")
    }
    let key = try Program.run("list", "photos", in: sweep.folder).out.prefix(10)
    #expect(try Program.run("show", String(key), in: sweep.folder).out.contains("\ndata    \(note)"))
  }

  @Test func `a sweep trains on photographs and goes on bit for bit`() throws {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "photos",
          "base": { "dataset": "imagefolder-16:pictures", "batchSize": 8, "epochs": 2, "teacherEpochs": 1,
                    "student": { "family": "timm_vit", "image": 16, "patch": 4, "dim": 16, "depth": 2, "heads": 2, "mlp_ratio": 2 },
                    "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }] },
          "axes": { "method": ["baseline", "aver-kd"], "colourJitter": [0, 0.4] } }
        """)
    defer { sweep.remove() }
    for (split, count) in [("train", 12), ("val", 5)] {
      for (label, name) in ["dark", "light", "green"].enumerated() {
        let folder = sweep.folder.appending(path: "pictures/\(split)/\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for index in 0..<count {
          let (width, height) = (20 + index, 31 - index)
          let pixels = (0..<width * height * 3).map { place -> UInt8 in
            let noise = (place * 37 + index * 11) % 60
            return label == 2 ? UInt8(place % 3 == 1 ? 200 : noise) : UInt8(noise + 180 * label)
          }
          try Data(JPEG.encoded(pixels, width: width, height: height)).write(
            to: folder.appending(path: "\(index).jpg"))
        }
      }
    }
    let plan = try Program.run("plan", "tiny.json", in: sweep.folder)
    #expect(plan.status == 0, "\(plan.talk)")
    let first = try Program.run("run", "tiny.json", "--store", "one", in: sweep.folder)
    #expect(first.status == 0, "\(first.talk)")
    let second = try Program.run("run", "tiny.json", "--store", "two", "--workers", "1", in: sweep.folder)
    #expect(second.status == 0, "\(second.talk)")
    let digests = try ["one", "two"].map {
      try Program.run("list", "--digests", "--store", $0, in: sweep.folder).out
    }
    #expect(digests[0] == digests[1] && digests[0].split(separator: "\n").count > 8, "\(digests[0])")
    #expect(first.out == second.out && first.out.contains("aver-kd"))
    #expect(
      FileManager.default.fileExists(atPath: sweep.folder.appending(path: "one/indexes").path),
      "the index is remembered in the store")
    // How pictures are measured makes other runs with other numbers and the same training.
    try sweep.write(
      """
      { "version": 1, "name": "measured",
        "base": { "dataset": "imagefolder-16:pictures", "batchSize": 8, "epochs": 2, "method": "baseline",
                  "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] } },
        "axes": { "resize": ["bilinear", "bicubic"], "crop": [0.875, 0.5] } }
      """, to: "measured.json")
    let measured = try Program.run("run", "measured.json", "--store", "one", in: sweep.folder)
    #expect(measured.status == 0 && measured.out.contains("bicubic"), "\(measured.out) \(measured.talk)")
    let export = try Program.run("export", "measured", "--format", "csv", "--store", "one", in: sweep.folder)
      .out
    func values(_ metric: String) -> Set<Substring> {
      Set(
        export.split(separator: "\n").filter { $0.contains(",2,\(metric),") }
          .compactMap { $0.split(separator: ",").last })
    }
    #expect(values("test.loss").count == 4 && values("train.loss").count == 1, "\(export)")
  }
}
