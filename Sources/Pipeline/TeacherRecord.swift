internal import Distillation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Synchronization
internal import Tensors
internal import Training

/// How the outputs of a teacher lie in their files: record `image × views + view` has one chunk for logits and embedding, and one for the map
/// where maps are kept.
struct RecordForm: CanonicallyEncodable {
  static let file = "form.json"

  var images: Int
  var views: Int
  var viewsPerPart: Int
  var classes: Int
  var embedding: Int
  /// Channels, height, width; nil where maps are not kept.
  var map: [Int]?
  /// Of the process that asked: records made by other kernels have other bits.
  var profile: String

  init(
    images: Int, views: Int, viewsPerPart: Int, classes: Int, embedding: Int, map: [Int]?, profile: String
  ) {
    (self.images, self.views, self.viewsPerPart) = (images, views, viewsPerPart)
    (self.classes, self.embedding, self.map, self.profile) = (classes, embedding, map, profile)
  }

  static func name(ofPart part: Int) -> String {
    let digits = String(part)
    return "part-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).bin"
  }

  /// Records.
  var count: Int { images * views }
  /// Chunks of a record.
  var columns: Int { map == nil ? 1 : 2 }
  var parts: Int { (count + viewsPerPart - 1) / viewsPerPart }
  func range(of part: Int) -> Range<Int> { part * viewsPerPart..<min(count, (part + 1) * viewsPerPart) }
  /// Of all numbers, uncompressed.
  var plainBytes: Int { 4 * count * (classes + embedding + (map?.reduce(1, *) ?? 0)) }

  func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("classes", classes, to: &bytes)
    object.member("embedding", embedding, to: &bytes)
    object.member("images", images, to: &bytes)
    object.member("map", map.map { .array($0.map { .number(DecimalNumber($0)) }) }, to: &bytes)
    object.member("profile", .string(profile), to: &bytes)
    object.member("views", views, to: &bytes)
    object.member("viewsPerPart", viewsPerPart, to: &bytes)
    object.end(&bytes)
  }

  init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      images: try object.integer("images"), views: try object.integer("views"),
      viewsPerPart: try object.integer("viewsPerPart"), classes: try object.integer("classes"),
      embedding: try object.integer("embedding"), map: object["map"]?.array?.compactMap(\.integer),
      profile: try object.string("profile"))
    let extents = [images, views, viewsPerPart, classes, embedding] + (map ?? [])
    guard extents.allSatisfy({ (1...1 << 31).contains($0) }), map.map({ $0.count == 3 }) != false else {
      throw SpecError(path: path, expected: "sizes from 1 on")
    }
  }
}

/// What a teacher said, as a run reads it: mapped, held against eviction, and left alone from the first damage on.
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
    (self.form, self.parts, self.hold, self.complain) = (form, parts, hold, complain)
  }

  func activations(_ positions: [Int], views: [Int]) -> Activations? {
    guard !isDamaged.load(ordering: .relaxed) else { return nil }
    let records = zip(positions, views).map { $0 * form.views + $1 }
    do {
      let (logits, embedding) = try heads(records)
      var features = [embedding]
      if let map = form.map { features.insert(try maps(records, map), at: 0) }
      return Activations(features: features, logits: logits)
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

  private func maps(_ records: [Int], _ map: [Int]) throws -> Tensor { try read(records, column: 1, map) }

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
    guard run.views > 0, !workspace.asksTeachers, reads == .heads || reads == .maps else { return [] }
    let found = run.teachers.map { teacher -> TeacherRecord? in
      for maps in reads == .maps ? [true] : [false, true] {
        let stage = TeacherOutputsStage(teacher, on: run.dataset, views: run.views, maps: maps)
        if let record = open(workspace.store.stage(stage.key), in: workspace) { return record }
      }
      return nil
    }
    workspace.note("\(found.count { $0 != nil }) of \(found.count) teachers are read, the others are asked")
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
          "\(stage.key.short) was written under \(form.profile), this process computes under \(ProgramIdentity.profile)"
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

extension RecordForm {
  fileprivate func fits(_ chunks: MappedChunks) -> Bool {
    let sizes = [4 * (classes + embedding)] + (map.map { [4 * $0.reduce(1, *)] } ?? [])
    return (0..<chunks.count).allSatisfy { chunks.size(of: $0) == sizes[$0 % columns] }
  }
}
