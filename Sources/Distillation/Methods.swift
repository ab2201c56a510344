package import Specs

extension Catalog where Entry == any DistillationMethod.Type {
  /// What a grid can name as a method.
  package static let methods = Catalog(
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

/// Options that say nothing, given the others: of losses that are off, and alpha and beta where a method keeps its authors'.
@Sendable func unreadLossOptions(_ options: OptionValues) -> [String] {
  var unread: [String] = []
  if options["logitLoss"] == "kd" { unread.append("distTemperature") }
  if options["ndMode"] == "off" { unread.append("ndWeight") }
  if options["ndMode"] == "replace" { unread += ["featureLoss", "beta"] }
  if options["scaling"] == "released" { unread += ["alpha", "beta"] }
  return unread
}
