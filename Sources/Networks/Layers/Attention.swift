package import Tensors

/// Self-attention with several heads (Vaswani et al. 2017); with `talking`, heads are mixed before and after
/// the softmax (talking heads, Shazeer et al. 2020).
///
///     A = softmax(mix?(q kᵀ / √width)), output = project(mix?(A) v)
///
/// - Input and output: `[batch, tokens, width]`.
/// - Arrays: `qkv` to [q | k | v], each in heads of consecutive features; `proj`; `proj_l` and `proj_w`
///   `[heads, heads]` where heads talk.
/// - Source: `architectures.md` 7.
package struct Attention: Layer {
  private let qkv: Linear
  private let projection: Linear
  private let mixBefore: HeadMixer?
  private let mixAfter: HeadMixer?
  private let heads: Int
  private let scale: Double

  package init(_ scope: Scope, width: Int, heads: Int, talking: Bool = false) {
    qkv = .transformer(scope / "qkv", inputs: width, outputs: 3 * width)
    projection = .transformer(scope / "proj", inputs: width, outputs: width)
    mixBefore = talking ? HeadMixer(scope / "proj_l", heads: heads) : nil
    mixAfter = talking ? HeadMixer(scope / "proj_w", heads: heads) : nil
    self.heads = heads
    scale = 1 / Double(width / heads).squareRoot()
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let parts = qkv(input, pass).splitIntoHeads(heads, parts: 3)
    pass.count(attention: 2 * input.shape[1] * input.shape[1] * input.shape[2])
    var scores = parts[0].batchedMatmul(parts[1], transposingOther: true)
    if let mixBefore {
      scores = mixBefore(scores * scale, pass).softmax(scale: 1)
    } else {
      scores = scores.softmax(scale: scale)
    }
    if let mixAfter { scores = mixAfter(scores, pass) }
    return projection(scores.batchedMatmul(parts[2]).mergingHeads(heads), pass)
  }
}

/// A linear layer over heads, for each pair of tokens.
///
/// - Input and output: `[batch × heads, tokens, tokens]`.
private struct HeadMixer: Layer {
  let weight: Slot
  let bias: Slot
  let heads: Int

  init(_ scope: Scope, heads: Int) {
    weight = scope.parameter("weight", [heads, heads], .transformer)
    bias = scope.parameter("bias", [heads], .constant(0))
    self.heads = heads
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let (rows, columns) = (input.shape[1], input.shape[2])
    pass.count(multiplyAdds: rows * columns * heads * heads)
    // Heads are channels and pairs of tokens are pixels, so this is a 1 × 1 convolution.
    let maps = input.reshaped([input.shape[0] / heads, heads, rows, columns])
    let mixed = maps.conv2D(pass[weight].reshaped([heads, heads, 1, 1]), bias: pass[bias])
    return mixed.reshaped(input.shape)
  }
}

/// Attention of the class token to all tokens, itself included (CaiT, Touvron et al. 2021).
///
/// - Input: `[batch, 1 + tokens, width]`, the class token first. Output: `[batch, 1, width]`.
/// - Arrays: `q`, `k`, `v`, `proj`.
package struct ClassAttention: Layer {
  private let query: Linear
  private let key: Linear
  private let value: Linear
  private let projection: Linear
  private let heads: Int
  private let scale: Double

  package init(_ scope: Scope, width: Int, heads: Int) {
    query = .transformer(scope / "q", inputs: width, outputs: width)
    key = .transformer(scope / "k", inputs: width, outputs: width)
    value = .transformer(scope / "v", inputs: width, outputs: width)
    projection = .transformer(scope / "proj", inputs: width, outputs: width)
    self.heads = heads
    scale = 1 / Double(width / heads).squareRoot()
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    func heads(_ tensor: Tensor) -> Tensor { tensor.splitIntoHeads(self.heads, parts: 1)[0] }
    let token = input.sliced(axis: 1, from: 0, to: 1)
    pass.count(attention: 2 * input.shape[1] * input.shape[2])
    let scores = heads(query(token, pass)).batchedMatmul(heads(key(input, pass)), transposingOther: true)
    let mixed = scores.softmax(scale: scale).batchedMatmul(heads(value(input, pass)))
    return projection(mixed.mergingHeads(self.heads), pass)
  }
}

/// Two linear layers with a GELU between them, for each token.
package struct TokenMLP: Layer {
  private let expand: Linear
  private let contract: Linear

  package init(_ scope: Scope, width: Int, hidden: Int) {
    expand = .transformer(scope / "fc1", inputs: width, outputs: hidden)
    contract = .transformer(scope / "fc2", inputs: hidden, outputs: width)
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    contract(expand(input, pass).gelu(), pass)
  }
}

extension Initializer {
  /// Normal with std 0.02. The authors cut it off at ±2, a hundred stds away.
  static let transformer = Initializer.normal(std: 0.02)
}

extension Linear {
  /// As vision transformers start them: weights normal with std 0.02, biases 0.
  static func transformer(_ scope: Scope, inputs: Int, outputs: Int) -> Linear {
    Linear(scope, inputs: inputs, outputs: outputs, weight: .transformer, bias: .constant(0))
  }
}
