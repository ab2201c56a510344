import Reports
import Testing

@Suite struct ClaimScheduleTests {
  typealias Result = ClaimComparison.SeedResult

  static let rules = ClaimSchedule.Rules(count: 3, limit: 12)

  /// What a sweep does: runs what is asked for until nothing more is.
  static func played(
    _ comparisons: [ClaimComparison], cells: Int, _ rules: ClaimSchedule.Rules = Self.rules,
    result: (_ cell: Int, _ seed: Int) -> Result
  ) -> (schedule: ClaimSchedule, asked: [[Int]]) {
    var known: [[Result]] = Array(repeating: [], count: cells)
    var asked: [[Int]] = []
    while true {
      let schedule = ClaimSchedule(comparisons, cells: cells, rules) { cell, seed in
        seed < known[cell].count ? known[cell][seed] : nil
      }
      guard schedule.isWaiting else { return (schedule, asked) }
      asked.append(schedule.seeds)
      for cell in 0..<cells {
        for seed in known[cell].count..<max(known[cell].count, schedule.seeds[cell]) {
          known[cell].append(result(cell, seed))
        }
      }
    }
  }

  /// Repeatable noise around the cell's mean.
  static func noisy(_ means: [Double], spread: Double) -> (Int, Int) -> Result {
    { cell, seed in
      var stream = NormalStream(seed: UInt64(1000 * cell + seed))
      return .value(means[cell] + spread * stream.next())
    }
  }

  @Test func `a clear difference is decided at the first look and costs no further seed`() {
    let (schedule, asked) = Self.played(
      [ClaimComparison(first: 1, second: 0)], cells: 2, result: Self.noisy([50, 60], spread: 0.1))
    #expect(asked == [[3, 3]])
    #expect(schedule.states[0].answer == .different(isPositive: true))
    #expect(schedule.looks == 1 && schedule.isFinished)
  }

  @Test func `the direction is that of the pair's first minus its second`() {
    let (schedule, _) = Self.played(
      [ClaimComparison(first: 0, second: 1)], cells: 2, result: Self.noisy([50, 60], spread: 0.1))
    #expect(schedule.states[0].answer == .different(isPositive: false))
  }

  @Test func `an open claim asks for seeds one by one up to the limit, and stays open there`() {
    let same: (Int, Int) -> Result = { cell, seed in .value(Double((seed * 7 + cell * 3) % 5)) }
    let (schedule, asked) = Self.played([ClaimComparison(first: 0, second: 1)], cells: 2, result: same)
    #expect(asked == (3...12).map { [$0, $0] })
    #expect(schedule.states[0].answer == .openAtLimit)
    #expect(schedule.states[0].path.map(\.pairs) == Array(3...12))
    #expect(schedule.looks == 10 && schedule.isFinished)
  }

  @Test func `seeds come in steps, and the last step ends at the limit`() {
    var rules = Self.rules
    rules.step = 4
    let same: (Int, Int) -> Result = { cell, seed in .value(Double((seed * 7 + cell * 3) % 5)) }
    let (_, asked) = Self.played([ClaimComparison(first: 0, second: 1)], cells: 2, rules, result: same)
    #expect(asked == [[3, 3], [7, 7], [11, 11], [12, 12]])
  }

  @Test func `only cells of open comparisons get more seeds, and a shared cell is asked for once`() {
    // Cell 2 is far away from cell 0, cell 1 is not; cell 3 is in no comparison.
    let result: (Int, Int) -> Result = { cell, seed in
      .value([10, 10, 90, 0][cell] + 0.01 * Double((seed * (3 + cell)) % 5))
    }
    let (schedule, asked) = Self.played(
      [ClaimComparison(first: 2, second: 0), ClaimComparison(first: 1, second: 0)], cells: 4, result: result)
    #expect(schedule.states[0].answer == .different(isPositive: true))
    #expect(asked.last == [12, 12, 3, 3] || asked.last?[2] == 4)
    #expect(asked.allSatisfy { $0[3] == 3 })
  }

  @Test func `the first so many looks of a longer history are those of a shorter one`() {
    let result = Self.noisy([50, 50.6, 50.2], spread: 0.5)
    let comparisons = [ClaimComparison(first: 1, second: 0), ClaimComparison(first: 2, second: 0)]
    let (whole, asked) = Self.played(comparisons, cells: 3, result: result)
    for cut in asked {
      // Runs of a look that is half done choose nothing: it has not happened.
      let half = ClaimSchedule(comparisons, cells: 3, Self.rules) { cell, seed in
        seed < cut[cell] - (cell == 1 ? 1 : 0) ? result(cell, seed) : nil
      }
      #expect(half.isWaiting)
      for (state, final) in zip(half.states, whole.states) {
        #expect(Array(final.path.prefix(state.path.count)) == state.path)
      }
    }
    let again = ClaimSchedule(comparisons, cells: 3, Self.rules) { result($0, $1) }
    #expect(again.states == whole.states && again.seeds == whole.seeds)
  }

  @Test func `runs without a result leave their pair out, and more than a third of them ends a claim`() {
    let one: (Int, Int) -> Result = { cell, seed in
      cell == 1 && seed == 0 ? .without : .value(Double(10 * cell) + 0.01 * Double(seed * seed))
    }
    var rules = Self.rules
    rules.count = 6
    let (some, _) = Self.played([ClaimComparison(first: 1, second: 0)], cells: 2, rules, result: one)
    #expect(some.states[0].missing == 1 && some.states[0].pairs >= 5)
    let many: (Int, Int) -> Result = { cell, seed in
      cell == 1 && seed < 2 ? .without : .value(Double(10 * cell + seed))
    }
    let (ended, asked) = Self.played([ClaimComparison(first: 1, second: 0)], cells: 2, result: many)
    guard case .impossible(let reason) = ended.states[0].answer else {
      Issue.record("\(ended.states[0].answer)")
      return
    }
    #expect(reason.contains("2 of 3"))
    #expect(asked == [[3, 3]])
  }

  @Test func `equal differences cannot be judged, and no seed is added for them`() {
    let (schedule, asked) = Self.played(
      [ClaimComparison(first: 1, second: 0)], cells: 2,
      result: { cell, seed in .value(Double(seed) + Double(cell)) })
    guard case .impossible = schedule.states[0].answer else {
      Issue.record("\(schedule.states[0].answer)")
      return
    }
    #expect(asked == [[3, 3]] && schedule.states[0].interval == nil)
  }

  @Test func `values that are not finite count as missing`() {
    let (schedule, _) = Self.played(
      [ClaimComparison(first: 1, second: 0)], cells: 2,
      result: { cell, seed in .value(cell == 1 ? .nan : Double(seed)) })
    #expect(schedule.states[0].pairs == 0)
    guard case .impossible = schedule.states[0].answer else {
      Issue.record("\(schedule.states[0].answer)")
      return
    }
  }

  @Test func `a difference that does not matter is an answer once the interval says so`() {
    let result = Self.noisy([50, 50], spread: 0.02)
    let (schedule, _) = Self.played(
      [ClaimComparison(first: 1, second: 0, smallest: 0.3)], cells: 2, result: result)
    #expect(schedule.states[0].answer == .noDifference)
    let interval = schedule.states[0].interval
    #expect(interval.map { $0.low >= -0.3 && $0.high <= 0.3 } == true)
  }

  @Test func `the more comparisons, the more evidence each needs, and at three seeds two can be decided`() {
    // One large family: every difference is as clear as three seeds can make it.
    let result: (Int, Int) -> Result = { cell, seed in
      .value(1000 * Double(cell) + 0.001 * Double(cell * seed))
    }
    for (family, expected) in [(2, true), (3, false)] {
      let comparisons = (1...family).map { ClaimComparison(first: $0, second: 0) }
      let schedule = ClaimSchedule(comparisons, cells: family + 1, Self.rules) { cell, seed in
        seed < 3 ? result(cell, seed) : nil
      }
      #expect(schedule.states.allSatisfy { $0.answer == .different(isPositive: true) } == expected)
    }
  }

  @Test func `a thousand comparisons over twenty seeds are looked at in a blink`() {
    let rules = ClaimSchedule.Rules(count: 20, limit: 20)
    let comparisons = (0..<1000).map { ClaimComparison(first: 2 * $0, second: 2 * $0 + 1) }
    let schedule = ClaimSchedule(
      comparisons, cells: 2000, rules,
      result: Self.noisy(
        (0..<2000).map { Double($0 % 7) }, spread: 1))
    #expect(schedule.states.count == 1000 && schedule.looks == 1)
  }
}
