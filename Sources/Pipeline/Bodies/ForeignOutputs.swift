internal import Datasets
internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps

/// What a trainer writes down of a teacher, in files of the same form as this program's own (`ChunkFile`): of
/// each image and view its logits, and behind them its features where it writes some. Nothing of it is
/// believed before it was looked at.
enum ForeignOutputs {
  private static let viewsPerPart = 1024

  private static func form(
    _ stage: TeacherOutputsStage, features: [Int], profile: String, in workspace: Workspace
  ) throws -> RecordForm {
    let dataset = try DatasetBody.dataset(stage.inputs[0], in: workspace)
    return RecordForm(
      images: dataset.train.count, views: stage.views, viewsPerPart: viewsPerPart,
      classes: dataset.task.classes, embedding: 0, maps: features.isEmpty ? [] : [features], profile: profile)
  }

  /// What the trainer is asked to write.
  static func request(_ stage: TeacherOutputsStage, in workspace: Workspace) throws -> JSONValue {
    let form = try form(stage, features: [], profile: "", in: workspace)
    func number(_ value: Int) -> JSONValue { .number(DecimalNumber(value)) }
    let parts = (0..<form.parts).map { part -> JSONValue in
      let range = form.range(of: part)
      return [
        "count": number(range.count), "file": .string(RecordForm.name(ofPart: part)),
        "first": number(range.lowerBound),
      ]
    }
    return [
      "classes": number(form.classes), "features": number(stage.teacher.outputs ?? 0),
      "images": number(form.images), "parts": .array(parts), "views": number(form.views),
    ]
  }

  /// Looks at what the trainer has left in its folder and publishes it.
  ///
  /// - Precondition: the trainer has ended.
  /// - Throws: `TrainerFault` with what is wrong and where.
  static func takeIn(
    _ stage: TeacherOutputsStage, _ finished: TrainerLine.Finished, _ profile: String, in workspace: Workspace
  ) throws {
    let most = stage.teacher.outputs ?? 0
    let features = finished.features ?? []
    guard features.isEmpty == (most == 0), features.isEmpty || features.reduce(1, *) <= most else {
      let said = most == 0 ? "\"logits\" alone" : "up to \(most) numbers of features"
      throw TrainerFault(
        reason: "The trainer describes its teachers' outputs as \(said), and its \"finished\" has "
          + (features.isEmpty ? "no \"features\"" : "\"features\": \(features)") + " (docs/trainers.md).")
    }
    let form = try form(stage, features: features, profile: profile, in: workspace)
    let folder = "\(workspace.stage.path)/trainer"
    let names = (0..<form.parts).map(RecordForm.name)
    for part in 0..<form.parts { try look(at: part, form, in: folder) }
    for name in names { try workspace.attempt.takePart(name, from: "\(folder)/\(name)") }
    try workspace.publish(parts: names, and: [(RecordForm.file, form.canonicalBytes)]) { bytes in
      Metrics([
        "images": Double(form.images), "views": Double(form.views), "bytes": Double(bytes),
        "plain.bytes": Double(form.plainBytes),
      ])
    }
  }

  private static func look(at part: Int, _ form: RecordForm, in folder: String) throws {
    let name = RecordForm.name(ofPart: part)
    func fault(_ what: String) -> TrainerFault {
      TrainerFault(
        reason:
          "The trainer was asked for a teacher's outputs, and \(name) in \(folder) \(what) "
          + "(docs/trainers.md)."
      )
    }
    var status = stat()
    guard lstat("\(folder)/\(name)", &status) == 0 else { throw fault("is not there") }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
      throw fault("is no file of its own, but a link or something else")
    }
    let range = form.range(of: part)
    do {
      let chunks = try MappedChunks("\(folder)/\(name)")
      guard chunks.count == range.count * form.columns else {
        throw fault(
          "has \(counted(chunks.count, "chunk")), where \(counted(range.count, "view")) with "
            + "\(counted(form.columns, "chunk")) each make \(range.count * form.columns)")
      }
      let sizes = form.chunkSizes
      for chunk in 0..<chunks.count where chunks.size(of: chunk) != sizes[chunk % form.columns] {
        let size = sizes[chunk % form.columns]
        throw fault(
          "has \(counted(chunks.size(of: chunk), "byte")) as the \(place(chunk, range, form)), where "
            + "\(size / 4) numbers of 32 bits make \(size)")
      }
      let whole = ChunkFile.headSize(chunks.count) + range.count * sizes.reduce(0, +)
      guard Int(status.st_size) == whole else {
        throw fault("has \(status.st_size) bytes, where one without compression and gaps has \(whole)")
      }
      for chunk in 0..<chunks.count where !isFinite(try chunks.bytes(of: chunk)) {
        throw fault("has a number that is not finite in the \(place(chunk, range, form))")
      }
    } catch let damage as ChunkDamage {
      throw fault("is no whole file of chunks: \(damage.problem)")
    }
  }

  private static func place(_ chunk: Int, _ range: Range<Int>, _ form: RecordForm) -> String {
    let record = range.lowerBound + chunk / form.columns
    let what = chunk % form.columns == 0 ? "logits" : "features"
    return "\(what) of image \(record / form.views), view \(record % form.views)"
  }

  /// Whether no number of 32 bits is infinite or none.
  private static func isFinite(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count - 3, by: 4).allSatisfy {
        let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
        return bits & 0x7f80_0000 != 0x7f80_0000
      }
    }
  }
}
