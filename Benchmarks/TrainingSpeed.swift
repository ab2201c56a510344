import Foundation
import Networks
import Specs
import Tensors
import Training

/// Images per CPU second of whole training steps and evaluations at one thread, by network: the median of a
/// few rounds. `deit-tiny@64` is a network on images of 64 × 64; where nothing is said they are 32 × 32.
///
///     mtkd-benchmarks [NETWORK …] [--batch N] [--seconds S] [--only train|infer] [--direct] [--threads N] [--wall] [--level avx2] [--digest]
///     mtkd-benchmarks orchestration
///     mtkd-benchmarks report
///     mtkd-benchmarks methods
///     mtkd-benchmarks downstream NAME
///     mtkd-benchmarks parity
@main struct TrainingSpeed {
  var networks = ["resnet8", "resnet20", "wrn-16-2", "mobilenetv2", "shufflenetv2", "regnetx-200mf"]
  var batch = 64
  var seconds = 3.0
  /// Prints a digest of the state after twenty steps instead of a speed: equal bits, equal digests.
  var wantsDigest = false
  var threads = 1
  var level = Device.Level.best
  /// What speeds are measured by.
  var clock = CLOCK_PROCESS_CPUTIME_ID
  /// One of the two kinds of step, printed as a speed and the largest resident memory in MiB.
  var only: String?
  var convolution = ConvolutionChoice.auto

  static func main() async throws {
    if CommandLine.arguments.dropFirst().first == "orchestration" {
      return try await OrchestrationSpeed.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    if CommandLine.arguments.dropFirst().first == "report" {
      return try ReportSpeed.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    if CommandLine.arguments.dropFirst().first == "methods" {
      return try MethodSpeed.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    if CommandLine.arguments.dropFirst().first == "downstream" {
      return try DownstreamSpeed.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    if CommandLine.arguments.dropFirst().first == "parity" {
      return try PathParity.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    var benchmark = TrainingSpeed()
    var named: [String] = []
    var words = CommandLine.arguments.dropFirst()
    while let word = words.popFirst() {
      switch word {
      case "--batch": benchmark.batch = words.popFirst().flatMap { Int($0) } ?? benchmark.batch
      case "--seconds": benchmark.seconds = words.popFirst().flatMap { Double($0) } ?? benchmark.seconds
      case "--only": benchmark.only = words.popFirst()
      case "--direct": benchmark.convolution = .direct
      case "--reference": benchmark.convolution = .reference
      case "--digest": benchmark.wantsDigest = true
      case "--threads": benchmark.threads = words.popFirst().flatMap { Int($0) } ?? benchmark.threads
      case "--wall": benchmark.clock = CLOCK_MONOTONIC
      case "--level":
        let name = words.popFirst()
        guard let level = Device.Level.allCases.first(where: { "\($0)" == name }) else {
          return print("no level \(name ?? "")")
        }
        benchmark.level = level
      default: named.append(word)
      }
    }
    if !named.isEmpty { benchmark.networks = named }
    let device = Device(level: benchmark.level, threads: benchmark.threads)
    let unit = benchmark.clock == CLOCK_MONOTONIC ? "second" : "CPU second"
    print(
      "kernels for \(device.level), threads: \(device.threads), batch \(benchmark.batch), three channels, images per \(unit)"
    )
    try device.run {
      for network in benchmark.networks { try benchmark.measure(network) }
    }
  }

  private func measure(_ name: String) throws {
    if name == DistillationStep.name {
      var step = try DistillationStep(batch: batch)
      let speed = median(of: batch * DistillationStep.batches) { step.train() }
      return print(name, "train", String(format: "%.1f", speed), Self.largestMemory)
    }
    var step = try TrainingStep(name, batch: batch, convolution)
    if wantsDigest {
      for _ in 0..<20 { step.train() }
      return print(name, step.digest)
    }
    if let only {
      let speed = median { only == "train" ? step.train() : step.infer() }
      return print(name, only, String(format: "%.1f", speed), Self.largestMemory)
    }
    let train = median { step.train() }
    let infer = median { step.infer() }
    print(name, "train", Int(train.rounded()), "infer", Int(infer.rounded()))
  }

  /// MiB, of the whole process so far.
  static var largestMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss >> 10
  }

  /// Images a second, where a call trains on so many. The first two calls warm the
  /// buffers up and are not counted.
  private func median(of images: Int? = nil, _ body: () -> Void) -> Double {
    body()
    body()
    var speeds: [Double] = []
    let end = now + seconds
    while now < end || speeds.count < 3 {
      let start = now
      body()
      speeds.append(Double(images ?? batch) / (now - start))
    }
    return speeds.sorted()[speeds.count / 2]
  }

  private var now: Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Forward, backward and SGD on one fixed batch of noise.
private struct TrainingStep {
  let built: BuiltNetwork
  let images: Tensor
  let labels: [Int]
  var state: ModelState
  var optimizer = SGD(momentum: 0.9, weightDecay: 5e-4)

  init(_ name: String, batch: Int, _ convolution: ConvolutionChoice) throws {
    let (network, side) = try Self.sized(name)
    let task = ImageTask(channels: 3, height: side, width: side, classes: 100)
    built = try BuiltNetwork(network, task)
    state = built.state(seed: 1)
    state.convolution = convolution
    var stream = RandomStream(seed: 1, "benchmark")
    let shape: Shape = [batch, task.channels, task.height, task.width]
    images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
    labels = (0..<batch).map { _ in stream.index(below: task.classes) }
  }

  /// `NAME` or `NAME@SIDE`. A transformer is one for images of that side.
  private static func sized(_ name: String) throws -> (network: ModelSpec, side: Int) {
    let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
    let spec = try NetworkNames.spec(.string(parts[0]))
    guard parts.count == 2, let side = Int(parts[1]) else { return (spec, 32) }
    guard spec.parameters["image"] != nil else { return (spec, side) }
    let sized = spec.parameters.merging([
      "family": .string(spec.family), "image": .number(DecimalNumber(side)),
    ]) {
      $1
    }
    return (try NetworkNames.spec(.object(sized)), side)
  }

  mutating func train() {
    let gradients = gradients()
    optimizer.step(&state, gradients, rate: 0.01)
  }

  private mutating func gradients() -> [Tensor?] {
    let pass = Pass(state, .training)
    let loss = built.network(images, pass).logits.crossEntropy(labels: labels).mean()
    let gradients = pass.gradients(of: loss)
    pass.commit(to: &state)
    return gradients
  }

  func infer() { _ = built.network.parts(of: images, state) }

  /// FNV-1a over the bytes of all arrays.
  var digest: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for slot in state.slots {
      state[slot].withBytes { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
    }
    return String(hash, radix: 16)
  }
}

/// MTKD-RL as the paper has it: a ShuffleNetV2 learns from the four teachers, which are asked live, and the
/// policy learns at the end of each epoch. An epoch is a few batches, so that a step carries its share of the
/// policy's learning; the first epoch, in which the policy is not heard, is not counted.
private struct DistillationStep {
  static let name = "mtkd-rl"
  /// Of an epoch; torch_steps.py has as many.
  static let batches = 4

  private var run: TrainingRun

  init(batch: Int) throws {
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 100)
    let teachers = try ["regnety-400mf", "resnet32x4", "wrn-28-4", "regnetx-400mf"].enumerated().map {
      index, name in
      let built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
      return Teacher(built, built.state(seed: UInt64(index)))
    }
    run = try TrainingRun(
      student: NetworkNames.spec("shufflenetv2"), teachers: teachers, method: MethodSpec(name: "mtkd-rl"),
      recipe: .student(epochs: 1000, batchSize: batch), source: NoiseBatch(task: task, size: batch), seed: 1)
  }

  /// An epoch.
  mutating func train() {
    for _ in 0..<Self.batches {
      guard (try? run.step()) ?? nil != nil else { fatalError("the run ended or diverged") }
    }
  }
}

/// The same images of noise for every batch, and none to evaluate.
private struct NoiseBatch: BatchSource {
  let task: ImageTask
  private let images: Tensor
  private let labels: [Int]
  private let size: Int

  init(task: ImageTask, size: Int) {
    self.task = task
    self.size = size
    var stream = RandomStream(seed: 1, "benchmark")
    let shape: Shape = [size, task.channels, task.height, task.width]
    images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
    labels = (0..<size).map { _ in stream.index(below: task.classes) }
  }

  func order(epoch: Int) -> [[Int]] { Array(repeating: Array(0..<size), count: DistillationStep.batches) }
  func trainingBatch(_ positions: [Int], epoch: Int) -> (images: Tensor, targets: any Targets) {
    (images, ClassTargets(labels, classes: task.classes))
  }
  func plainBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
    (images, ClassTargets(labels, classes: task.classes))
  }
  var evaluationOrder: [[Int]] { [] }
  func evaluationBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
    (images, ClassTargets(labels, classes: task.classes))
  }
}
