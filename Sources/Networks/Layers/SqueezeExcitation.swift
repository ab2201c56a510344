package import Tensors

/// x × sigmoid(expand(ReLU(squeeze(mean over positions of x)))), the two 1 × 1 convolutions with bias.
///
/// - Input and output: `[batch, channels, height, width]`.
/// - Source: `architectures.md` 5.3.
package struct SqueezeExcitation: Layer {
  private let squeeze: Conv2D
  private let expand: Conv2D

  package init(_ scope: Scope, _ names: (squeeze: String, expand: String), channels: Int, squeezed: Int) {
    squeeze = Conv2D(
      scope / names.squeeze, inputs: channels, outputs: squeezed, kernel: 1, hasBias: true, start: .fanIn)
    expand = Conv2D(
      scope / names.expand, inputs: squeezed, outputs: channels, kernel: 1, hasBias: true, start: .fanIn)
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let (batch, channels) = (input.shape[0], input.shape[1])
    let mean = input.globalAveragePool().reshaped([batch, channels, 1, 1])
    let gates = expand(squeeze(mean, pass).relu(), pass).sigmoid()
    return input.gating(gates.reshaped([batch, channels]))
  }
}
