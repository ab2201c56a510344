internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps

/// The files of somebody else's trainers: digested beside the grid, copied into the store, run from there. A
/// script that is edited while a sweep is going on changes the runs to come, and no run that is under way.
///
///     trainers/DIGEST/NAME           in the store; DIGEST is that of all names and contents
///     trainers/headlines/KEY.json    the metric that tells the best epoch, where a trainer declares one
enum TrainerFiles {
  /// Reads a trainer as a grid writes it: an object, or the name of one that comes with this program. Words
  /// of the command that are names of files beside the grid count as its files.
  static func spec(_ value: JSONValue, in gridFolder: String) throws -> TrainerSpec {
    if let name = value.string { return try spec(named: name) }
    let written = try TrainerSpec.written(value)
    let (command, named) = (written.command, written.files)
    // By bytes: two names that look alike are two files.
    var files: [TrainerSpec.File] = []
    for file in named + command.filter(TrainerSpec.isPlain)
    where !files.contains(where: { $0.name.hasBytes(of: file) }) {
      let path = "\(gridFolder)/\(file)"
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      if !named.contains(where: { $0.hasBytes(of: file) }), !exists || isFolder.boolValue { continue }
      files.append(TrainerSpec.File(name: file, digest: try digest(of: path)))
    }
    files.sort { a, b in
      a.name == b.name ? a.name.utf8.lexicographicallyPrecedes(b.name.utf8) : a.name < b.name
    }
    var trainer = TrainerSpec(command: command, files: files, name: written.name, folder: gridFolder)
    trainer.metrics = written.metrics
    trainer.version = written.version
    trainer.patience = written.patience
    return trainer
  }

  /// Copies the files of a sweep's trainers into the store, where they are not there yet.
  static func copy(_ sweep: PlannedSweep, into store: StoreFolder) throws {
    for trainer in Set(sweep.expansion.runs.compactMap(\.cell.lesson.trainer)) {
      if let headline = trainer.metrics.first(where: \.isHeadline) {
        try put(headline.canonicalBytes, at: headlinePath(of: trainer, in: store))
      }
      if trainer.files.isEmpty { continue }
      let folder = folder(of: trainer, in: store)
      try AtomicFile.createDurableFolder(folder)
      for file in trainer.files { try give(file, from: trainer.folder ?? ".", to: folder) }
    }
  }

  /// Gives another store copies of a trainer's files.
  ///
  /// - Returns: the file that is not there any more; nil where all are.
  static func lend(_ trainer: TrainerSpec, from store: StoreFolder, to other: StoreFolder) throws -> String? {
    let target = folder(of: trainer, in: other)
    try AtomicFile.createFolder(target)
    let headline = headlinePath(of: trainer, in: store)
    if AtomicFile.exists(headline) {
      try put(AtomicFile.read(headline), at: headlinePath(of: trainer, in: other))
    }
    for file in trainer.files {
      let source = "\(folder(of: trainer, in: store))/\(file.name)"
      guard FileManager.default.fileExists(atPath: source) else { return source }
      try give(file, from: folder(of: trainer, in: store), to: target)
    }
    return nil
  }

  /// The metric that tells a trainer's best epoch: what it declares, else accuracy.
  static func headline(of trainer: TrainerSpec, in store: StoreFolder) throws -> MetricDescription {
    let path = headlinePath(of: trainer, in: store)
    guard AtomicFile.exists(path) else { return ClassificationMetrics.headline }
    return try MetricDescription(JSONReader.read(AtomicFile.read(path)).value, at: path)
  }

  private static func headlinePath(of trainer: TrainerSpec, in store: StoreFolder) -> String {
    "\(store.path)/trainers/headlines/\(ContentKey(hashing: trainer.canonicalBytes)).json"
  }

  private static func put(_ bytes: [UInt8], at path: String) throws {
    try AtomicFile.createDurableFolder(URL(filePath: path).deletingLastPathComponent().path)
    try AtomicFile.write(bytes, to: path)
  }

  /// Copies a file, or a folder with all that it holds, unless the same is there.
  private static func give(_ file: TrainerSpec.File, from source: String, to target: String) throws {
    let (original, copy) = ("\(source)/\(file.name)", "\(target)/\(file.name)")
    if let there = try? digest(of: copy), there == file.digest { return }
    if isFolder(original) {
      // A copy that differs may hold what the original does not.
      try? FileManager.default.removeItem(atPath: copy)
      for name in try names(below: original) {
        let path = "\(copy)/\(name)"
        try AtomicFile.createDurableFolder(URL(filePath: path).deletingLastPathComponent().path)
        try AtomicFile.write(try AtomicFile.read("\(original)/\(name)"), to: path)
      }
    } else {
      try AtomicFile.write(try AtomicFile.read(original), to: copy)
    }
    guard try digest(of: copy) == file.digest else { throw TrainerChanged(file: file.name) }
  }

  /// Of what a file holds, or of the names and contents of all files in a folder.
  static func digest(of path: String) throws -> ContentKey {
    guard isFolder(path) else { return ContentKey(hashing: try AtomicFile.read(path)) }
    var hasher = ContentHasher()
    for name in try names(below: path) {
      hasher.field("name", name)
      hasher.field("digest", ContentKey(hashing: try AtomicFile.read("\(path)/\(name)")))
    }
    return hasher.finished()
  }

  /// More files than this are no trainer, but a folder that somebody named by mistake.
  private static let mostFiles = 2000

  /// The files in a folder and in those below it, by their paths from it on. What Python keeps for itself and
  /// hidden files do not count.
  private static func names(below folder: String) throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { name in
      let parts = name.split(separator: "/")
      return !parts.contains { $0 == "__pycache__" || $0.hasPrefix(".") } && !isFolder("\(folder)/\(name)")
    }
    guard !names.isEmpty, names.count <= mostFiles else {
      throw TrainerFault(
        reason:
          "the folder \(folder) of a trainer holds \(counted(names.count, "file")), and 1 to "
          + "\(mostFiles) are copied"
      )
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  static func folder(of trainer: TrainerSpec, in store: StoreFolder) -> String {
    "\(store.path)/trainers/\(trainer.filesKey)"
  }
}

/// A trainer's file is not what it was when the grid was read, or when it was copied.
struct TrainerChanged: Error, CustomStringConvertible {
  let file: String
  var description: String { "\(file) was changed meanwhile. Run the sweep again: it reads the file anew." }
}
