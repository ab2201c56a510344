internal import Distillation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Tensors
internal import Training

/// Trains the first epochs of a student for all runs that share them, and writes down what their policies would see of each step.
///
/// The output grows part by part, and snapshots of the student are written as those of a run are: a kill costs what came after the last one, a stop
/// the part in hand. Where parts end depends on nothing but the recipe, so that two attempts have the same files.
enum WarmUpBody {
  /// A part is some seconds of work where teachers are asked, and two megabytes of what the paper's four say.
  private static let imagesPerPart = 256

  static func run(_ stage: WarmUpStage, in workspace: Workspace) throws {
    let fresh = try TrainingBody.student(stage.run, inputs: stage.inputs, in: workspace)
    let form = WarmUpForm(
      epochs: stage.epochs, steps: fresh.totalSteps / fresh.recipe.epochs * stage.epochs,
      stepsPerPart: max(1, imagesPerPart / fresh.recipe.batchSize), profile: ProgramIdentity.profile)
    var run = try resumed(fresh, form, in: workspace)
    try workspace.record(.started(step: run.stepCount, ProgramIdentity.provenance()))
    func snapshot(_ run: TrainingRun) throws {
      try workspace.write(Storage.Snapshot(step: run.stepCount, bytes: run.studentSnapshot.encoded()))
    }
    let first = run.stepCount
    while run.epoch < stage.epochs {
      let atStart = run
      var chunks: [[UInt8]] = []
      var endsEpoch = false
      while !endsEpoch, chunks.count < form.stepsPerPart {
        if workspace.isStopRequested {
          try snapshot(atStart)
          try workspace.record(.stopped(step: atStart.stepCount))
          throw WorkerStopped()
        }
        guard let report = try run.step(), let step = report.warmUp else {
          throw NoWarmUp(method: stage.run.method.name)
        }
        chunks.append(step.snapshot.encoded())
        endsEpoch = report.finishedEpoch != nil
        let here = run.stepCount - first
        try workspace.report(
          WorkerProgress(
            epoch: report.epoch, epochs: stage.epochs, step: run.stepCount, steps: form.steps,
            loss: report.loss.total.scalar,
            imagesPerSecond: Double(here * run.recipe.batchSize) / max(workspace.elapsed, 1e-3),
            cpuSeconds: processorSeconds(), stepsHere: here), always: run.stepCount == form.steps)
      }
      if endsEpoch { chunks.append(run.studentSnapshot.encoded()) }
      try workspace.attempt.writePart(
        WarmUpForm.name(ofPart: form.part(of: atStart.stepCount)), ChunkFile.encoded(chunks, packs: false))
      if endsEpoch || workspace.isSnapshotDue { try snapshot(run) }
    }
    try workspace.publish(
      parts: (0..<form.parts).map(WarmUpForm.name), and: [(WarmUpForm.file, form.canonicalBytes)]
    ) { bytes in
      Metrics(["epochs": Double(stage.epochs), "steps": Double(form.steps), "bytes": Double(bytes)])
    }
  }

  /// The run where its newest snapshot left it, with all parts before that taken over from earlier attempts; or at its start, where one is missing.
  private static func resumed(
    _ fresh: TrainingRun, _ form: WarmUpForm, in workspace: Workspace
  ) throws -> TrainingRun {
    let (newest, damaged) = try workspace.stage.newestSnapshot()
    for path in damaged { workspace.note("\(path) is damaged and was passed over") }
    guard let newest, newest.step > 0 else { return fresh }
    try workspace.checkProfile()
    let earlier = try workspace.stage.attempts().filter { $0 != workspace.attempt }.reversed()
    var run = fresh
    do {
      try run.restoreWarmUp(from: Networks.Snapshot(decoding: newest.bytes))
      let last = form.part(of: newest.step - 1)
      for part in 0...last {
        if try adopt(WarmUpForm.name(ofPart: part), from: earlier, in: workspace) { continue }
        workspace.note("part \(part) is gone; the epochs start again")
        return fresh
      }
      return run
    } catch let error as SnapshotError {
      workspace.note("\(error) The epochs start again.")
    } catch let error as SafetensorsError {
      workspace.note("\(error) The epochs start again.")
    }
    return fresh
  }

  /// Takes a part over from an earlier attempt, where it is there and whole.
  private static func adopt(
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
}

/// A stage of first epochs whose method has none to share: its specification was changed.
struct NoWarmUp: Error, CustomStringConvertible {
  let method: String
  var description: String {
    "\(method) has no epochs to share in this form. Remove the stage's folder and run again."
  }
}

/// How the steps of a warm-up lie in their files: a chunk for each, and behind the last of an epoch one for the student as it then was.
struct WarmUpForm: CanonicallyEncodable {
  static let file = "form.json"

  var epochs: Int
  /// Of all epochs.
  var steps: Int
  var stepsPerPart: Int
  /// Of the process that trained them.
  var profile: String

  static func name(ofPart part: Int) -> String {
    let digits = String(part)
    return "part-\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).bin"
  }

  init(epochs: Int, steps: Int, stepsPerPart: Int, profile: String) {
    (self.epochs, self.steps, self.stepsPerPart, self.profile) = (epochs, steps, stepsPerPart, profile)
  }

  private var stepsPerEpoch: Int { steps / epochs }
  private var partsPerEpoch: Int { (stepsPerEpoch + stepsPerPart - 1) / stepsPerPart }
  var parts: Int { epochs * partsPerEpoch }

  func part(of step: Int) -> Int {
    step / stepsPerEpoch * partsPerEpoch + step % stepsPerEpoch / stepsPerPart
  }
  /// The chunk of a step within its part.
  func chunk(of step: Int) -> Int { step % stepsPerEpoch % stepsPerPart }
  func lastPart(ofEpoch epoch: Int) -> Int { (epoch + 1) * partsPerEpoch - 1 }
  func chunks(inPart part: Int) -> Int {
    let first = part % partsPerEpoch * stepsPerPart
    return first + stepsPerPart < stepsPerEpoch ? stepsPerPart : stepsPerEpoch - first + 1
  }

  func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("epochs", epochs, to: &bytes)
    object.member("profile", .string(profile), to: &bytes)
    object.member("steps", steps, to: &bytes)
    object.member("stepsPerPart", stepsPerPart, to: &bytes)
    object.end(&bytes)
  }

  init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      epochs: try object.integer("epochs"), steps: try object.integer("steps"),
      stepsPerPart: try object.integer("stepsPerPart"), profile: try object.string("profile"))
    guard [epochs, steps, stepsPerPart].allSatisfy({ (1...1 << 31).contains($0) }), steps % epochs == 0 else {
      throw SpecError(path: path, expected: "sizes from 1 on, and as many steps in each epoch")
    }
  }
}

/// First epochs that were trained before, as a run reads them: mapped, held against eviction, and compared with their digests when they are opened.
final class TakenWarmUp: WarmUpRecord {
  private let form: WarmUpForm
  private let parts: [MappedChunks]
  private let hold: OutputHold

  var epochs: Int { form.epochs }

  private init(_ form: WarmUpForm, _ parts: [MappedChunks], _ hold: OutputHold) {
    (self.form, self.parts, self.hold) = (form, parts, hold)
  }

  func step(_ number: Int) throws -> WarmUpStep {
    guard number < form.steps else {
      throw ChunkDamage(path: WarmUpForm.file, problem: "there is no step \(number)")
    }
    let bytes = try parts[form.part(of: number)].bytes(of: form.chunk(of: number))
    return try WarmUpStep(Networks.Snapshot(decoding: bytes))
  }

  func student(after epoch: Int) throws -> Networks.Snapshot {
    let last = parts[form.lastPart(ofEpoch: epoch)]
    return try Networks.Snapshot(decoding: last.bytes(of: last.count - 1))
  }

  /// Nil where nothing is there to be taken over, or nothing that this process may use; then the log says why.
  static func of(_ run: RunSpec, in workspace: Workspace) -> TakenWarmUp? {
    guard !workspace.asksTeachers, let shared = WarmUpStage.of(run) else { return nil }
    let stage = workspace.store.stage(shared.key)
    guard !stage.isDamageNoted, let hold = OutputHold(stage) else { return nil }
    do {
      guard let output = try stage.published() else { return nil }
      let form = try WarmUpForm(JSONReader.read(output.read(WarmUpForm.file)).value, at: WarmUpForm.file)
      guard form.profile == ProgramIdentity.profile else {
        workspace.note("the first epochs were trained under \(form.profile), and are trained anew here")
        return nil
      }
      let parts = try (0..<form.parts).map { part in
        let path = output.path(of: WarmUpForm.name(ofPart: part))
        let chunks = try MappedChunks(path)
        guard chunks.count == form.chunks(inPart: part), form.epochs == shared.epochs else {
          throw ChunkDamage(path: path, problem: "it has another form")
        }
        try chunks.verify()
        return chunks
      }
      workspace.note("\(form.epochs) first epochs are taken over from \(shared.key.short)")
      return TakenWarmUp(form, parts, hold)
    } catch {
      workspace.note("\(error)")
      // Whoever cannot write the note has still not read a wrong bit.
      try? stage.noteDamage("\(error)")
      return nil
    }
  }
}

extension WarmUpStage {
  /// The first epochs of a run that others may share.
  static func of(_ run: RunSpec) -> WarmUpStage? {
    (try? Catalog.methods.entry(run.method.name)).flatMap { WarmUpStage(run, $0.description) }
  }
}

extension MappedChunks {
  /// A chunk, unpacked.
  fileprivate func bytes(of chunk: Int) throws(ChunkDamage) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size(of: chunk))
    var damage: ChunkDamage?
    bytes.withUnsafeMutableBytes { target in
      do throws(ChunkDamage) { try read(chunk, into: target) } catch { damage = error }
    }
    if let damage { throw damage }
    return bytes
  }
}
