internal import Networks
internal import Specs
internal import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// How fast this machine evaluates and trains a network, in images per second of
/// processor time at one thread.
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

  /// Two steps to warm up, then as many as fit into `seconds` of processor time, at least one. Images are
  /// noise, of the size and the classes that the network is meant for.
  ///
  /// - Parameter network: a name, or a family with its parameters as JSON.
  package init(network: String, phase: Phase, batch: Int, seconds: Double) throws {
    BLAS.useOneThread()
    let isObject = network.hasPrefix("{")
    let spec = try NetworkNames.spec(
      isObject ? JSONReader.read(Array(network.utf8)).value : .string(network))
    var task = NetworkNames.usualTask(network, spec)
    if let image = spec.parameters["image"]?.integer { (task.height, task.width) = (image, image) }
    let built = try BuiltNetwork(spec, task)
    var stream = RandomStream(seed: 1, "benchmark")
    let shape: Shape = [batch, task.channels, task.height, task.width]
    let images = Tensor((0..<shape.count).map { _ in stream.uniform(-1...1) }, shape)
    let labels = (0..<batch).map { $0 % task.classes }
    var state = built.state(seed: 1)
    var optimizer = SGD(momentum: 0.9, nesterov: true, weightDecay: 1e-4)

    func step() {
      guard phase == .train else {
        _ = built.network.parts(of: images, state)
        return
      }
      let gradients: [Tensor?]
      do {
        // The pass ends here, so that the optimiser is the only holder of the arrays
        // and changes them in place.
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
    self.network = network
    self.phase = phase
    self.batch = batch
    self.steps = steps
    cpuSeconds = elapsed
    library = BLAS.description
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
