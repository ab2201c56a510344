internal import Datasets
internal import Foundation
internal import Networks
package import Specs
package import Storage
internal import Sweeps

/// What a person may want done to a store while nothing runs in it. All of it needs the store's lease.
package enum StoreUpkeep {}

// MARK: The database from the folders

extension StoreUpkeep {
  package struct Rebuilt: Sendable {
    package var stages = 0
    package var finished = 0
    package var sweeps = 0
    /// Sentences about folders that could not be read.
    package var troubles: [String] = []
    /// Finished stages that the old database had and no folder has.
    package var lost: [String] = []
  }

  /// Makes the database anew from the folders of stages and the files of sweeps, beside the old one: `install` puts it in its place.
  package static func rebuild(_ folder: StoreFolder) throws -> (report: Rebuilt, path: String) {
    let path = "\(folder.database).rebuilt"
    try AtomicFile.removeFile(path)
    let store = try ResultStore(file: path, .writing)
    var report = Rebuilt()
    for key in try folder.stageKeys() {
      do {
        let request = try StageRequest(document: AtomicFile.read(folder.stage(key).spec))
        guard request.key == key else {
          report.troubles.append("\(folder.stage(key).spec) is that of \(request.key.short): it was changed")
          continue
        }
        let intake = Intake(
          folder: folder, store: store, stages: [key: request],
          titles: [key: StageTitle(key: key, kind: request.kind, text: title(request))])
        let place = folder.stage(key)
        if try place.published() != nil {
          try intake.take(key, closing: .finished)
          report.finished += 1
        } else if let failure = try intake.unreadFailure(of: key) {
          try intake.take(key, closing: .failed(failure))
        } else {
          try intake.take(key, closing: nil)
        }
        report.stages += 1
      } catch {
        report.troubles.append("\(folder.stage(key).path): \(error)")
      }
    }
    // The old database may know sweeps that have no file, and results whose folders are gone.
    let old = try? ResultStore(at: folder, .reading)
    for (sweep, points) in try SweepFile.all(in: folder) {
      try store.saveSweep(sweep, points: points)
      report.sweeps += 1
    }
    if let old, let known = try? old.sweeps() {
      let here = Set(try store.sweeps().map(\.name))
      for sweep in known where !here.contains(sweep.name) {
        guard let points = try? old.points(of: sweep.name) else { continue }
        try store.saveSweep(sweep, points: points)
        report.sweeps += 1
      }
    }
    if let old, let before = try? old.stages() {
      let now = Dictionary(try store.stages().map { ($0.stage.key, $0.state) }) { $1 }
      report.lost = before.filter { $0.state == .finished && now[$0.stage.key] != .finished }.map(
        \.stage.title)
    }
    try old?.close()
    try store.close()
    return (report, path)
  }

  /// Puts a rebuilt database in the place of the old one, which stays beside it.
  package static func install(_ rebuilt: String, in folder: StoreFolder) throws {
    try AtomicFile.move(folder.database, to: "\(folder.database).before-rebuild")
    try AtomicFile.removeFile("\(folder.database)-journal")
    try AtomicFile.move(rebuilt, to: folder.database)
  }

  /// What to call a stage whose grid is unknown.
  private static func title(_ request: StageRequest) -> String {
    switch request.kind {
    case DatasetStage.kind:
      if let stage = try? request.decoded(as: DatasetStage.self) { return "dataset \(stage.dataset.name)" }
    case TeacherStage.kind:
      if let stage = try? request.decoded(as: TeacherStage.self) {
        return "teacher \(NetworkNames.title(of: stage.teacher.network))"
      }
    case TeacherOutputsStage.kind:
      if let stage = try? request.decoded(as: TeacherOutputsStage.self) {
        return "outputs of \(NetworkNames.title(of: stage.teacher.network)), \(stage.views) views"
      }
    case StudentStage.kind:
      if let run = try? request.decoded(as: StudentStage.self).run {
        return "\(NetworkNames.title(of: run.student)) \(run.method.name) seed \(run.seed)"
      }
    default: break
    }
    return request.kind
  }
}

// MARK: Every digest

extension StoreUpkeep {
  /// Reads everything that has a digest, in the folders and in the database. Nothing is changed.
  ///
  /// - Parameter progress: called with the number of the stage in hand and of all.
  /// - Returns: a sentence for each damage.
  package static func check(_ folder: StoreFolder, progress: (Int, Int) -> Void = { _, _ in }) throws
    -> [String]
  {
    var damages: [String] = []
    var store: ResultStore?
    do {
      store = try ResultStore(at: folder, .reading)
      damages += try store?.damages() ?? []
    } catch StoreError.absent {
      // Folders can be looked at without any database.
    } catch {
      damages.append("\(error)")
    }
    damages += try checkWeights(WeightsFolder(folder)) + checkIndexes("\(folder.path)/indexes")
    let keys = try folder.stageKeys()
    for (place, key) in keys.enumerated() {
      progress(place, keys.count)
      let stage = folder.stage(key)
      func look(_ body: () throws -> Void) { do { try body() } catch { damages.append("\(error)") } }
      look {
        let request = try StageRequest(document: AtomicFile.read(stage.spec))
        if request.key != key {
          damages.append("\(stage.spec) is that of \(request.key.short): it was changed")
        }
      }
      look { try stage.published()?.verify() }
      var states: [Int: ContentKey] = [:]
      for attempt in try stage.attempts() {
        look {
          var reader = RecordReader(attempt.records)
          for case .epoch(let epoch) in try reader.next().map(\.record) { states[epoch.epoch] = epoch.state }
        }
        look { damages += try attempt.snapshots.damaged().map { "\($0) does not unpack" } }
      }
      look {
        for epoch in try store?.curve(of: key) ?? [] {
          guard let state = states[epoch.epoch], state != epoch.state else { continue }
          damages.append(
            "epoch \(epoch.epoch + 1) of \(key.short) has another state in the database than in its folder")
        }
      }
    }
    return damages
  }
}

extension StoreUpkeep {
  /// Files of weights whose bytes are not those of their names, and names of imports without a file.
  private static func checkWeights(_ weights: WeightsFolder) throws -> [String] {
    var damages: [String] = []
    for digest in try weights.digests() {
      do { _ = try weights.read(digest) } catch { damages.append("\(error)") }
    }
    for name in try weights.names() {
      do {
        let record = try TeacherWeights.record(name, in: weights)
        if !weights.has(record.weights.digest) {
          damages.append("The weights of the import '\(name)' are gone; import \(record.source) again.")
        }
      } catch {
        damages.append("The import '\(name)' does not read: \(error)")
      }
    }
    return damages
  }

  private static func checkIndexes(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
      .filter { $0.hasSuffix(".tsv") && !PhotographIndexing.isWhole($0) }
      .map { "\($0) does not read. Remove it; the next plan looks at those photographs again." }
  }
}

extension StageRequest {
  /// What a stage needs of weights that were trained elsewhere.
  var importedWeights: [ImportedWeights] {
    switch kind {
    case TeacherStage.kind: [(try? decoded(as: TeacherStage.self))?.teacher.weights].compactMap(\.self)
    case StudentStage.kind: ((try? decoded(as: StudentStage.self))?.run.teachers ?? []).compactMap(\.weights)
    default: []
    }
  }
}

// MARK: What nothing reaches

extension StoreUpkeep {
  package struct Garbage: Sendable {
    package let key: ContentKey
    package let title: String
    /// On disk.
    package let bytes: Int
    /// Whether the database forgets it too; else only its folder goes, and the database keeps all of its result.
    package let isForgotten: Bool
  }

  /// Stages that no sweep of the store reaches, over its runs, their datasets, their teachers and what these said.
  ///
  /// - Parameter withFolders: also folders of finished runs whose results the database holds whole.
  package static func garbage(_ folder: StoreFolder, _ store: ResultStore, withFolders: Bool) throws
    -> [Garbage]
  {
    let known = Dictionary(try store.stages().map { ($0.stage.key, $0) }) { $1 }
    let reached = try reach(folder, store).keys
    let here = try folder.stageKeys()
    var garbage = Set(here).union(known.keys).subtracting(reached).sorted().map { key in
      Garbage(
        key: key, title: known[key]?.stage.title ?? "unknown stage", bytes: folder.stage(key).bytes,
        isForgotten: true)
    }
    if withFolders {
      for key in here where reached.contains(key) {
        guard let (stage, state) = known[key], state == .finished, stage.kind == StudentStage.kind else {
          continue
        }
        garbage.append(
          Garbage(key: key, title: stage.title, bytes: folder.stage(key).bytes, isForgotten: false))
      }
    }
    return garbage
  }

  /// The stages that sweeps of the store reach, and the files of weights that these need.
  private static func reach(
    _ folder: StoreFolder, _ store: ResultStore
  ) throws -> (keys: Set<ContentKey>, weights: Set<ContentKey>) {
    let known = Dictionary(try store.stages().map { ($0.stage.key, $0.stage.spec) }) { $1 }
    var (reached, weights): (Set<ContentKey>, Set<ContentKey>) = ([], [])
    for sweep in try store.sweeps() {
      var open = try store.points(of: sweep.name).map(\.key)
      while let key = open.popLast() {
        guard reached.insert(key).inserted else { continue }
        let text = known[key].map { Array($0.utf8) } ?? (try? AtomicFile.read(folder.stage(key).spec))
        guard let text, let request = try? StageRequest(document: text) else { continue }
        open += request.inputs
        weights.formUnion(request.importedWeights.map(\.digest))
        guard request.kind == StudentStage.kind, let run = try? request.decoded(as: StudentStage.self).run
        else { continue }
        for teacher in run.teachers where run.views > 0 {
          open += [false, true].map {
            TeacherOutputsStage(teacher, on: run.dataset, views: run.views, maps: $0).key
          }
        }
      }
    }
    return (reached, weights)
  }

  /// Files of imported weights that no sweep reaches and no import names.
  package static func unusedWeights(
    _ folder: StoreFolder, _ store: ResultStore
  ) throws -> [(digest: ContentKey, bytes: Int)] {
    let weights = WeightsFolder(folder)
    var needed = try reach(folder, store).weights
    for name in try weights.names() {
      needed.insert(try TeacherWeights.record(name, in: weights).weights.digest)
    }
    return try weights.digests().filter { !needed.contains($0) }.map { ($0, weights.bytes(of: $0)) }
  }

  /// Removes what `garbage` has shown.
  package static func remove(_ garbage: [Garbage], _ folder: StoreFolder, _ store: ResultStore) throws {
    try store.remove(garbage.filter(\.isForgotten).map(\.key))
    for stage in garbage { try folder.stage(stage.key).remove() }
  }
}

// MARK: One file and back

extension StoreUpkeep {
  /// Packs a sweep's grid, the records of its finished and failed stages, their final and best states and what made them into one file.
  ///
  /// - Returns: how many of its stages it holds, and the files of imported weights that it does without: what teachers became of them is in it.
  package static func archive(
    _ sweep: String, of store: ResultStore, to path: String, scratch: String
  ) throws -> (stages: Int, lacks: [ContentKey]) {
    let known = Dictionary(try store.stages().map { ($0.stage.key, $0) }) { $1 }
    var (open, reached): ([ContentKey], Set<ContentKey>) = (try store.points(of: sweep).map(\.key), [])
    var lacks: Set<ContentKey> = []
    while let key = open.popLast() {
      guard let (stage, state) = known[key], reached.insert(key).inserted else { continue }
      switch state {
      case .finished, .failed: break
      case .open, .blocked: reached.remove(key)
      }
      if let request = try? StageRequest(document: Array(stage.spec.utf8)) {
        open += request.inputs
        lacks.formUnion(request.importedWeights.map(\.digest))
      }
    }
    try AtomicFile.removeFile(scratch)
    defer { try? AtomicFile.removeFile(scratch) }
    let copy = try ResultStore(file: scratch, .writing)
    try copy.merge(store.path, keys: reached, sweeps: [sweep])
    try copy.dropResumePoints(keeping: [TeacherStage.kind])
    try copy.close()
    try StoreArchive.pack(scratch, to: path)
    return (reached.count, lacks.sorted())
  }

  /// Takes what an archive holds into a store, beside what it has.
  ///
  /// - Returns: the names of the sweeps that the archive holds.
  package static func unarchive(_ path: String, into folder: StoreFolder, _ store: ResultStore) throws
    -> [String]
  {
    let scratch = "\(folder.path)/unarchived.\(getpid())"
    defer { try? AtomicFile.removeFile(scratch) }
    try StoreArchive.unpack(path, to: scratch)
    let archived = try ResultStore(file: scratch, .reading)
    let sweeps = try archived.sweeps().map(\.name)
    // Failed runs may run again: their next attempt must not bear the number of one that is on record.
    let failed = try archived.stages().filter { if case .failed = $0.state { true } else { false } }
    for (stage, _) in failed {
      if let last = try archived.attempts(of: stage.key).last {
        try folder.stage(stage.key).reserveAttempts(upTo: last.number)
      }
    }
    try archived.close()
    try store.merge(scratch)
    return sweeps
  }
}
