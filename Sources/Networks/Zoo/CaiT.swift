package import Specs
package import Tensors

/// Class-attention transformers: patch tokens alone first, with talking heads, then blocks that only change a
/// class token (Touvron et al. 2021; `architectures.md` 7.2).
package enum CaiT: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var tokens: TokenParameters
    /// Blocks of class attention.
    package var classDepth: Int
    /// What each branch is scaled by at first.
    package var layerScale: DecimalNumber

    package init(
      _ tokens: TokenParameters, classDepth: Int = 2,
      layerScale: DecimalNumber = DecimalNumber(mantissa: 1, exponent: -5)
    ) {
      self.tokens = tokens
      self.classDepth = classDepth
      self.layerScale = layerScale
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        try TokenParameters(&reader, family: CaiT.name), classDepth: try reader.integer("depth_cls", or: 2),
        layerScale: try reader.decimal("layer_scale", or: DecimalNumber(mantissa: 1, exponent: -5)))
    }

    package var json: [String: JSONValue] {
      tokens.json.merging([
        "depth_cls": JSONValue(classDepth), "layer_scale": .number(layerScale),
      ]) { $1 }
    }
  }

  package static let name = "timm_cait"

  package static let aliases: [NetworkAlias<Parameters>] =
    [("xxs24", 192, 4), ("s24", 384, 8)].map { size, width, heads in
      NetworkAlias(
        "cait-\(size)", "cait_\(size)_224",
        Parameters(TokenParameters(image: 224, patch: 16, width: width, depth: 24, heads: heads)))
    }
    + [("mini-cait", "mini_cait", 28), ("mini-cait-c32", "mini_cait_c32", 32)].map { id, published, image in
      NetworkAlias(
        id, published,
        Parameters(
          TokenParameters(image: image, patch: 4, width: 48, depth: 4, heads: 4, ratio: DecimalNumber(2))))
    }

  package static func build(
    _ scope: Scope, _ parameters: Parameters, _ image: ImageShape
  ) throws(InvalidNetwork) -> any Backbone {
    try parameters.tokens.check(image, family: name)
    return CaiTNetwork(scope, parameters, image)
  }
}

private struct CaiTNetwork: Backbone {
  let patches: PatchEmbedding
  let token: Slot
  let positions: Slot
  let blocks: [CaiTBlock]
  let classBlocks: [CaiTClassBlock]
  let norm: LayerNorm
  let taps = Tap.stemAndStages(4)
  let classifier: LinearHead.Plan
  let parameters: TokenParameters

  var embedsMap: Bool { false }

  init(_ scope: Scope, _ parameters: CaiT.Parameters, _ image: ImageShape) {
    let tokens = parameters.tokens
    self.parameters = tokens
    let (width, start) = (tokens.width, parameters.layerScale.double)
    token = scope.parameter("cls_token", [1, 1, width], .transformer)
    positions = scope.parameter("pos_embed", [1, tokens.count, width], .transformer)
    patches = PatchEmbedding(scope / "patch_embed", tokens, channels: image.channels)
    blocks = (0..<tokens.depth).map {
      CaiTBlock(
        scope / "blocks" / $0, width: width, heads: tokens.heads, hidden: tokens.hidden, start: start)
    }
    // Four times the width in these blocks, whatever the ratio of the others: the original's constant.
    classBlocks = (0..<parameters.classDepth).map {
      CaiTClassBlock(
        scope / "blocks_token_only" / $0, width: width, heads: tokens.heads, hidden: 4 * width, start: start)
    }
    norm = LayerNorm(scope / "norm", width: width)
    classifier = .transformer("head", inputs: width)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    let embedded = patches(images, pass)
    var maps = [parameters.map(embedded)]
    var tokens = embedded.addingToEach(pass[positions])
    for (index, block) in blocks.enumerated() {
      tokens = block(tokens, pass)
      let taps = parameters.tapped.count { $0 == index + 1 }
      if taps > 0 { maps += Array(repeating: parameters.map(tokens), count: taps) }
    }
    var token = pass[token].rows(Array(repeating: 0, count: tokens.shape[0]))
    for block in classBlocks { token = block(token, tokens, pass) }
    let normed = norm(.concatenated([token, tokens], axis: 1), pass)
    maps.append(parameters.map(normed.sliced(axis: 1, from: 1, to: normed.shape[1])))
    return Features(taps, maps: maps, embedding: normed.firstToken)
  }

  func embedding(of map: Tensor, _ pass: Pass) -> Tensor {
    preconditionFailure("the embedding of a transformer is its class token, which is in no map")
  }
}

/// x + drop(γ₁ attention(norm(x))), then the same with γ₂ and two linear layers; heads talk.
///
/// - Input and output: `[batch, tokens, width]`.
package struct CaiTBlock: Layer {
  private let attentionScale: Slot
  private let mlpScale: Slot
  private let attentionNorm: LayerNorm
  private let attention: Attention
  private let mlpNorm: LayerNorm
  private let mlp: TokenMLP
  /// The same probability in all blocks.
  private let attentionDrop: DropPath
  private let mlpDrop: DropPath

  /// - Parameter start: of γ₁ and γ₂.
  package init(_ scope: Scope, width: Int, heads: Int, hidden: Int, start: Double) {
    attentionScale = scope.parameter("gamma_1", [width], .constant(start))
    mlpScale = scope.parameter("gamma_2", [width], .constant(start))
    attentionNorm = LayerNorm(scope / "norm1", width: width)
    attention = Attention(scope / "attn", width: width, heads: heads, talking: true)
    mlpNorm = LayerNorm(scope / "norm2", width: width)
    mlp = TokenMLP(scope / "mlp", width: width, hidden: hidden)
    attentionDrop = DropPath(scope / "drop_path1", share: 1)
    mlpDrop = DropPath(scope / "drop_path2", share: 1)
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let attended = attention(attentionNorm(input, pass), pass).scaled(by: pass[attentionScale], along: 2)
    let middle = input + attentionDrop(attended, pass)
    let changed = mlp(mlpNorm(middle, pass), pass).scaled(by: pass[mlpScale], along: 2)
    return middle + mlpDrop(changed, pass)
  }
}

/// The class token attends to itself and all tokens, which stay as they are; then two linear layers.
package struct CaiTClassBlock: Sendable {
  private let attentionScale: Slot
  private let mlpScale: Slot
  private let attentionNorm: LayerNorm
  private let attention: ClassAttention
  private let mlpNorm: LayerNorm
  private let mlp: TokenMLP

  package init(_ scope: Scope, width: Int, heads: Int, hidden: Int, start: Double) {
    attentionScale = scope.parameter("gamma_1", [width], .constant(start))
    mlpScale = scope.parameter("gamma_2", [width], .constant(start))
    attentionNorm = LayerNorm(scope / "norm1", width: width)
    attention = ClassAttention(scope / "attn", width: width, heads: heads)
    mlpNorm = LayerNorm(scope / "norm2", width: width)
    mlp = TokenMLP(scope / "mlp", width: width, hidden: hidden)
  }

  /// - Parameters:
  ///   - token: `[batch, 1, width]`, as is the result.
  ///   - tokens: `[batch, tokens, width]`.
  package func callAsFunction(_ token: Tensor, _ tokens: Tensor, _ pass: Pass) -> Tensor {
    let all = attentionNorm(.concatenated([token, tokens], axis: 1), pass)
    let middle = token + attention(all, pass).scaled(by: pass[attentionScale], along: 2)
    return middle + mlp(mlpNorm(middle, pass), pass).scaled(by: pass[mlpScale], along: 2)
  }
}
