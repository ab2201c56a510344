import Tensors
import Testing

/// Tiles, shared columns, direct loops: whatever path a convolution takes, it is the sum of its definition.
@Suite struct ConvolutionPathTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var batch = 2
    var channels = 4
    var outputs = 6
    var size = Extent(7, 9)
    var kernel = Extent(3)
    var stride: Extent = 1
    var padding: Extent = 1
    var dilation: Extent = 1
    var groups = 1

    var testDescription: String {
      let extents = [size, kernel, stride, padding, dilation].map { "\($0.height)x\($0.width)" }
      return "\(batch)·\(channels)→\(outputs) in \(groups): \(extents.joined(separator: " "))"
    }
  }

  static let cases = [
    Case(), Case(kernel: 1, padding: 0), Case(kernel: 1, padding: 1), Case(kernel: 1, stride: 2, padding: 0),
    Case(stride: 2), Case(stride: Extent(1, 2)), Case(padding: 0), Case(padding: 3),
    Case(padding: 2, dilation: 2),
    Case(padding: Extent(0, 2)), Case(kernel: Extent(2, 5), padding: Extent(1, 2)),
    Case(kernel: Extent(5, 1), padding: Extent(2, 0)), Case(size: Extent(1, 1)),
    Case(size: Extent(2, 3), padding: 4),
    Case(kernel: 5, stride: 2, padding: 3), Case(groups: 2), Case(stride: 2, groups: 2), Case(batch: 0),
    Case(batch: 1),
    // So wide that one image takes several tiles, the last of them smaller.
    Case(channels: 16, outputs: 3, size: Extent(27, 32)),
    Case(channels: 3, outputs: 16, size: Extent(27, 32)),
    Case(channels: 24, outputs: 16, size: Extent(25, 28), stride: 2),
    Case(channels: 32, outputs: 2, size: Extent(2, 600)),
    // One filter a channel, with rows shorter than a vector, as long, and longer.
    Case(channels: 6, outputs: 6, groups: 6), Case(channels: 6, outputs: 6, stride: 2, groups: 6),
    Case(channels: 6, outputs: 6, size: Extent(4, 8), groups: 6),
    Case(channels: 6, outputs: 6, size: Extent(5, 4), padding: 0, groups: 6),
    Case(channels: 6, outputs: 6, size: Extent(6, 28), stride: Extent(2, 1), groups: 6),
    Case(channels: 6, outputs: 6, size: Extent(9, 21), kernel: 5, padding: 2, groups: 6),
    Case(channels: 6, outputs: 6, size: Extent(9, 21), kernel: 5, stride: 3, padding: 2, groups: 6),
    Case(channels: 6, outputs: 6, padding: 2, dilation: 2, groups: 6),
    Case(channels: 6, outputs: 6, padding: 4, groups: 6),
    Case(channels: 3, outputs: 6, groups: 3),
  ]

  @Test(arguments: cases, [Precision.double, .single])
  func `a convolution and its gradients are the sums of the definition`(_ c: Case, _ precision: Precision)
    throws
  {
    var stream = RandomStream(seed: 5, "convolution")
    func noise(_ shape: Shape) -> Tensor {
      Tensor((0..<shape.count).map { _ in stream.uniform(-1...1) }, shape, precision)
    }
    let x = noise([c.batch, c.channels, c.size.height, c.size.width]).leaf()
    let weight = noise([c.outputs, c.channels / c.groups, c.kernel.height, c.kernel.width]).leaf()
    func convolved(_ x: Tensor, _ weight: Tensor) -> Tensor {
      x.conv2D(weight, stride: c.stride, padding: c.padding, dilation: c.dilation, groups: c.groups)
    }
    let y = convolved(x, weight)
    let dy = noise(y.shape)
    let gradients = y.gradients(upstream: dy)
    let plain = Self.plain(c, x, weight, dy)

    // Sums of up to 864 terms below 1 in magnitude, in 32 bits.
    let tolerance = precision == .double ? 1e-12 : 4e-5
    let dx = try #require(gradients[x])
    let dweight = try #require(gradients[weight])
    for (got, want) in [(y, plain.y), (dx, plain.dx), (dweight, plain.dweight)] {
      let values = got.doubles
      #expect(values.count == want.count)
      for (a, b) in zip(values, want) where !(abs(a - b) <= tolerance * max(1, abs(b))) {
        Issue.record("\(a) where \(b) is due")
        break
      }
    }

    // A gradient alone takes other paths than both together.
    let onlyInput = convolved(x, weight.detached).gradients(upstream: dy)[x]?.doubles
    let onlyWeight = convolved(x.detached, weight).gradients(upstream: dy)[weight]?.doubles
    for (got, want) in [(onlyInput, plain.dx), (onlyWeight, plain.dweight)] {
      #expect(zip(try #require(got), want).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) })
    }
  }

  /// The definition, in double.
  private static func plain(
    _ c: Case, _ x: Tensor, _ weight: Tensor, _ dy: Tensor
  ) -> (y: [Double], dx: [Double], dweight: [Double]) {
    let (xs, ws, dys) = (x.doubles, weight.doubles, dy.doubles)
    var y = [Double](repeating: 0, count: dys.count)
    var dx = [Double](repeating: 0, count: xs.count)
    var dweight = [Double](repeating: 0, count: ws.count)
    let (ins, outs) = (c.channels / c.groups, c.outputs / c.groups)
    for sample in 0..<c.batch {
      for output in 0..<c.outputs {
        for row in 0..<dy.shape[2] {
          for column in 0..<dy.shape[3] {
            let to = ((sample * c.outputs + output) * dy.shape[2] + row) * dy.shape[3] + column
            for input in 0..<ins {
              let channel = output / outs * ins + input
              for ky in 0..<c.kernel.height {
                for kx in 0..<c.kernel.width {
                  let iy = row * c.stride.height + ky * c.dilation.height - c.padding.height
                  let ix = column * c.stride.width + kx * c.dilation.width - c.padding.width
                  guard 0 <= iy, iy < c.size.height, 0 <= ix, ix < c.size.width else { continue }
                  let from = ((sample * c.channels + channel) * c.size.height + iy) * c.size.width + ix
                  let tap = ((output * ins + input) * c.kernel.height + ky) * c.kernel.width + kx
                  y[to] += xs[from] * ws[tap]
                  dx[from] += dys[to] * ws[tap]
                  dweight[tap] += dys[to] * xs[from]
                }
              }
            }
          }
        }
      }
    }
    return (y, dx, dweight)
  }
}
