internal import Foundation
internal import Specs
internal import Training

/// What training costs here, epoch by epoch: wall and processor seconds without evaluation, snapshots and the making of caches, and memory.
///
/// A run whose teachers another run has just asked counts what they took all the same: its cost is its own, not that of who was there with it.
struct EpochCost {
  /// Wall and processor seconds; only differences mean something.
  static let stopwatch: @Sendable () -> [Double] = {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return [Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9, processorSeconds()]
  }

  private var start: [Double] = []
  private var spent = [0.0, 0.0]
  /// CPU seconds of the last step, its evaluation included.
  private(set) var lastStep = 0.0
  /// Of this attempt's whole epochs.
  private var epochs: [[Double]] = []
  /// An attempt that went on in the middle of an epoch does not know its first part.
  private var isPartial: Bool

  init(isPartial: Bool) { self.isPartial = isPartial }

  mutating func begin() { start = Self.stopwatch() }

  /// After a step: what it took, without the evaluation in it. The measured numbers where it ended an epoch that was seen whole.
  mutating func end(_ report: StepReport) -> Metrics {
    let now = Self.stopwatch()
    for index in spent.indices {
      let teaching = report.teachingCost.map { $0.isSpared ? $0.spent[index] : 0 } ?? 0
      let step = now[index] - start[index] + teaching
      if index == 1 { lastStep = step }
      spent[index] += step - (report.evaluationCost?[index] ?? 0)
    }
    guard report.finishedEpoch != nil else { return Metrics() }
    defer { (spent, isPartial) = ([0, 0], false) }
    if isPartial { return Metrics(["measured.peakMegabytes": Self.peakMegabytes]) }
    epochs.append(spent)
    return Metrics([
      "measured.seconds": spent[0], "measured.cpuSeconds": spent[1],
      "measured.secondsPerEpoch": median(0), "measured.cpuSecondsPerEpoch": median(1),
      "measured.peakMegabytes": Self.peakMegabytes,
    ])
  }

  /// Over the epochs so far without the first, which warms up; the first where there is no other.
  private func median(_ index: Int) -> Double {
    let values = (epochs.count > 1 ? Array(epochs[1...]) : epochs).map { $0[index] }.sorted()
    let middle = values.count / 2
    return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
  }

  /// The largest resident set of this process so far, in 10⁶ bytes.
  private static var peakMegabytes: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) * 1024 / 1e6
  }
}
