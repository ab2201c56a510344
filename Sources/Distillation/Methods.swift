package import Specs

extension Catalog where Entry == any DistillationMethod.Type {
  /// What a grid can name as a method.
  package static let methods = Catalog(
    "method",
    [
      Baseline.self,
      AverageKD.self,
      AverageKDFitNet.self,
      MTKDRL.self,
    ]
  ) { $0.description.name }
}

extension OptionDescription {
  static let alpha = OptionDescription(
    "alpha", .number(minimum: DecimalNumber(0)), standard: 1, help: "weight of the logit term (equation 2)")
  static let beta = OptionDescription(
    "beta", .number(minimum: DecimalNumber(0)), standard: 5, help: "weight of the feature term (equation 2)")
  static let temperature = OptionDescription(
    "temperature", .number(minimum: DecimalNumber(mantissa: 1, exponent: -3)), standard: 4,
    help: "T that softens logits in the KD loss")
}
