internal import Datasets
internal import Foundation
package import Specs
package import Storage
internal import Sweeps

// MARK: Every digest

extension StoreUpkeep {
  package struct Checked: Sendable {
    /// A sentence for each damage.
    package var damages: [String] = []
    /// Whether there is a database at all.
    package var hasDatabase = true
    /// Finished stages without digests, which an older program left.
    package var undigested: [ContentKey] = []
    /// Of these, the ones whose numbers are those of their records, or have no records here to compare with.
    package var repairable: [ContentKey] = []
    /// Of these, the ones without records.
    package var withoutRecords = 0
  }

  /// Reads everything that has a digest, in the folders and in the database, and compares the two. Nothing is
  /// changed.
  ///
  /// - Parameter progress: called with the number of the stage in hand and of all.
  package static func check(_ folder: StoreFolder, progress: (Int, Int) -> Void = { _, _ in }) throws
    -> Checked
  {
    var checked = Checked()
    var store: ResultStore?
    do {
      store = try ResultStore(at: folder, .reading)
      checked.damages += try store?.damages() ?? []
      checked.undigested = try store?.checkDigests().undigested ?? []
    } catch StoreError.absent {
      // Folders can be looked at without any database.
      checked.hasDatabase = false
    } catch {
      checked.damages.append("\(error)")
    }
    checked.damages += try checkWeights(WeightsFolder(folder)) + checkIndexes("\(folder.path)/indexes")
    let known = (try? store?.stages()) ?? []
    for (stage, _) in known {
      let request = try? StageRequest(document: Array(stage.spec.utf8))
      if request?.key != stage.key || request?.kind != stage.kind {
        checked.damages.append(
          "\(stage.title) (\(stage.key.short)): its specification is not that of its key")
      }
    }
    let keys = try folder.stageKeys()
    let undigested = Set(checked.undigested)
    var unlike: Set<ContentKey> = []
    for (place, key) in keys.enumerated() {
      progress(place, keys.count)
      let damages = checkFolder(folder.stage(key))
      checked.damages += damages
      do {
        let differences = try store.map { try RecordComparison(folder.stage(key), key, $0).differences } ?? []
        checked.damages += differences
        if !damages.isEmpty || !differences.isEmpty { unlike.insert(key) }
      } catch {
        // Records that cannot be read were complained of.
        unlike.insert(key)
      }
    }
    checked.withoutRecords = undigested.subtracting(keys).count
    checked.repairable = checked.undigested.filter { !unlike.contains($0) }
    return checked
  }

  /// A sentence for each damage in the folder of a stage.
  private static func checkFolder(_ stage: StageFolder) -> [String] {
    var damages: [String] = []
    func look(_ body: () throws -> Void) { do { try body() } catch { damages.append("\(error)") } }
    look {
      let request = try StageRequest(document: AtomicFile.read(stage.spec, limit: AtomicFile.textLimit))
      if request.key != stage.key {
        damages.append("\(stage.spec) is that of \(request.key.short): it was changed")
      }
    }
    look { try stage.published()?.verify() }
    look {
      for attempt in try stage.attempts() {
        look {
          var reader = RecordReader(attempt.records)
          _ = try reader.next()
        }
        look { damages += try attempt.snapshots.damaged().map { "\($0) does not unpack" } }
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
