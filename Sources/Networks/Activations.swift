public import Tensors

/// What distillation reads of one evaluation of a network: its maps by their taps, the
/// embedding and the logits.
///
/// Of a teacher whose answers are cached only what methods declare is at hand. Whatever else is read is asked
/// of the teacher then and there: the bits are the same, and the conformance suite says which method does so.
public struct Activations: Sendable {
  /// What may be read: a map, the embedding or the logits.
  public enum Part: Hashable, Sendable {
    case map(Tap)
    case embedding, logits
  }

  /// In the order of evaluation.
  public let taps: [Tap]
  private let kept: [Part: Tensor]
  private let missing: (@Sendable (Part) -> Tensor)?

  /// - Parameters:
  ///   - taps: of the network.
  ///   - kept: what is at hand.
  ///   - missing: gives what is not; without it, reading more than is kept traps.
  package init(
    taps: [Tap], kept: [Part: Tensor], missing: (@Sendable (Part) -> Tensor)? = nil
  ) {
    self.taps = taps
    self.kept = kept
    self.missing = missing
  }

  /// Of a whole evaluation.
  ///
  /// - Parameter logits: `[batch, classes]`.
  public init(_ features: Features, logits: Tensor) {
    var kept: [Part: Tensor] = [.embedding: features.embedding, .logits: logits]
    for (tap, map) in zip(features.taps, features.maps) { kept[.map(tap)] = map }
    self.init(taps: features.taps, kept: kept)
  }

  /// - Parameters:
  ///   - maps: of stages, the last ones of a network.
  ///   - embedding: `[batch, width]`.
  ///   - logits: `[batch, classes]`.
  public init(maps: [Tensor], embedding: Tensor, logits: Tensor) {
    self.init(
      Features(maps.indices.map { Tap.stage($0 + 1) }, maps: maps, embedding: embedding), logits: logits)
  }

  /// A map, the embedding or the logits, as a constant of a teacher and with its record of a student.
  public subscript(part: Part) -> Tensor {
    if let tensor = kept[part] { return tensor }
    guard let missing else { preconditionFailure("\(part) was not kept") }
    return missing(part)
  }

  package func has(_ part: Part) -> Bool { kept[part] != nil }

  /// `[batch, classes]`.
  public var logits: Tensor { self[.logits] }
  /// f of the papers: what the head reads, `[batch, width]`.
  public var embedding: Tensor { self[.embedding] }
  /// F of the papers: the map at the last tap, `[batch, channels, height, width]`.
  public var map: Tensor { self[.map(taps[taps.count - 1])] }
  /// The map at the end of each stage, in the order of evaluation.
  public var stages: [Tensor] { taps.filter(\.isStage).map { self[.map($0)] } }

  /// All maps, then the embedding: the order of `architectures.md` 2.
  package var features: [Tensor] { taps.map { self[.map($0)] } + [embedding] }

  /// Several evaluations of parts of a batch as one; the first says what is kept.
  package static func stacked(_ parts: [Activations]) -> Activations {
    guard parts.count > 1 else { return parts[0] }
    let kept = Dictionary(
      uniqueKeysWithValues: parts[0].kept.keys.map { part in (part, Tensor.stacked(parts.map { $0[part] })) })
    return Activations(taps: parts[0].taps, kept: kept)
  }

  /// The same activations of a network with these taps, whose last ones are those kept here.
  ///
  /// - Parameter missing: gives what is not kept, where these activations have no way of their own to it.
  package func completed(
    taps others: [Tap], by missing: @escaping @Sendable (Part) -> Tensor
  ) -> Activations {
    var kept = kept.filter { if case .map = $0.key { false } else { true } }
    for (tap, other) in zip(taps.reversed(), others.reversed()) { kept[.map(other)] = self.kept[.map(tap)] }
    return Activations(taps: others, kept: kept, missing: self.missing ?? missing)
  }
}
