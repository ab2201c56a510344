internal import Foundation
internal import Specs
internal import Storage
internal import Training
internal import Transfers

/// What training costs here, epoch by epoch: wall and processor seconds without evaluation, snapshots and the
/// making of caches, and memory.
///
/// A run whose teachers another run has just asked counts what they took all the same: its cost is its own,
/// not that of who was there with it.
struct EpochCost {
  /// Wall and processor seconds; only differences mean something.
  static let stopwatch: @Sendable () -> [Double] = {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return [Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9, processorSeconds()]
  }

  private static let peak = "measured.peakMegabytes"

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

  /// After a step: what it took, without the evaluation in it. The measured numbers where it ended an
  /// epoch that was seen whole.
  mutating func end(_ report: StepReport) -> Metrics {
    end(
      adding: report.teachingCost.flatMap { $0.isSpared ? $0.spent : nil }, without: report.evaluationCost,
      isLast: report.finishedEpoch != nil)
  }

  /// The same of a transfer, whose records stand for epochs.
  mutating func end(_ report: TransferRun.Report) -> Metrics {
    end(adding: nil, without: report.evaluationCost, isLast: report.finished != nil)
  }

  private mutating func end(adding teaching: [Double]?, without evaluation: [Double]?, isLast: Bool)
    -> Metrics
  {
    let now = Self.stopwatch()
    for index in spent.indices {
      let step = now[index] - start[index] + (teaching?[index] ?? 0)
      if index == 1 { lastStep = step }
      spent[index] += step - (evaluation?[index] ?? 0)
    }
    guard isLast else { return Metrics() }
    defer { (spent, isPartial) = ([0, 0], false) }
    if isPartial { return Metrics([Self.peak: Self.peakMegabytes]) }
    epochs.append(spent)
    return Metrics([
      "measured.seconds": spent[0], "measured.cpuSeconds": spent[1],
      "measured.secondsPerEpoch": median(0), "measured.cpuSecondsPerEpoch": median(1),
      Self.peak: Self.peakMegabytes,
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

extension EpochCost {
  /// What the transfers of a run cost, record by record: the mean of what each took, and the largest of their
  /// peaks. Attempts of earlier versions, and those whose records are gone, tell nothing.
  ///
  /// - Parameter transfers: records by their numbers, as attempts measured them.
  static func mean(over transfers: [[Int: Metrics]], record: Int) -> Metrics {
    let known = transfers.compactMap { $0[record] }
    // A mean over some would be that of other transfers than the run's other numbers are of.
    guard !known.isEmpty, known.count == transfers.count else { return Metrics() }
    var values: [String: Double] = [:]
    for name in Set(known.flatMap { $0.values.map(\.name) }) {
      let all = known.compactMap { $0[name] }
      guard all.count == known.count else { continue }
      values[name] = name == peak ? all.max() : all.reduce(0, +) / Double(all.count)
    }
    return Metrics(values)
  }

  /// What the attempts at a stage have measured, by the number of the record; of several the last.
  static func measured(in stage: StageFolder) throws -> [Int: Metrics] {
    var measured: [Int: Metrics] = [:]
    for attempt in try stage.attempts() {
      var reader = RecordReader(attempt.records)
      for case .epoch(let epoch) in try reader.next().map(\.record) { measured[epoch.epoch] = epoch.measured }
    }
    return measured
  }
}
