package import Specs

/// A grid that comes with the program: `preset:NAME` in `extends`, `presets show NAME` on the command line.
package struct Preset: Sendable {
  package let name: String
  /// The file of that name in `sweeps/`, byte for byte; a test keeps it so.
  package let text: String
}

extension Catalog where Entry == Preset {
  package static let presets = Catalog(
    "preset",
    [
      Preset(
        name: "smoke",
        text: """
          {
            // Every kind of stage in a few seconds: generated images, teachers, two methods, two teacher counts, two seeds.
            "version": 1,
            "name": "smoke",
            "base": {
              "dataset": "synthetic-1x16x16-4", "trainImages": 512, "testImages": 256, "batchSize": 32,
              "epochs": 4, "teacherEpochs": 4,
              "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 16] }
            },
            "axes": {
              "method": ["baseline", "mtkd-rl"],
              "teachers": {
                "pool": [
                  { "family": "cifar_resnet", "depth": 8, "widths": [8, 8, 16, 16] },
                  { "family": "cifar_wrn", "depth": 10, "widen": 1 }
                ],
                "take": [1, 2]
              }
            },
            "seeds": { "count": 2 }
          }

          """),
      Preset(
        name: "paper/fig2-alpha",
        text: """
          {
            // Figure 2 of the paper: accuracy over alpha, ShuffleNetV2 with four teachers on CIFAR-100, the paper's schedule.
            "version": 1,
            "name": "fig2-alpha",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2", "method": "mtkd-rl"
            },
            "axes": { "alpha": [0, 0.5, 1, 2, 4] },
            "seeds": { "count": 3 }
          }

          """),
      Preset(
        name: "paper/fig2-beta",
        text: """
          {
            // Figure 2 of the paper: accuracy over beta, ShuffleNetV2 with four teachers on CIFAR-100, the paper's schedule.
            "version": 1,
            "name": "fig2-beta",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2", "method": "mtkd-rl"
            },
            "axes": { "beta": [0, 1, 5, 10] },
            "seeds": { "count": 3 }
          }

          """),
      Preset(
        name: "paper/fig2-teachers",
        text: """
          {
            // Figure 2 of the paper: accuracy over the number of teachers, ShuffleNetV2 on CIFAR-100, the paper's schedule.
            "version": 1,
            "name": "fig2-teachers",
            "base": { "dataset": "cifar100", "epochs": 240, "student": "shufflenetv2", "method": "mtkd-rl" },
            "axes": {
              "teachers": { "pool": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"], "take": [1, 2, 3, 4] }
            },
            "seeds": { "count": 3 }
          }

          """),
    ]
  ) { $0.name }
}
