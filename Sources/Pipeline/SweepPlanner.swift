internal import Datasets
internal import Foundation
package import Specs
package import Storage
package import Sweeps
internal import Training

/// A grid multiplied out and compared with what a store has.
package struct PlannedSweep: Sendable {
  package let path: String
  /// The file's text.
  package let text: String
  package let grid: GridSpec
  package let expansion: GridExpansion
  package internal(set) var plan: SweepPlan
  /// Sentences about datasets whose files are in none of the places where they could be, and about weights
  /// from elsewhere that are not there.
  package let missingData: [String]
  /// Sentences about datasets of which something was left out, is missing or is in both sets.
  package let dataNotes: [String]
  package let forecast: Forecast
  package let counts: PlanCounts
  /// Runs of the sweep of this name that the store knows and the grid does not ask for any more.
  package let dropped: Int
  /// Runs that the store knows of the sweep and the grid still asks for; nil for a sweep that
  /// the store does not know.
  package let kept: Int?
  let done: Set<ContentKey>
  let failed: [ContentKey: FailureRecord]
  /// What the runs read, those left for later included.
  let needs: [StageNeed]

  package var name: String { grid.name }

  /// How the grid differs from what the store knows of the sweep; nil where it does not, and for a new sweep.
  package var change: String? {
    guard let kept, kept < plan.runKeys.count || dropped > 0 else { return nil }
    return
      "\(name): \(counted(kept, "run")) kept, \(plan.runKeys.count - kept) new, \(dropped) no longer asked "
      + "for (nothing is deleted)"
  }

  /// Whether the store has a sweep of this name with results, none of which the grid asks for any more.
  package func wouldReplace(in store: ResultStore) throws -> Bool {
    guard kept == 0, dropped > 0 else { return false }
    let counts = try store.counts(of: name)
    return counts.finished + counts.failed + counts.diverged > 0
  }

  /// The same sweep of which only some runs are meant this time; the others stay in it, open.
  package func narrowed(to chosen: Set<ContentKey>) -> PlannedSweep {
    var sweep = self
    sweep.plan = plan.keeping(chosen)
    return sweep
  }

  /// Runs without a result, in the order of the plan.
  package var open: [ContentKey] { plan.runKeys.filter { !done.contains($0) && failed[$0] == nil } }

  /// The metrics that its runs declare: those of the task, and those of its trainers. A trainer's headline is
  /// the sweep's where every run has a trainer with one; else the task's is.
  package var metrics: MetricDescriptions {
    var seen: Set<Int> = []
    let lessons = expansion.runs.lazy.map(\.cell.lesson).filter { seen.insert($0.number).inserted }
    var trainers: [TrainerSpec?] = []
    var teachers = 0
    for lesson in lessons {
      trainers.append(lesson.trainer)
      teachers = max(teachers, lesson.teachers(seed: 0).count)
    }
    var task = ClassificationMetrics.descriptions(teachers: teachers) + Evaluation.addedMetrics
    let tasks = expansion.transferTasks
    if !tasks.isEmpty {
      // What a run is worth is what its backbone is worth; what its student was is in
      // the student's own stage.
      if expansion.runs.contains(where: { $0.cell.transfer == nil }) {
        for place in task.indices { task[place].isHeadline = false }
        task = TransferMetrics.descriptions(tasks) + task
      } else {
        task = TransferMetrics.descriptions(tasks)
      }
    }
    var declared = trainers.flatMap { $0?.metrics ?? [] }
    let isTheirs =
      !trainers.isEmpty && trainers.allSatisfy { $0?.metrics.contains(where: \.isHeadline) == true }
    if isTheirs {
      for place in task.indices { task[place].isHeadline = false }
      return MetricDescriptions(declared + task)
    }
    for place in declared.indices { declared[place].isHeadline = false }
    return MetricDescriptions(task + declared)
  }

  /// The metric that stands for a run on displays: the one that the grid reports, else the headline.
  package var shownMetric: MetricDescription? {
    let metrics = metrics
    return grid.report.metric.map { metrics[$0] } ?? metrics.headline
  }

  /// What a report has to know of the grid: its `report` block, as `ReportPreferences` reads it, the
  /// metrics that its runs declare, what it calls its networks, its note, and what of its datasets
  /// was left out or is missing.
  var canonical: String {
    var bytes: [UInt8] = []
    var object = ObjectWriter(to: &bytes)
    if let claims = grid.claims { object.member("claims", to: &bytes, claims.append) }
    if !dataNotes.isEmpty {
      object.member("data", to: &bytes) {
        CanonicalJSON.append(.array(dataNotes.map { .string(ForeignText.line($0)) }), to: &$0)
      }
    }
    object.member("metrics", to: &bytes) { bytes in
      bytes.append(UInt8(ascii: "["))
      for (index, metric) in metrics.values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        metric.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    }
    object.member("names", to: &bytes, expansion.names.append)
    if let note = grid.note { object.member("note", .string(ForeignText.line(note)), to: &bytes) }
    object.member("report", to: &bytes, grid.report.append)
    object.end(&bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A grid file that is not there or cannot be read.
package struct UnreadableGrid: UserError, Equatable {
  package var exitStatus: ExitStatus { .missingInput }
  package let path: String
  package let problem: String

  package var description: String {
    "\(path) \(problem). Name a grid file; `mtkd-sweep presets show smoke > grid.json` writes one "
      + "to begin with."
  }
}

/// A grid read and multiplied out, its datasets found and digested; no store has been asked what it has.
package struct ExpandedGrid: Sendable {
  let path: String
  let text: [UInt8]
  package let grid: GridSpec
  package let expansion: GridExpansion
  /// What methods read of their teachers, by their names.
  let reads: [String: TeacherOutputs]
  /// Sentences about datasets whose files are in none of the places where they could be, and about weights
  /// from elsewhere that are not there.
  package let missingData: [String]
  /// Sentences about datasets of which something was left out, is missing or is in both sets.
  package let dataNotes: [String]
}

extension ExpandedGrid {
  /// The same with the seeds that claims ask for so far: a grid without claims is left as it is.
  ///
  /// - Parameter count: how many seeds a cell of these labels gets.
  package func asking(for count: ([JSONValue]) -> Int) -> ExpandedGrid {
    asking { 0..<count($0) }
  }

  /// The same with some of the seeds alone, by their places from 0.
  package func asking(seeds: ([JSONValue]) -> Range<Int>) -> ExpandedGrid {
    guard let claims = grid.claims else { return self }
    return ExpandedGrid(
      path: path, text: text, grid: grid, expansion: expansion.asking(claims, for: seeds), reads: reads,
      missingData: missingData, dataNotes: dataNotes)
  }
}

package enum SweepPlanner {
  /// Reads, checks and expands a grid; with a store, subtracts what it has. Nothing is written.
  ///
  /// - Parameters:
  ///   - path: as the user typed it.
  ///   - storeFolder: where imported teachers are, and what is known of folders of photographs.
  ///   - limit: more runs than this are refused.
  ///   - recordsTeachers: whether the outputs of teachers for fixed views are cached where that is less work.
  /// - Throws: `UnreadableGrid`, `GridRejected`, `StoreError`.
  package static func plan(
    gridAt path: String, dataFolders: [String], in storeFolder: StoreFolder? = nil,
    limit: Int = GridExpansion.usualLimit, store: ResultStore? = nil, recordsTeachers: Bool = true
  ) throws -> PlannedSweep {
    let read = try read(gridAt: path, dataFolders: dataFolders, in: storeFolder, limit: limit)
    return try plan(read, store: store, recordsTeachers: recordsTeachers)
  }

  /// The first half of `plan`, for whoever has to know before there is a store whether the grid can be run.
  package static func read(
    gridAt path: String, dataFolders: [String], in storeFolder: StoreFolder? = nil,
    limit: Int = GridExpansion.usualLimit
  ) throws -> ExpandedGrid {
    let bytes = try text(of: path)
    let folder = folder(of: path)
    let own = GridVocabulary.engine(dataFolders: dataFolders, gridFolder: folder, in: storeFolder)
    let draft = GridReader.draft(bytes, file: path, groups: own.settings.groups, load: load)
    let vocabulary = own.asking(draft.grid, in: folder, storeFolder)
    let grid = try draft.judged(by: vocabulary)
    let expansion = try GridExpansion(grid, vocabulary, limit: limit)
    return ExpandedGrid(
      path: path, text: bytes, grid: grid, expansion: expansion,
      reads: Dictionary(vocabulary.methods.map { ($0.name, $0.teacherOutputs) }) { $1 },
      missingData: missing(expansion, dataFolders: dataFolders) + TeacherWeights.absences(in: expansion),
      dataNotes: try notes(expansion)
        + TransferObstacles.notes(expansion, dataFolders: dataFolders, index: .of(storeFolder)))
  }

  /// The second half: what the store has is subtracted.
  ///
  /// - Parameter other: a plan whose stages count as done, because it is executed before.
  package static func plan(
    _ read: ExpandedGrid, store: ResultStore?, recordsTeachers: Bool = true, after other: SweepPlan? = nil
  ) throws -> PlannedSweep {
    let (grid, expansion) = (read.grid, read.expansion)
    var plan = SweepPlan(expansion.runs)
    var done = Set(other?.stages.map(\.key) ?? [])
    var failed: [ContentKey: FailureRecord] = [:]
    func look(_ keys: [ContentKey]) throws {
      for (key, state) in try store?.states(of: keys) ?? [:] {
        switch state {
        case .finished: done.insert(key)
        case .failed(let failure): failed[key] = failure
        case .open, .blocked: break
        }
      }
    }
    try look(plan.stages.map(\.key))
    if recordsTeachers {
      plan = try plan.recordingTeachers(
        expansion.runs, reads: read.reads, done: done.union(failed.keys)
      ) { try store?.states(of: [$0])[$0] == .finished }
      try look(plan.stages.filter { $0.role == .helper }.map(\.key).sorted())
    }
    plan = plan.extended(after: expansion.runs.lazy.map(\.spec))
    try look(plan.added.sorted())
    let students = plan.runKeys
    let finished = students.count { done.contains($0) || failed[$0] != nil }
    let counts = PlanCounts(
      asked: expansion.asked, distinct: students.count, done: finished,
      preparations: plan.preparations(done: done, failed: Set(failed.keys)),
      hasTransfers: plan.hasTransfers)
    let known =
      try store.map { store in
        try store.sweeps().contains { $0.name == grid.name }
          ? Set(store.points(of: grid.name).map(\.key)) : nil
      } ?? nil
    return PlannedSweep(
      path: read.path, text: String(decoding: read.text, as: UTF8.self), grid: grid, expansion: expansion,
      plan: plan, missingData: read.missingData, dataNotes: read.dataNotes,
      forecast: try Forecast(
        expansion, plan, done: done.union(failed.keys), estimates: store?.estimates() ?? [:]),
      counts: counts, dropped: known?.subtracting(students).count ?? 0,
      kept: known?.intersection(students).count, done: done, failed: failed,
      needs: plan.stages.filter { $0.role != .result || plan.added.contains($0.key) }.map {
        StageNeed(key: $0.key, spec: String(decoding: $0.document, as: UTF8.self))
      })
  }

  /// Reads and checks a grid without looking at a store's results.
  package static func check(
    gridAt path: String, dataFolders: [String], in storeFolder: StoreFolder? = nil, limit: Int
  ) throws -> GridExpansion {
    let folder = folder(of: path)
    let own = GridVocabulary.engine(dataFolders: dataFolders, gridFolder: folder, in: storeFolder)
    let draft = try GridReader.draft(text(of: path), file: path, groups: own.settings.groups, load: load)
    let vocabulary = own.asking(draft.grid, in: folder, storeFolder)
    let grid = try draft.judged(by: vocabulary)
    return try GridExpansion(grid, vocabulary, limit: limit)
  }

  /// Grids are small; what is larger is something else.
  private static let most = 64 << 20

  /// Read once, because it cannot be read twice.
  private static let standardInput = Result {
    try FileHandle.standardInput.read(upToCount: most + 1) ?? Data()
  }

  /// Whether a path names what is open already: `-` for standard input, or the pipe of a shell's `<(…)`.
  private static func isStream(_ path: String) -> Bool {
    ["/dev/stdin", "-"].contains(path) || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
  }

  private static func stream(_ path: String) throws(UnreadableGrid) -> [UInt8] {
    do {
      let data: Data
      if ["/dev/stdin", "-", "/dev/fd/0", "/proc/self/fd/0"].contains(path) {
        data = try standardInput.get()
      } else {
        let handle = try FileHandle(forReadingFrom: URL(filePath: path))
        data = try handle.read(upToCount: most + 1) ?? Data()
      }
      guard data.count <= most else {
        throw UnreadableGrid(path: path, problem: "holds more than \(most >> 20) MB, which no grid needs")
      }
      return Array(data)
    } catch let error as UnreadableGrid {
      throw error
    } catch {
      throw UnreadableGrid(path: path, problem: "cannot be read (\(error))")
    }
  }

  private static func text(of path: String) throws(UnreadableGrid) -> [UInt8] {
    if isStream(path) { return try stream(path) }
    do throws(FileError) {
      return try AtomicFile.read(path)
    } catch {
      throw UnreadableGrid(
        path: path, problem: error.isAbsent ? "does not exist" : "cannot be read (\(error))")
    }
  }

  private static func folder(of path: String) -> String {
    if isStream(path) { return "." }
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// What `extends` names: a preset, or a path seen from the file that names it.
  private static func load(_ reference: String, from file: String) throws -> (file: String, bytes: [UInt8]) {
    if reference.hasPrefix("preset:") {
      let name = String(reference.dropFirst("preset:".count))
      return (reference, Array(try Catalog.presets.entry(name).text.utf8))
    }
    let path = reference.hasPrefix("/") ? reference : "\(folder(of: file))/\(reference)"
    return (path, try text(of: path))
  }

  /// One sentence a dataset, however many runs and subsets of it there are.
  private static func notes(_ expansion: GridExpansion) -> [String] {
    var known: Set<ContentKey> = []
    var notes: [String] = []
    for dataset in expansion.datasets {
      guard let digest = dataset.digest, let facts = dataset.facts, facts.isRemarkable,
        known.insert(digest).inserted
      else { continue }
      let examples =
        facts.leftOut.map { "\($0.reason): \($0.example)" } + (facts.warned.map { [$0.example] } ?? [])
      let first = examples.isEmpty ? "" : " (first of each: \(examples.joined(separator: "; ")))"
      notes.append("\(dataset.name): \(facts.summary)\(first)")
    }
    return notes
  }

  private static func missing(_ expansion: GridExpansion, dataFolders: [String]) -> [String] {
    var missing: [DatasetSpec] = []
    for dataset in expansion.datasets {
      guard dataset.digest == nil, !missing.contains(where: { $0.name == dataset.name }) else { continue }
      missing.append(dataset)
    }
    return missing.map { dataset in
      let name = dataset.name
      let text = dataset.folder.map { "\(name):\($0)" } ?? name
      let located =
        AnnotatedCatalog.has(name)
        ? try? AnnotatedCatalog.locate(text, searching: dataFolders)
        : try? DatasetCatalog.locate(text, searching: dataFolders)
      return located?.missing?.description ?? "The dataset \(name) was not found."
    }
  }
}
