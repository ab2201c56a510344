internal import Tensors

/// A stage of ShuffleNetV2: two branches read the input, and every further branch half of the channels that
/// the ones before it gave in turn, while the other half stays as it is. Halves are carried from branch to
/// branch, so that channels move once each time.
///
/// - Input: `[batch, inputs, height, width]`. Output: `[batch, 2 channels of a branch, …]`.
/// - Source: `architectures.md` 5.5.
struct ShuffleStage: Layer {
  let left: ConvNormChain
  let right: ConvNormChain
  let branches: [ConvNormChain]

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    var (kept, changed) = (left(input, pass), right(input, pass))
    for branch in branches {
      let halves = Tensor.shuffledHalves(kept, changed)
      (kept, changed) = (halves.0, branch(halves.1, pass))
    }
    return Tensor.interleaved(kept, changed)
  }
}
