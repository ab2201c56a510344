import Networks
import Segmentation
import Specs
import Tensors
import TestSupport
import Testing

/// Test images looked at in windows, against `downstream/miou.safetensors`.
@Suite struct SlidingWindowTests {
  @Test(.enabled(if: Fixtures.has("downstream/miou.safetensors"), "the downstream fixtures are not here"))
  func `windows and averaged logits are those recorded`() throws {
    let file = try Safetensors(decoding: Fixtures.bytes("downstream/miou.safetensors"))
    let cases = try Value(JSONReader.read(Array(file.metadata["cases"]!.utf8)).value).list
    let covered = cases.filter { $0["op"].json.string == "slide" }
    #expect(!covered.isEmpty)
    for entry in covered {
      let id = entry["id"].json.string!
      let (crop, stride) = (entry["attrs"]["crop"].ints, entry["attrs"]["stride"].ints)
      func tensor(_ name: String, _ precision: Precision) throws -> Tensor {
        let tensor = try #require(file["\(id)/\(name)"]?.tensor, "\(id)/\(name)")
        return Tensor(tensor.doubles, tensor.shape, precision)
      }
      for precision in [Precision.double, .single] {
        let (x, w) = (try tensor("x", precision), try tensor("w", precision))
        let image = x.shape.rank == 3 ? x.reshaped(Shape([1] + x.shape.dimensions)) : x
        let sliding = SlidingWindows(
          height: image.shape[2], width: image.shape[3], crop: (crop[0], crop[1]),
          stride: (stride[0], stride[1]))
        let windows = try #require(file["\(id)/windows"]?.integers).map { Int($0) }
        #expect(sliding.windows.flatMap { [$0.top, $0.left, $0.bottom, $0.right] } == windows, "\(id)")
        let found = sliding.logits(of: image) { $0.conv2D(w, padding: 1) }.doubles
        let expected = try tensor("logits", .double).doubles
        #expect(found.count == expected.count)
        let tolerance = precision == .double ? 1e-9 : entry["f32_tolerance"].double
        let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= tolerance * max(expected.map { abs($0) }.max() ?? 0, 1), "\(id): \(worst)")
      }
    }
  }

  @Test func `an image smaller than a window is one window, and the last one is shifted back`() {
    let small = SlidingWindows(height: 5, width: 7, crop: (8, 8), stride: (4, 4))
    #expect(small.windows.map { [$0.top, $0.left, $0.bottom, $0.right] } == [[0, 0, 5, 7]])
    let wide = SlidingWindows(height: 8, width: 13, crop: (8, 8), stride: (4, 4))
    #expect(wide.windows.map(\.left) == [0, 4, 5] && wide.windows.allSatisfy { $0.bottom == 8 })
  }
}
