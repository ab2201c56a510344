import Foundation
import Networks
import Specs
import Tensors

/// Images per CPU second of whole training steps and evaluations at one thread, by network: the median of a few rounds.
///
///     mtkd-benchmarks [NETWORK …] [--batch N] [--seconds S] [--digest]
///     mtkd-benchmarks orchestration
///     mtkd-benchmarks report
@main struct TrainingSpeed {
  var networks = ["resnet8", "resnet20", "wrn-16-2", "mobilenetv2", "shufflenetv2", "regnetx-200mf"]
  var batch = 64
  var seconds = 3.0
  /// Prints a digest of the state after three steps instead of a speed: equal bits, equal digests.
  var wantsDigest = false

  static func main() async throws {
    if CommandLine.arguments.dropFirst().first == "orchestration" {
      return try await OrchestrationSpeed.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    if CommandLine.arguments.dropFirst().first == "report" {
      return try ReportSpeed.main(Array(CommandLine.arguments.dropFirst(2)))
    }
    var benchmark = TrainingSpeed()
    var named: [String] = []
    var words = CommandLine.arguments.dropFirst()
    while let word = words.popFirst() {
      switch word {
      case "--batch": benchmark.batch = words.popFirst().flatMap { Int($0) } ?? benchmark.batch
      case "--seconds": benchmark.seconds = words.popFirst().flatMap { Double($0) } ?? benchmark.seconds
      case "--digest": benchmark.wantsDigest = true
      default: named.append(word)
      }
    }
    if !named.isEmpty { benchmark.networks = named }
    print("\(BLAS.description), one thread, batch \(benchmark.batch), 3 × 32 × 32, images per CPU second")
    for network in benchmark.networks { try benchmark.measure(network) }
  }

  private func measure(_ name: String) throws {
    var step = try TrainingStep(name, batch: batch)
    if wantsDigest {
      for _ in 0..<3 { step.train() }
      return print(name, step.digest)
    }
    let train = median { step.train() }
    let infer = median { step.infer() }
    print(name, "train", Int(train.rounded()), "infer", Int(infer.rounded()))
  }

  /// The first call warms the buffers up and is not counted.
  private func median(_ body: () -> Void) -> Double {
    body()
    var speeds: [Double] = []
    let end = Self.cpuSeconds + seconds
    while Self.cpuSeconds < end || speeds.count < 3 {
      let start = Self.cpuSeconds
      body()
      speeds.append(Double(batch) / (Self.cpuSeconds - start))
    }
    return speeds.sorted()[speeds.count / 2]
  }

  private static var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
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

  init(_ name: String, batch: Int) throws {
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 100)
    built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
    state = built.state(seed: 1)
    var stream = RandomStream(seed: 1, "benchmark")
    let shape: Shape = [batch, task.channels, task.height, task.width]
    images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
    labels = (0..<batch).map { _ in stream.index(below: task.classes) }
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

  func infer() { _ = built.network(images, Pass(state, .inference)) }

  /// FNV-1a over the bytes of all arrays.
  var digest: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for slot in state.slots {
      state[slot].withBytes { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
    }
    return String(hash, radix: 16)
  }
}
