public import Specs
public import Tensors

extension Catalog where Entry == any NetworkFamily.Type {
  /// Every family that a grid can name.
  package static var networkFamilies: Catalog { familiesHere.extended }

  fileprivate static let familiesHere = Catalog(
    "network family",
    [
      CIFARResNet.self,
      CIFARWideResNet.self,
      CIFARRegNet.self,
      CIFARMobileNetV2.self,
      CIFARShuffleNetV2.self,
      CIFARShuffleNetV1.self,
      CIFARVGG.self,
      ImageNetResNet.self,
      ImageNetMobileNetV2.self,
      ImageNetShuffleNetV2.self,
      ImageNetRegNet.self,
      VisionTransformer.self,
      CaiT.self,
    ]
  ) { $0.name }
}

extension Extensions {
  /// Adds a family of networks with its aliases, which grids then name as `student` or among `teachers`.
  ///
  /// - Throws: `ExtensionError.nameTaken` where the family's name or one of its aliases is another's.
  public mutating func add(_ family: any NetworkFamily.Type) throws(ExtensionError) {
    try add(family, to: .familiesHere) { family in
      [family.name] + family.members.flatMap { $0.id == $0.published ? [$0.id] : [$0.id, $0.published] }
    }
  }
}

/// A network ready to be evaluated: the description and the arrays that it declares.
public typealias BuiltNetwork = Built<LinearHead>

/// A backbone with any head on it, ready to be evaluated.
public struct Built<Top: Head>: Sendable {
  /// The backbone with its head.
  public let network: HeadedNetwork<Top>
  /// The backbone's arrays, the head's, then the extras.
  public let declarations: [SlotDeclaration]
  /// The images that it was built for.
  public let image: ImageShape

  /// - Parameters:
  ///   - extras: declares further arrays after the network's own.
  ///   - head: declares the head of a backbone.
  package init(
    _ spec: ModelSpec, _ image: ImageShape, extras: (Scope) throws -> Void = { _ in },
    head: (Scope, any Backbone) -> Top
  ) throws {
    let scope = Scope()
    let backbone = try Catalog.networkFamilies.entry(spec.family).build(scope, spec, image)
    network = HeadedNetwork(backbone, head(scope, backbone))
    try extras(scope)
    declarations = scope.declarations
    self.image = image
  }

  /// First values of all arrays, each drawn from a stream that is named by its path.
  public func state(seed: UInt64, precision: Precision = .single) -> ModelState {
    ModelState(declarations, seed: seed, precision: precision)
  }
}

/// Sizes of a network on images of one size (`architectures.md` 3).
package struct NetworkCost: Hashable, Sendable {
  /// Elements of all trained arrays.
  package let parameters: Int
  /// Multiply-adds of convolutions and linear layers for one image.
  package let multiplyAdds: Int
  /// Multiply-adds of products between tokens, for one image.
  package let attentionMultiplyAdds: Int
  package let embedding: Int
  /// Channels, height, width at each tap, in the order of evaluation.
  package let taps: [TapShape]

  /// Channels, height, width of the last map.
  package var map: Shape { taps[taps.count - 1].map }
  /// The same of the map at the end of each stage.
  package var stages: [Shape] { taps.filter(\.tap.isStage).map(\.map) }

  /// Evaluates no images at all: shapes and counts come out, and nothing is computed.
  package init(_ spec: ModelSpec, _ task: ImageTask) throws { self.init(try BuiltNetwork(spec, task)) }

  package init(_ built: BuiltNetwork) {
    let image = built.image
    parameters = built.declarations.reduce(0) { $0 + ($1.role == .parameter ? $1.shape.count : 0) }
    let pass = Pass(ModelState(unfilled: built.declarations), .inference)
    let (features, _) = built.network.evaluate(.zeros([0, image.channels, image.height, image.width]), pass)
    multiplyAdds = pass.multiplyAdds
    attentionMultiplyAdds = pass.attentionMultiplyAdds
    embedding = features.embedding.shape[1]
    taps = zip(features.taps, features.maps).map {
      TapShape(tap: $0, map: Shape(Array($1.shape.dimensions[1...])))
    }
  }

  /// What papers print as FLOPs.
  package var allMultiplyAdds: Int { multiplyAdds + attentionMultiplyAdds }
}

/// A tap and the shape of its map: channels, height, width.
package struct TapShape: Hashable, Sendable {
  package let tap: Tap
  package let map: Shape
}

/// Networks by the names that grids use.
package enum NetworkNames {
  /// Every alias of every family, in the catalog's order.
  package static var all: [(id: String, published: String, spec: ModelSpec)] {
    let added = Extensions.current.entries((any NetworkFamily.Type).self)
    return added.isEmpty ? allHere : allHere + added.flatMap { $0.members }
  }

  private static let allHere = Catalog.familiesHere.entries.flatMap { $0.members }

  package static var ids: [String] { all.map(\.id) }

  /// The images that a named network is meant for: what its published sizes refer to.
  package static func usualTask(_ id: String, _ spec: ModelSpec) -> ImageTask {
    let isMini = id.hasPrefix("mini-")
    if isMini && !id.hasSuffix("-c32") { return ImageTask(channels: 1, height: 28, width: 28, classes: 10) }
    if isMini || spec.family.hasPrefix("cifar_") {
      return ImageTask(channels: 3, height: 32, width: 32, classes: isMini ? 10 : 100)
    }
    return ImageTask(channels: 3, height: 224, width: 224, classes: 1000)
  }

  /// Reads a network as a grid writes it: a name, or `{ "family": …, parameters }`.
  package static func spec(_ value: JSONValue) throws -> ModelSpec {
    if let name = value.string {
      guard let found = all.first(where: { $0.id == name || $0.published == name }) else {
        throw UnknownName(kind: "network", name: name, known: ids, listedBy: "models")
      }
      return found.spec
    }
    guard var members = value.object, let family = members.removeValue(forKey: "family")?.string else {
      throw InvalidNetwork(
        family: "network", problem: "\(value) is neither a name nor an object with a family")
    }
    return try Catalog.networkFamilies.entry(family).spec(members)
  }

  /// The backbone of a network that can be a trunk, declared in a scope; for colour images of any size.
  ///
  /// Throws for a network that cannot be a trunk.
  ///
  /// - Parameter dilation: where its maps are to end at stride 8; nil for 32.
  package static func trunk(
    _ spec: ModelSpec, _ scope: Scope, dilation: TrunkDilation? = nil
  ) throws -> any Backbone {
    guard isTrunk(spec) else {
      throw InvalidNetwork(
        family: spec.family, problem: "its maps end before stride 32, so it can be no trunk of a detector")
    }
    if let dilation {
      var reader = ParameterReader(family: spec.family, spec.parameters)
      return ImageNetResNet.build(scope, try ImageNetResNet.Parameters(&reader), dilation: dilation)
    }
    return try Catalog.networkFamilies.entry(spec.family)
      .build(scope, spec, ImageShape(channels: 3, height: 224, width: 224))
  }

  /// Whether a detector or a segmentor can be built on it: whether it has the maps C2
  /// to C5 of strides 4 to 32.
  package static func isTrunk(_ spec: ModelSpec) -> Bool { spec.family == ImageNetResNet.name }

  /// Channels of C2 to C5 of a trunk.
  package static func trunkChannels(_ spec: ModelSpec) -> [Int] {
    let isBasic = spec.parameters["block"]?.string != ImageNetResNet.Block.bottleneck.rawValue
    return [64, 128, 256, 512].map { isBasic ? $0 : 4 * $0 }
  }

  /// The first alias with these parameters, else the family with its parameters.
  package static func title(of spec: ModelSpec) -> String {
    if let alias = all.first(where: { $0.spec == spec }) { return alias.id }
    return JSONValue.object(spec.parameters.merging(["family": .string(spec.family)]) { $1 }).title
  }
}

extension NetworkFamily {
  fileprivate static var members: [(id: String, published: String, spec: ModelSpec)] {
    aliases.map { ($0.id, $0.published, ModelSpec(family: name, parameters: $0.parameters.json)) }
  }

  /// Parameters checked, defaults filled in.
  fileprivate static func spec(_ values: [String: JSONValue]) throws(InvalidNetwork) -> ModelSpec {
    ModelSpec(family: name, parameters: try parameters(values).json)
  }

  fileprivate static func build(
    _ scope: Scope, _ spec: ModelSpec, _ image: ImageShape
  ) throws(InvalidNetwork) -> any Backbone {
    try build(scope, try parameters(spec.parameters), image)
  }

  private static func parameters(_ values: [String: JSONValue]) throws(InvalidNetwork) -> Parameters {
    var reader = ParameterReader(family: name, values)
    let parameters = try Parameters(&reader)
    try reader.finish()
    return parameters
  }
}

extension JSONValue {
  init(_ integers: [Int]) { self = .array(integers.map { .number(DecimalNumber($0)) }) }
  init(_ integer: Int) { self = .number(DecimalNumber(integer)) }
}
