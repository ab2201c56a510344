internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps

/// The files of somebody else's trainers: digested beside the grid, copied into the store, run from there. A script that is edited while a sweep is
/// going on changes the runs to come, and no run that is under way.
///
///     trainers/DIGEST/NAME      in the store; DIGEST is that of all names and contents
enum TrainerFiles {
  /// Reads a trainer as a grid writes it. Words of the command that are names of files beside the grid count as its files.
  static func spec(_ value: JSONValue, in gridFolder: String) throws -> TrainerSpec {
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
      files.append(TrainerSpec.File(name: file, digest: ContentKey(hashing: try AtomicFile.read(path))))
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
    for trainer in Set(sweep.expansion.runs.compactMap(\.cell.lesson.trainer)) where !trainer.files.isEmpty {
      let folder = folder(of: trainer, in: store)
      try AtomicFile.createDurableFolder(folder)
      for file in trainer.files {
        let target = "\(folder)/\(file.name)"
        if let there = try? AtomicFile.read(target), ContentKey(hashing: there) == file.digest { continue }
        let bytes = try AtomicFile.read("\(trainer.folder ?? ".")/\(file.name)")
        guard ContentKey(hashing: bytes) == file.digest else { throw TrainerChanged(file: file.name) }
        try AtomicFile.write(bytes, to: target)
      }
    }
  }

  /// Gives another store copies of a trainer's files.
  ///
  /// - Returns: the file that is not there any more; nil where all are.
  static func lend(_ trainer: TrainerSpec, from store: StoreFolder, to other: StoreFolder) throws -> String? {
    let target = folder(of: trainer, in: other)
    try AtomicFile.createFolder(target)
    for file in trainer.files {
      let source = "\(folder(of: trainer, in: store))/\(file.name)"
      guard FileManager.default.fileExists(atPath: source) else { return source }
      try AtomicFile.write(try AtomicFile.read(source), to: "\(target)/\(file.name)")
    }
    return nil
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
