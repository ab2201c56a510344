import Distillation
import Foundation
import Networks
import Specs
import Tensors
import Training

/// What methods cost beside the average of all teachers, and how long AEKD's solver takes.
///
///     mtkd-benchmarks methods [--rounds N] [--student NAME] [--teachers NAME,NAME,…]
///
/// Every method trains one epoch of the same images in turn, and the turns repeat: what else the machine
/// does hits all of them. Processor seconds of the second and later epochs count, in which policies act,
/// with the learning after an epoch. First teachers are asked live, then what they say of the images has
/// been written down before.
struct MethodSpeed {
  private static let batches = 8

  static func main(_ arguments: [String]) throws {
    var (rounds, student) = (5, "resnet20")
    var pool = ["resnet56", "wrn-16-2", "wrn-40-1", "resnet44"]
    var words = arguments[...]
    while let word = words.popFirst() {
      switch word {
      case "--rounds": rounds = words.popFirst().flatMap { Int($0) } ?? rounds
      case "--student": student = words.popFirst() ?? student
      case "--teachers": pool = words.popFirst()?.split(separator: ",").map(String.init) ?? pool
      default: print("unknown word \(word)")
      }
    }
    solver()
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 100)
    let teachers = try pool.enumerated().map { index, name in
      let built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
      return Teacher(built, built.state(seed: UInt64(index)))
    }
    print(
      "\(student) from \(pool.joined(separator: ", ")); \(batches) batches of 64 an epoch, \(rounds) rounds")
    let source = Noise(task: task, batches: batches)
    try epochs(student: student, teachers, source, rounds: rounds)
    let recorded = teachers.map { Recorded(source.everything(from: $0)) }
    try epochs(student: student, teachers, source, rounds: rounds, recorded: recorded)
  }

  /// Microseconds of the weights of four gradients in R¹⁰⁰, as one batch of AEKD needs them.
  private static func solver() {
    var stream = RandomStream(seed: 1, "solver")
    let problems = (0..<200).map { _ in
      (0..<4).map { _ in (0..<100).map { _ in 1e-3 * stream.normal() } }
    }
    let grams = problems.map { vectors in
      vectors.flatMap { a in vectors.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    }
    var sum = 0.0
    let start = cpuSeconds()
    for _ in 0..<20 {
      for gram in grams { sum += MinimumNorm.weights(gram: gram, bound: 0.6)[0] }
    }
    let each = (cpuSeconds() - start) / Double(20 * grams.count) * 1e6
    print(
      String(format: "AEKD's solver, four teachers: %.1f microseconds (mean weight %.3f)", each, sum / 4000))
  }

  /// - Parameter recorded: what the teachers said; empty where they are asked.
  private static func epochs(
    student: String, _ teachers: [Teacher], _ source: Noise, rounds: Int, recorded: [Recorded] = []
  ) throws {
    let names = [
      "aver-kd-fitnet", "baseline", "aver-kd", "amtml-kd", "aekd", "eb-kd", "ca-mkd", "mmkd", "mtkd-rl",
    ]
    var runs = try names.map { name in
      try TrainingRun(
        student: NetworkNames.spec(.string(student)), teachers: name == "baseline" ? [] : teachers,
        method: MethodSpec(name: name, revision: try Catalog.methods.entry(name).description.revision),
        recipe: .student(epochs: 1000, batchSize: 64),
        source: source, seed: 1, recorded: name == "baseline" ? [] : recorded)
    }
    var times = [[Double]](repeating: [], count: names.count)
    for round in 0...rounds {
      for index in runs.indices {
        let start = cpuSeconds()
        while let report = try runs[index].step(), report.finishedEpoch == nil {}
        // The first round is the warm-up of policies.
        if round > 0 { times[index].append(cpuSeconds() - start) }
      }
    }
    print(recorded.isEmpty ? "teachers asked" : "teachers' outputs written down")
    for (name, all) in zip(names, times) {
      let ratios = zip(all, times[0]).map { $0 / $1 }.sorted()
      print(
        String(
          format: "%@: %.3f s, %.3f of aver-kd-fitnet (%.3f … %.3f)", name, all.sorted()[all.count / 2],
          ratios[ratios.count / 2], ratios[0], ratios[ratios.count - 1]))
    }
  }

  private static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Images of noise, and none to measure with.
private struct Noise: BatchSource {
  let task: ImageTask
  private let images: Tensor
  private let labels: [Int]
  private let batches: Int

  init(task: ImageTask, batches: Int) {
    self.task = task
    self.batches = batches
    var stream = RandomStream(seed: 1, "benchmark")
    let shape: Shape = [64 * batches, task.channels, task.height, task.width]
    images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
    labels = (0..<(64 * batches)).map { _ in stream.index(below: task.classes) }
  }

  func order(epoch: Int) -> [[Int]] { (0..<batches).map { Array(($0 * 64)..<(($0 + 1) * 64)) } }
  func trainingBatch(_ positions: [Int], epoch: Int) -> (images: Tensor, targets: any Targets) {
    (images.rows(positions), ClassTargets(positions.map { labels[$0] }, classes: task.classes))
  }
  /// One view of each image, the same in every epoch.
  func views(_ positions: [Int], epoch: Int) -> [Int]? { positions.map { _ in 0 } }

  /// What a teacher says of all images, in batches.
  func everything(from teacher: Teacher) -> Activations {
    let parts = order(epoch: 0).map { teacher(images.rows($0)) }
    return Activations(
      maps: [.concatenated(parts.map(\.map), axis: 0)],
      embedding: .concatenated(parts.map(\.embedding), axis: 0),
      logits: .concatenated(parts.map(\.logits), axis: 0))
  }

  func plainBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
    trainingBatch(positions, epoch: 0)
  }
  var evaluationOrder: [[Int]] { [] }
  func evaluationBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
    trainingBatch(positions, epoch: 0)
  }
}

/// What a teacher said of all images, in memory.
private struct Recorded: RecordedOutputs {
  private let all: Activations

  init(_ all: Activations) { self.all = all }

  func activations(_ positions: [Int], views: [Int]) -> Activations? {
    Activations(
      maps: [all.map.rows(positions)], embedding: all.embedding.rows(positions),
      logits: all.logits.rows(positions))
  }
}
