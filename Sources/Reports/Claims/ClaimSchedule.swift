internal import Specs

/// Which seeds the cells of claims need, and what is known of each comparison: a pure function of results.
///
/// The looks are played again from the first one, so whoever asks, after whatever interruption and with
/// however many workers, gets the same answer from the same results:
///
/// 1. Every cell gets the first `count` seeds. A look happens when all runs asked for so far
///   have ended, never before.
/// 2. A look computes e for each comparison over the seeds that both cells have. Holm over
///   all comparisons decides.
/// 3. Cells of comparisons that are still open get the next `step` seeds, up to `limit`; all others stop.
package struct ClaimSchedule: Sendable {
  package struct Rules: Equatable, Sendable {
    /// Seeds that every cell gets first.
    package var count: Int
    /// The most seeds that a cell may get: `seeds.upTo`.
    package var limit: Int
    /// How many seeds an open claim gets at once.
    package var step: Int
    /// Over the whole family.
    package var level: Double

    package init(count: Int, limit: Int, step: Int = 1, level: Double = 0.05) {
      self.count = count
      self.limit = limit
      self.step = step
      self.level = level
    }
  }

  /// In the order of the comparisons that were given.
  package private(set) var states: [ClaimState] = []
  /// How many seeds each cell is asked for, in the order of the cells: the first so many of the grid's.
  package private(set) var seeds: [Int]
  /// Looks that have happened.
  package private(set) var looks = 0
  /// Whether runs that were asked for have not ended yet, so that the next look is still to come.
  package private(set) var isWaiting = false

  /// Whether nothing more will be asked for.
  package var isFinished: Bool { !isWaiting && !states.contains { $0.answer.isOpen } }

  /// - Parameters:
  ///   - cells: how many there are.
  ///   - result: of a cell and a seed's place (from 0); nil while its run has not ended.
  package init(
    _ comparisons: [ClaimComparison], cells: Int, _ rules: Rules,
    result: (_ cell: Int, _ seed: Int) -> ClaimComparison.SeedResult?
  ) {
    seeds = Array(repeating: rules.count, count: cells)
    var tracks = comparisons.map { Track($0) }
    let participants = Set(comparisons.flatMap { [$0.first, $0.second] }).sorted()
    // Each result is asked for once, however many looks read it.
    var results: [[ClaimComparison.SeedResult]] = Array(repeating: [], count: cells)
    func hasEnded(_ cell: Int) -> Bool {
      while results[cell].count < seeds[cell] {
        guard let next = result(cell, results[cell].count) else { return false }
        results[cell].append(next)
      }
      return true
    }
    // The same for all comparisons over as many seeds, and dear to find.
    var criticals: [Int: Double?] = [:]
    func critical(_ count: Int) -> Double? {
      if let known = criticals[count] { return known }
      let found = AnytimeTest.criticalT(count: count, evidence: Double(comparisons.count) / rules.level)
      criticals[count] = .some(found)
      return found
    }
    while true {
      guard participants.allSatisfy(hasEnded) else {
        isWaiting = true
        break
      }
      looks += 1
      for index in tracks.indices {
        let comparison = tracks[index].comparison
        let shared = min(seeds[comparison.first], seeds[comparison.second])
        tracks[index].look(seeds: shared, results, critical)
      }
      Self.decide(&tracks, rules)
      var wanted = seeds
      for track in tracks where track.answer.isOpen {
        for cell in [track.comparison.first, track.comparison.second] {
          let shared = min(seeds[track.comparison.first], seeds[track.comparison.second])
          wanted[cell] = max(wanted[cell], min(shared + rules.step, rules.limit))
        }
      }
      if wanted == seeds { break }
      seeds = wanted
    }
    let adjusted = Self.adjusted(tracks)
    states = zip(tracks, adjusted).map { $0.state(p: $1) }
  }

  private static func adjusted(_ tracks: [Track]) -> [Double] {
    ReportCorrection.holm.adjusted(tracks.map { $0.p }).map { $0! }
  }

  /// Answers that are final stay; the others are given anew.
  private static func decide(_ tracks: inout [Track], _ rules: Rules) {
    for (index, p) in adjusted(tracks).enumerated() { tracks[index].decide(p: p, rules) }
  }
}

/// A comparison while its looks are played again.
private struct Track {
  let comparison: ClaimComparison
  private(set) var answer = ClaimAnswer.open
  private var highest = 0.0
  private var path: [ClaimState.Look] = []
  private var sample: SampleStatistics?
  private var missing = 0
  private var seeds = 0
  private var hasSpread = false

  init(_ comparison: ClaimComparison) { self.comparison = comparison }

  /// Before correction: min(1, 1 / max e).
  var p: Double { AnytimeTest.pValue(logEvidence: highest) }

  /// - Parameter critical: the |t| that decides at so many differences; nil where none does.
  mutating func look(
    seeds: Int, _ results: [[ClaimComparison.SeedResult]], _ critical: (Int) -> Double?
  ) {
    // A comparison that is over keeps what it was decided by: its cells may go on for others.
    guard answer.isOpen, seeds > self.seeds else { return }
    self.seeds = seeds
    var pairs: [(a: Double, b: Double)] = []
    for seed in 0..<seeds {
      guard case .value(let a) = results[comparison.first][seed],
        case .value(let b) = results[comparison.second][seed], a.isFinite, b.isFinite
      else { continue }
      pairs.append((a, b))
    }
    missing = seeds - pairs.count
    // Differences that are equal on paper may differ in the last bits of their binary neighbours.
    let size = pairs.reduce(0) { max($0, abs($1.a), abs($1.b)) }
    sample = SampleStatistics(pairs.map { abs($0.a - $0.b) <= 1e-12 * size ? 0 : $0.a - $0.b })
    let spread = sample?.std ?? 0
    hasSpread = spread > 1e-12 * size
    var interval: Interval?
    var evidence = 0.0
    if let sample, hasSpread {
      let reach = spread / Double(sample.count).squareRoot()
      evidence = AnytimeTest.logEvidence(count: sample.count, t: sample.mean / reach)
      interval = critical(sample.count).map {
        Interval(low: sample.mean - $0 * reach, high: sample.mean + $0 * reach)
      }
    }
    highest = max(highest, evidence)
    path.append(
      ClaimState.Look(
        pairs: sample?.count ?? 0, mean: sample?.mean, interval: interval, logEvidence: evidence))
  }

  mutating func decide(p: Double, _ rules: ClaimSchedule.Rules) {
    guard answer.isOpen else { return }
    if 3 * missing > seeds {
      answer = .impossible(
        "\(missing) of \(seeds) pairs are missing because a run of theirs has no result")
    } else if let sample, sample.count > 1, !hasSpread {
      answer = .impossible("all \(sample.count) differences are equal, so there is no spread to judge by")
    } else if p <= rules.level, let sample {
      answer = .different(isPositive: sample.mean > 0)
    } else if let smallest = comparison.smallest, let interval = path.last?.interval,
      -smallest <= interval.low, interval.high <= smallest
    {
      answer = .noDifference
    } else if seeds >= rules.limit {
      answer = .openAtLimit
    }
  }

  func state(p: Double) -> ClaimState {
    ClaimState(
      answer: answer, pairs: sample?.count ?? 0, missing: missing, mean: sample?.mean,
      interval: path.last?.interval, logEvidence: highest, p: p, path: path)
  }
}
