public import Specs

extension Catalog where Entry == any DistillationMethod.Type {
  /// What a grid can name as a method.
  package static var methods: Catalog { methodsHere.extended }

  fileprivate static let methodsHere = Catalog(
    "method", listedBy: "methods",
    [
      Baseline.self,
      AverageKD.self,
      AverageKDFitNet.self,
      AttentionKD.self,
      AMTML.self,
      AEKD.self,
      AEKDHint.self,
      EntropyKD.self,
      ConfidenceKD.self,
      MetaKD.self,
      MTKDRL.self,
    ]
  ) { $0.description.name }
}

extension Extensions {
  /// Adds a method, which grids then name as `method`; its options are settings of its runs.
  ///
  /// - Throws: `ExtensionError.nameTaken` where another method has its name, `.settingTaken` where one of
  ///   its options has the name of a setting that means something else.
  public mutating func add(_ method: any DistillationMethod.Type) throws(ExtensionError) {
    var extended = self
    try extended.add(method, to: .methodsHere) { [$0.description.name] + $0.description.aliases }
    _ = try extended.settings()
    self = extended
  }

  /// Adds a setting of recipes, which grids then set or vary: it is read, checked, shown and part of a run's
  /// key where it is not its default. Whoever computes with it reads `recipe[setting]`.
  ///
  /// - Throws: `ExtensionError.settingTaken` where another setting or an option of a method has the name,
  ///   `.notOfRecipe` where its place is none of a recipe.
  public mutating func add(_ setting: SettingDescription) throws(ExtensionError) {
    guard setting.isOfRecipe else { throw ExtensionError.notOfRecipe(setting: setting.name) }
    var extended = self
    extended.append(setting)
    _ = try extended.settings()
    self = extended
  }

  /// All settings of a program with these entries.
  private func settings() throws(ExtensionError) -> SettingCatalog {
    do {
      return try SettingCatalog(self)
    } catch {
      throw ExtensionError.settingTaken(name: error.name, owner: error.owner)
    }
  }
}

extension SettingCatalog {
  /// The settings of a program with these entries: those of this package, then what is added.
  package init(_ extensions: Extensions) throws(AmbiguousSetting) {
    let methods = Catalog.methodsHere.entries + extensions.entries((any DistillationMethod.Type).self)
    try self.init(
      Settings.common + extensions.entries(SettingDescription.self), methods: methods.map { $0.description })
  }

  /// The settings of this program; an error where one name has two meanings. Whoever starts the program
  /// looks at it first.
  package static var ofThisProgram: Result<SettingCatalog, AmbiguousSetting> {
    let extensions = Extensions.current
    let isExtended =
      !extensions.entries(SettingDescription.self).isEmpty
      || !extensions.entries((any DistillationMethod.Type).self).isEmpty
    guard isExtended else { return here }
    return Result { () throws(AmbiguousSetting) in try SettingCatalog(extensions) }
  }

  private static let here = Result { () throws(AmbiguousSetting) in try SettingCatalog(Extensions()) }
}

extension SettingDescription {
  static let scaling = SettingDescription(
    option: "scaling", .choice(["eq2", "released"]), default: "eq2",
    "Weights that sum to 1 under the grid's alpha and beta, or the authors' own scaling and factors.")

  /// What every method with teachers reads about the losses that it weighs.
  static func losses(hasFeatures: Bool) -> [SettingDescription] {
    let feature = SettingDescription(
      option: "featureLoss", .choice(Catalog.featureLosses.names), default: "fitnet",
      "Squared difference of maps, or KL of their softmax over positions.")
    return [temperature] + (hasFeatures ? [feature] : []) + [
      SettingDescription(
        option: "logitLoss", .choice(Catalog.logitLosses.names), default: "kd",
        "KL of softened logits, or the correlations of DIST."),
      SettingDescription(
        option: "distTemperature", .number(minimum: DecimalNumber(mantissa: 1, exponent: -3)), default: 4,
        "Temperature τ of DIST: the authors take 4 on CIFAR-100, 1 on ImageNet."),
      SettingDescription(
        option: "ndMode", .choice(DirectNorm.Mode.allCases.map(\.rawValue)), default: "off",
        "Whether ND stands in for the feature loss or is added to it."),
      SettingDescription(
        option: "ndWeight", .number(minimum: DecimalNumber(0)), default: 1,
        "Weight of ND, in place of beta."),
    ]
  }
}

/// Options that say nothing, given the others: of losses that are off, and alpha and beta where a
/// method keeps its authors'.
@Sendable func unreadLossOptions(_ options: OptionValues) -> [String] {
  var unread: [String] = []
  if options["logitLoss"] == "kd" { unread.append("distTemperature") }
  if options["ndMode"] == "off" { unread.append("ndWeight") }
  if options["ndMode"] == "replace" { unread += ["featureLoss", "beta"] }
  if options["scaling"] == "released" { unread += ["alpha", "beta"] }
  return unread
}
