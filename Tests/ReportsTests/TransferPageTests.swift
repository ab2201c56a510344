import Foundation
import Specs
import Testing

@testable import Reports

/// What the page of a transfer is made of.
@Suite struct TransferPageTests {
  private typealias Findings = TransferFindings

  private static let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47]

  private static func detection() -> TransferFindings {
    var findings = Findings()
    findings.classes = ["disc", "</title><img src=x onerror=alert(1)>", "bar"]
    findings.values = [[50, nil, 12.345], [70, nil, 12.345]]
    findings.maskValues = [[40, nil, 8], [42, nil, nil]]
    var picture = Findings.Picture(name: "<b>one</b>", height: 4, width: 5)
    picture.truth.objects = [
      Findings.Mark(label: 0, box: [1, 1, 3, 2], mask: [6, 3, 2, 3, 6]),
      Findings.Mark(label: 1, box: [0, 0, 5, 4], isCrowd: true),
    ]
    picture.found.objects = [
      Findings.Mark(label: 0, box: [1, 1, 3, 2], score: 0.9),
      Findings.Mark(label: 2, box: [0, 0, 1, 1], score: 0.2),
      Findings.Mark(label: 2, box: [2, 2, 1, 1], score: 0.1),
    ]
    findings.pictures = [picture]
    let falling = (0..<Findings.Curve.points).map { 1 - Double($0) / 100 }
    findings.curves = [
      Findings.Curve(isOfMasks: false, overlap: 0.5, mean: falling, classes: [falling, nil, falling]),
      Findings.Curve(isOfMasks: false, overlap: 0.75, mean: falling.map { $0 / 2 }, classes: []),
    ]
    return findings
  }

  private static func course(_ steps: [Int], _ name: String = "test.box.AP") -> [(
    step: Int, metrics: Metrics
  )] {
    steps.map { (step: $0, metrics: Metrics([name: Double($0)])) }
  }

  @Test func `a page of detection has pictures, classes, curves and steps, and escapes names`() {
    let sections = TransferSections(
      Self.detection(), pictures: [Self.png], course: Self.course([10, 20])
    ).sections
    #expect(sections.map(\.id) == ["images", "classes", "precision", "steps"])
    let page = SweepPage.document(title: "", header: "", sections: sections, script: PageScript.report)
    #expect(!page.contains("<img") && !page.contains("<b>one"))
    let data = Data(Self.png).base64EncodedString()
    #expect(
      page.components(separatedBy: "data:image/png;base64,\(data)").count == 2, "the pixels stand there once")
    // Two true boxes, and two of those found: a third one is unsure, and more than there are.
    let images = sections[0].body.text
    #expect(images.components(separatedBy: "vector-effect=").count - 1 == 4)
    #expect(
      images.components(separatedBy: "stroke-dasharray=\"4 3\"").count - 1 == 2, "the crowd, and the unsure")
    #expect(images.contains("d=\"M1 1h3v2h-3z\"") && images.contains(">disc 0.90</text>"))
    let table = sections[1].body.text
    #expect(table.contains("<td data-v=\"60.0\">60.00</td><td data-v=\"41.0\">41.00</td>"))
    #expect(table.contains("<td data-v=\"\">n/a</td>") && table.contains("Means over 2 transfers"))
    #expect(sections[2].body.text.components(separatedBy: "<figure>").count == 2, "boxes alone have curves")
    #expect(sections[2].body.text.contains("mean, IoU 0.75") && sections[2].body.text.contains(">bar</text>"))
  }

  @Test func `maps of pixels are drawn class by class, in three panels`() {
    var findings = Findings()
    findings.classes = ["ground", "disc"]
    findings.values = [[90, 10]]
    var picture = Findings.Picture(name: "map", height: 3, width: 4)
    picture.truth.labels = [0, 5, 1, 2, 0, 2, 1, 2, 255, 1]
    picture.found.labels = [0, 12]
    findings.pictures = [picture]
    let sections = TransferSections(
      findings, pictures: [Self.png], course: Self.course([4], "test.mIoU")
    ).sections
    #expect(sections.map(\.id) == ["images", "classes", "steps"])
    let images = sections[0].body.text
    #expect(images.components(separatedBy: "<use ").count == 3)
    #expect(images.contains("not judged") && images.contains("fill=\"#000\""))
    #expect(sections[1].body.text.contains("IoU, %"))
    #expect(sections[2].body.text.contains("Measured once, after step 4"))
  }

  @Test func `a sweep's page has the pixels of an image once, its truth, and what a run of each cell found`()
  {
    let keys = (0..<3).map { ContentKey(hashing: [UInt8($0)]) }
    let results = SweepResults(
      name: "moved", columns: ["student", "method"],
      runs: zip(keys, ["baseline", "mtkd-rl", "<b>"]).map { key, method in
        SweepResults.Run(
          labels: ["resnet18", .string(method)], seed: 4, state: .finished,
          numbers: MadeUp.numbers(last: 20, best: 20), key: key, programs: ["one"])
      }, metric: MadeUp.metric("test.box.AP"))
    let table = ReportTable(results)
    #expect(PicturesBeside.runs(of: table) == keys)
    var map = Findings()
    map.classes = ["ground", "disc"]
    var picture = Findings.Picture(name: "map", height: 2, width: 2)
    picture.truth.labels = [0, 4]
    picture.found.labels = [1, 4]
    map.pictures = [picture]
    let shown = [Self.detection(), Self.detection(), map].enumerated().map { place, findings in
      PicturesBeside.Shown(keys[place], findings, files: [Self.png])
    }
    let text = PicturesBeside.markup(shown, of: table) { "/runs/\($0.short)" }.text
    func count(_ part: String) -> Int { text.components(separatedBy: part).count - 1 }
    // Two runs of a detector beside one truth; a map beside its image and its truth.
    #expect(count("data:image/png;base64,") == 2 && count("<use href=\"#beside-0-0\"/>") == 2)
    #expect(count("<use href=\"#beside-1-0\"/>") == 1 && count("<figure>") == 3 + 3)
    #expect(text.contains("<a href=\"/runs/\(keys[1].short)\">mtkd-rl seed 4</a>"), "\(text)")
    #expect(!text.contains("<b>") && !text.contains("<img"))
    #expect(PicturesBeside.markup([], of: table) { _ in "" } == "")
  }

  @Test func `runs become as few rectangles as their rows allow`() {
    // 0 1 1 0 / 0 1 1 1 / 1 1 1 1, in rows of 4: a run goes over the end of the second row.
    #expect(RunPath.paths(mask: [1, 2, 2, 7], width: 4) == "M1 0h2v1h-2zM1 1h3v1h-3zM0 2h4v1h-4z")
    #expect(RunPath.paths(mask: [1, 2, 2, 2, 2, 2, 1], width: 4) == "M1 0h2v3h-2z")
    #expect(RunPath.paths(mask: [12], width: 4) == "")
    let areas = RunPath.paths(labels: [3, 4, 1, 4, 3, 4], width: 4)
    #expect(areas == [3: "M0 0h4v1h-4zM0 2h4v1h-4z", 1: "M0 1h4v1h-4z"])
  }

  @Test func `what an evaluation of before wrote down has a table and nothing else`() throws {
    let bytes = Array(#"{"classes":["disc","square"],"values":[[1.5,null]]}"#.utf8)
    let findings = try TransferFindings(JSONReader.read(bytes).value, at: "")
    let sections = TransferSections(findings, pictures: [], course: []).sections
    #expect(sections.map(\.id) == ["classes"])
    #expect(findings.canonicalBytes == bytes)
  }
}
