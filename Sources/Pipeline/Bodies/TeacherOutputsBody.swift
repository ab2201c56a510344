internal import Datasets
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Tensors
internal import Training

extension TeacherOutputsStage: StageKind {
  func title(_ names: WrittenNames) -> String {
    let seed = teacher.seed == 0 ? "" : " seed \(teacher.seed)"
    return "outputs of \(names.title(of: teacher))\(seed), \(views) views"
      + (keeps == .heads ? "" : keeps == .maps ? " with maps" : " with all maps")
  }

  var trainer: TrainerSpec? { teacher.trainer }

  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? {
    guard trainer == nil else {
      let topics = ["outputs \(NetworkNames.title(of: teacher.network)) of a trainer"]
      return StageCost(multiplyAdds: 0, topics: topics, diskBytes: try meter.bytes(of: self))
    }
    return StageCost(
      multiplyAdds: try meter.record(self), topics: try topics(&meter), diskBytes: try meter.bytes(of: self),
      assumedRate: AssumedRate.inference(teacher.network))
  }

  func topics(_ meter: inout CostMeter) throws -> [String] {
    [
      "outputs \(NetworkNames.title(of: teacher.network)) \(meter.shape(of: dataset))", "outputs",
      Forecast.topic,
    ]
  }

  func run(in workspace: Workspace) throws {
    guard let trainer else { return try TeacherOutputsBody.run(self, in: workspace) }
    try ExternalBody.run(TrainerTask(self), trainer, in: workspace)
  }
}

/// Asks a teacher once for every fixed view of the training images and writes down what it says, part by
/// part: what a stop or a kill costs is the part in hand.
enum TeacherOutputsBody {
  /// Images a step; what a teacher says of one does not depend on the others.
  private static let batchSize = 64
  /// Views of a part: some seconds of work, and 64 MB of the largest maps that the paper's teachers have.
  private static let viewsPerPart = 1024
  /// Maps that would take more than this are compressed: they would not stay in memory between epochs, and
  /// then reading costs more than unpacking.
  private static let plainLimit = 4 << 30

  static func run(_ stage: TeacherOutputsStage, in workspace: Workspace) throws {
    try workspace.record(.started(step: 0, ProgramIdentity.provenance()))
    let inputs = stage.inputs
    let dataset = try DatasetBody.dataset(inputs[0], in: workspace)
    let teacher = try TrainingBody.teacher(stage.teacher, inputs[1], dataset, in: workspace)
    let cost = try NetworkCost(stage.teacher.network, dataset.task)
    let form = RecordForm(
      images: dataset.train.count, views: stage.views, viewsPerPart: viewsPerPart,
      classes: dataset.task.classes,
      embedding: cost.embedding, maps: cost.kept(by: stage.keeps).map(\.dimensions),
      profile: ProgramIdentity.profile
    )
    let earlier = try workspace.stage.attempts().filter { $0 != workspace.attempt }.reversed()
    let steps = (form.count + batchSize - 1) / batchSize
    var (done, here) = (0, 0)
    for part in 0..<form.parts {
      let range = form.range(of: part)
      let name = RecordForm.name(ofPart: part)
      if try adopt(name, from: earlier, in: workspace) {
        done += range.count
        continue
      }
      var chunks: [[UInt8]] = []
      chunks.reserveCapacity(range.count * form.columns)
      for first in stride(from: range.lowerBound, to: range.upperBound, by: batchSize) {
        if workspace.isStopRequested {
          try workspace.record(.stopped(step: done / batchSize))
          throw WorkerStopped()
        }
        let last = min(first + batchSize, range.upperBound)
        chunks += try answers(to: first..<last, teacher, dataset.train, form)
        done += last - first
        here += last - first
        try workspace.report(
          WorkerProgress(
            epoch: 0, epochs: 1, step: done / batchSize, steps: steps, loss: nil,
            imagesPerSecond: Double(here) / max(workspace.elapsed, 1e-3),
            cpuSeconds: processorSeconds(),
            stepsHere: here / batchSize), always: done == form.count)
      }
      try workspace.attempt.writePart(
        name, ChunkFile.encoded(chunks, packs: form.plainBytes > plainLimit))
    }
    try workspace.publish(
      parts: (0..<form.parts).map(RecordForm.name), and: [(RecordForm.file, form.canonicalBytes)]
    ) { bytes in
      Metrics([
        "images": Double(form.images), "views": Double(form.views), "bytes": Double(bytes),
        "plain.bytes": Double(form.plainBytes),
      ])
    }
  }

  /// Takes a part over from an earlier attempt, where it is there and whole.
  static func adopt(
    _ name: String, from earlier: some Sequence<AttemptFolder>, in workspace: Workspace
  ) throws -> Bool {
    for attempt in earlier {
      guard let path = attempt.part(name) else { continue }
      do {
        try MappedChunks(path).verify()
        try workspace.attempt.adoptPart(name, from: attempt)
        return true
      } catch let damage as ChunkDamage {
        workspace.note("\(damage)")
      }
    }
    return false
  }

  /// The chunks of some records: of each, logits and embedding, then each map that is kept.
  private static func answers(
    to records: Range<Int>, _ teacher: Teacher, _ images: ImageSet, _ form: RecordForm
  ) throws -> [[UInt8]] {
    let batch = try Augmentation.standard.batch(
      of: images, indices: records.map { $0 / form.views }, views: records.map { $0 % form.views })
    let said = teacher(batch)
    func row(_ tensor: Tensor, _ index: Int) -> [UInt8] {
      let size = 4 * tensor.count / records.count
      return tensor.withBytes { Array($0[index * size..<(index + 1) * size]) }
    }
    return records.indices.flatMap { record -> [[UInt8]] in
      let index = record - records.lowerBound
      let heads = row(said.logits, index) + row(said.embedding, index)
      return [heads] + said.stages.suffix(form.maps.count).map { row($0, index) }
    }
  }
}
