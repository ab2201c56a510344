import Specs
import Sweeps
import Testing

@Suite struct DevicePoolTests {
  private static let runs = (0..<6).map { ContentKey(hashing: [UInt8($0)]) }

  @Test func `a device belongs to one run until it ends`() {
    var pool = DevicePool(DeviceShare(["cuda:0", "cuda:1"]))
    #expect(pool.room == 2)
    #expect(pool.take(for: Self.runs[0]) == ["cuda:0"])
    #expect(pool.take(for: Self.runs[1]) == ["cuda:1"])
    #expect(pool.take(for: Self.runs[2]) == nil)
    #expect(pool.release(by: Self.runs[0]) == ["cuda:0"])
    let nothing = pool.release(by: Self.runs[0])
    #expect(nothing.isEmpty)
    #expect(pool.take(for: Self.runs[2]) == ["cuda:0"])
  }

  @Test func `small runs share a device, the emptiest first`() {
    var pool = DevicePool(DeviceShare(["cuda:0", "cuda:1"], runsPer: 2))
    #expect(pool.room == 4)
    let taken = Self.runs[0..<4].map { pool.take(for: $0)! }
    #expect(taken == [["cuda:0"], ["cuda:1"], ["cuda:0"], ["cuda:1"]])
    #expect(pool.take(for: Self.runs[4]) == nil)
  }

  @Test func `a large run has several, and what is left over serves nobody`() {
    var pool = DevicePool(DeviceShare(["cuda:0", "cuda:1", "cuda:2"], perRun: 2))
    #expect(pool.room == 1)
    #expect(pool.take(for: Self.runs[0]) == ["cuda:0", "cuda:1"])
    #expect(pool.take(for: Self.runs[1]) == nil)
  }

  @Test func `a device that is set aside is given to nobody, and whoever has it keeps it`() {
    var pool = DevicePool(DeviceShare(["cuda:0", "cuda:1"]))
    _ = pool.take(for: Self.runs[0])
    let (first, second) = (pool.setAside("cuda:0"), pool.setAside("cuda:0"))
    #expect(first && !second)
    #expect(pool.room == 1)
    #expect(pool.take(for: Self.runs[1]) == ["cuda:1"])
    #expect(pool.release(by: Self.runs[0]) == ["cuda:0"])
    #expect(pool.take(for: Self.runs[2]) == nil)
  }

  @Test func `drivers hide all other devices from a run`() {
    #expect(
      DevicePool.environment(of: ["cuda:3", "cuda:1"]) == [
        "MTKD_DEVICE": "cuda:3,cuda:1", "CUDA_VISIBLE_DEVICES": "3,1", "HIP_VISIBLE_DEVICES": "3,1",
      ])
    #expect(DevicePool.environment(of: ["fake-a"]) == ["MTKD_DEVICE": "fake-a"])
    #expect(DevicePool.environment(of: []).isEmpty)
  }

  @Test func `runs on devices wait for one, and others fill the processors beside them`() {
    func run(_ number: Int) -> StageRequest {
      StageRequest(
        kind: StudentStage.kind, revision: 1, role: .result, spec: Array("\"\(number)\"".utf8), inputs: [])
    }
    let (theirs, ours) = ((0..<3).map(run), (3..<6).map(run))
    var demand = Scheduler.Demand()
    demand.onDevices = Set(theirs.map(\.key))
    demand.deviceRoom = 2
    var scheduler = Scheduler(
      theirs + ours, done: [], failed: [], slots: 4, retries: 0, demand: demand)
    func started(_ actions: [Scheduler.Action]) -> [ContentKey] {
      actions.compactMap { if case .start(let key, _) = $0 { key } else { nil } }
    }
    #expect(started(scheduler.begin()) == [theirs[0], theirs[1], ours[0], ours[1]].map(\.key))
    // A processor is free, and no device.
    #expect(started(scheduler.handle(.finished(ours[0].key))) == [ours[2].key])
    // A device broke: what ran there waits with the third for the other one.
    #expect(started(scheduler.handle(.deviceRoom(1))).isEmpty)
    #expect(started(scheduler.handle(.stopped(theirs[0].key))).isEmpty)
    #expect(started(scheduler.handle(.finished(theirs[1].key))) == [theirs[0].key])
    #expect(started(scheduler.handle(.finished(theirs[0].key))) == [theirs[2].key])
    _ = scheduler.handle(.finished(ours[1].key))
    _ = scheduler.handle(.finished(ours[2].key))
    #expect(scheduler.handle(.finished(theirs[2].key)) == [.end])
  }
}
