import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// What holds for every family that the catalog lists: a new one is tested by being listed, with a small
/// member beside the others here.
@Suite struct FamilyTests {
  struct Member: Sendable, CustomTestStringConvertible {
    let spec: ModelSpec
    let image: ImageShape
    var testDescription: String { NetworkNames.title(of: spec) }

    var task: ImageTask { ImageTask(image, classes: 5) }
    var built: BuiltNetwork { get throws { try BuiltNetwork(spec, task) } }

    func images(_ count: Int) -> Tensor {
      let shape: Shape = [count, image.channels, image.height, image.width]
      return Tensor(FillRule.images(seed: 3, shape), shape, .double)
    }
  }

  /// Names of small members and the sides of their images; families that are missing get their first
  /// alias on its usual images.
  private static let small: [(String, Int)] = [
    ("mini-resnet8-w8", 16), ("mini-wrn-10-1", 16), ("mini-regnety", 16), ("mini-mobilenetv2-025", 32),
    ("mini-shufflev2-02", 16), ("shufflenetv1", 16), ("vgg8", 16), ("resnet18", 64), ("tv-mobilenetv2", 64),
    ("tv-shufflenetv2-x0-5", 64), ("tv-regnetx-400mf", 64), ("mini-vit", 28), ("mini-cait", 28),
  ]

  static let members: [Member] = Catalog.networkFamilies.names.map { family in
    let names = NetworkNames.all.filter { $0.spec.family == family }
    let known = small.lazy.compactMap { name, side in
      names.first { $0.id == name }.map {
        Member(spec: $0.spec, image: ImageShape(channels: 3, height: side, width: side))
      }
    }
    if let member = known.first { return member }
    guard let first = names.first else { fatalError("the family \(family) has no member") }
    return Member(spec: first.spec, image: NetworkNames.usualTask(first.id, first.spec).image)
  }

  /// With running statistics: batch statistics of a few values are too steep for a difference quotient.
  private static func loss(_ member: Member, _ built: BuiltNetwork, _ state: ModelState) -> (Tensor, Pass) {
    let pass = Pass(state, .inference, recordsGradients: true)
    let logits = built.network(member.images(2), pass).logits
    return (logits.crossEntropy(labels: [1, 4]).mean(), pass)
  }

  @Test(arguments: members)
  func `every parameter has a gradient, and all of them agree with a difference quotient`(
    _ member: Member
  ) throws {
    let built = try member.built
    let state = built.state(seed: 2, precision: .double)
    let (loss, pass) = Self.loss(member, built, state)
    let gradients = pass.gradients(of: loss)
    for (declaration, gradient) in zip(built.declarations, gradients) {
      guard declaration.role == .parameter else { continue }
      let values = try #require(gradient, "\(declaration.path) has no gradient").doubles
      #expect(values.allSatisfy(\.isFinite) && values.contains { $0 != 0 }, "\(declaration.path)")
    }
    // In proportion to the arrays, so that a step is as small for all of them.
    let directions = zip(built.declarations, state.slots).map { declaration, slot -> Tensor? in
      guard declaration.role == .parameter else { return nil }
      var stream = RandomStream(seed: 6, declaration.path)
      let values = state[slot].doubles.map { (abs($0) + 1e-3) * stream.normal() }
      return Tensor(values, declaration.shape, .double)
    }
    let derivative = zip(gradients, directions).reduce(0.0) { sum, pair in
      guard let gradient = pair.0, let direction = pair.1 else { return sum }
      return sum + (gradient * direction).sum().scalar
    }
    func moved(_ step: Double) -> Double {
      var moved = state
      for (slot, direction) in zip(state.slots, directions) {
        if let direction { moved[slot] = state[slot] + direction * step }
      }
      return Self.loss(member, built, moved).0.scalar
    }
    // Small enough that hardly a unit crosses its kink; of those that do, each is one of thousands.
    let step = 1e-7
    let quotient = (moved(step) - moved(-step)) / (2 * step)
    #expect(abs(derivative - quotient) <= 1e-4 * max(1, abs(quotient)), "\(derivative) for \(quotient)")
  }

  @Test(arguments: members)
  func `saved arrays come back bit for bit, and the network says the same`(_ member: Member) throws {
    let built = try member.built
    let state = built.state(seed: 2)
    let bytes = state.stateDictionary.encoded()
    var loaded = built.state(seed: 3)
    try loaded.load(Safetensors(decoding: bytes))
    let isSame = loaded.stateDictionary.encoded() == bytes
    #expect(isSame)
    let images = member.images(2).converted(to: .single)
    let before = built.network(images, Pass(state, .inference))
    let after = built.network(images, Pass(loaded, .inference))
    #expect(after.logits.floats == before.logits.floats)
    #expect(Set(built.declarations.map(\.path)).count == built.declarations.count)
  }

  @Test(arguments: members)
  func `every tap has the map that its shape promises`(_ member: Member) throws {
    let built = try member.built
    let cost = NetworkCost(built)
    let features = built.network.backbone.features(
      of: member.images(2).converted(to: .single), Pass(built.state(seed: 1), .inference))
    #expect(features.taps == cost.taps.map(\.tap) && Set(features.taps).count == features.taps.count)
    #expect(features.maps.map { Array($0.shape.dimensions[1...]) } == cost.taps.map(\.map.dimensions))
    #expect(features.embedding.shape == [2, cost.embedding])
    #expect(!cost.stages.isEmpty && cost.stages.last == cost.map)
  }

  /// A head as detection will have it: a pyramid over C2 to C5.
  private struct Pyramid: Head {
    static let taps = (1...4).map(Tap.stage)
    let laterals: [Conv2D]

    init(_ scope: Scope, _ widths: [Int]) {
      laterals = widths.enumerated().map {
        Conv2D(scope / "fpn" / $0, inputs: $1, outputs: 8, kernel: 1, hasBias: true, start: .fanIn)
      }
    }

    func callAsFunction(_ features: Features, _ pass: Pass) -> [Tensor] {
      zip(laterals, Self.taps).map { $0(features[$1], pass) }
    }
  }

  @Test(arguments: [("resnet18", [64, 128, 256, 512]), ("resnet50", [256, 512, 1024, 2048])])
  func `another task's head reads C2 to C5 of a trunk whose arrays keep their names`(
    _ name: String, _ widths: [Int]
  ) throws {
    let image = ImageShape(channels: 3, height: 64, width: 96)
    let spec = try NetworkNames.spec(.string(name))
    let built = try Built(spec, image) { scope, _ in Pyramid(scope, widths) }
    let state = built.state(seed: 1)
    let images = Tensor(FillRule.images(seed: 1, [2, 3, 64, 96]), [2, 3, 64, 96])
    let pass = Pass(state, .training)
    let levels = built.network.evaluate(images, pass).output
    #expect(levels.map(\.shape) == [4, 8, 16, 32].map { [2, 8, 64 / $0, 96 / $0] })

    let classifier = try BuiltNetwork(spec, ImageTask(image, classes: 5))
    let trunk = classifier.declarations.map(\.path).filter { !$0.hasPrefix("fc.") }
    #expect(built.declarations.map(\.path).filter { !$0.hasPrefix("fpn.") } == trunk)
    let loss = levels.dropFirst().reduce(levels[0].square().mean()) { $0 + $1.square().mean() }
    for (declaration, gradient) in zip(built.declarations, pass.gradients(of: loss)) {
      #expect(gradient != nil || declaration.role != .parameter, "\(declaration.path)")
    }
  }
}
