package import Storage
internal import Foundation
internal import Specs

/// The tables of a sweep that somebody has looked at: `looks/NAME.jsonl` in the store's
/// folder, one line a look.
///
/// Fixed-n tests are too sure of themselves where seeds were added after a look; this is how a report knows.
/// The database is not touched, so that a store can be looked at while it is written.
package struct LookLog {
  private let path: String

  package init(of sweep: String, in folder: StoreFolder) { path = "\(folder.path)/looks/\(sweep).jsonl" }

  /// One look: how many seeds a cell was asked for at most, and how many had a number.
  package struct Look: Equatable, Sendable {
    package let seeds: Int
    package let finished: Int

    package init(seeds: Int, finished: Int) {
      self.seeds = seeds
      self.finished = finished
    }
  }

  /// In the order in which they were made; lines that are none are skipped. Empty without a file.
  package var looks: [Look] {
    guard let bytes = try? CheckedFile.read(path, limit: 4 << 20) else { return [] }
    return bytes.split(separator: 10).compactMap { line in
      guard let object = try? JSONReader.read(Array(line)).value.object,
        let seeds = object["seeds"]?.integer, let finished = object["finished"]?.integer
      else { return nil }
      return Look(seeds: seeds, finished: finished)
    }
  }

  /// Appends a look that differs from the last one.
  ///
  /// - Throws: `FileError` where the folder cannot be written.
  package func add(_ look: Look) throws {
    guard look.finished > 1, looks.last != look else { return }
    let folder = String(path[..<path.lastIndex(of: "/")!])
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let line = "{\"finished\":\(look.finished),\"seeds\":\(look.seeds)}\n"
    if FileManager.default.fileExists(atPath: path) {
      let file = try FileHandle(forWritingTo: URL(filePath: path))
      defer { try? file.close() }
      try file.seekToEnd()
      try file.write(contentsOf: Data(line.utf8))
    } else {
      try Data(line.utf8).write(to: URL(filePath: path))
    }
  }

  /// n of the last look before the cells got more seeds; nil where no seed was added after a look.
  ///
  /// - Parameter seeds: how many a cell is asked for now.
  package func priorLook(before seeds: Int) -> Int? { looks.last { $0.seeds < seeds }?.finished }
}
