/// How a network is trained (default: SGD with momentum under a multi-step schedule, `methods.md` 7.1, 7.2).
public struct RecipeSpec: Hashable, Sendable {
  /// Recipes that a grid can name.
  package enum Name: String, CaseIterable, Sendable {
    /// Of the paper's students and of its networks trained alone, on small images.
    case student, teacher
    /// Of photographs: rate 0.1, divided by ten at three, six and nine tenths of the
    /// epochs (`methods.md` 7.4).
    case imagenet
    /// Of vision transformers: AdamW, warm-up, cosine, smoothed labels, stochastic depth.
    case vit

    package var schedule: Schedule { self == .vit ? .cosine : .multiStep }
  }

  package enum Optimizer: String, CaseIterable, Sendable {
    case sgd
    /// Weight decay apart from the gradient, and only on matrices and filters.
    case adamW
  }

  /// How the learning rate falls.
  public enum Schedule: String, CaseIterable, Sendable {
    case multiStep
    /// A cosine from the rate to `leastRate`, after a linear warm-up that does not shift it.
    case cosine
  }

  /// Passes over the training images.
  public var epochs: Int
  /// Images in a batch.
  public var batchSize: Int
  /// Before the schedule.
  public var learningRate: DecimalNumber
  package var momentum: DecimalNumber
  package var nesterov: Bool
  /// Of the arrays that decay.
  public var weightDecay: DecimalNumber
  /// 0-based epochs before which the rate is multiplied by `gamma`.
  package var milestones: [Int]
  package var gamma: DecimalNumber
  package var optimizer = Optimizer.sgd
  package var schedule = Schedule.multiStep
  /// Where the rate starts to rise during warm-up.
  package var warmupRate = DecimalNumber(0)
  /// Where the cosine ends.
  package var leastRate = DecimalNumber(0)

  /// Values of the settings that have no member of their own, by their encoded names: what differs from the
  /// setting's default, so that the keys of runs that know nothing of a setting stay when it is added.
  fileprivate var others: [String: JSONValue] = [:]

  /// How convolutions are computed; decides bits.
  package enum ConvolutionKind: String, CaseIterable, Sendable {
    /// Whatever is fastest for a layer's shape, Winograd's algorithm included.
    case auto
    /// The products and sums of the definition.
    case direct
  }

  /// Whose kernels compute products of matrices; decides bits.
  public enum NumericsKind: String, CaseIterable, Sendable {
    /// The same bits on every machine of a kind: where OpenBLAS computes, it does so with one kernel.
    case portable
    /// OpenBLAS with the kernel that it takes for the machine's own processor.
    case native
  }

  package init(
    epochs: Int, batchSize: Int, learningRate: DecimalNumber, momentum: DecimalNumber, nesterov: Bool,
    weightDecay: DecimalNumber, milestones: [Int], gamma: DecimalNumber
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.milestones = milestones
    self.gamma = gamma
  }

  /// Of a network that is not trained here.
  package static let none = RecipeSpec(
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

  /// The recipe of teachers and of networks trained alone: no Nesterov, weight decay 5e-4, and rate 0.01
  /// for the mobile families.
  package static func teacher(family: String, epochs: Int, batchSize: Int = 64) -> RecipeSpec {
    var recipe = student(epochs: epochs, batchSize: batchSize)
    recipe.nesterov = false
    recipe.weightDecay = DecimalNumber(mantissa: 5, exponent: -4)
    if family.contains("mobilenet") || family.contains("shufflenet") {
      recipe.learningRate = DecimalNumber(mantissa: 1, exponent: -2)
    }
    return recipe
  }

  /// A recipe by its name (defaults: 240 epochs of 64 images a batch, 100 of 256 for photographs, 300
  /// of 1024 for transformers).
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
      recipe.optimizer = .adamW
      recipe.schedule = name.schedule
      recipe.momentum = 0
      recipe.nesterov = false
      recipe.milestones = []
      recipe.gamma = 1
      recipe.weightDecay = DecimalNumber(mantissa: 5, exponent: -2)
      recipe.warmupEpochs = min(5, recipe.epochs / 10)
      recipe.warmupRate = DecimalNumber(mantissa: 1, exponent: -6)
      recipe.leastRate = DecimalNumber(mantissa: 1, exponent: -5)
      recipe.labelSmoothing = DecimalNumber(mantissa: 1, exponent: -1)
      recipe.dropPath = DecimalNumber(mantissa: 1, exponent: -1)
      return recipe
    }
  }

  /// 150, 180 and 210 of 240 epochs, and the same shares (5/8, 3/4, 7/8) of any other length, rounded down.
  /// Runs too short to tell two of them apart drop the rate twice at once.
  package static func milestones(of epochs: Int) -> [Int] {
    [epochs * 5 / 8, epochs * 3 / 4, epochs * 7 / 8].filter { $0 > 0 }
  }
}

// MARK: Values by their settings

extension RecipeSpec {
  /// The value of a setting that recipes hold; its default where the recipe says nothing.
  ///
  ///     let order = run.recipe[.normOrder].integer
  public subscript(setting: SettingDescription) -> JSONValue {
    get { member(setting.encodedName) ?? others[setting.encodedName] ?? setting.standard }
    set {
      if setMember(setting.encodedName, newValue) { return }
      others[setting.encodedName] = newValue == setting.standard ? nil : newValue
    }
  }

  /// A number by the name of its setting, in `Settings.common`.
  package func number(_ name: String) -> DecimalNumber { self[Self.setting(name)].number ?? 0 }

  /// What has a member of its own.
  private func member(_ name: String) -> JSONValue? {
    switch name {
    case "epochs": .number(DecimalNumber(epochs))
    case "batchSize": .number(DecimalNumber(batchSize))
    case "learningRate": .number(learningRate)
    case "momentum": .number(momentum)
    case "nesterov": .bool(nesterov)
    case "weightDecay": .number(weightDecay)
    case "gamma": .number(gamma)
    case "warmupRate": .number(warmupRate)
    case "leastRate": .number(leastRate)
    default: nil
    }
  }

  /// - Returns: whether there is such a member. A value of another type leaves it as it is:
  ///   settings are judged before.
  private mutating func setMember(_ name: String, _ value: JSONValue) -> Bool {
    switch name {
    case "epochs": epochs = value.integer ?? epochs
    case "batchSize": batchSize = value.integer ?? batchSize
    case "learningRate": learningRate = value.number ?? learningRate
    case "momentum": momentum = value.number ?? momentum
    case "nesterov": nesterov = value.bool ?? nesterov
    case "weightDecay": weightDecay = value.number ?? weightDecay
    case "gamma": gamma = value.number ?? gamma
    case "warmupRate": warmupRate = value.number ?? warmupRate
    case "leastRate": leastRate = value.number ?? leastRate
    default: return false
    }
    return true
  }

  /// Common settings that recipes hold, by their names; those of transfers are of no recipe.
  private static let settings = Dictionary(
    uniqueKeysWithValues: Settings.ofStudents.filter(\.isOfRecipe).map { ($0.encodedName, $0) })

  /// A setting that recipes hold, by its encoded name; one that the program in use added among them.
  private static func known(_ name: String) -> SettingDescription? {
    settings[name]
      ?? Extensions.current.entries(SettingDescription.self).first { $0.encodedName == name && $0.isOfRecipe }
  }

  private static func setting(_ name: String) -> SettingDescription {
    guard let setting = known(name) else { preconditionFailure("\(name) is no setting of a recipe") }
    return setting
  }

  private func word<Word: RawRepresentable<String>>(_ name: String, _ standard: Word) -> Word {
    others[name]?.string.flatMap(Word.init) ?? standard
  }

  /// Epochs in which the rate rises from `warmupRate`; of the cosine schedule.
  package var warmupEpochs: Int {
    get { number("warmupEpochs").integer ?? 0 }
    set { self[Self.setting("warmupEpochs")] = .number(DecimalNumber(newValue)) }
  }

  /// The share of a label that all classes divide among them.
  package var labelSmoothing: DecimalNumber {
    get { number("labelSmoothing") }
    set { self[Self.setting("labelSmoothing")] = .number(newValue) }
  }

  /// The highest probability with which stochastic depth leaves out a branch of a transformer.
  package var dropPath: DecimalNumber {
    get { number("dropPath") }
    set { self[Self.setting("dropPath")] = .number(newValue) }
  }

  /// How strongly the colours of photographs change: brightness, contrast and saturation by factors
  /// from 1 - this to 1 + this.
  package var colourJitter: DecimalNumber {
    get { number("colourJitter") }
    set { self[Self.setting("colourJitter")] = .number(newValue) }
  }

  package var convolution: ConvolutionKind {
    get { word("convolution", .auto) }
    set { self[Self.setting("convolution")] = .string(newValue.rawValue) }
  }

  package var numerics: NumericsKind {
    get { word("numerics", .portable) }
    set { self[Self.setting("numerics")] = .string(newValue.rawValue) }
  }
}

// MARK: The canonical form

extension RecipeSpec: CanonicallyEncodable {
  /// Members in ascending order. What a recipe does not use is left out, so that the keys of runs that
  /// know nothing of it stay.
  private var encodedMembers: [(name: String, value: JSONValue)] {
    var members: [(name: String, value: JSONValue)] = [
      ("batchSize", .number(DecimalNumber(batchSize))), ("epochs", .number(DecimalNumber(epochs))),
      ("gamma", .number(gamma)), ("learningRate", .number(learningRate)),
    ]
    if leastRate != 0 { members.append(("leastRate", .number(leastRate))) }
    members.append(("milestones", .array(milestones.map { .number(DecimalNumber($0)) })))
    members.append(("momentum", .number(momentum)))
    members.append(("nesterov", .bool(nesterov)))
    if optimizer != .sgd { members.append(("optimizer", .string(optimizer.rawValue))) }
    if schedule != .multiStep { members.append(("schedule", .string(schedule.rawValue))) }
    if warmupRate != 0 { members.append(("warmupRate", .number(warmupRate))) }
    members.append(("weightDecay", .number(weightDecay)))
    guard !others.isEmpty else { return members }
    members += others.map { ($0.key, $0.value) }
    return members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  public func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    for (name, value) in encodedMembers { object.member(name, value, to: &bytes) }
    object.end(&bytes)
  }

  private static let memberNames: Set<String> = [
    "batchSize", "epochs", "gamma", "learningRate", "leastRate", "milestones", "momentum", "nesterov",
    "optimizer",
    "schedule", "warmupRate", "weightDecay",
  ]

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
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
    optimizer = try Self.kind(object, "optimizer") ?? .sgd
    schedule = try Self.kind(object, "schedule") ?? .multiStep
    warmupRate = try object.optional("warmupRate", SpecObject.number) ?? 0
    leastRate = try object.optional("leastRate", SpecObject.number) ?? 0
    for (name, value) in json.object ?? [:] where !Self.memberNames.contains(name) && value != .null {
      let setting = Self.known(name)
      if let setting, let expected = setting.complaint(about: value) {
        throw SpecError(path: object.path(name), expected: expected)
      }
      // A setting that this program does not have is kept: the key of the run depends on it.
      others[name] = setting?.standard == value ? nil : value
    }
  }

  /// Of a network that is not trained here: how it is computed, and nothing of how it was trained.
  ///
  /// - Parameter members: of the teacher's canonical form, those of other things left out.
  package init(computedAs members: [String: JSONValue], at path: String) throws(SpecError) {
    self = .none
    for (name, value) in members where value != .null {
      guard let setting = Self.known(name), setting.place == .recipeOfAll else { continue }
      if let expected = setting.complaint(about: value) {
        throw SpecError(path: path.isEmpty ? name : "\(path).\(name)", expected: expected)
      }
      self[setting] = value
    }
  }

  /// How a network that is not trained here is computed, where that is not the default.
  package var computation: [(name: String, value: JSONValue)] { others.map { ($0.key, $0.value) } }

  /// - Throws: `SpecError` for a value that no setting of this program explains: what it asks
  ///   for would not be computed.
  package func check() throws(SpecError) {
    guard let name = unknownSettings.first else { return }
    throw SpecError(path: "recipe.\(name)", expected: "left out, because this program has no such setting")
  }

  /// Names of values that no setting of this program explains.
  package var unknownSettings: [String] { others.keys.filter { Self.known($0) == nil }.sorted() }

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
