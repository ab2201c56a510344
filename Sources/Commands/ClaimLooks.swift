import ArgumentParser
import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps

/// A grid with claims is run look by look: what is asked for next depends on the results of the look
/// before, and on nothing else.
struct ClaimLooks {
  /// With the seeds that claims ask for so far.
  let asked: ExpandedGrid
  /// Nil for a grid without claims.
  let book: ClaimBook?

  /// - Parameter store: nil where there is none yet.
  init(_ read: ExpandedGrid, _ store: ResultStore?) throws {
    guard let set = read.grid.claims else {
      asked = read
      book = nil
      return
    }
    let columns = read.expansion.columns
    var seen: Set<[JSONValue]> = []
    let cells = read.expansion.runs.map(\.labels).filter { seen.insert($0).inserted }
    // Results of other columns are of another grid of this name.
    let record = try store?.sweeps().first { $0.name == read.grid.name && $0.columns == columns }
    let book: ClaimBook
    if let store, let record {
      book = try store.claims(set, columns: columns, cells: cells, of: record, read.grid.report)
    } else {
      book = ClaimBook(set, columns: columns, cells: cells) { claim in
        let metric = claim.metric ?? read.grid.report.metric ?? ClassificationMetrics.headline.name
        return SweepResults(
          name: read.grid.name, columns: columns, runs: [], metric: MetricDescription(metric))
      }
    }
    asked = read.asking(for: book.count)
    self.book = book
  }
}

/// `run --budget`: what claims may cost. It ends after the look in hand.
struct ClaimBudget: ExpressibleByArgument {
  /// Of the workers of this call.
  var cpuSeconds: Double?
  var date: Date?

  init?(argument: String) {
    if let seconds = Deadline.length(argument) {
      cpuSeconds = seconds
    } else if let deadline = Deadline(argument: argument) {
      date = deadline.date
    } else {
      return nil
    }
  }

  /// Whether no further look is begun.
  var isSpent: Bool {
    if let date { return Date.now >= date }
    guard let cpuSeconds else { return false }
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime) >= cpuSeconds
  }
}

extension LookLog {
  /// Tells a table of the looks before it, and records that it is looked at.
  func show(_ table: inout ReportTable) {
    let (asked, finished) = table.seedsSeen
    table.priorLook = priorLook(before: asked)
    do { try add(Look(seeds: asked, finished: finished)) } catch {
      Talk.say("note: this look at the table is not recorded (\(error)).")
    }
  }
}
