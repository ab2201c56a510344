internal import Datasets
internal import Foundation
package import Specs
package import Storage
internal import Sweeps

extension StageRequest {
  /// What a stage needs of weights that were trained elsewhere; nothing of a kind that
  /// this program does not know.
  var importedWeights: [ImportedWeights] { (try? stage.importedWeights) ?? [] }

  /// Whether it is one of those that somebody asks for by a grid.
  fileprivate var isResult: Bool { Catalog.stageKinds[kind]?.role == .result }
}

// MARK: What nothing reaches

extension StoreUpkeep {
  package struct Garbage: Sendable {
    package let key: ContentKey
    package let title: String
    /// On disk.
    package let bytes: Int
    /// Whether the database forgets it too; else only its folder goes, and the database keeps all of its
    /// result.
    package let isForgotten: Bool
  }

  /// Stages that no sweep of the store reaches, over its runs, their datasets, their teachers and what these
  /// said.
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
        guard let (stage, state) = known[key], state == .finished, stage.isResult else {
          continue
        }
        garbage.append(
          Garbage(key: key, title: stage.title, bytes: folder.stage(key).bytes, isForgotten: false))
      }
    }
    return garbage
  }

  /// The stages that the plans of the store's sweeps reach, whether they have begun or not, and the files of
  /// weights that these need.
  private static func reach(
    _ folder: StoreFolder, _ store: ResultStore
  ) throws -> (keys: Set<ContentKey>, weights: Set<ContentKey>) {
    var reach = Reach(
      specs: Dictionary(try store.stages().map { ($0.stage.key, $0.stage.spec) }) { $1 }, folder)
    for sweep in try store.sweeps() {
      let points = try store.points(of: sweep.name).map(\.key)
      let needs = try store.needs(of: sweep.name)
      reach.add(points: points, needs: needs)
    }
    if reach.isPartly {
      // An older program did not record what runs that never began will read: any teacher, dataset or file of
      // weights may be it.
      reach.keys.formUnion(reach.preparations())
      reach.keys.formUnion(
        try folder.stageKeys().filter {
          reach.specs[$0] == nil && reach.request($0)?.isResult != true
        })
      reach.weights.formUnion(try WeightsFolder(folder).digests())
    }
    return (reach.keys, reach.weights)
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

/// Follows plans from their runs to all that these read.
struct Reach {
  var keys: Set<ContentKey> = []
  var weights: Set<ContentKey> = []
  /// Whether there are runs of which nobody knows what they read.
  private(set) var isPartly = false
  private(set) var specs: [ContentKey: String]
  private let folder: StoreFolder

  /// - Parameter specs: what the keys of the stages that the database knows are made of.
  init(specs: [ContentKey: String], _ folder: StoreFolder) {
    self.specs = specs
    self.folder = folder
  }

  /// - Parameters:
  ///   - points: the runs of a sweep.
  ///   - needs: what these read, begun or not; none where that is not known.
  mutating func add(points: [ContentKey], needs: [StageNeed]) {
    for need in needs where specs[need.key] == nil { specs[need.key] = need.spec }
    var open = points + needs.map(\.key)
    let runs = Set(points)
    while let key = open.popLast() {
      guard keys.insert(key).inserted else { continue }
      guard let request = request(key) else {
        if needs.isEmpty, runs.contains(key) { isPartly = true }
        continue
      }
      open += request.inputs
      weights.formUnion(request.importedWeights.map(\.digest))
      if needs.isEmpty { open += request.oldHelpers }
    }
  }

  /// What a key is made of, where the database, a plan or its folder says so.
  func request(_ key: ContentKey) -> StageRequest? {
    let text =
      specs[key].map { Array($0.utf8) }
      ?? (try? AtomicFile.read(folder.stage(key).spec, limit: AtomicFile.textLimit))
    return text.flatMap { try? StageRequest(document: $0) }
  }

  /// Stages that the database knows and that are no runs.
  func preparations() -> [ContentKey] {
    specs.keys.filter { request($0)?.isResult != true }
  }
}

extension StageRequest {
  /// Stages that may have made a run quicker: a sweep that an older program wrote does not name them.
  fileprivate var oldHelpers: [ContentKey] { (try? stage.optionalInputs) ?? [] }
}
