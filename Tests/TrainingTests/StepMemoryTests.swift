import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

#if canImport(Glibc)
  import Glibc
#endif

/// Steps of whole runs, their teachers asked live.
@Suite(.serialized) struct StepMemoryTests {
  /// The same batch of eight images again and again, in one long epoch.
  private static func run(_ method: String) throws -> TrainingRun {
    let task = ImageTask(channels: 3, height: 16, width: 16, classes: 10)
    let teachers = try ["mini-regnety", "mini-wrn-10-1"].enumerated().map { index, name in
      let built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
      return Teacher(built, built.state(seed: UInt64(index)))
    }
    let shape: Shape = [8, 3, 16, 16]
    let source = FixedBatches(
      task: task, images: Tensor(FillRule.images(seed: 4, shape), shape),
      labels: FillRule.labels(seed: 4, count: 8, classes: 10),
      orders: [(0..<100).flatMap { _ in 0..<8 }], batchSize: 8)
    return try TrainingRun(
      student: NetworkNames.spec("mini-shufflev2-02"), teachers: teachers, method: MethodSpec(name: method),
      recipe: .student(epochs: 1, batchSize: 8), source: source, seed: 2)
  }

  @Test(arguments: ["aver-kd-fitnet", "ca-mkd"])
  func `no tensor memory is allocated after the first two steps with teachers`(_ method: String) throws {
    let pool = BufferPool()
    try Device(pool: pool).run {
      var run = try Self.run(method)
      for _ in 0..<2 { _ = try run.step() }
      let (warm, faults) = (pool.allocations, Self.pageFaults)
      #expect(warm > 20)
      for _ in 0..<48 { _ = try run.step() }
      #expect(pool.allocations == warm)
      #expect(Self.pageFaults - faults < 48, "\(Self.pageFaults - faults) pages")
    }
  }

  /// MTKD-RL keeps the states, actions and rewards of an epoch for its policy: vectors a step, and
  /// nothing of the size of a map.
  @Test func `what a policy remembers of a step is all that grows`() throws {
    let pool = BufferPool()
    try Device(pool: pool).run {
      var run = try Self.run("mtkd-rl")
      for _ in 0..<2 { _ = try run.step() }
      let (warm, faults) = (pool.allocations, Self.pageFaults)
      for _ in 0..<48 { _ = try run.step() }
      #expect(pool.allocations - warm <= 48 * 16, "\(pool.allocations - warm) buffers")
      #expect(Self.pageFaults - faults < 48 * 8, "\(Self.pageFaults - faults) pages")
    }
  }

  /// Pages that this thread has been given so far.
  private static var pageFaults: Int {
    var usage = rusage()
    // RUSAGE_THREAD of Linux, which the imported headers leave out.
    getrusage(__rusage_who_t(1), &usage)
    return usage.ru_minflt
  }
}
