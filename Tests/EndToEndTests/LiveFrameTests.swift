import Foundation
import Pipeline
import Reports
import Specs
import Testing

@testable import Commands

@Suite struct LiveFrameTests {
  private let plain = TextStyle(isUnicode: true, isColoured: false)

  private func frame(workers: Int = 2, rows: Int = 3, columns: Int = 2) -> LiveFrame {
    var runs: [SweepResults.Run] = []
    for row in 0..<rows {
      for column in 0..<columns {
        for seed in 1...3 {
          let isDone = row == 0 || seed == 1
          runs.append(
            SweepResults.Run(
              labels: [.string("student\(column)"), .string("method\(row)")], seed: seed,
              state: isDone ? .finished : .open,
              numbers: isDone
                ? SweepResults.Numbers(last: .number(70 + Double(row + seed)), best: 80) : nil))
        }
      }
    }
    let results = SweepResults(
      name: "demo", columns: ["student", "method"], runs: runs, metric: ClassificationMetrics.headline)
    return LiveFrame(
      name: "demo", finished: results.finished, failed: 1, all: runs.count,
      preparations: [("teachers", 2, 3)],
      work: (0..<workers).map { worker in
        LiveFrame.Work(
          title: "student\(worker) a-method-with-a-long-name alpha=0.5 seed \(worker)", epoch: 1, epochs: 6,
          step: 100, steps: 300, loss: 1.23456, imagesPerSecond: 812.7)
      }, table: ReportTable(results), remaining: 180...300, now: 0, warnings: ["the disk is nearly full"])
  }

  @Test func `rows and columns that have no room are counted`() {
    let lines = frame(rows: 30, columns: 12).lines(width: 60, height: 24, plain)
    let last = lines.last ?? ""
    let numbers = last.split(separator: " ").compactMap { Int($0) }
    #expect(
      last.hasPrefix("and ") && last.contains(" more rows and ") && last.contains(" more columns"), "\(lines)"
    )
    // What is shown and what is counted are everything.
    let head = lines.first { $0.hasPrefix("test.acc1") } ?? ""
    let body = lines.filter { $0.hasPrefix("method") }
    #expect(
      numbers == [30 - body.count, 12 - head.split(separator: " ").count { $0.hasPrefix("student") }],
      "\(lines)")
    let wide = frame(rows: 3, columns: 2).lines(width: 200, height: 60, plain)
    #expect(!wide.contains { $0.hasPrefix("and ") }, "\(wide)")
  }

  @Test(arguments: [20, 40, 60, 80, 120, 300], [2, 4, 6, 10, 24, 60])
  func `no frame is wider or higher than its terminal`(_ width: Int, _ height: Int) {
    let lines = frame(workers: 8, rows: 20, columns: 12).lines(width: width, height: height, plain)
    #expect(lines.count < height)
    #expect(lines.allSatisfy { LiveScreen.seen($0) < max(width, 21) }, "\(lines)")
  }

  @Test func `it says what runs, how far each kind is, what is left and what the table has`() {
    let text = frame().lines(width: 140, height: 30, plain).joined(separator: "\n")
    for words in [
      "10 of 18 runs, 1 failed, 3 m 0 s to 5 m 0 s left", "teachers 2 of 3", "epoch 2/6", "loss 1.235",
      "812 images/s", "! the disk is nearly full", "student0", "method2", "72.0 ± 1.0", "1/3",
      "test.acc1 (%)",
    ] {
      #expect(text.contains(words), "\(words) in\n\(text)")
    }
  }

  @Test func `claims stand above the table as far as there is room, and the rest is counted`() {
    var frame = frame()
    frame.claims = LiveFrame.Claims(
      summary: "3 of 4 claims open after 2 looks",
      lines: (1...4).map { "mtkd-rl - ca-mkd, student\($0): n 3, e 1.2\($0), open" })
    let all = frame.lines(width: 120, height: 40, plain)
    let first = all.firstIndex { $0 == "claims: 3 of 4 claims open after 2 looks" }
    #expect(first.map { all[$0 + 4] } == "  mtkd-rl - ca-mkd, student4: n 3, e 1.24, open", "\(all)")
    #expect(all.contains { $0.contains("72.0 ± 1.0") })
    let few = frame.lines(width: 120, height: 14, plain)
    let shown = few.count { $0.contains(", e 1.2") }
    #expect(few.contains("  and \(4 - shown) more: `mtkd-sweep report --claims`") && shown < 4, "\(few)")
    #expect(few.count < 14)
  }

  @Test func `without Unicode everything is ASCII, and colours add no width`() {
    let ascii = frame().lines(width: 100, height: 30, TextStyle(isUnicode: false, isColoured: false))
    #expect(ascii.joined().utf8.allSatisfy { $0 < 128 }, "\(ascii)")
    let coloured = frame().lines(width: 100, height: 30, TextStyle(isUnicode: true, isColoured: true))
    #expect(coloured.joined().contains("\u{1b}[1m"))
    #expect(coloured.map(LiveScreen.seen) == frame().lines(width: 100, height: 30, plain).map(\.count))
  }

  @Test func `colours tell what is finished, failed, at work and stopped`() {
    var frame = frame()
    frame.warnings = ["nobody is running it"]
    let lines = frame.lines(width: 100, height: 30, TextStyle(isUnicode: true, isColoured: true))
    // 10 of 18 runs are finished and one failed: green, then red, then what is open.
    let head = lines[0].matches(of: /\u{1b}\[0;(\d+)m(█+)\u{1b}\[0m/)
    #expect(head.map { $0.1 } == ["32", "31"], "\(lines[0])")
    #expect(head.map(\.2.count) == [16, 2], "of 30 places: \(lines[0])")
    #expect(lines.contains { $0.hasPrefix("  \u{1b}[0;36m█") && $0.contains("epoch 2/6") }, "\(lines)")
    #expect(lines.contains { $0 == "\u{1b}[0;33m! nobody is running it\u{1b}[0m" }, "\(lines)")
  }

  @Test func `names of two places a character keep to the width`() {
    var frame = frame()
    frame.name = "蒸留の実験"
    frame.work = frame.work.map { entry in
      var entry = entry
      entry.title = "教師 網 学生 mtkd-rl alpha=0.5 seed 1"
      return entry
    }
    for width in [30, 60, 100] {
      let lines = frame.lines(width: width, height: 30, plain)
      #expect(lines.allSatisfy { $0.cells < width }, "\(lines)")
    }
  }

  @Test func `more workers than lines are counted, not dropped`() {
    let lines = frame(workers: 30).lines(width: 80, height: 12, plain)
    let shown = lines.count { $0.contains("epoch 2/6") }
    #expect(lines.contains { $0.contains("and \(30 - shown) more at work") }, "\(lines)")
  }

  @Test
  func `a cell that is over without a number says why, and a number that came with the epochs is shown`() {
    let key = ContentKey(hashing: [1])
    func results(_ first: SweepResults.Run) -> SweepResults {
      let failure = FailureRecord(cause: .diverged, reason: "the loss is not finite")
      let diverged = (1...3).map { seed in
        SweepResults.Run(labels: ["s", "hot"], seed: seed, state: .failed(failure))
      }
      return SweepResults(
        name: "demo", columns: ["student", "method"], runs: [first] + diverged,
        metric: ClassificationMetrics.headline)
    }
    let open = results(SweepResults.Run(labels: ["s", "own"], seed: 1, state: .open, key: key))
    let done = results(
      SweepResults.Run(
        labels: ["s", "own"], seed: 1, state: .finished,
        numbers: SweepResults.Numbers(last: .number(71.5), best: 72), key: key))
    var live = LiveTable(open, ReportLayout()) { done }
    func text() -> String {
      var frame = self.frame()
      frame.table = live?.current()
      return frame.lines(width: 100, height: 30, plain).joined(separator: "\n")
    }
    #expect(text().contains("0/1") && text().contains("diverged 3/3"), "\(text())")
    // The trainer's last message has no metric: the store has it of the last epoch.
    let title = StageTitle(key: key, kind: "student", text: "s own seed 1")
    live?.take(.stageFinished(title, Metrics([:]), seconds: 1, worker: 0))
    #expect(text().contains("71.5") && !text().contains("0/1"), "\(text())")
  }
}
