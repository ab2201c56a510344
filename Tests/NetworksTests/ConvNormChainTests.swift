import Specs
import Testing

@testable import Networks
@testable import Tensors

/// Layers that a few images pass together give what they give one after the other.
@Suite struct ConvNormChainTests {
  @Test(
    arguments: ["mini-mobilenetv2-050", "mini-regnetx", "mini-regnety", "mini-shufflev2-02", "mobilenetv2"])
  func `an inference says the same bits whether or not gradients are recorded`(name: String) throws {
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 5)
    let built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
    let state = built.state(seed: 3)
    var stream = RandomStream(seed: 3, "chains")
    // More than pass the widest layers together, and no multiple of it.
    let shape: Shape = [7, 3, 32, 32]
    let images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
    let recorded = Pass(state, .inference, recordsGradients: true)
    let layered = built.network(images, recorded).logits
    for threads in [1, 2] {
      Device(threads: threads).run {
        let pass = Pass(state, .inference)
        let chained = built.network(images, pass).logits
        #expect(chained.floats == layered.floats, "\(name), \(threads) threads")
        #expect(pass.multiplyAdds == recorded.multiplyAdds)
      }
    }
  }

  @Test(arguments: [
    "mini-mobilenetv2-050", "mini-regnetx", "mini-regnety", "mini-shufflev2-02", "mobilenetv2",
  ])
  func `in training norms that are applied on the way give the gradients of norms that are stored`(
    name: String
  ) throws {
    let task = ImageTask(channels: 3, height: 32, width: 32, classes: 5)
    let built = try BuiltNetwork(NetworkNames.spec(.string(name)), task)
    let state = built.state(seed: 3)
    var stream = RandomStream(seed: 3, "chains")
    // More images than are taken together where maps are large.
    let shape: Shape = [19, 3, 32, 32]
    let images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape)
    func gradients(threads: Int) -> [[Float]] {
      Device(threads: threads).run {
        let pass = Pass(state, .training, recordsGradients: true)
        let gradients = built.network(images, pass).logits.gradients(upstream: .full(1, [19, 5]))
        return state.parameters.map { gradients[pass[$0]]?.floats ?? [] }
      }
    }
    // Two threads store what lies between two convolutions, one thread does not.
    let (passed, stored) = (gradients(threads: 1), gradients(threads: 2))
    #expect(passed.allSatisfy { !$0.isEmpty })
    #expect(passed == stored, "\(name)")
  }
}
