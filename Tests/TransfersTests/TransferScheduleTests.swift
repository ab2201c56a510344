import Specs
import Testing

@Suite struct TransferScheduleTests {
  @Test(arguments: [
    (1, 1, 0), (20, 2, 5), (600, 60, 150), (600, 60, 0), (605, 60, 120), (605, 60, 121), (7, 3, 7), (7, 3, 9),
    (100, 10, 1), (100, 10, 6), (12, 5, 5), (48, 4, 12),
  ])
  func `what is worked out of a step is what counting finds`(_ steps: Int, _ interval: Int, _ every: Int) {
    let schedule = TransferSchedule(steps: steps, interval: interval, evaluation: every)
    var (ends, begin, evaluations) = (0, 0, 0)
    for step in 0..<steps {
      #expect(schedule.records(endingBy: step) == ends, "step \(step)")
      #expect(schedule.begin(ofRecordAt: step) == begin, "step \(step)")
      let taken = step + 1
      let isDue = every > 0 && taken % every == 0
      #expect(schedule.isDue(after: taken) == isDue, "step \(step)")
      let isEnd = isDue || taken % interval == 0 || taken == steps
      #expect(schedule.isEnd(taken) == isEnd, "step \(step)")
      if isEnd { (ends, begin) = (ends + 1, taken) }
      if isDue, taken < steps { evaluations += 1 }
    }
    #expect(schedule.records(endingBy: steps) == ends && schedule.evaluations == evaluations)
  }
}
