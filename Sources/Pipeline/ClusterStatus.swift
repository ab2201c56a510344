internal import Foundation
internal import Specs
package import Storage
package import Sweeps

/// What a sweep has on a cluster: by its files, and by the queue where that can be asked. Changes nothing.
package struct ClusterStatus: Sendable {
  package struct Batch: Sendable {
    package let token: String
    package let sweep: String
    package let number: String?
    package let stages: Int
    /// Stages whose output is there.
    package let finished: Int
    /// Tasks by the scheduler's words; empty where it could not be asked or has forgotten them.
    package let tasks: [(word: String, count: Int)]
    package let troubles: [(reason: String, advice: String)]
  }

  package let batches: [Batch]
  /// Why the queue could not be looked at.
  package let unavailable: String?

  /// - Parameter sweep: nil for all sweeps of the store.
  /// - Returns: nil where nothing of it is on a cluster.
  package static func look(at folder: StoreFolder, sweep: String?) async throws -> ClusterStatus? {
    let open = try open(in: folder, sweep: sweep)
    guard !open.isEmpty else { return nil }
    var (tasks, unavailable): ([BatchTask], String?) = ([], nil)
    for (scheduler, batches) in try schedulers(of: open) {
      do throws(ExecutorError) {
        tasks += try await scheduler.tasks(of: batches.map(\.token))
      } catch {
        unavailable = "\(error)"
      }
    }
    let listed = Dictionary(grouping: tasks, by: \.token)
    let batches = try open.map { batch, manifest in
      let scheduler = try manifest.madeScheduler()
      let rows = listed[batch.token] ?? []
      let keys = Set(manifest.keys)
      return Batch(
        token: batch.token, sweep: manifest.sweep, number: batch.number ?? rows.first?.array,
        stages: keys.count, finished: try keys.count { try folder.stage($0).published() != nil },
        tasks: Dictionary(grouping: rows, by: \.word).map { ($0.key, $0.value.count) }.sorted { $0.0 < $1.0 },
        troubles: Set(rows.filter { $0.state == .pending }.map(\.reason)).sorted().compactMap { reason in
          scheduler.advice(reason).map { (reason, $0) }
        })
    }
    return ClusterStatus(batches: batches, unavailable: unavailable)
  }

  /// Batches that may still have tasks.
  package static func open(
    in folder: StoreFolder, sweep: String?
  ) throws -> [(batch: BatchFolder, manifest: BatchManifest)] {
    try folder.batches().filter { $0.voidReason == nil && !$0.isOver }.map { batch in
      (batch, try BatchManifest(JSONReader.read(batch.manifest()).value, at: batch.path))
    }.filter { sweep == nil || $0.1.sweep == sweep }
  }

  /// Ends the jobs of open batches, whoever has them. Workers look at the files, so that even a scheduler
  /// that is away cannot start them again.
  package static func cancel(
    _ open: [(batch: BatchFolder, manifest: BatchManifest)], because reason: String
  ) async throws {
    for (batch, _) in open { try batch.makeVoid(reason) }
    for (scheduler, batches) in try schedulers(of: open) {
      for batch in batches { try await scheduler.cancel(batch.token) }
    }
  }

  /// The schedulers that have some batches, each with its own.
  private static func schedulers(
    of open: [(batch: BatchFolder, manifest: BatchManifest)]
  ) throws -> [(any BatchScheduler, [BatchFolder])] {
    let groups = Dictionary(grouping: open) { [$0.manifest.scheduler, $0.manifest.bin ?? ""] }
    return try groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { _, group in
      (try group[0].manifest.madeScheduler(), group.map(\.batch))
    }
  }

  /// What a person reads.
  package var lines: [String] {
    var lines = unavailable.map { ["scheduler unavailable: \($0)"] } ?? []
    for batch in batches {
      let tasks =
        batch.tasks.isEmpty
        ? (unavailable == nil ? "no task in the queue" : "queue unknown")
        : batch.tasks.map { "\($0.count) \($0.word)" }.joined(separator: ", ")
      lines.append(
        "batch \(batch.token) of \(batch.sweep), job \(batch.number ?? "not answered yet"): \(tasks); "
          + "\(batch.finished) of \(batch.stages) stages finished"
      )
      lines += batch.troubles.map { "  \($0.reason): \($0.advice)" }
    }
    return lines
  }
}

extension BatchManifest {
  /// The scheduler that has the batch.
  package func madeScheduler() throws -> any BatchScheduler {
    try Catalog.schedulers.entry(scheduler).make(bin)
  }
}
