package import Specs
package import Storage
internal import Sweeps

// MARK: One file and back

extension StoreUpkeep {
  /// What an archive holds.
  package struct Archived: Sendable {
    package let stages: Int
    /// Files of imported weights.
    package let weights: Int
    /// Files of imported weights that the store does not have either.
    package let lacks: [ContentKey]
  }

  /// Stages that are copied in one transaction: the writer of the store waits no longer than that.
  private static let chunk = 8

  /// Packs a sweep's grid, the records of its finished and failed stages, those of teachers and datasets that
  /// its runs will read, their final and best states, what made them, and imported weights into one file.
  /// Others may go on writing the store meanwhile.
  ///
  /// - Parameter hasCheckpoints: without them the file holds numbers and what made them: a table is drawn
  ///   from it, and nothing is verified or gone on with.
  /// - Throws: `StoreError.altered` where something of it is not what was written.
  package static func archive(
    _ sweep: String, of store: ResultStore, in folder: StoreFolder, to path: String,
    hasCheckpoints: Bool = true
  ) throws -> Archived {
    let known = Dictionary(try store.stages().map { ($0.stage.key, $0) }) { $1 }
    var reach = Reach(specs: known.mapValues(\.stage.spec), folder)
    reach.add(points: try store.points(of: sweep).map(\.key), needs: try store.needs(of: sweep))
    if reach.isPartly { reach.keys.formUnion(reach.preparations()) }
    let chosen = reach.keys.sorted().filter { key in
      switch known[key]?.state {
      case .finished, .failed: true
      case .open, .blocked, nil: false
      }
    }
    try checkUnchanged(chosen, sweep, store)
    let scratch = StoreNames.packing(path)
    func clear() throws {
      for ending in [""] + StoreNames.companions { try AtomicFile.removeFile(scratch + ending) }
    }
    try clear()
    defer { try? clear() }
    let copy = try ResultStore(file: scratch, .writing)
    try copy.merge(store.path, keys: [], sweeps: [sweep])
    for start in stride(from: 0, to: chosen.count, by: chunk) {
      let some = chosen[start..<min(start + chunk, chosen.count)]
      try copy.merge(store.path, keys: Set(some), sweeps: [])
    }
    // A preparation is put back from its states, the last one included; a result is only reported.
    let putBack = Catalog.stageKinds.entries.filter { $0.hasCheckpoints && $0.role != .result }
    if hasCheckpoints {
      try copy.dropResumePoints(keeping: putBack.map { $0.kind })
    } else {
      try copy.dropCheckpoints()
    }
    let weights = WeightsFolder(folder)
    let files = hasCheckpoints ? reach.weights.sorted().filter(weights.has) : []
    for digest in files { try copy.addWeights(weights.read(digest)) }
    try copy.close()
    try StoreArchive.pack(scratch, to: path)
    let lacks = hasCheckpoints ? reach.weights.sorted().filter { !weights.has($0) } : []
    return Archived(stages: chosen.count, weights: files.count, lacks: lacks)
  }

  private static func checkUnchanged(_ keys: [ContentKey], _ sweep: String, _ store: ResultStore) throws {
    var damages = try store.damagedSweeps().filter { $0.contains("sweep \(sweep):") }
    for key in keys { damages += try store.checkDigests(of: key).damages }
    if !damages.isEmpty { throw StoreError.altered(store.path, damages) }
  }

  /// Takes what an archive holds into a store, beside what it has. An archive may come from anybody: nothing
  /// of it is taken before all of it was checked.
  ///
  /// - Returns: the names of the sweeps that the archive holds.
  package static func unarchive(
    _ path: String, into folder: StoreFolder, _ store: ResultStore
  ) throws -> [String] {
    let scratch = "\(folder.path)/\(StoreNames.unpacked)"
    func clear() throws {
      for ending in [""] + StoreNames.companions { try AtomicFile.removeFile(scratch + ending) }
    }
    try clear()
    defer { try? clear() }
    try StoreArchive.unpack(path, to: scratch)
    let archived: ResultStore
    do {
      archived = try ResultStore(file: scratch, .reading)
      try ArchiveCheck.check(archived)
    } catch {
      throw StoreError.notAnArchive(path, reason: ArchiveCheck.reason(error, scratch))
    }
    let sweeps = try archived.sweeps()
    // Failed runs may run again: their next attempt must not bear the number of one that is on record.
    let failed = try archived.stages().filter { if case .failed = $0.state { true } else { false } }
    for (stage, _) in failed {
      if let last = try archived.attempts(of: stage.key).last {
        try folder.stage(stage.key).reserveAttempts(upTo: last.number)
      }
    }
    let weights = WeightsFolder(folder)
    for digest in try archived.weights() where !weights.has(digest) {
      if let bytes = try archived.weights(digest) { try weights.put(bytes) }
    }
    let files = try sweeps.map { sweep in
      (sweep, try archived.points(of: sweep.name), try archived.needs(of: sweep.name))
    }
    try archived.close()
    try store.merge(scratch)
    for (sweep, points, needs) in files { try SweepFile.write(sweep, points, needs: needs, in: folder) }
    return sweeps.map(\.name)
  }
}
