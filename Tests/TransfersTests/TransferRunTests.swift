import Datasets
import Evaluation
import Networks
import Specs
import Testing
import Transfers

@Suite struct TransferRunTests {
  static func spec(_ head: String, _ given: [String: JSONValue] = [:]) -> TransferSpec {
    let task = TransferTask.detection.heads.contains(head) ? TransferTask.detection : .segmentation
    let dataset = DatasetSpec(name: "synthetic-shapes-32x32-3", trainImages: 6, testImages: 2)
    let recipe = TransferRecipes.recipe(task == .detection ? "mini-det" : "mini-seg")!
    var given = given
    if task == .detection {
      given.merge(["epochs": 2, "fpnWidth": 8, "hidden": 16, "maskWidth": 8, "roiSample": 16]) { own, _ in own
      }
    } else {
      given.merge(["steps": 4, "batchSize": 4, "lossGroup": 2, "width": 8, "poolWidth": 8]) { own, _ in own }
    }
    return TransferSpec(
      task: task, head: head, dataset: dataset,
      fields: TransferRecipes.resolved(recipe, head: head, dataset: dataset.name, given: given))
  }

  static func run(_ spec: TransferSpec, seed: Int = 1) throws -> TransferRun {
    let trunk = try Trunk(random: NetworkNames.spec("resnet18"), seed: 7)
    return try TransferRun(spec, on: trunk, AnnotatedCatalog.open(spec.dataset), seed: seed)
  }

  @Test(arguments: TransferTask.allCases.flatMap(\.heads))
  func `a run that goes on from a snapshot ends in the same bits`(_ head: String) throws {
    let spec = Self.spec(head)
    var whole = try Self.run(spec)
    var part = try Self.run(spec)
    var first: [EpochRecord] = []
    while let report = try whole.step() { if let record = report.finished { first.append(record) } }
    for _ in 0..<3 { _ = try part.step() }
    var again = try Self.run(spec)
    try again.restore(from: Snapshot(decoding: part.snapshot.encoded()))
    var second: [EpochRecord] = []
    while let report = try again.step() { if let record = report.finished { second.append(record) } }
    #expect(first.count == (spec.task == .detection ? 2 : 4))
    #expect(first.last == second.last)
    #expect(whole.snapshot.encoded() == again.snapshot.encoded())
    let prediction = try whole.prediction(1)
    #expect(try again.prediction(1) == prediction)
    #expect(try Prediction(JSONReader.read(prediction.canonicalBytes).value, at: "") == prediction)
  }

  @Test(arguments: ["mask-rcnn", "pspnet"])
  func `images that are read anew each time change no bit`(_ head: String) throws {
    let spec = Self.spec(head, head == "pspnet" ? ["steps": 2] : ["epochs": 1])
    let trunk = try Trunk(random: NetworkNames.spec("resnet18"), seed: 7)
    let dataset = try AnnotatedCatalog.open(spec.dataset)
    var (kept, anew) = (
      try TransferRun(spec, on: trunk, dataset, seed: 1),
      try TransferRun(spec, on: trunk, dataset, seed: 1, keeping: 0)
    )
    while try kept.step() != nil {}
    while try anew.step() != nil {}
    #expect(kept.snapshot.encoded() == anew.snapshot.encoded())
    #expect(try kept.prediction(0) == anew.prediction(0))
  }

  @Test(arguments: [("retinanet", ["cls", "box"]), ("pspnet", ["main", "aux"])])
  func `a loss that is not finite ends the run and names its part`(_ head: String, _ parts: [String]) throws {
    var run = try Self.run(Self.spec(head, ["learningRate": .number(DecimalNumber("1e30")!), "clipNorm": 0]))
    let error = #expect(throws: TransferDiverged.self) { while try run.step() != nil {} }
    #expect(error.map { parts.contains($0.part) && $0.step > 0 } == true, "\(String(describing: error))")
  }

  @Test(arguments: [("faster-rcnn", "box.AP", 2), ("pspnet", "mIoU", 4)])
  func `held-out images are measured with the curve, and at its end`(
    _ head: String, _ metric: String, _ records: Int
  ) throws {
    var spec = Self.spec(head, ["evalEvery": 1])
    spec.dataset.validationImages = 3
    spec.dataset.trainImages = 6
    var run = try Self.run(spec)
    var curve: [EpochRecord] = []
    while let report = try run.step() { if let record = report.finished { curve.append(record) } }
    #expect(curve.count == records)
    for (place, record) in curve.enumerated() {
      #expect(record.metrics["validation.\(metric)"] != nil, "record \(place)")
      // The test images are predicted after the last step, once.
      #expect((record.metrics["test.\(metric)"] == nil) == (place == records - 1), "record \(place)")
    }
    spec.fields["evalEvery"] = 0
    var late = try Self.run(spec)
    var last: EpochRecord?
    while let report = try late.step() { last = report.finished ?? last }
    #expect(last?.metrics["validation.\(metric)"] == curve.last?.metrics["validation.\(metric)"])
    #expect(last?.state == curve.last?.state)
  }

  @Test func `a segmentor is evaluated after the steps that were asked for, and weights do not depend on it`()
    throws
  {
    // A tenth of the steps is 2: of 5, 10 and 15 the second alone is a multiple of it.
    var spec = Self.spec("pspnet", ["steps": 20, "batchSize": 2, "evalEvery": 5])
    func curve(_ spec: TransferSpec) throws -> [EpochRecord] {
      var run = try Self.run(spec)
      var curve: [EpochRecord] = []
      var losses: [Double] = []
      while let report = try run.step() {
        losses.append(report.loss)
        #expect(report.record == curve.count)
        guard let record = report.finished else { continue }
        #expect(record.epoch == curve.count)
        let mean = losses.reduce(0, +) / Double(losses.count)
        #expect(abs((record.metrics["train.loss"] ?? .nan) - mean) < 1e-12, "step \(record.step)")
        losses = []
        curve.append(record)
      }
      #expect(curve.count == run.recordCount)
      return curve
    }
    let asked = try curve(spec)
    #expect(asked.map(\.step) == [2, 4, 5, 6, 8, 10, 12, 14, 15, 16, 18, 20])
    #expect(asked.filter { $0.metrics["test.mIoU"] != nil }.map(\.step) == [5, 10, 15])
    spec.fields["evalEvery"] = 0
    let tenths = try curve(spec)
    #expect(tenths.map(\.step) == (1...10).map { 2 * $0 })
    #expect(asked.last?.state == tenths.last?.state)
  }

  @Test func `predictions are written and read back, with masks and with labels of pixels`() throws {
    let bits = (0..<12).map { [1, 2, 5].contains($0) }
    let mask = RunLengthMask(height: 3, width: 4, bits: bits)
    let box = Box(x: 0.1, y: 1.0 / 3, width: 2, height: 1e-7)
    for prediction in [
      Prediction.objects([PredictedObject(box: box, label: 2, score: 0.1 + 0.2, mask: mask)]),
      .objects([PredictedObject(box: box, label: 0, score: 1)]), .objects([]), .labels([0, 0, 3, 1, 1, 255]),
    ] {
      let bytes = prediction.canonicalBytes
      #expect(try Prediction(JSONReader.read(bytes).value, at: "") == prediction)
    }
    #expect(throws: SpecError.self) {
      try Prediction(
        JSONReader.read(Array(#"{"boxes":[[0,0,1,1]],"labels":[],"scores":[]}"#.utf8)).value, at: "")
    }
  }

  @Test func `what is found is worth what COCO says: a perfect detector has an AP of 100`() throws {
    let spec = Self.spec("mask-rcnn")
    let dataset = try AnnotatedCatalog.open(spec.dataset)
    let images = try (0..<dataset.test.count).map { try dataset.test.image($0, [.objects, .masks]) }
    let perfect = try images.map { image in
      Prediction.objects(
        try image.objects.filter { !$0.isCrowd }.map {
          PredictedObject(
            box: $0.box, label: $0.label, score: 0.9,
            mask: try $0.mask?.runs(height: image.height, width: image.width))
        })
    }
    let worth = try TransferEvaluation(perfect, of: images, in: dataset, spec)
    #expect(worth.metrics["test.box.AP"] == 100 && worth.metrics["test.mask.AP"] == 100)
    // No object of these pictures is as large as 96 × 96 pixels: no value is no number.
    #expect(worth.metrics["test.box.APl"] == nil)
  }

  @Test func `first weights, order and samples hang on the transfer's seed alone, not on the trunk`() throws {
    let spec = Self.spec("faster-rcnn")
    let dataset = try AnnotatedCatalog.open(spec.dataset)
    let network = try NetworkNames.spec("resnet18")
    func heads(_ trunk: Int, seed: Int) throws -> [[UInt8]] {
      let run = try TransferRun(spec, on: Trunk(random: network, seed: trunk), dataset, seed: seed)
      return run.state.stateDictionary.entries.filter { !$0.name.hasPrefix("backbone.body.") }.map(\.bytes)
    }
    let first = try heads(1, seed: 1)
    #expect(try heads(2, seed: 1) == first)
    #expect(try heads(1, seed: 2) != first)
  }

  @Test func `what a recipe freezes has the same bits at the end`() throws {
    let spec = Self.spec("faster-rcnn", ["frozenStages": 2, "trunkNorm": "affine", "epochs": 1])
    let trunk = try Trunk(random: NetworkNames.spec("resnet18"), seed: 7)
    var run = try TransferRun(spec, on: trunk, AnnotatedCatalog.open(spec.dataset), seed: 1)
    let before = run.state.stateDictionary
    while try run.step() != nil {}
    let frozen = ["conv1.", "bn1.", "layer1.", "layer2."]
    for entry in run.state.stateDictionary.entries {
      let name = entry.name.replacing("backbone.body.", with: "")
      let isStatistic = name.contains("running_") || name.hasSuffix("num_batches_tracked")
      let stays = name != entry.name && (isStatistic || frozen.contains { name.hasPrefix($0) })
      #expect((before[entry.name]?.bytes == entry.bytes) == stays, "\(entry.name)")
    }
  }
}
