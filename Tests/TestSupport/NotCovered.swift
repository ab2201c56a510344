/// Reference cases that no code covers yet, each with the part of the work that will. A case that is neither covered nor listed fails its suite, and
/// so does a listed case that is covered.
package enum NotCovered {
  /// Cases of `models/index.json`: networks of part 4.
  package static let modelCases: Set<String> = [
    "ShuffleV1", "vgg8", "tv_resnet18_64", "tv_resnet18_224", "tv_resnet50_64", "tv_mobilenet_v2_64",
    "tv_shufflenet_v2_x1_0_64", "tv_regnet_x_400mf_64", "deit_tiny_64", "cait_xxs24_64", "mini_vit",
    "mini_cait",
  ]

  /// Operations of `models/layers.safetensors`: part 4, for transformers and detection.
  package static let layerOperations: Set<String> = [
    "conv_transpose2d", "layer_norm", "gelu_erf", "adaptive_max_pool2d", "attention", "vit_block",
    "talking_heads",
    "class_attention", "cait_block", "cait_class_block", "drop_path", "dropout",
  ]

  /// Operations of `methods.json`: methods and agents of part 3.
  package static let methodOperations: Set<String> = [
    "feature_kl", "ppo", "dpg", "soft_update", "camkd_logit", "camkd_feature", "ebkd", "min_norm_box", "aekd",
    "amtml",
    "mmkd_logit_weights", "mmkd_feature_weights", "mmkd_meta_toy", "dist", "dist_weighted", "nd",
  ]

  /// Methods of `trajectories/`: part 3.
  package static let trajectoryMethods: Set<String> = ["aekd", "camkd", "ebkd"]

  /// Prints what a suite leaves out, so that nobody takes silence for coverage.
  package static func report(_ what: String, _ names: some Sequence<String>) {
    let sorted = names.sorted()
    if !sorted.isEmpty {
      print("not covered yet, \(what) (\(sorted.count)): \(sorted.joined(separator: ", "))")
    }
  }
}
