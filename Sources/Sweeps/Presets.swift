package import Specs

/// A grid that comes with the program: `preset:NAME` in `extends`, `presets show NAME` on the command line.
package struct Preset: Sendable {
  package let name: String
  /// A file of `sweeps/`, byte for byte: the package manager embeds it.
  package let text: String

  init(_ name: String, _ bytes: [UInt8]) {
    self.name = name
    text = String(decoding: bytes, as: UTF8.self)
  }
}

extension Catalog where Entry == Preset {
  /// The folder `Presets` beside this file is a link to `sweeps/`.
  package static let presets = Catalog(
    "preset", listedBy: "presets",
    [
      Preset("smoke", PackageResources.smoke_json),
      Preset("downstream-smoke", PackageResources.downstream_smoke_json),
      Preset("table4-mini", PackageResources.table4_mini_json),
      Preset("table5-mini", PackageResources.table5_mini_json),
      Preset("paper/fig2-alpha", PackageResources.fig2_alpha_json),
      Preset("paper/fig2-beta", PackageResources.fig2_beta_json),
      Preset("paper/fig2-teachers", PackageResources.fig2_teachers_json),
      Preset("paper/table1", PackageResources.table1_json),
      Preset("paper/fig2-loss-terms", PackageResources.fig2_loss_terms_json),
      Preset("paper/table6a", PackageResources.table6a_json),
      Preset("paper/table6b", PackageResources.table6b_json),
      Preset("paper/table6c", PackageResources.table6c_json),
      Preset("paper/table7", PackageResources.table7_json),
      Preset("paper/table2", PackageResources.table2_imagenet_json),
      Preset("paper/table3", PackageResources.table3_vit_json),
      Preset("paper/table4", PackageResources.table4_json),
      Preset("paper/table5", PackageResources.table5_json),
    ]
  ) { $0.name }
}
