internal import Datasets
internal import Foundation
internal import Networks
internal import Specs
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
    /// Seals that the old database had and the new one has.
    package var seals = 0
    /// Seals that could not be kept: what they are of has other numbers now, or none.
    package var lostSeals = 0
    /// Sentences about what could not be read or not be taken.
    package var troubles: [String] = []
    /// Finished stages that the old database had and no folder has whole.
    package var lost: [String] = []
  }

  /// Makes the database anew from the folders of stages and the files of sweeps, beside the old one:
  /// `install` puts it in its place.
  package static func rebuild(_ folder: StoreFolder) throws -> (report: Rebuilt, path: String) {
    let path = StoreNames.rebuilt(folder.database)
    try AtomicFile.removeFile(path)
    try AtomicFile.removeFile("\(path)-journal")
    let store = try ResultStore(file: path, .writing)
    var report = Rebuilt()
    // The old database may know sweeps that have no file, results whose folders are gone, and seals, which no
    // folder has.
    let old: ResultStore?
    do {
      old = AtomicFile.isThere(folder.database) ? try ResultStore(at: folder, .reading) : nil
    } catch {
      old = nil
      report.troubles.append("The old database is not read: \(error)")
    }
    let sweeps = try SweepFile.all(in: folder)
    let titles = try titles(of: sweeps)
    for key in try folder.stageKeys() {
      do {
        try take(key, titles[key], folder, store, beside: old, &report)
      } catch {
        report.troubles.append("\(folder.stage(key).path): \(error)")
      }
    }
    for (sweep, points, needs) in sweeps {
      try store.saveSweep(sweep, points: points, needs: needs)
      report.sweeps += 1
    }
    if let old {
      do {
        try takeOver(from: old, into: store, &report)
      } catch {
        report.troubles.append("The old database is not read to its end: \(error)")
      }
      try old.close()
    }
    try store.close()
    return (report, path)
  }

  /// What the grids call their stages; where several do, the first sweep by name.
  private static func titles(
    of sweeps: [(sweep: SweepRecord, points: [SweepPoint], needs: [StageNeed])]
  ) throws -> [ContentKey: String] {
    var titles: [ContentKey: String] = [:]
    for (sweep, points, needs) in sweeps {
      let names = try sweep.names
      for need in needs where titles[need.key] == nil {
        titles[need.key] = try StageRequest(document: Array(need.spec.utf8)).title(names)
      }
      for point in points where titles[point.key] == nil {
        titles[point.key] = RunTitle.text(sweep.columns, point.labels, seed: point.seed)
      }
    }
    return titles
  }

  /// Takes a stage in from its folder. One that lost some of what it recorded or made is left open, and said.
  private static func take(
    _ key: ContentKey, _ title: String?, _ folder: StoreFolder, _ store: ResultStore,
    beside old: ResultStore?, _ report: inout Rebuilt
  ) throws {
    let place = folder.stage(key)
    let request = try StageRequest(document: AtomicFile.read(place.spec, limit: AtomicFile.textLimit))
    guard request.key == key else {
      report.troubles.append("\(place.spec) is that of \(request.key.short): it was changed")
      return
    }
    let text = title ?? request.title
    let intake = Intake(
      folder: folder, store: store, stages: [key: request],
      titles: [key: StageTitle(key: key, kind: request.kind, text: text)])
    let isPublished = try place.published() != nil
    let failure = isPublished ? nil : try intake.unreadFailure(of: key)
    let lost = isPublished ? try lostEpochs(of: key, intake, place, beside: old) : nil
    let closing: StageState? = isPublished && lost == nil ? .finished : failure.map { .failed($0) }
    let taken = try intake.take(key, closing: closing)
    report.troubles += taken.complaints
    report.stages += 1
    if let missing = lost ?? taken.missing {
      report.troubles.append(
        "\(text) (\(key.short)) is not taken as finished: \(missing). `mtkd-sweep run` makes it again.")
    } else if closing == .finished {
      report.finished += 1
    }
  }

  /// What the old database knows of a stage's epochs and its records have no more; nil where nothing is known
  /// to be lost.
  private static func lostEpochs(
    of key: ContentKey, _ intake: Intake, _ place: StageFolder, beside old: ResultStore?
  ) throws -> String? {
    var epochs: Set<Int> = []
    for attempt in try place.attempts() {
      var reader = RecordReader(attempt.records)
      // Damaged records are complained of where they are taken in.
      for case .epoch(let epoch) in ((try? reader.next()) ?? []).map(\.record) { epochs.insert(epoch.epoch) }
    }
    guard let old, let known = try? old.curve(of: key) else { return nil }
    let gone = known.count { !epochs.contains($0.epoch) }
    return gone == 0
      ? nil : "the records of \(gone) of \(known.count) epochs that the old database has are gone"
  }

  /// Sweeps without a file, seals of runs that have the same numbers still, and what is lost.
  private static func takeOver(
    from old: ResultStore, into store: ResultStore, _ report: inout Rebuilt
  ) throws {
    let here = Set(try store.sweeps().map(\.name))
    let changed = try old.damagedSweeps()
    for sweep in try old.sweeps() where !here.contains(sweep.name) {
      if let damage = changed.first(where: { $0.contains("sweep \(sweep.name):") }) {
        report.troubles.append("The old database is not believed: \(damage)")
        continue
      }
      try store.saveSweep(sweep, points: old.points(of: sweep.name), needs: old.needs(of: sweep.name))
      report.sweeps += 1
    }
    let now = Dictionary(try store.stages().map { ($0.stage.key, $0.state) }) { $1 }
    report.lost = try old.stages().filter { $0.state == .finished && now[$0.stage.key] != .finished }
      .map(\.stage.title)
    (report.seals, report.lostSeals) = try store.keepSeals(of: old)
  }

  /// Puts a rebuilt database in the place of the old one, which stays beside it.
  package static func install(_ rebuilt: String, in folder: StoreFolder) throws {
    try AtomicFile.move(folder.database, to: "\(folder.database).before-rebuild")
    try AtomicFile.removeFile("\(folder.database)-journal")
    try AtomicFile.removeFile("\(rebuilt)-journal")
    try AtomicFile.move(rebuilt, to: folder.database)
  }
}

// MARK: Names of sweeps

extension StoreUpkeep {
  /// Gives a sweep another name, in the database and in its file.
  package static func rename(
    _ sweep: String, to name: String, _ folder: StoreFolder, _ store: ResultStore
  ) throws {
    try store.renameSweep(sweep, to: name)
    try SweepFile.write(store.sweep(name), store.points(of: name), needs: store.needs(of: name), in: folder)
    try AtomicFile.removeFile(SweepFile.path(of: sweep, in: folder))
  }

  /// Forgets a sweep, in the database and as a file.
  package static func remove(sweep: String, _ folder: StoreFolder, _ store: ResultStore) throws {
    // The file first: a rebuild would make the sweep again of it.
    try AtomicFile.removeFile(SweepFile.path(of: sweep, in: folder))
    try store.removeSweep(sweep)
  }
}
