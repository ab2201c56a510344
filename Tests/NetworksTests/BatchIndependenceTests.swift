import Networks
import Specs
import Tensors
import Testing

/// A cached output of a teacher must equal the live one: what a frozen network says of an image
/// depends on that image alone.
@Suite struct BatchIndependenceTests {
  @Test(arguments: [
    "resnet8", "wrn-10-2", "mini-mobilenetv2-050", "mini-shufflev2-02", "mini-regnety", "resnet8x4",
  ])
  func `outputs for an image are the same bits in batches of 1, 16 and 64`(_ name: String) throws {
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 10)
    let built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
    let state = built.state(seed: 4)
    var stream = RandomStream(seed: 4, "images")
    let count = 64
    let images = Tensor(
      (0..<count * 3 * 32 * 32).map { _ in Float(stream.uniform(-1...1)) }, [count, 3, 32, 32])
    func outputs(_ batch: Int, of images: Tensor) -> [[Float]] {
      var parts: [[Float]] = [[], [], []]
      for from in stride(from: 0, to: images.shape[0], by: batch) {
        let part = images.sliced(axis: 0, from: from, to: from + batch)
        let activations = built.network(part, Pass(state, .inference))
        for (index, tensor) in [activations.logits, activations.embedding, activations.map].enumerated() {
          parts[index] += tensor.floats
        }
      }
      return parts
    }
    let whole = outputs(count, of: images)
    #expect(outputs(16, of: images) == whole)
    let odd = built.network.parts(of: images.sliced(axis: 0, from: 0, to: 37), state).flatMap(\.logits.floats)
    #expect(odd == Array(whole[0][..<odd.count]) && odd.count == 37 * task.classes)
    let few = images.sliced(axis: 0, from: 0, to: 4)
    let alone = outputs(1, of: few)
    for (one, all) in zip(alone, whole) { #expect(one == Array(all[..<one.count])) }
    #expect(whole[0].allSatisfy(\.isFinite) && Set(whole[0]).count > 10)
  }
}
