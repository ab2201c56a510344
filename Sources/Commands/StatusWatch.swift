import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage

/// `status --watch`: a sweep as it is now, again and again, whoever runs it.
final class StatusWatch {
  private let sweep: String
  private let folder: StoreFolder
  private let style: TextStyle
  private let feed: LiveFeed
  private var table: (stamp: String, table: ReportTable)?
  /// When the watch began, and how many runs were over then: from these comes the time that is left.
  private var start: (time: Double, over: Int)?

  init(_ sweep: String, _ folder: StoreFolder, _ style: TextStyle) {
    self.sweep = sweep
    self.folder = folder
    self.style = style
    feed = LiveFeed(folder)
  }

  /// Until the process ends, or the sweep is over and nobody runs it.
  func run() async throws {
    let isLive = StyleOptions.canRedraw(STDOUT_FILENO)
    var screen = LiveScreen(STDOUT_FILENO)
    var last = ""
    while true {
      let frame = try await frame()
      let isOver = frame.finished + frame.failed == frame.all && frame.work.isEmpty
      if isLive {
        let (width, height) = screen.size
        screen.draw(frame.lines(width: width, height: height, style))
      } else {
        let line = Self.line(frame)
        if line != last { Out.put("\(TimeOfDay.local(Int(frame.now))) \(line)\n") }
        last = line
      }
      if isOver { return }
      try await Task.sleep(for: .seconds(1))
    }
  }

  private static func line(_ frame: LiveFrame) -> String {
    let failed = frame.failed > 0 ? ", \(frame.failed) failed" : ""
    return "\(frame.name): \(frame.finished) of \(frame.all) runs\(failed), \(frame.work.count) at work"
  }

  private func frame() async throws -> LiveFrame {
    let state = try await feed.state()
    let store = try await feed.current()
    let counts = state.sweeps.first { $0.name == sweep }?.counts ?? StateCounts()
    let now = Date.now.timeIntervalSince1970
    let over = counts.all - counts.open
    let began = start ?? (now, over)
    start = began
    var warnings: [String] = []
    if counts.open > 0, state.holder == nil {
      warnings.append("nobody is running it: `mtkd-sweep run GRID` goes on")
    }
    if counts.all <= LiveTable.mostRuns, table?.stamp != state.stamp {
      table = (state.stamp, try store.preferredTable(of: store.sweep(sweep)))
    }
    return LiveFrame(
      name: sweep, finished: counts.finished, failed: counts.diverged + counts.failed + counts.blocked,
      all: counts.all,
      work: state.running.map { stage in
        LiveFrame.Work(
          title: stage.title, epoch: stage.epoch, epochs: stage.epochs, step: stage.step, steps: stage.steps,
          loss: stage.loss, imagesPerSecond: stage.imagesPerSecond)
      }, table: table?.table, remaining: Self.remaining(counts.open, began, over, now), now: now,
      warnings: warnings, claims: table?.table.claims.map { LiveFrame.Claims($0) })
  }

  /// From the pace since the watch began; nil before two runs have ended.
  private static func remaining(_ open: Int, _ start: (time: Double, over: Int), _ over: Int, _ now: Double)
    -> ClosedRange<Double>?
  {
    guard over - start.over >= 2, open > 0 else { return nil }
    let middle = Double(open) * (now - start.time) / Double(over - start.over)
    return (middle * 0.7)...(middle * 1.5)
  }
}
