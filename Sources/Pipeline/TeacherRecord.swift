internal import Distillation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Synchronization
internal import Tensors
internal import Training

/// How the outputs of a teacher lie in their files: record `image × views + view` has one chunk for logits
/// and embedding, and one for each map that is kept.
struct RecordForm: CanonicallyEncodable {
  static let file = "form.json"

  var images: Int
  var views: Int
  var viewsPerPart: Int
  var classes: Int
  var embedding: Int
  /// Channels, height, width of the maps that are kept: those of the last stages, in the order of evaluation.
  var maps: [[Int]]
  /// Of the process that asked: records made by other kernels have other bits.
  var profile: String

  init(
    images: Int, views: Int, viewsPerPart: Int, classes: Int, embedding: Int, maps: [[Int]], profile: String
  ) {
    self.images = images
    self.views = views
    self.viewsPerPart = viewsPerPart
    self.classes = classes
    self.embedding = embedding
    self.maps = maps
    self.profile = profile
  }

  static func name(ofPart part: Int) -> String {
    let digits = String(part)
    return "part-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).bin"
  }

  /// Records.
  var count: Int { images * views }
  /// Chunks of a record.
  var columns: Int { 1 + maps.count }
  /// Bytes of each of them.
  var chunkSizes: [Int] { [4 * (classes + embedding)] + maps.map { 4 * $0.reduce(1, *) } }
  var parts: Int { (count + viewsPerPart - 1) / viewsPerPart }
  func range(of part: Int) -> Range<Int> { part * viewsPerPart..<min(count, (part + 1) * viewsPerPart) }
  /// Of all numbers, uncompressed.
  var plainBytes: Int { 4 * count * (classes + embedding + maps.reduce(0) { $0 + $1.reduce(1, *) }) }

  func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("classes", classes, to: &bytes)
    object.member("embedding", embedding, to: &bytes)
    object.member("images", images, to: &bytes)
    func array(_ extents: [Int]) -> JSONValue { .array(extents.map { .number(DecimalNumber($0)) }) }
    object.member("map", maps.last.map(array), to: &bytes)
    object.member("profile", .string(profile), to: &bytes)
    if maps.count > 1 { object.member("stages", .array(maps.dropLast().map(array)), to: &bytes) }
    object.member("views", views, to: &bytes)
    object.member("viewsPerPart", viewsPerPart, to: &bytes)
    object.end(&bytes)
  }

  init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      images: try object.integer("images"), views: try object.integer("views"),
      viewsPerPart: try object.integer("viewsPerPart"), classes: try object.integer("classes"),
      embedding: try object.integer("embedding"),
      maps: ((object["stages"]?.array ?? []) + (object["map"].map { [$0] } ?? [])).map {
        ($0.array ?? []).compactMap(\.integer)
      },
      profile: try object.string("profile"))
    // A trainer that writes a teacher's outputs down knows no embedding, and features of 1 to 3 extents.
    let extents = [images, views, viewsPerPart, classes, max(embedding, 1)] + maps.joined()
    guard extents.allSatisfy({ (1...1 << 31).contains($0) }), embedding >= 0,
      maps.allSatisfy({ (1...3).contains($0.count) })
    else {
      throw SpecError(path: path, expected: "sizes from 1 on")
    }
  }
}

/// What a teacher said, as a run reads it: mapped, held against eviction, and left alone
/// from the first damage on.
final class TeacherRecord: RecordedOutputs {
  private let form: RecordForm
  private let parts: [MappedChunks]
  private let hold: OutputHold
  private let isDamaged = Atomic(false)
  private let complain: @Sendable (ChunkDamage) -> Void

  private init(
    _ form: RecordForm, _ parts: [MappedChunks], _ hold: OutputHold,
    complain: @escaping @Sendable (ChunkDamage) -> Void
  ) {
    self.form = form
    self.parts = parts
    self.hold = hold
    self.complain = complain
  }

  func activations(_ positions: [Int], views: [Int]) -> Activations? {
    guard !isDamaged.load(ordering: .relaxed) else { return nil }
    let records = zip(positions, views).map { $0 * form.views + $1 }
    do {
      let (logits, embedding) = try heads(records)
      let maps = try form.maps.enumerated().map { try read(records, column: $0 + 1, $1) }
      return Activations(maps: maps, embedding: embedding, logits: logits)
    } catch let damage as ChunkDamage {
      isDamaged.store(true, ordering: .relaxed)
      complain(damage)
    } catch {
      preconditionFailure("\(error)")
    }
    return nil
  }

  private func heads(_ records: [Int]) throws -> (logits: Tensor, embedding: Tensor) {
    let width = form.classes + form.embedding
    let both = try read(records, column: 0, [width])
    return (
      both.sliced(axis: 1, from: 0, to: form.classes), both.sliced(axis: 1, from: form.classes, to: width)
    )
  }

  /// One chunk of each record, as `[records.count] + extents`.
  private func read(_ records: [Int], column: Int, _ extents: [Int]) throws -> Tensor {
    let size = extents.reduce(1, *)
    var failure: (any Error)?
    let tensor = Tensor(filling: Shape([records.count] + extents)) { floats in
      let bytes = UnsafeMutableRawBufferPointer(floats)
      do {
        for (place, record) in records.enumerated() {
          let (part, index) = record.quotientAndRemainder(dividingBy: form.viewsPerPart)
          let target = UnsafeMutableRawBufferPointer(
            rebasing: bytes[4 * size * place..<4 * size * (place + 1)])
          try parts[part].read(index * form.columns + column, into: target)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return tensor
  }
}

extension TeacherRecord {
  /// What was written down of a run's teachers, in their order; nil for those that have to be asked.
  static func all(of run: RunSpec, in workspace: Workspace) throws -> [(any RecordedOutputs)?] {
    let reads = try Catalog.methods.entry(run.method.name).description.teacherOutputs
    guard run.views > 0, !workspace.asksTeachers, reads != .none else { return [] }
    let found = run.teachers.map { teacher -> TeacherRecord? in
      for level in reads.sufficient {
        let stage = TeacherOutputsStage(teacher, on: run.dataset, views: run.views, keeps: level)
        if let record = open(workspace.store.stage(stage.key), in: workspace) { return record }
      }
      return nil
    }
    workspace.note(
      "\(found.count { $0 != nil }) of \(counted(found.count, "teacher")) read from what was written down, "
        + "the others asked"
    )
    return found
  }

  /// Nil where there is no record, or none that this process may use; then the log says why.
  private static func open(_ stage: StageFolder, in workspace: Workspace) -> TeacherRecord? {
    guard !stage.isDamageNoted, let hold = OutputHold(stage) else { return nil }
    @Sendable func damaged(_ reason: String) {
      // Whoever cannot write the note has still not read a wrong bit.
      try? stage.noteDamage(reason)
    }
    do {
      guard let output = try stage.published() else { return nil }
      let form = try RecordForm(JSONReader.read(output.read(RecordForm.file)).value, at: RecordForm.file)
      guard form.profile == ProgramIdentity.profile else {
        workspace.note(
          "\(stage.key.short) was written under \(form.profile), this process computes under "
            + "\(ProgramIdentity.profile)"
        )
        return nil
      }
      let parts = try (0..<form.parts).map { part in
        let chunks = try MappedChunks(output.path(of: RecordForm.name(ofPart: part)))
        guard chunks.count == form.range(of: part).count * form.columns, form.fits(chunks) else {
          throw ChunkDamage(
            path: output.path(of: RecordForm.name(ofPart: part)), problem: "it has another form")
        }
        return chunks
      }
      let key = stage.key
      return TeacherRecord(form, parts, hold) { damage in
        Workspace.say("\(damage) From here on the teacher of \(key.short) is asked.")
        damaged("\(damage)")
      }
    } catch {
      workspace.note("\(error)")
      damaged("\(error)")
      return nil
    }
  }
}

extension NetworkCost {
  /// Shapes of the maps that are kept, in the order of evaluation.
  func kept(by outputs: TeacherOutputs) -> [Shape] {
    switch outputs {
    case .none, .heads: []
    case .maps: [map]
    case .stages: stages
    }
  }
}

extension RecordForm {
  fileprivate func fits(_ chunks: MappedChunks) -> Bool {
    let sizes = chunkSizes
    return (0..<chunks.count).allSatisfy { chunks.size(of: $0) == sizes[$0 % columns] }
  }
}
