import Detection
import Networks
import Specs
import Tensors
import TestSupport
import Testing

/// Targets and pasting of masks against `downstream/masks.safetensors`.
@Suite(.enabled(if: Fixtures.has("downstream/masks.safetensors"), "the downstream fixtures are not here"))
struct MaskGeometryFixtureTests {
  static let cases = OperationFixtureTests.cases(of: "downstream/masks.safetensors")

  @Test func `every operation is covered`() {
    #expect(Set(Self.cases.map(\.operation)) == ["mask_target", "mask_paste"])
  }

  @Test(arguments: cases.filter { $0.operation == "mask_target" })
  func `targets are the objects' bitmaps at the boxes`(_ entry: OperationFixtureTests.Case) throws {
    let shape = try entry.shape("masks")
    let bitmaps = Tensor(try entry.numbers("masks"), [shape[0], 1, shape[1], shape[2]], .double)
    let boxes = zip(try entry.boxes("boxes"), try entry.integers("matched")).map { (box: $0, object: $1) }
    let found = MaskGeometry.targets(
      bitmaps, boxes, side: entry.attributes["size"].int, rules: entry.rules)
    OperationFixtureTests.expectNear(found.doubles, try entry.numbers("target"), entry)
  }

  @Test(arguments: cases.filter { $0.operation == "mask_paste" })
  func `masks lie in the picture where their rules put them`(_ entry: OperationFixtureTests.Case) throws {
    let image = entry.attributes["image"].ints
    let side = try entry.shape("masks")[1]
    let masks = try entry.numbers("masks")
    let pasted = try entry.integers("pasted")
    let sums = try entry.numbers("soft_sum")
    for (index, box) in try entry.boxes("boxes").enumerated() {
      let mask = Array(masks[index * side * side..<(index + 1) * side * side])
      let found = MaskGeometry.pasted(
        mask, side: side, box: box, height: image[0], width: image[1], rules: entry.rules)
      let bits = found.map { MaskGeometry.isSet($0, rules: entry.rules) ? 1 : 0 }
      let pixels = image[0] * image[1]
      #expect(
        bits == Array(pasted[index * pixels..<(index + 1) * pixels]), "\(entry.id) mask \(index), \(box)")
      let sum = found.reduce(0, +)
      #expect(
        abs(sum - sums[index]) <= 1e-9 * max(1, sums[index]),
        "\(entry.id) mask \(index): \(sum), \(sums[index])")
    }
  }
}
