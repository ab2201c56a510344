import Networks
import Specs
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Whole training steps: what they allocate, and that their bits stay.
@Suite(.serialized) struct EngineStepTests {
  private struct Run {
    let built: BuiltNetwork
    let images: Tensor
    let labels: [Int]
    var state: ModelState
    var optimizer = SGD(momentum: 0.9, weightDecay: 5e-4)

    init(_ name: String, batch: Int, side: Int = 16, _ convolution: ConvolutionChoice = .auto) throws {
      let task = ImageTask(channels: 3, height: side, width: side, classes: 10)
      built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
      state = built.state(seed: 5)
      state.convolution = convolution
      var stream = RandomStream(seed: 5, "steps")
      let shape: Shape = [batch, 3, side, side]
      images = Tensor((0..<shape.count).map { _ in Float(stream.uniform(-1...1)) }, shape)
      labels = (0..<batch).map { _ in stream.index(below: 10) }
    }

    mutating func step() {
      let gradients: [Tensor?]
      do {
        let pass = Pass(state, .training)
        let loss = built.network(images, pass).logits.crossEntropy(labels: labels).mean()
        gradients = pass.gradients(of: loss)
        pass.commit(to: &state)
      }
      optimizer.step(&state, gradients, rate: 0.01)
    }

    /// FNV-1a over the bytes of all arrays.
    var hash: UInt64 {
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for slot in state.slots {
        state[slot].withBytes { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
      }
      return hash
    }
  }

  @Test(arguments: ["mini-resnet8", "mini-mobilenetv2-050", "mini-shufflev2-02", "mini-regnety"])
  func `no tensor memory is allocated after the first two steps`(_ name: String) throws {
    let pool = BufferPool()
    try Device(pool: pool).run {
      var run = try Run(name, batch: 4)
      for _ in 0..<2 { run.step() }
      let (warm, faults) = (pool.allocations, Self.pageFaults)
      #expect(warm > 20)
      for _ in 0..<48 { run.step() }
      #expect(pool.allocations == warm)
      // A step's maps are hundreds of pages; the tape's small nodes may come and go.
      #expect(Self.pageFaults - faults < 48, "\(Self.pageFaults - faults) pages")
    }
  }

  /// Pages that this thread has been given so far.
  private static var pageFaults: Int {
    var usage = rusage()
    // RUSAGE_THREAD of Linux, which the imported headers leave out.
    getrusage(__rusage_who_t(1), &usage)
    return usage.ru_minflt
  }

  /// Pinned where this suite was written; the same for AVX-512, AVX2 and neither, one thread and two, in
  /// debug and release builds.
  static let hashes: [(String, ConvolutionChoice, UInt64)] = [
    ("mini-resnet8", .auto, 0xa504deda4e81ec5d),
    ("mini-resnet8", .direct, 0x95ed19cf15bb2472),
    ("mini-mobilenetv2-050", .auto, 0x0e9b24b713aa8baf),
    ("mini-shufflev2-02", .auto, 0x77bbc28c281465f2),
    ("mini-regnety", .auto, 0x60503c7d96605554),
  ]

  @Test(arguments: hashes)
  func `weights after 20 steps are the same bits everywhere`(
    _ name: String, _ convolution: ConvolutionChoice, _ hash: UInt64
  ) throws {
    for level in Device.Level.allCases where level <= .best {
      for threads in [1, 2] {
        let device = Device(level: level, threads: threads)
        #expect(device.threads == threads)
        var run = try Run(name, batch: 4, convolution)
        device.run { for _ in 0..<20 { run.step() } }
        #expect(run.hash == hash, "\(level), \(threads) threads: 0x\(String(run.hash, radix: 16))")
      }
    }
  }
}
