import Foundation
import Specs
import TestSupport
import Testing

/// Transfers as the program shows them and gives them away.
@Suite struct TransferCommandTests {
  private static let grid = """
    { "version": 1, "name": "tiny",
      "blocks": [
        { "name": "detector", "base": { "transfer": {
            "dataset": "synthetic-shapes-32x32-3", "trainImages": 6, "testImages": 4,
            "backbone": { "random": "resnet18" },
            "recipe": "mini-det", "detector": "mask-rcnn", "epochs": 2, "evalEvery": 1, "fpnWidth": 8,
            "hidden": 16, "maskWidth": 8, "roiSample": 16 } } },
        { "name": "segmentor", "base": { "transfer": {
            "dataset": "synthetic-shapes-32x32-3", "trainImages": 6, "testImages": 4,
            "backbone": { "random": "resnet18" },
            "recipe": "mini-seg", "segmentor": "pspnet", "steps": 2, "batchSize": 4, "lossGroup": 2,
            "width": 8, "poolWidth": 8 } } }
      ] }
    """

  @Test func `a run is shown with its classes, becomes a page, and its detections are exported`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", "-q", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let list = try Program.run("list", "tiny", in: sweep.folder)
    let keys = list.out.split(separator: "\n").map { String($0.prefix(10)) }
    try #require(keys.count == 2, "\(list.out)")
    try detection(keys[0], in: sweep.folder)
    try segmentation(keys[1], in: sweep.folder)
  }

  @Test(.enabled(if: Browser.hasAxe, "axe-core looks at the pages in Chromium"))
  func `pages of transfers are clean by axe, and the sweep's has images with what each run found`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", "-q", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let keys = try Program.run("list", "tiny", in: sweep.folder).out.split(separator: "\n").map {
      String($0.prefix(10))
    }
    let server = try ServeTests.Server(in: sweep.folder)
    var addresses = ["http://127.0.0.1:\(server.port)/sweeps/tiny"]
    for (place, key) in keys.enumerated() {
      addresses.append("http://127.0.0.1:\(server.port)/runs/\(key)")
      let page = try Program.run("show", key, "--page", "\(place).html", in: sweep.folder)
      #expect(page.status == 0, "\(page.talk)")
      addresses.append("file://\(sweep.folder.path)/\(place).html")
    }
    let report = try Program.run("report", "--format", "html", "-o", "report.html", in: sweep.folder)
    #expect(report.status == 0, "\(report.talk)")
    addresses.append("file://\(sweep.folder.path)/report.html")
    let answer = try Browser.axe(addresses)
    #expect(answer.looks == 4 * addresses.count && answer.found.isEmpty, "\(answer.found)")

    let images = server.get("/sweeps/tiny/images")
    // Three images of the detector and of the segmentor, each with its truth and one run beside it.
    #expect(images.components(separatedBy: "data:image/png;base64,").count - 1 == 6, "\(images)")
    #expect(images.components(separatedBy: "<use href=\"#beside-").count - 1 == 6)
    #expect(keys.allSatisfy { images.contains("<a href=\"/runs/\($0)") })
    let text = try String(contentsOf: sweep.folder.appending(path: "report.html"), encoding: .utf8)
    #expect(text.contains("<section id=\"images\"") && text.contains("<a href=\"#r-\(keys[0])\">"))
  }

  private func detection(_ key: String, in folder: URL) throws {
    let shown = try Program.run("show", key, in: folder)
    #expect(shown.status == 0 && shown.out.contains("\ntest.mask.AP75  "), "\(shown.out)")
    #expect(shown.out.firstMatch(of: /\nclass +box AP, % +mask AP, %\ndisc +/) != nil, "\(shown.out)")
    let json = try Program.run("show", key, "--json", in: folder)
    let classes = try SpecObject(JSONReader.read(Array(json.out.utf8)).value).array("classes")
    #expect(classes.compactMap { $0.object?["name"]?.string } == ["disc", "square", "triangle"])

    let epochs = try SpecObject(JSONReader.read(Array(json.out.utf8)).value).array("epochs")
    for epoch in epochs {
      let measured = epoch.object?["measured"]?.object
      #expect((measured?["measured.cpuSeconds"]?.number?.double ?? 0) > 0, "\(json.out)")
    }
    let table = try Program.run("report", "--metric", "measured.cpuSeconds", in: folder)
    #expect(table.status == 0 && table.out.contains("lower is better"), "\(table.out) \(table.talk)")

    let page = try Program.run("show", key, "--page", "run.html", in: folder)
    #expect(page.status == 0, "\(page.talk)")
    let text = try String(contentsOf: folder.appending(path: "run.html"), encoding: .utf8)
    #expect(text.components(separatedBy: "data:image/png;base64,iVBOR").count == 5, "4 test images")
    for id in ["images", "classes", "precision", "steps", "run"] {
      #expect(text.contains("<section id=\"\(id)\""), "\(id)")
    }

    let export = try Program.run("export", key, "--format", "coco-results", "-o", "found.json", in: folder)
    #expect(export.status == 0 && export.talk.contains("4 images"), "\(export.talk)")
    let found = try #require(
      JSONReader.read(Array(Data(contentsOf: folder.appending(path: "found.json")))).value.array)
    let ids = try #require(
      JSONReader.read(Array(Data(contentsOf: folder.appending(path: "found.images.json")))).value.array)
    #expect(ids.count == 4 && !found.isEmpty)
    #expect(found.allSatisfy { ids.contains($0.object?["image_id"] ?? .null) })
    let piped = try Program.run("export", key, "--format", "coco-results", in: folder)
    #expect(try JSONReader.read(Array(piped.out.utf8)).value == .array(found))
  }

  private func segmentation(_ key: String, in folder: URL) throws {
    let shown = try Program.run("show", key, in: folder)
    #expect(shown.out.firstMatch(of: /\nclass +IoU, %\nground +/) != nil, "\(shown.out)")
    let export = try Program.run("export", key, "--format", "coco-results", in: folder)
    #expect(export.status == 65 && export.talk.contains("finds no objects"), "\(export.talk)")
    let nameless = try Program.run("export", "--format", "coco-results", in: folder)
    #expect(nameless.status == 64 && nameless.talk.contains("whose detections"), "\(nameless.talk)")
  }
}
