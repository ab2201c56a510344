internal import Networks
internal import Specs
internal import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// How fast this machine evaluates and trains a network, in images per second of processor time at one thread.
package struct EngineBenchmark: Sendable {
  package enum Phase: String, CaseIterable, Sendable {
    case train, infer
  }

  package let network: String
  package let phase: Phase
  package let batch: Int
  package let steps: Int
  package let cpuSeconds: Double
  /// OpenBLAS and its kernel.
  package let library: String

  package var imagesPerCPUSecond: Double { Double(steps * batch) / cpuSeconds }

  /// Two steps to warm up, then as many as fit into `seconds` of processor time, at least one. Images are 3 × 32 × 32 noise of 100 classes.
  package init(network: String, phase: Phase, batch: Int, seconds: Double) throws {
    BLAS.useOneThread()
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 100)
    let built = try BuiltNetwork(NetworkNames.spec(.string(network)), task)
    var stream = RandomStream(seed: 1, "benchmark")
    let count = batch * 3 * 32 * 32
    let images = Tensor((0..<count).map { _ in stream.uniform(-1...1) }, [batch, 3, 32, 32])
    let labels = (0..<batch).map { $0 % task.classes }
    var state = built.state(seed: 1)
    var optimizer = SGD(momentum: 0.9, nesterov: true, weightDecay: 1e-4)

    func step() {
      guard phase == .train else {
        _ = built.network(images, Pass(state, .inference))
        return
      }
      let gradients: [Tensor?]
      do {
        // The pass ends here, so that the optimiser is the only holder of the arrays and changes them in place.
        let pass = Pass(state, .training)
        let loss = built.network(images, pass).logits.crossEntropy(labels: labels).mean()
        gradients = pass.gradients(of: loss)
        pass.commit(to: &state)
      }
      optimizer.step(&state, gradients, rate: 0.05)
    }

    for _ in 0..<2 { step() }
    let start = Self.processorSeconds()
    var (steps, elapsed) = (0, 0.0)
    repeat {
      step()
      steps += 1
      elapsed = Self.processorSeconds() - start
    } while elapsed < seconds
    (self.network, self.phase, self.batch) = (network, phase, batch)
    (self.steps, cpuSeconds, library) = (steps, elapsed, BLAS.description)
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
