package import Specs

/// A sweep as a file beside the database, so that the database can be made again from files alone:
/// `sweeps/NAME.jsonl`, the grid in the first line, then its points.
package enum SweepFile {
  package static func write(
    _ sweep: SweepRecord, _ points: [SweepPoint], needs: [StageNeed] = [], in folder: StoreFolder
  ) throws(FileError) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(points.count * 150 + sweep.grid.utf8.count * 2)
    CanonicalJSON.append(
      [
        "asked": .number(DecimalNumber(sweep.asked)), "canonical": .string(sweep.canonical),
        "columns": .array(sweep.columns.map { .string($0) }),
        "created": .number(DecimalNumber(sweep.created)),
        "grid": .string(sweep.grid), "name": .string(sweep.name),
        "needs": .array(
          needs.map { ["key": .string($0.key.description), "spec": .string($0.spec)] }),
      ], to: &bytes)
    bytes.append(UInt8(ascii: "\n"))
    for point in points {
      var object = ObjectWriter(to: &bytes)
      object.member("key", .string(point.key.description), to: &bytes)
      object.member("labels", .array(point.labels), to: &bytes)
      object.member("seed", point.seed, to: &bytes)
      object.end(&bytes)
      bytes.append(UInt8(ascii: "\n"))
    }
    try AtomicFile.createDurableFolder(folder.sweeps)
    try AtomicFile.write(bytes, to: path(of: sweep.name, in: folder))
  }

  /// The sweeps that have files, by name.
  /// - Throws: `FileError`, `SpecError` or a syntax error with its place in the file.
  package static func all(
    in folder: StoreFolder
  ) throws -> [(sweep: SweepRecord, points: [SweepPoint], needs: [StageNeed])] {
    try AtomicFile.names(in: folder.sweeps).filter { $0.hasSuffix(".jsonl") }.map { name in
      try read("\(folder.sweeps)/\(name)")
    }
  }

  /// Where a sweep has its file.
  package static func path(of sweep: String, in folder: StoreFolder) -> String {
    "\(folder.sweeps)/\(sweep).jsonl"
  }

  private static func read(
    _ path: String
  ) throws -> (sweep: SweepRecord, points: [SweepPoint], needs: [StageNeed]) {
    let lines = try AtomicFile.read(path).split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first else { throw SpecError(path: path, expected: "the lines of a sweep") }
    let head = try SpecObject(JSONReader.read(Array(first)).value, at: path)
    let name = try head.string("name")
    guard SweepName.isValid(name) else { throw SpecError(path: "\(path): name", expected: SweepName.rule) }
    let sweep = SweepRecord(
      name: name, grid: try head.string("grid"), canonical: try head.string("canonical"),
      columns: try head.array("columns").compactMap(\.string), asked: try head.integer("asked"),
      created: try head.integer("created"))
    let points = try lines.dropFirst().map { line in
      let point = try SpecObject(JSONReader.read(Array(line)).value, at: path)
      return SweepPoint(
        key: try point.key("key"), seed: try point.integer("seed"), labels: try point.array("labels"))
    }
    let needs = try head.optional("needs", SpecObject.array) ?? []
    return (
      sweep, points,
      try needs.map { value in
        let need = try SpecObject(value, at: path)
        return StageNeed(key: try need.key("key"), spec: try need.string("spec"))
      }
    )
  }
}

extension SweepRecord {
  /// What the grid that was last run calls its networks; nothing where an older program stored the sweep.
  package var names: WrittenNames {
    get throws {
      let saved = try JSONReader.read(Array(canonical.utf8)).value.object?["names"]
      return try saved.map { try WrittenNames($0, at: "names") } ?? WrittenNames()
    }
  }
}
