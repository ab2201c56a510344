/// Reference cases that no code covers yet, each with the part of the work that will. A case that is neither covered nor listed fails its suite, and
/// so does a listed case that is covered.
package enum NotCovered {
  /// Cases of `models/index.json`.
  package static let modelCases: Set<String> = []

  /// Operations of `models/layers.safetensors`.
  package static let layerOperations: Set<String> = []

  /// Operations of `downstream/ops.safetensors`.
  package static let downstreamOperations: Set<String> = [
    "roi_align", "sigmoid_focal", "smooth_l1", "giou_loss", "bce_logits", "cross_entropy_ignore",
    "interpolate_bilinear", "interpolate_nearest", "adaptive_avg_pool2d", "conv2d", "conv_transpose2d",
  ]

  /// Prints what a suite leaves out, so that nobody takes silence for coverage.
  package static func report(_ what: String, _ names: some Sequence<String>) {
    let sorted = names.sorted()
    if !sorted.isEmpty {
      print("not covered yet, \(what) (\(sorted.count)): \(sorted.joined(separator: ", "))")
    }
  }
}
