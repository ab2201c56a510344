public import Tensors

/// A named place of a backbone whose map can be read.
///
///     let c5 = backbone.features(of: images, pass)[.stage(4)]   // stride 32 of a `tv_resnet`
public struct Tap: Hashable, Sendable, CustomStringConvertible {
  /// As messages print it: `stem`, `stage1`.
  public let name: String
  /// Whether the place is the end of a stage; the stem, before all stages, is none.
  public let isStage: Bool

  /// What the images look like before the first stage.
  public static let stem = Tap(name: "stem", isStage: false)

  /// The end of a stage, counted from 1. Of a `tv_resnet`, stages 1 to 4 are C2 to C5 of
  /// the detection literature.
  public static func stage(_ number: Int) -> Tap { Tap(name: "stage\(number)", isStage: true) }

  /// The stem and so many stages.
  public static func stemAndStages(_ count: Int) -> [Tap] { [.stem] + (1...count).map(Tap.stage) }

  public var description: String { name }
}

/// What a backbone makes of a batch of images.
public struct Features: Sendable {
  /// In the order of evaluation, as `Backbone.taps` lists them.
  public let taps: [Tap]
  /// The map at each tap, `[batch, channels, height, width]`.
  public let maps: [Tensor]
  /// What a classifier reads, `[batch, width]`.
  public let embedding: Tensor

  /// - Precondition: a map for each tap.
  public init(_ taps: [Tap], maps: [Tensor], embedding: Tensor) {
    precondition(taps.count == maps.count, "\(maps.count) maps at \(taps.count) taps")
    self.taps = taps
    self.maps = maps
    self.embedding = embedding
  }

  /// The map at a tap.
  ///
  /// - Precondition: the backbone has the tap.
  public subscript(tap: Tap) -> Tensor {
    guard let index = taps.firstIndex(of: tap) else { preconditionFailure("there is no tap \(tap)") }
    return maps[index]
  }
}

/// A network without its head: from images to maps at named taps and an embedding.
///
/// A backbone knows nothing of what its features are for; a task puts its head on it
/// (`LinearHead` for classification).
public protocol Backbone: Sendable {
  /// In the order of evaluation, at least one. The map at the last one is F of the papers.
  var taps: [Tap] { get }
  /// - Parameter images: `[batch, channels, height, width]`, normalised.
  func features(of images: Tensor, _ pass: Pass) -> Features
  /// Whether the embedding follows from the last map alone. A transformer's is its class token,
  /// which is no part of a map.
  var embedsMap: Bool { get }
  /// The embedding `[batch, width]` of a map at the last tap.
  ///
  /// - Precondition: `embedsMap`.
  func embedding(of map: Tensor, _ pass: Pass) -> Tensor
  /// How the network's authors classify its embeddings.
  var classifier: LinearHead.Plan { get }
  /// Images that a thread infers at a time (default: 16, whose maps stay in a core's cache). More are worth
  /// it where weights weigh more than maps. It decides no bit.
  var imagesAtOnce: Int { get }
}

extension Backbone {
  public var imagesAtOnce: Int { 16 }

  public var embedsMap: Bool { true }

  /// The mean over all positions.
  public func embedding(of map: Tensor, _ pass: Pass) -> Tensor { map.globalAveragePool() }

  /// The maps at all taps, with the embedding of the last one.
  func features(_ maps: [Tensor], _ pass: Pass) -> Features {
    Features(taps, maps: maps, embedding: embedding(of: maps[maps.count - 1], pass))
  }
}

/// What turns features into a task's output: one value of any kind for a batch, such as logits or
/// boxes at several scales.
public protocol Head: Sendable {
  associatedtype Output: Sendable
  func callAsFunction(_ features: Features, _ pass: Pass) -> Output
}
