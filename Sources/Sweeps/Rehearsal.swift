package import Specs

/// How long stages would take on so many workers that do not disturb each other: the scheduler itself,
/// rehearsed on expected times.
package enum Rehearsal {
  /// Above so many open stages the answer is a bound that needs no rehearsal.
  package static let limit = 20_000

  package struct Outlook: Hashable, Sendable {
    /// Seconds from the first start to the last end. Of more than `limit` open stages the larger of an even
    /// share of the work and the longest chain of stages that wait for each other: no schedule is shorter.
    package let wall: Double
    /// Seconds of work that are spared because runs that start together ask their teachers once. Of more
    /// than `limit` open stages 0.
    package let spared: Double
    /// So many times runs ask their teachers: each start counts, of one run or of several together.
    package let asked: Int

    package init(wall: Double, spared: Double, asked: Int) {
      self.wall = wall
      self.spared = spared
      self.asked = asked
    }
  }

  /// - Parameters:
  ///   - stages: of a plan, every stage after its inputs.
  ///   - done: stages that need no time any more.
  ///   - failed: stages with a recorded failure; what reads them does not run.
  ///   - demand: as the scheduler of the real run gets it.
  ///   - overhead: wall seconds of each stage that are no work of it.
  package static func outlook(
    _ stages: [StageRequest], done: Set<ContentKey>, failed: Set<ContentKey> = [], workers: Int,
    demand: Scheduler.Demand, order: @autoclosure () -> Scheduler.Order = .plan, overhead: Double = 0
  ) -> Outlook {
    let slots = max(1, workers)
    func seconds(_ key: ContentKey) -> Double { demand.seconds(key) + overhead }
    func isOpen(_ key: ContentKey) -> Bool { !done.contains(key) && !failed.contains(key) }
    if stages.count > limit, stages.count(where: { isOpen($0.key) }) > limit {
      return Outlook(wall: bound(stages, isOpen, slots, seconds), spared: 0, asked: 0)
    }
    var scheduler = Scheduler(
      stages, done: done, failed: failed, slots: slots, retries: 0, demand: demand, order: order())
    var (clock, spared, asked) = (0.0, 0.0, 0)
    var running: [(end: Double, keys: [ContentKey])] = []
    var actions = scheduler.begin()
    while true {
      for action in actions {
        switch action {
        case .start(let key, _):
          running.append((clock + seconds(key), [key]))
          if demand.groups[key] != nil { asked += 1 }
        case .startTogether(let keys):
          let teaching = keys.map(demand.teaching)
          let saved = teaching.reduce(0, +) - (teaching.max() ?? 0)
          let own = keys.reduce(0) { $0 + demand.seconds($1) }
          running.append((clock + own - saved + overhead, keys))
          (spared, asked) = (spared + saved, asked + 1)
        case .stopWorkers, .block, .giveUp, .end: break
        }
      }
      guard let next = running.indices.min(by: { running[$0].end < running[$1].end }) else {
        return Outlook(wall: clock, spared: spared, asked: asked)
      }
      clock = running[next].end
      actions = running.remove(at: next).keys.flatMap { scheduler.handle(.finished($0)) }
    }
  }

  private static func bound(
    _ stages: [StageRequest], _ isOpen: (ContentKey) -> Bool, _ slots: Int, _ seconds: (ContentKey) -> Double
  ) -> Double {
    var (sum, longest) = (0.0, 0.0)
    // Of what others may wait for: nobody waits for a run.
    var ends: [ContentKey: Double] = [:]
    // Neighbours mostly wait for the same.
    var last: (inputs: [ContentKey], helpers: [ContentKey], start: Double) = ([], [], 0)
    for stage in stages where isOpen(stage.key) {
      if stage.inputs != last.inputs || stage.helpers != last.helpers {
        let start = (stage.inputs + stage.helpers).reduce(0.0) { max($0, ends[$1] ?? 0) }
        last = (stage.inputs, stage.helpers, start)
      }
      let (start, own) = (last.start, seconds(stage.key))
      if stage.role != .result { ends[stage.key] = start + own }
      (sum, longest) = (sum + own, max(longest, start + own))
    }
    return max(sum / Double(slots), longest)
  }
}
