import Tensors
import Testing

/// The fast path against the reference path in double precision, forward and every gradient, over shapes
/// that are awkward for it.
@Suite struct FastPathTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var batch = 2
    var channels = 16
    var outputs = 16
    var size = Extent(8)
    var kernel = Extent(3)
    var stride: Extent = 1
    var padding: Extent = 1
    var groups = 1

    var testDescription: String {
      let extents = [size, kernel, stride, padding].map { "\($0.height)x\($0.width)" }
      return "\(batch)·\(channels)→\(outputs) in \(groups): \(extents.joined(separator: " "))"
    }
  }

  static let cases = [
    // Widths around those of a tile, one image and many.
    Case(), Case(batch: 1), Case(batch: 5, size: Extent(1)), Case(size: Extent(3)), Case(size: Extent(4)),
    Case(size: Extent(5, 7)), Case(size: Extent(6, 9)), Case(size: Extent(3, 15)), Case(size: Extent(2, 17)),
    Case(outputs: 40, size: Extent(7, 13)), Case(batch: 70, outputs: 32, size: Extent(2)),
    // Channels that are no multiple of a block.
    Case(channels: 3), Case(channels: 1, outputs: 8), Case(channels: 58, outputs: 58, kernel: 1, padding: 0),
    Case(channels: 20, outputs: 37), Case(channels: 33, outputs: 5), Case(channels: 64, outputs: 48),
    // Strides.
    Case(outputs: 32, stride: 2), Case(channels: 24, outputs: 48, size: Extent(9, 11), stride: 2),
    Case(channels: 32, outputs: 32, kernel: 1, stride: 2, padding: 0),
    Case(size: Extent(17, 19), stride: 2), Case(size: Extent(16), stride: 3),
    Case(stride: Extent(1, 2)), Case(size: Extent(32, 16), stride: Extent(2, 1)),
    Case(channels: 3, outputs: 20, size: Extent(21), kernel: 7, stride: 2, padding: 3),
    Case(channels: 3, outputs: 32, size: Extent(16), kernel: 4, stride: 4, padding: 0),
    // Kernels.
    Case(kernel: 1, padding: 0), Case(outputs: 32, size: Extent(16), kernel: 1, padding: 0),
    Case(kernel: 5, padding: 2), Case(kernel: Extent(1, 3), padding: Extent(0, 1)),
    Case(kernel: Extent(3, 2), padding: Extent(2, 0)), Case(padding: 0), Case(padding: 2),
    // Images of a single pixel, one and more than a tile.
    Case(channels: 40, outputs: 20, size: Extent(1), kernel: 1, padding: 0),
    Case(batch: 13, channels: 20, outputs: 40, size: Extent(1), kernel: 1, padding: 0),
    Case(batch: 3, channels: 36, outputs: 36, size: Extent(1), kernel: 1, padding: 0, groups: 3),
    // Groups: widths of 4, 8, 16, 24, 32, and more outputs than inputs.
    Case(channels: 24, outputs: 24, groups: 6), Case(channels: 24, outputs: 24, groups: 3),
    Case(channels: 56, outputs: 56, stride: 2, groups: 7), Case(channels: 64, outputs: 64, groups: 4),
    Case(channels: 40, outputs: 40, size: Extent(9, 21), groups: 5),
    Case(channels: 24, outputs: 24, size: Extent(7, 3), groups: 12),
    Case(channels: 40, outputs: 40, size: Extent(15, 19), stride: 2, groups: 10),
    Case(channels: 72, outputs: 72, groups: 3), Case(channels: 64, outputs: 128, groups: 2),
    Case(channels: 120, outputs: 120, kernel: 1, padding: 0, groups: 3),
    // One filter a channel.
    Case(groups: 16), Case(channels: 20, outputs: 20, size: Extent(5, 7), groups: 20),
    Case(channels: 58, outputs: 58, size: Extent(9), stride: 2, groups: 58),
    Case(channels: 32, outputs: 32, size: Extent(3), kernel: 5, padding: 2, groups: 32),
    Case(channels: 18, outputs: 18, size: Extent(12, 33), kernel: 7, stride: 2, padding: 3, groups: 18),
    Case(channels: 16, outputs: 32, groups: 16),
    // Winograd's: whole tiles, tiles over the edge, more than fit at a time, channels that
    // are no multiple of a block.
    Case(channels: 32, outputs: 32), Case(batch: 1, channels: 32, outputs: 64, size: Extent(16, 12)),
    Case(channels: 33, outputs: 37, size: Extent(7, 6)),
    Case(batch: 9, channels: 48, outputs: 32, size: Extent(13)),
    Case(batch: 33, channels: 32, outputs: 48, size: Extent(4)),
    Case(batch: 3, channels: 130, outputs: 40, size: Extent(11, 8)),
  ]

  /// Values in ±1 from one stream, the same in both precisions.
  private struct Noise {
    var stream = RandomStream(seed: 3, "fast path")

    mutating func callAsFunction(_ shape: Shape) -> Tensor {
      Tensor((0..<shape.count).map { _ in Double(Float(stream.uniform(-1...1))) }, shape, .double)
    }
  }

  /// The largest error, as a share of the largest value.
  private static func error(_ got: Tensor, _ want: Tensor) -> Double {
    let (a, b) = (got.doubles, want.doubles)
    #expect(a.count == b.count)
    let scale = b.map(abs).max() ?? 0
    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    return a.contains { !$0.isFinite } ? .infinity : worst / max(scale, 1e-30)
  }

  @Test(arguments: cases, [ConvolutionChoice.direct, .auto])
  func `a convolution and its gradients agree with the reference path`(_ c: Case, _ choice: ConvolutionChoice)
    throws
  {
    var noise = Noise()
    let x = noise([c.batch, c.channels, c.size.height, c.size.width])
    let weight = noise([c.outputs, c.channels / c.groups, c.kernel.height, c.kernel.width])
    let bias = noise([c.outputs])
    var dy: Tensor?
    func results(_ precision: Precision, _ choice: ConvolutionChoice) throws -> [Tensor] {
      let leaves = [x, weight, bias].map { $0.converted(to: precision).leaf() }
      let y = leaves[0].conv2D(
        leaves[1], bias: leaves[2], stride: c.stride, padding: c.padding, groups: c.groups, by: choice)
      dy = dy ?? noise(y.shape)
      let gradients = y.gradients(upstream: dy!.converted(to: precision))
      return try [y] + leaves.map { try #require(gradients[$0]) }
    }
    let truth = try results(.double, .reference)
    let names = ["y", "dx", "dweight", "dbias"]
    for (name, (got, want)) in zip(names, zip(try results(.single, choice), truth)) {
      let error = Self.error(got, want)
      #expect(error < (choice == .auto ? 4e-5 : 4e-6), "\(name): \(error)")
    }
  }

  /// Maps that the dilation divides and that it does not, down to one pixel a phase,
  /// and maps no larger than it.
  @Test(arguments: [(2, 9, 12), (4, 8, 8), (6, 13, 7), (12, 8, 9), (8, 9, 7), (7, 7, 8), (1, 5, 5)])
  func `a dilated convolution and its gradients agree with the reference path`(
    _ dilation: Int, _ height: Int, _ width: Int
  ) throws {
    var noise = Noise()
    let (x, weight, bias) = (noise([3, 33, height, width]), noise([40, 33, 3, 3]), noise([40]))
    let dy = noise([3, 40, height, width])
    func results(_ precision: Precision, _ choice: ConvolutionChoice) throws -> [Tensor] {
      let leaves = [x, weight, bias].map { $0.converted(to: precision).leaf() }
      let y = leaves[0].conv2D(
        leaves[1], bias: leaves[2], padding: Extent(dilation), dilation: Extent(dilation), by: choice)
      let gradients = y.gradients(upstream: dy.converted(to: precision))
      return try [y] + leaves.map { try #require(gradients[$0]) }
    }
    let truth = try results(.double, .reference)
    for choice in [ConvolutionChoice.direct, .auto] {
      for (name, (got, want)) in zip(
        ["y", "dx", "dweight", "dbias"], zip(try results(.single, choice), truth))
      {
        let error = Self.error(got, want)
        #expect(error < (choice == .auto ? 4e-5 : 4e-6), "\(choice) \(name): \(error)")
      }
    }
  }

  @Test(arguments: [(2, 2), (3, 2), (1, 4)])
  func `a transposed convolution whose windows lie apart agrees with the reference path`(
    _ rows: Int, _ columns: Int
  ) throws {
    var noise = Noise()
    let kernel = Extent(rows, columns)
    let (x, weight, bias) = (noise([3, 20, 7, 5]), noise([20, 33, rows, columns]), noise([33]))
    let dy = noise([3, 33, 7 * rows, 5 * columns])
    func results(_ precision: Precision, _ choice: ConvolutionChoice) throws -> [Tensor] {
      let leaves = [x, weight, bias].map { $0.converted(to: precision).leaf() }
      let y = leaves[0].transposedConv2D(leaves[1], bias: leaves[2], stride: kernel, by: choice)
      let gradients = y.gradients(upstream: dy.converted(to: precision))
      return try [y] + leaves.map { try #require(gradients[$0]) }
    }
    let (got, truth) = (try results(.single, .auto), try results(.double, .reference))
    for (name, (got, want)) in zip(["y", "dx", "dweight", "dbias"], zip(got, truth)) {
      let error = Self.error(got, want)
      #expect(error < 4e-6, "\(name): \(error)")
    }
  }

  @Test(arguments: cases, [false, true])
  func `convolution, norm, sum and ReLU are what their parts are`(_ c: Case, _ isTraining: Bool) throws {
    var noise = Noise()
    let x = noise([c.batch, c.channels, c.size.height, c.size.width])
    let weight = noise([c.outputs, c.channels / c.groups, c.kernel.height, c.kernel.width])
    let (scale, shift) = (noise([c.outputs]) + 2, noise([c.outputs]))
    let running = NormStatistics(mean: noise([c.outputs]), variance: noise([c.outputs]) + 2)
    var constants: (added: Tensor, dz: Tensor)?
    for (adds, relu) in [(false, true), (true, true), (true, false), (false, false)] {
      func results(_ precision: Precision, _ choice: ConvolutionChoice, records: Bool = true) throws
        -> [Tensor]
      {
        func value(_ tensor: Tensor) -> Tensor { tensor.converted(to: precision) }
        let shape = value(x).conv2D(
          value(weight), stride: c.stride, padding: c.padding, groups: c.groups
        ).shape
        if constants == nil { constants = (noise(shape), noise(shape)) }
        let leaves = [x, weight, scale, shift, constants!.added].map {
          records ? value($0).leaf() : value($0)
        }
        let statistics =
          isTraining ? nil : NormStatistics(mean: value(running.mean), variance: value(running.variance))
        let (z, used) = leaves[0].convolutionNorm(
          leaves[1], stride: c.stride, padding: c.padding, groups: c.groups, by: choice, scale: leaves[2],
          shift: leaves[3], statistics: statistics, adding: adds ? leaves[4] : nil, relu: relu)
        guard records else { return [z] }
        let gradients = z.gradients(upstream: value(constants!.dz))
        return try [z, used.mean, used.variance]
          + leaves[..<(adds ? 5 : 4)].map { try #require(gradients[$0]) }
      }
      let truth = try results(.double, .reference)
      let fast = try results(.single, .auto)
      let names = ["z", "mean", "variance", "dx", "dweight", "dscale", "dshift", "dadded"]
      // A batch's statistics of two values divide by differences of almost equal numbers.
      let values = truth[0].count / c.outputs
      for (name, (got, want)) in zip(names, zip(fast, truth)) {
        let error = Self.error(got, want)
        #expect(
          error < (isTraining && values < 32 ? 1e-3 : 4e-5), "\(name), sum \(adds), ReLU \(relu): \(error)")
      }
      if !isTraining {
        let silent = try results(.single, .auto, records: false)
        #expect(silent[0].floats == fast[0].floats, "the same bits where nothing is recorded")
      }
    }
  }

  @Test(arguments: [(3, 20, 5), (16, 32, 8), (58, 58, 4), (7, 1, 1)])
  func `operations on blocked maps agree with those on plain ones`(_ channels: Int, _ other: Int, _ side: Int)
    throws
  {
    var noise = Noise()
    let shape: Shape = [3, channels, side, side]
    let (x, y) = (noise(shape), noise([3, other, side, side]))
    let (gates, scale, shift) = (noise([3, channels]), noise([channels]) + 2, noise([channels]))
    /// In the blocked layout where `isFast`: behind a convolution that changes nothing.
    func operations(_ isFast: Bool) throws -> [(String, [Tensor])] {
      let precision = isFast ? Precision.single : .double
      func mapped(_ tensor: Tensor) -> Tensor {
        let width = tensor.shape[1]
        let one = Tensor(
          (0..<width * width).map { $0 % (width + 1) == 0 ? 1 : 0 }, [width, width, 1, 1], precision)
        return tensor.conv2D(one, by: isFast ? .direct : .reference)
      }
      func results(_ operation: (Tensor, Tensor) -> Tensor) throws -> [Tensor] {
        let leaves = [x, y].map { $0.converted(to: precision).leaf() }
        let output = operation(mapped(leaves[0]), mapped(leaves[1]))
        var stream = RandomStream(seed: 9, "upstream")
        let upstream = Tensor(
          (0..<output.count).map { _ in stream.uniform(-1...1) }, output.shape, precision)
        let gradients = output.gradients(upstream: upstream)
        return [output] + leaves.compactMap { gradients[$0] }
      }
      func value(_ tensor: Tensor) -> Tensor { tensor.converted(to: precision) }
      let groups = channels % 2 == 0 ? 2 : 1
      return try [
        ("sum", results { a, _ in a + a * a - a * 0.5 }),
        ("plain and blocked", results { a, _ in a * value(x) + value(x) }),
        ("quotient", results { a, _ in a / (a.square() + 1) }),
        ("ReLU", results { a, _ in a.relu() }),
        ("sigmoid", results { a, _ in a.sigmoid() }),
        ("offset", results { a, _ in a + 1 }),
        ("slice", results { a, _ in a.sliced(axis: 1, from: 1, to: channels) }),
        ("batch slice", results { a, _ in a.sliced(axis: 0, from: 1, to: 3) }),
        ("concatenation", results { a, b in Tensor.concatenated([a, b, a], axis: 1).square() }),
        ("mixed concatenation", results { a, b in Tensor.concatenated([b, value(x), a], axis: 1) }),
        ("halves", results { a, _ in a.sliced(axis: 1, from: channels / 2, to: channels) }),
        ("interleaved", results { a, _ in Tensor.interleaved(a.square(), a) }),
        (
          "interleaved halves",
          results { a, b in
            let both = Tensor.concatenated([a, b, b, a], axis: 1)
            let half = channels + other
            return Tensor.interleaved(
              both.sliced(axis: 1, from: 0, to: half), both.sliced(axis: 1, from: half, to: 2 * half))
          }
        ),
        (
          "shuffled halves",
          results { a, _ in
            let (low, high) = Tensor.shuffledHalves(a.square(), a)
            return Tensor.concatenated([low.square(), high], axis: 1)
          }
        ),
        ("the first shuffled half", results { a, _ in Tensor.shuffledHalves(a, a.square()).0 }),
        ("the second shuffled half", results { a, _ in Tensor.shuffledHalves(a.square(), a).1 }),
        ("shuffle", results { a, _ in a.channelShuffle(groups: groups) }),
        ("means", results { a, _ in a.globalAveragePool().square() }),
        ("upsampled", results { a, _ in a.bilinear(height: 11, width: 13).square() }),
        ("gates", results { a, _ in a.gating(value(gates)) }),
        ("own gates", results { a, _ in a.gating(a.globalAveragePool().sigmoid()) }),
        (
          "norm", results { a, _ in a.batchNorm(weight: value(scale), bias: value(shift), relu: true).output }
        ),
        ("rows", results { a, _ in a.flattenedRows.softmax() }),
        ("pool", results { a, _ in a.maxPool2D(kernel: 2, stride: 1, padding: 1) }),
      ]
    }
    for ((name, got), (_, want)) in zip(try operations(true), try operations(false)) {
      #expect(got.count == want.count, "\(name)")
      for (index, pair) in zip(got, want).enumerated() {
        let error = Self.error(pair.0, pair.1)
        #expect(error < 1e-5, "\(name) \(index): \(error)")
      }
    }
  }
}
