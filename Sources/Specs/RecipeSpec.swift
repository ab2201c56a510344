/// How a network is trained: SGD with momentum under a multi-step schedule (`methods.md` 7.1, 7.2).
package struct RecipeSpec: Hashable, Sendable {
  package var epochs: Int
  package var batchSize: Int
  package var learningRate: DecimalNumber
  package var momentum: DecimalNumber
  package var nesterov: Bool
  package var weightDecay: DecimalNumber
  /// 0-based epochs before which the rate is multiplied by `gamma`.
  package var milestones: [Int]
  package var gamma: DecimalNumber
  /// How the arithmetic is done, because it decides bits. The defaults are left out of the encoding.
  package var convolution = ConvolutionKind.auto
  package var numerics = NumericsKind.portable

  package enum ConvolutionKind: String, CaseIterable, Sendable {
    /// Whatever is fastest for a layer's shape, Winograd's algorithm included.
    case auto
    /// The products and sums of the definition.
    case direct
  }

  package enum NumericsKind: String, CaseIterable, Sendable {
    /// Bits that are the same on every processor with AVX2.
    case portable
    /// The matrix library chooses its own kernel for the processor.
    case native
  }

  package init(
    epochs: Int, batchSize: Int, learningRate: DecimalNumber, momentum: DecimalNumber, nesterov: Bool,
    weightDecay: DecimalNumber, milestones: [Int], gamma: DecimalNumber
  ) {
    (self.epochs, self.batchSize, self.learningRate) = (epochs, batchSize, learningRate)
    (self.momentum, self.nesterov, self.weightDecay) = (momentum, nesterov, weightDecay)
    (self.milestones, self.gamma) = (milestones, gamma)
  }

  /// Of a network that is not trained here.
  static let none = RecipeSpec(
    epochs: 0, batchSize: 1, learningRate: DecimalNumber(0), momentum: DecimalNumber(0), nesterov: false,
    weightDecay: DecimalNumber(0), milestones: [], gamma: DecimalNumber(1))

  /// The distilled student's recipe: rate 0.05, Nesterov, weight decay 1e-4.
  package static func student(epochs: Int, batchSize: Int = 64) -> RecipeSpec {
    RecipeSpec(
      epochs: epochs, batchSize: batchSize, learningRate: DecimalNumber(mantissa: 5, exponent: -2),
      momentum: DecimalNumber(mantissa: 9, exponent: -1), nesterov: true,
      weightDecay: DecimalNumber(mantissa: 1, exponent: -4), milestones: milestones(of: epochs),
      gamma: DecimalNumber(mantissa: 1, exponent: -1))
  }

  /// The recipe of teachers and of networks trained alone: no Nesterov, weight decay 5e-4, and rate 0.01 for the
  /// mobile families.
  package static func teacher(family: String, epochs: Int, batchSize: Int = 64) -> RecipeSpec {
    var recipe = student(epochs: epochs, batchSize: batchSize)
    recipe.nesterov = false
    recipe.weightDecay = DecimalNumber(mantissa: 5, exponent: -4)
    if family.contains("mobilenet") || family.contains("shufflenet") {
      recipe.learningRate = DecimalNumber(mantissa: 1, exponent: -2)
    }
    return recipe
  }

  /// 150, 180 and 210 of 240 epochs, and the same shares (5/8, 3/4, 7/8) of any other length, rounded down. Runs too
  /// short to tell two of them apart drop the rate twice at once.
  package static func milestones(of epochs: Int) -> [Int] {
    [epochs * 5 / 8, epochs * 3 / 4, epochs * 7 / 8].filter { $0 > 0 }
  }
}

extension RecipeSpec: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("batchSize", batchSize, to: &bytes)
    object.member("convolution", convolution == .auto ? nil : .string(convolution.rawValue), to: &bytes)
    object.member("epochs", epochs, to: &bytes)
    object.member("gamma", .number(gamma), to: &bytes)
    object.member("learningRate", .number(learningRate), to: &bytes)
    object.member("milestones", .array(milestones.map { .number(DecimalNumber($0)) }), to: &bytes)
    object.member("momentum", .number(momentum), to: &bytes)
    object.member("nesterov", .bool(nesterov), to: &bytes)
    object.member("numerics", numerics == .portable ? nil : .string(numerics.rawValue), to: &bytes)
    object.member("weightDecay", .number(weightDecay), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    let milestones = try object.array("milestones").map(\.integer)
    guard !milestones.contains(nil) else {
      throw SpecError(path: object.path("milestones"), expected: "a list of integers")
    }
    self.init(
      epochs: try object.integer("epochs"), batchSize: try object.integer("batchSize"),
      learningRate: try object.number("learningRate"), momentum: try object.number("momentum"),
      nesterov: try object.bool("nesterov"), weightDecay: try object.number("weightDecay"),
      milestones: milestones.compactMap(\.self), gamma: try object.number("gamma"))
    convolution = try Self.kind(object, "convolution") ?? .auto
    numerics = try Self.kind(object, "numerics") ?? .portable
  }

  private static func kind<Kind: RawRepresentable<String> & CaseIterable>(
    _ object: SpecObject, _ name: String
  ) throws(SpecError) -> Kind? {
    guard let value = object[name] else { return nil }
    guard let kind = value.string.flatMap(Kind.init) else {
      let words = Kind.allCases.map(\.rawValue).joined(separator: " or ")
      throw SpecError(path: object.path(name), expected: words)
    }
    return kind
  }
}
