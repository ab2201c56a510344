import Specs

extension SettingDescription {
  /// The p of the p-norm that `WeightNormStage` takes.
  static let normOrder = SettingDescription(
    "normOrder", .integer(1...8), default: .value(2), place: .recipe, synonyms: ["norm_order"],
    sentence: "The p of the p-norm that is taken of a finished student's weights.")
}
