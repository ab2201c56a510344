/// How a network is trained: SGD with momentum under a multi-step schedule where nothing else is said (`methods.md` 7.1, 7.2).
package struct RecipeSpec: Hashable, Sendable {
  /// Recipes that a grid can name.
  package enum Name: String, CaseIterable, Sendable {
    /// Of the paper's students and of its networks trained alone, on small images.
    case student, teacher
    /// Of photographs: rate 0.1, divided by ten at three, six and nine tenths of the epochs (`methods.md` 7.4).
    case imagenet
    /// Of vision transformers: AdamW, warm-up, cosine, smoothed labels, stochastic depth.
    case vit
  }

  package enum Optimizer: String, CaseIterable, Sendable {
    case sgd
    /// Weight decay apart from the gradient, and only on matrices and filters.
    case adamW
  }

  package enum Schedule: String, CaseIterable, Sendable {
    case multiStep
    /// A cosine from the rate to `leastRate`, after a linear warm-up that does not shift it.
    case cosine
  }

  package var epochs: Int
  package var batchSize: Int
  package var learningRate: DecimalNumber
  package var momentum: DecimalNumber
  package var nesterov: Bool
  package var weightDecay: DecimalNumber
  /// 0-based epochs before which the rate is multiplied by `gamma`.
  package var milestones: [Int]
  package var gamma: DecimalNumber
  package var optimizer = Optimizer.sgd
  package var schedule = Schedule.multiStep
  /// Epochs in which the rate rises from `warmupRate`; of the cosine schedule.
  package var warmupEpochs = 0
  package var warmupRate = DecimalNumber(0)
  /// Where the cosine ends.
  package var leastRate = DecimalNumber(0)
  /// The share of a label that all classes divide among them.
  package var labelSmoothing = DecimalNumber(0)
  /// The highest probability with which stochastic depth leaves out a branch of a transformer.
  package var dropPath = DecimalNumber(0)

  /// How strongly the colours of photographs change: brightness, contrast and saturation by factors from 1 - this to 1 + this.
  package var colourJitter = DecimalNumber(0)

  /// Decides bits. The default is left out of the encoding.
  package var convolution = ConvolutionKind.auto

  package enum ConvolutionKind: String, CaseIterable, Sendable {
    /// Whatever is fastest for a layer's shape, Winograd's algorithm included.
    case auto
    /// The products and sums of the definition.
    case direct
  }

  /// Decides bits. The default is left out of the encoding.
  package var numerics = NumericsKind.portable

  package enum NumericsKind: String, CaseIterable, Sendable {
    /// The same bits on every machine of a kind: where OpenBLAS computes, it does so with one kernel.
    case portable
    /// OpenBLAS with the kernel that it takes for the machine's own processor.
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

  /// A recipe by its name. Epochs and batches where nothing is said: 240 of 64 images, 100 of 256 for photographs, 300 of 1024 for transformers.
  package static func named(_ name: Name, family: String, epochs: Int? = nil, batchSize: Int? = nil)
    -> RecipeSpec
  {
    switch name {
    case .student: return student(epochs: epochs ?? 240, batchSize: batchSize ?? 64)
    case .teacher: return teacher(family: family, epochs: epochs ?? 240, batchSize: batchSize ?? 64)
    case .imagenet:
      let epochs = epochs ?? 100
      var recipe = student(epochs: epochs, batchSize: batchSize ?? 256)
      recipe.learningRate = DecimalNumber(mantissa: 1, exponent: -1)
      recipe.milestones = [3, 6, 9].map { epochs * $0 / 10 }.filter { $0 > 0 }
      return recipe
    case .vit:
      var recipe = student(epochs: epochs ?? 300, batchSize: batchSize ?? 1024)
      // 5e-4 for 512 images a batch, in proportion: Touvron et al. 2021, table 9.
      recipe.learningRate =
        DecimalNumber(5e-4 * Double(recipe.batchSize) / 512) ?? DecimalNumber(mantissa: 1, exponent: -3)
      (recipe.optimizer, recipe.schedule) = (.adamW, .cosine)
      (recipe.momentum, recipe.nesterov, recipe.milestones) = (DecimalNumber(0), false, [])
      (recipe.gamma, recipe.weightDecay) = (DecimalNumber(1), DecimalNumber(mantissa: 5, exponent: -2))
      recipe.warmupEpochs = min(5, recipe.epochs / 10)
      recipe.warmupRate = DecimalNumber(mantissa: 1, exponent: -6)
      recipe.leastRate = DecimalNumber(mantissa: 1, exponent: -5)
      recipe.labelSmoothing = DecimalNumber(mantissa: 1, exponent: -1)
      recipe.dropPath = DecimalNumber(mantissa: 1, exponent: -1)
      return recipe
    }
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
    // What a recipe does not use is left out, so that the keys of runs that know nothing of it stay.
    func used(_ value: DecimalNumber) -> JSONValue? { value == DecimalNumber(0) ? nil : .number(value) }
    object.member("batchSize", batchSize, to: &bytes)
    object.member("colourJitter", used(colourJitter), to: &bytes)
    object.member("convolution", convolution == .auto ? nil : .string(convolution.rawValue), to: &bytes)
    object.member("dropPath", used(dropPath), to: &bytes)
    object.member("epochs", epochs, to: &bytes)
    object.member("gamma", .number(gamma), to: &bytes)
    object.member("labelSmoothing", used(labelSmoothing), to: &bytes)
    object.member("learningRate", .number(learningRate), to: &bytes)
    object.member("leastRate", used(leastRate), to: &bytes)
    object.member("milestones", .array(milestones.map { .number(DecimalNumber($0)) }), to: &bytes)
    object.member("momentum", .number(momentum), to: &bytes)
    object.member("nesterov", .bool(nesterov), to: &bytes)
    object.member("numerics", numerics == .portable ? nil : .string(numerics.rawValue), to: &bytes)
    object.member("optimizer", optimizer == .sgd ? nil : .string(optimizer.rawValue), to: &bytes)
    object.member("schedule", schedule == .multiStep ? nil : .string(schedule.rawValue), to: &bytes)
    object.member("warmupEpochs", used(DecimalNumber(warmupEpochs)), to: &bytes)
    object.member("warmupRate", used(warmupRate), to: &bytes)
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
    colourJitter = try object.optional("colourJitter", SpecObject.number) ?? DecimalNumber(0)
    numerics = try Self.kind(object, "numerics") ?? .portable
    optimizer = try Self.kind(object, "optimizer") ?? .sgd
    schedule = try Self.kind(object, "schedule") ?? .multiStep
    warmupEpochs = try object.optional("warmupEpochs", SpecObject.integer) ?? 0
    warmupRate = try object.optional("warmupRate", SpecObject.number) ?? DecimalNumber(0)
    leastRate = try object.optional("leastRate", SpecObject.number) ?? DecimalNumber(0)
    labelSmoothing = try object.optional("labelSmoothing", SpecObject.number) ?? DecimalNumber(0)
    dropPath = try object.optional("dropPath", SpecObject.number) ?? DecimalNumber(0)
  }

  static func kind<Kind: RawRepresentable<String> & CaseIterable>(
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
