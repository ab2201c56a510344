import Tensors
import Testing

/// The promise that bits travel: every variant of the kernels gives the same ones.
struct FastBitsTests {
  private static let levels = Device.Level.allCases.filter { $0 <= .best }

  private func noise(_ shape: Shape, _ name: String) -> Tensor {
    var stream = RandomStream(seed: 8, name)
    return Tensor((0..<shape.count).map { _ in Float(stream.uniform(-1...1)) }, shape)
  }

  @Test(arguments: [
    // Direct, with tails of all kinds; strided; grouped; one filter a channel; Winograd.
    (3, 20, 11, 3, 1, 1), (20, 40, 9, 3, 2, 1), (24, 24, 6, 3, 1, 3),
    (40, 40, 19, 3, 1, 5), (20, 20, 17, 3, 2, 5), (18, 18, 13, 3, 2, 18),
    (16, 48, 5, 1, 1, 1),
    (33, 40, 10, 3, 1, 1),
  ])
  func `all variants of the kernels give the same bits`(
    _ channels: Int, _ outputs: Int, _ side: Int, _ kernel: Int, _ stride: Int, _ groups: Int
  ) throws {
    func results() throws -> [[Float]] {
      let x = noise([2, channels, side, side], "x").leaf()
      let weight = noise([outputs, channels / groups, kernel, kernel], "weight").leaf()
      let (scale, shift) = (noise([outputs], "scale").leaf(), noise([outputs], "shift").leaf())
      let (z, statistics) = x.convolutionNorm(
        weight, stride: Extent(stride), padding: Extent(kernel / 2), groups: groups, by: .auto, scale: scale,
        shift: shift, relu: true)
      let logits = z.globalAveragePool().matmul(noise([7, outputs], "head"), transposingOther: true)
      let gradients = logits.crossEntropy(labels: [1, 4]).sum().gradients()
      let wanted = try [x, weight, scale, shift].map { try #require(gradients[$0]) }
      return ([z, statistics.mean, statistics.variance, logits] + wanted).map(\.floats)
    }
    try #require(Self.levels.count > 0)
    let first = try Device(level: Self.levels[0]).run(results)
    #expect(first.allSatisfy { $0.allSatisfy(\.isFinite) && $0.contains { $0 != 0 } })
    for level in Self.levels[1...] {
      #expect(try Device(level: level).run(results) == first, "\(level)")
    }
  }

  @Test(arguments: [(1, 1, 1), (3, 33, 7), (17, 100, 64), (64, 5, 300), (99, 31, 257), (112, 64, 520)])
  func `a product is that of the definition, and a row's bits do not depend on the other rows`(
    _ m: Int, _ n: Int, _ k: Int
  ) {
    let (a, b) = (noise([m, k], "a"), noise([k, n], "b"))
    let product = a.matmul(b)
    let truth = a.converted(to: .double).matmul(b.converted(to: .double)).doubles
    // A chain of k roundings, each of a sum of up to about √k.
    let bound = 2e-5 * max(1, Double(k) / 300)
    for (got, want) in zip(product.doubles, truth) { #expect(abs(got - want) < bound, "\(got) \(want)") }
    #expect(a.transposed().matmul(b, transposingSelf: true).floats == product.floats)
    #expect(a.matmul(b.transposed(), transposingOther: true).floats == product.floats)
    let rows = (0..<m).flatMap { a.sliced(axis: 0, from: $0, to: $0 + 1).matmul(b).floats }
    #expect(rows == product.floats)
    for level in Self.levels {
      let found = Device(level: level).run { a.matmul(b).floats }
      #expect(found == product.floats, "\(level)")
    }
    let row = noise([n], "row")
    #expect(a.matmul(b, adding: row).floats == product.adding(row: row).floats)
  }
}
