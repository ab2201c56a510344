package import Specs
package import Tensors

/// Vision transformers with a class token, as DeiT without its distillation token (Dosovitskiy et al. 2021,
/// Touvron et al. 2021; `architectures.md` 7.1).
package enum VisionTransformer: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var tokens: TokenParameters

    package init(_ tokens: TokenParameters) { self.tokens = tokens }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      tokens = try TokenParameters(&reader, family: VisionTransformer.name)
    }

    package var json: [String: JSONValue] { tokens.json }
  }

  package static let name = "timm_vit"

  package static let aliases: [NetworkAlias<Parameters>] =
    [("tiny", 192, 3), ("small", 384, 6), ("base", 768, 12)].map { size, width, heads in
      NetworkAlias(
        "deit-\(size)", "deit_\(size)_patch16_224",
        Parameters(TokenParameters(image: 224, patch: 16, width: width, depth: 12, heads: heads)))
    }
    + [("mini-vit", "mini_vit", 28), ("mini-vit-c32", "mini_vit_c32", 32)].map { id, published, image in
      NetworkAlias(
        id, published,
        Parameters(
          TokenParameters(image: image, patch: 4, width: 64, depth: 4, heads: 4, ratio: DecimalNumber(2))))
    }

  package static func build(
    _ scope: Scope, _ parameters: Parameters, _ image: ImageShape
  ) throws(InvalidNetwork) -> any Backbone {
    try parameters.tokens.check(image, family: name)
    return ViT(scope, parameters.tokens, image)
  }
}

/// What the families of transformers have in common.
package struct TokenParameters: Hashable, Sendable {
  /// Sides of the images and of the square patches that they are cut into, in pixels.
  package var image: Int
  package var patch: Int
  package var width: Int
  package var depth: Int
  package var heads: Int
  /// Hidden features of a block's two layers, as a multiple of the width.
  package var ratio: DecimalNumber

  package init(
    image: Int, patch: Int, width: Int, depth: Int, heads: Int, ratio: DecimalNumber = DecimalNumber(4)
  ) {
    self.image = image
    self.patch = patch
    self.width = width
    self.depth = depth
    self.heads = heads
    self.ratio = ratio
  }

  init(_ reader: inout ParameterReader, family: String) throws(InvalidNetwork) {
    self.init(
      image: try reader.integer("image", or: 224), patch: try reader.integer("patch", or: 16),
      width: try reader.integer("dim"), depth: try reader.integer("depth"),
      heads: try reader.integer("heads"), ratio: try reader.decimal("mlp_ratio", or: DecimalNumber(4)))
    guard image % patch == 0 else {
      throw InvalidNetwork(
        family: family, problem: "images of \(image) pixels cannot be cut into patches of \(patch)")
    }
    guard width % heads == 0 else {
      throw InvalidNetwork(family: family, problem: "a dim of \(width) cannot be split into \(heads) heads")
    }
    guard hidden > 0 else {
      throw InvalidNetwork(
        family: family, problem: "an mlp_ratio of \(ratio) leaves a layer without features")
    }
  }

  var json: [String: JSONValue] {
    [
      "image": JSONValue(image), "patch": JSONValue(patch), "dim": JSONValue(width),
      "depth": JSONValue(depth), "heads": JSONValue(heads), "mlp_ratio": .number(ratio),
    ]
  }

  var hidden: Int { Int(Double(width) * ratio.double) }
  /// Patches along a side, and of the whole image.
  var side: Int { image / patch }
  var count: Int { side * side }

  func check(_ shape: ImageShape, family: String) throws(InvalidNetwork) {
    guard shape.height == image, shape.width == image else {
      throw InvalidNetwork(
        family: family,
        problem:
          "the images are \(shape.height) × \(shape.width) and the network is for \(image) × \(image): "
          + "its position embeddings have one place for each patch. Write "
          + "{ \"family\": \"\(family)\", \"image\": \(shape.height), … } for images of that size"
      )
    }
  }

  /// After which blocks (from 1) tokens are tapped: a quarter, a half and three quarters
  /// of the depth, rounded up.
  var tapped: [Int] { (1...3).map { (depth * $0 + 3) / 4 } }

  func map(_ tokens: Tensor) -> Tensor { tokens.asMap(side: side) }
}

/// Images cut into patches, each turned into a token.
struct PatchEmbedding: Layer {
  private let convolution: Conv2D

  init(_ scope: Scope, _ parameters: TokenParameters, channels: Int) {
    convolution = Conv2D(
      scope / "proj", inputs: channels, outputs: parameters.width, kernel: parameters.patch,
      stride: parameters.patch, padding: 0, hasBias: true, start: .fanIn)
  }

  /// - Returns: `[batch, patches, width]`, row by row of the image.
  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let map = convolution(input, pass)
    return map.reshaped([map.shape[0], map.shape[1], map.shape[2] * map.shape[3]]).swappingLastAxes()
  }
}

extension Tensor {
  /// Tokens `[batch, side², width]` as a map `[batch, width, side, side]`.
  func asMap(side: Int) -> Tensor { swappingLastAxes().reshaped([shape[0], shape[2], side, side]) }

  /// One token `[1, 1, width]` before the tokens of every image.
  func prependingToken(_ token: Tensor) -> Tensor {
    .concatenated([token.rows(Array(repeating: 0, count: shape[0])), self], axis: 1)
  }

  /// `[batch, tokens, width]` plus the same `[1, tokens, width]` for every image.
  func addingToEach(_ embedding: Tensor) -> Tensor {
    flattenedRows.adding(row: embedding.reshaped([embedding.count])).reshaped(shape)
  }
}

private struct ViT: Backbone {
  let patches: PatchEmbedding
  let token: Slot
  let positions: Slot
  let blocks: [TransformerBlock]
  let norm: LayerNorm
  let taps = Tap.stemAndStages(4)
  let classifier: LinearHead.Plan
  let parameters: TokenParameters

  var embedsMap: Bool { false }

  /// About a thousand tokens, by which a matrix of weights is read once.
  var imagesAtOnce: Int { max(16, 1088 / (parameters.count + 1)) }

  init(_ scope: Scope, _ parameters: TokenParameters, _ image: ImageShape) {
    self.parameters = parameters
    let width = parameters.width
    token = scope.parameter("cls_token", [1, 1, width], .normal(std: 1e-6))
    positions = scope.parameter("pos_embed", [1, parameters.count + 1, width], .transformer)
    patches = PatchEmbedding(scope / "patch_embed", parameters, channels: image.channels)
    let last = Double(max(1, parameters.depth - 1))
    blocks = (0..<parameters.depth).map {
      TransformerBlock(
        scope / "blocks" / $0, width: width, heads: parameters.heads, hidden: parameters.hidden,
        dropShare: Double($0) / last)
    }
    norm = LayerNorm(scope / "norm", width: width)
    classifier = .transformer("head", inputs: width)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    let embedded = patches(images, pass)
    var maps = [parameters.map(embedded)]
    var tokens = embedded.prependingToken(pass[token]).addingToEach(pass[positions])
    for (index, block) in blocks.enumerated() {
      tokens = block(tokens, pass)
      let taps = parameters.tapped.count { $0 == index + 1 }
      if taps > 0 { maps += Array(repeating: parameters.map(withoutToken(tokens)), count: taps) }
    }
    let normed = norm(tokens, pass)
    maps.append(parameters.map(withoutToken(normed)))
    return Features(taps, maps: maps, embedding: normed.firstToken)
  }

  func embedding(of map: Tensor, _ pass: Pass) -> Tensor {
    preconditionFailure("the embedding of a transformer is its class token, which is in no map")
  }

  private func withoutToken(_ tokens: Tensor) -> Tensor {
    tokens.sliced(axis: 1, from: 1, to: tokens.shape[1])
  }
}

extension Tensor {
  /// The class token of each image: `[batch, width]` of `[batch, tokens, width]`.
  var firstToken: Tensor { sliced(axis: 1, from: 0, to: 1).reshaped([shape[0], shape[2]]) }
}

/// x + drop(attention(norm(x))), then the same with two linear layers.
///
/// - Input and output: `[batch, tokens, width]`.
package struct TransformerBlock: Layer {
  private let attentionNorm: LayerNorm
  private let attention: Attention
  private let attentionDrop: DropPath
  private let mlpNorm: LayerNorm
  private let mlp: TokenMLP
  private let mlpDrop: DropPath

  /// - Parameter dropShare: of the recipe's highest probability of leaving a branch out.
  package init(_ scope: Scope, width: Int, heads: Int, hidden: Int, dropShare: Double = 0) {
    attentionNorm = LayerNorm(scope / "norm1", width: width)
    attention = Attention(scope / "attn", width: width, heads: heads)
    attentionDrop = DropPath(scope / "drop_path1", share: dropShare)
    mlpNorm = LayerNorm(scope / "norm2", width: width)
    mlp = TokenMLP(scope / "mlp", width: width, hidden: hidden)
    mlpDrop = DropPath(scope / "drop_path2", share: dropShare)
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let middle = input + attentionDrop(attention(attentionNorm(input, pass), pass), pass)
    return middle + mlpDrop(mlp(mlpNorm(middle, pass), pass), pass)
  }
}
