import Datasets
import Evaluation
import Foundation
import Specs
import Storage
import TestSupport
import Testing
import Transfers

@testable import Pipeline
@testable import Sweeps

/// What finished transfers leave for people and for other evaluators.
@Suite struct TransferOutputTests {
  private static func grid(_ head: String, _ fields: String, seeds: Int = 1) -> String {
    """
    { "version": 1, "name": "tiny",
      "base": { "transfer": {
        "dataset": "synthetic-shapes-32x32-3", "trainImages": 6, "testImages": 8, "seeds": \(seeds),
        "backbone": { "random": "resnet18" }, \(head), \(fields) } } }
    """
  }

  private static let detection =
    #""recipe": "mini-det", "epochs": 2, "fpnWidth": 8, "hidden": 16, "maskWidth": 8, "roiSample": 16"#
  private static let segmentation =
    #""recipe": "mini-seg", "steps": 2, "batchSize": 4, "lossGroup": 2, "width": 8, "poolWidth": 8"#

  /// The stages of a kind after a sweep has run to its end.
  private static func run(_ grid: String) async throws -> (sweep: InProcessSweep, stages: [StageRecord]) {
    let sweep = try InProcessSweep(grid)
    let outcome = try await sweep.run()
    try #require(outcome == .allDone)
    let store = try ResultStore(at: sweep.place, .reading)
    return (sweep, try store.stages().map(\.stage))
  }

  @Test func `exported detections are those that were stored, and are worth what the run says`() async throws
  {
    let (sweep, stages) = try await Self.run(Self.grid(#""detector": "mask-rcnn""#, Self.detection))
    let evaluation = try #require(stages.first { $0.kind == "evaluation" })
    let transfer = try #require(stages.first { $0.kind == "transfer" })
    let results = try CocoResults(of: evaluation.spec, in: sweep.place, dataFolders: [])
    var bytes: [UInt8] = []
    try results.file { bytes += $0 }
    var named: [UInt8] = []
    try CocoResults(of: transfer.spec, in: sweep.place, dataFolders: []).file { named += $0 }
    #expect(named == bytes, "a run with one transfer is that transfer")

    let stored = try TransferBody.predictions(transfer.key, images: 8, in: sweep.place)
    let records = try #require(JSONReader.read(bytes).value.array)
    let spec = try StageRequest(document: Array(transfer.spec.utf8)).decoded(as: TransferStage.self).transfer
    let dataset = try AnnotatedCatalog.open(spec.dataset)
    let ids = (0..<8).map { dataset.test.entry($0).id }
    #expect(results.imageIDs == ids)
    var read: [Int: [PredictedObject]] = [:]
    for record in records {
      let object = try SpecObject(record)
      let box = try object.array("bbox").compactMap { $0.number?.double }
      let segmentation = try object.object("segmentation")
      let size = try segmentation.array("size").compactMap(\.integer)
      let mask = try RunLengthMask(height: size[0], width: size[1], text: segmentation.string("counts"))
      try read[object.integer("image_id"), default: []].append(
        PredictedObject(
          box: Box(x: box[0], y: box[1], width: box[2], height: box[3]),
          label: object.integer("category_id") - 1, score: object.number("score").double, mask: mask))
    }
    let again = ids.map { Prediction.objects(read[$0] ?? []) }
    #expect(again == stored)
    #expect(!records.isEmpty && results.hasMasks)
    let store = try ResultStore(at: sweep.place, .reading)
    let test = try (0..<8).map { try dataset.test.image($0, [.objects, .masks]) }
    let worth = try TransferEvaluation(again, of: test, in: dataset, spec).metrics
    let metrics = try store.metrics(of: evaluation.key)
    for (name, value) in worth { #expect(metrics[name] == value, "\(name)") }
  }

  @Test func `an evaluation leaves pictures, curves and values of classes that agree with its numbers`()
    async throws
  {
    let (sweep, stages) = try await Self.run(
      Self.grid(#""detector": "mask-rcnn""#, Self.detection, seeds: 2))
    let evaluation = try #require(stages.first { $0.kind == "evaluation" })
    let found = try #require(try EvaluationFindings(of: evaluation, in: sweep.place))
    let findings = found.findings
    #expect(findings.classes == ["disc", "square", "triangle"])
    #expect(findings.values.count == 2 && findings.maskValues.count == 2)
    #expect(found.pictures.count == ShownImages.count && findings.pictures.count == ShownImages.count)
    for (picture, png) in zip(findings.pictures, found.pictures) {
      #expect(png.prefix(4) == [0x89, 0x50, 0x4e, 0x47])
      #expect((picture.height, picture.width) == (32, 32))
      for mark in picture.truth.objects { #expect(mark.mask.reduce(0, +) == 32 * 32 && mark.score == nil) }
    }
    #expect(findings.curves.map(\.isOfMasks) == [false, false, true, true])
    #expect(findings.curves.map(\.classes.count) == [3, 0, 3, 0])
    let metrics = try ResultStore(at: sweep.place, .reading).metrics(of: evaluation.key)
    let means = findings.values.map { values in
      let known = values.compactMap(\.self)
      return known.reduce(0, +) / Double(known.count)
    }
    let precision = try #require(metrics["test.box.AP"])
    #expect(abs((means[0] + means[1]) / 2 - precision) < 1e-9)
    #expect(try TransferFindings(JSONReader.read(findings.canonicalBytes).value, at: "") == findings)
    let error = #expect(throws: NoDetections.self) {
      try CocoResults(of: evaluation.spec, in: sweep.place, dataFolders: [])
    }
    let transfers = stages.filter { $0.kind == "transfer" }
    for stage in transfers { #expect(error?.description.contains(stage.key.short) == true) }
  }

  @Test(arguments: [
    (#""detector": "faster-rcnn""#, detection), (#""segmentor": "pspnet""#, segmentation),
  ])
  func `what transfers cost stands beside their numbers, and in nothing that is compared`(
    _ head: String, _ fields: String
  ) async throws {
    let (sweep, stages) = try await Self.run(Self.grid(head, fields, seeds: 2))
    let store = try ResultStore(at: sweep.place, .reading)
    let evaluation = try #require(stages.first { $0.kind == "evaluation" })
    let transfers = stages.filter { $0.kind == "transfer" }
    try #require(transfers.count == 2)
    let own = try transfers.map { try store.curve(of: $0.key) }
    let curve = try store.curve(of: evaluation.key)
    #expect(curve.count == 2)
    for (place, record) in curve.enumerated() {
      for name in ["seconds", "cpuSeconds", "secondsPerEpoch", "cpuSecondsPerEpoch"] {
        let values = own.compactMap { $0[place].measured["measured.\(name)"] }
        try #require(values.count == 2 && values.allSatisfy { $0 > 0 }, "\(name) of record \(place)")
        let mean = try #require(record.measured["measured.\(name)"])
        #expect(abs(mean - (values[0] + values[1]) / 2) < 1e-9, "\(name) of record \(place)")
      }
      let peaks = own.compactMap { $0[place].measured["measured.peakMegabytes"] }
      #expect(record.measured["measured.peakMegabytes"] == peaks.max() && peaks.count == 2)
    }
    for stage in transfers {
      let output = try #require(try sweep.place.stage(stage.key).published())
      let written = try output.read(TransferBody.curveFile)
      #expect(!String(decoding: written, as: UTF8.self).contains("measured"))
    }
  }

  @Test func `a segmentor leaves maps, and no detections`() async throws {
    let (sweep, stages) = try await Self.run(Self.grid(#""segmentor": "pspnet""#, Self.segmentation))
    let evaluation = try #require(stages.first { $0.kind == "evaluation" })
    let findings = try #require(try EvaluationFindings(of: evaluation, in: sweep.place)).findings
    #expect(findings.classes.first == "ground" && findings.curves.isEmpty && findings.maskValues.isEmpty)
    for marks in findings.pictures.flatMap({ [$0.truth, $0.found] }) {
      let labels = stride(from: 0, to: marks.labels.count, by: 2).map { marks.labels[$0] }
      let lengths = stride(from: 1, to: marks.labels.count, by: 2).map { marks.labels[$0] }
      #expect(lengths.reduce(0, +) == 32 * 32)
      #expect(Set(labels).isSubset(of: [0, 1, 2, 3, 255]))
    }
    let error = #expect(throws: NoDetections.self) {
      try CocoResults(of: evaluation.spec, in: sweep.place, dataFolders: [])
    }
    #expect(error?.description.contains("finds no objects") == true)
    let backbone = try #require(stages.first { $0.kind == "backbone" })
    #expect(throws: NoDetections.self) {
      try CocoResults(of: backbone.spec, in: sweep.place, dataFolders: [])
    }
  }

  @Test func `a large image is shown in a whole fraction of its size`() throws {
    var image = AnnotatedImage(AnnotatedEntry(id: 1, name: "large", height: 300, width: 450))
    image.pixels = [UInt8](repeating: 120, count: 3 * 300 * 450)
    var object = AnnotatedObject(
      id: 1, label: 2, box: Box(x: 30, y: 60, width: 90, height: 30), area: 2700, isCrowd: false)
    object.mask = .polygons([[30, 60, 120, 60, 120, 90, 30, 90]])
    image.objects = [object]
    let (picture, png) = try ShownImages.picture(of: image, .objects([]))
    #expect((picture.height, picture.width) == (100, 150))
    let mark = try #require(picture.truth.objects.first)
    #expect(mark.box == [10, 20, 30, 10])
    let inside = stride(from: 1, to: mark.mask.count, by: 2).map { mark.mask[$0] }
    #expect(inside == [Int](repeating: 30, count: 10))
    #expect(mark.mask[0] == 20 * 150 + 10)
    // Width and height of a PNG stand in its first chunk.
    let sides: [UInt8] = [0, 0, 0, 150, 0, 0, 0, 100]
    #expect(Array(png[16..<24]) == sides)
  }
}
