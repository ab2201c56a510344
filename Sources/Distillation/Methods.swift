package import Specs

extension Catalog where Entry == any DistillationMethod.Type {
  /// What a grid can name as a method.
  package static let methods = Catalog(
    "method",
    [
      Baseline.self,
      AverageKD.self,
      AverageKDFitNet.self,
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

extension OptionDescription {
  static let alpha = OptionDescription(
    "alpha", .number(minimum: DecimalNumber(0)), standard: 1, help: "weight of the logit term (equation 2)")
  static let beta = OptionDescription(
    "beta", .number(minimum: DecimalNumber(0)), standard: 5, help: "weight of the feature term (equation 2)")
  static let scaling = OptionDescription(
    "scaling", .choice(["eq2", "released"]), standard: "eq2",
    help: "weights that sum to 1 under the grid's alpha and beta, or the authors' own scaling and factors")
  private static let temperature = OptionDescription(
    "temperature", .number(minimum: DecimalNumber(mantissa: 1, exponent: -3)), standard: 4,
    help: "T that softens logits in the KD loss")

  /// What every method with teachers reads about the losses that it weighs.
  static func losses(hasFeatures: Bool) -> [OptionDescription] {
    let feature = OptionDescription(
      "featureLoss", .choice(Catalog.featureLosses.names), standard: "fitnet",
      help: "squared difference of maps, or KL of their softmax over positions")
    return [temperature] + (hasFeatures ? [feature] : []) + [
      OptionDescription(
        "logitLoss", .choice(Catalog.logitLosses.names), standard: "kd",
        help: "KL of softened logits, or the correlations of DIST"),
      OptionDescription(
        "distTemperature", .number(minimum: DecimalNumber(mantissa: 1, exponent: -3)), standard: 4,
        help: "τ of DIST: the authors take 4 on CIFAR-100, 1 on ImageNet"),
      OptionDescription(
        "ndMode", .choice(DirectNorm.Mode.allCases.map(\.rawValue)), standard: "off",
        help: "whether ND stands in for the feature loss or is added to it"),
      OptionDescription(
        "ndWeight", .number(minimum: DecimalNumber(0)), standard: 1,
        help: "weight of ND, in place of beta"),
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
