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
      Preset(
        name: "paper/table1",
        text: """
          {
            // Table 1 of the paper: four teachers, four students, eight methods on CIFAR-100. The compared methods in the form of equation 2 and
            // as released (AEKD is the same in both); MTKD-RL as the paper has it and as its release does.
            "version": 1,
            "name": "table1",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "preset": "paper"
            },
            "blocks": [
              {
                "name": "eq2",
                "base": { "scaling": "eq2" },
                "axes": {
                  "student": ["regnetx-200mf", "mobilenetv2", "shufflenetv2", "resnet56"],
                  "method": ["baseline", "aver-kd", "aver-kd-fitnet", "amtml-kd", "aekd", "ca-mkd", "mmkd", "mtkd-rl"]
                }
              },
              {
                "name": "released",
                "base": { "scaling": "released" },
                "axes": { "student": ["regnetx-200mf", "mobilenetv2", "shufflenetv2", "resnet56"], "method": ["amtml-kd", "ca-mkd", "mmkd"] }
              },
              {
                "name": "reference",
                "base": { "method": "mtkd-rl", "preset": "reference" },
                "axes": { "student": ["regnetx-200mf", "mobilenetv2", "shufflenetv2", "resnet56"] }
              }
            ],
            "seeds": { "count": 3 },
            "report": { "paperValues": "preset:paper/table1" }
          }

          """),
      Preset(
        name: "paper/fig2-loss-terms",
        text: """
          {
            // Figure 2 of the paper: the logit term alone, the feature term alone, both.
            "version": 1,
            "name": "fig2-loss-terms",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2"
            },
            "blocks": [
              { "name": "baseline", "base": { "method": "baseline" } },
              { "name": "terms", "base": { "method": "mtkd-rl" }, "zip": [ { "alpha": [1, 0, 1], "beta": [0, 5, 5] } ] }
            ],
            "seeds": { "count": 3 },
            "report": { "paperValues": "preset:paper/fig2-loss-terms" }
          }

          """),
      Preset(
        name: "paper/table6a",
        text: """
          {
            // Table 6 (a) of the paper: four agents.
            "version": 1,
            "name": "table6a",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2", "method": "mtkd-rl"
            },
            "axes": { "policy": ["pg", "dpg", "ddpg", "ppo"] },
            "seeds": { "count": 3 },
            "report": { "paperValues": "preset:paper/table6a" }
          }

          """),
      Preset(
        name: "paper/table6b",
        text: """
          {
            // Table 6 (b) of the paper: what the policy is told and what is mixed with it: teacher performance, teacher-student gaps, both.
            "version": 1,
            "name": "table6b",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2"
            },
            "blocks": [
              { "name": "aver", "base": { "method": "aver-kd-fitnet" } },
              {
                "name": "components",
                "base": { "method": "mtkd-rl" },
                "zip": [
                  {
                    "stateEntries": [["feature", "logits", "ce"], ["cos", "kl"], ["feature", "logits", "ce", "cos", "kl"]],
                    "actionTerms": [["policy", "confidence"], ["policy", "divergence"], ["policy", "confidence", "divergence"]]
                  }
                ]
              }
            ],
            "seeds": { "count": 3 },
            "report": { "paperValues": "preset:paper/table6b" }
          }

          """),
      Preset(
        name: "paper/table6c",
        text: """
          {
            // Table 6 (c) of the paper: what methods cost. `report --metric measured.secondsPerEpoch` and `--metric measured.peakMegabytes` show the costs.
            "version": 1,
            "name": "table6c",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2"
            },
            "axes": { "method": ["baseline", "aver-kd-fitnet", "ca-mkd", "mtkd-rl"] },
            "seeds": { "count": 3 },
            "report": { "paperValues": "preset:paper/table6c" }
          }

          """),
      Preset(
        name: "paper/table7",
        text: """
          {
            // Table 7 of the paper: MTKD-RL with DIST for the logit loss, with ND for the feature loss. The paper has it for ResNet-18 on ImageNet; here it is on
            // CIFAR-100 with the teachers of table 1.
            "version": 1,
            "name": "table7",
            "base": {
              "dataset": "cifar100", "epochs": 240,
              "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"],
              "student": "shufflenetv2", "logitLoss": "kd", "ndMode": "off"
            },
            "blocks": [
              { "name": "kd", "axes": { "method": ["baseline", "mtkd-rl"] } },
              { "name": "dist", "base": { "method": "mtkd-rl", "logitLoss": "dist" } },
              { "name": "nd", "base": { "method": "mtkd-rl", "ndMode": "replace" } }
            ],
            "seeds": { "count": 3 },
            "report": { "paperValues": "preset:paper/table7" }
          }

          """),
      Preset(
        name: "paper/table2",
        text: """
          {
            // Table 2 of the paper: ImageNet, ResNet-18 and ResNet-34 with four published teachers. The paper's recipe is not released; this one is the
            // usual one of TorchVision. Import the teachers first, from their state dictionaries as safetensors:
            //   mtkd-sweep import resnet50.safetensors --network resnet50 --dataset imagenet:FOLDER --normalisation imagenet
            "version": 1,
            "name": "table2-imagenet",
            "base": {
              "dataset": "imagenet", "recipe": "imagenet", "epochs": 100, "batchSize": 256,
              "teachers": [
                { "import": "resnet50" }, { "import": "resnet101" }, { "import": "wide-resnet50-2" }, { "import": "resnext50-32x4d" }
              ]
            },
            "axes": {
              "student": ["resnet18", "resnet34"],
              "method": ["baseline", "aver-kd", "aver-kd-fitnet", "amtml-kd", "aekd", "ca-mkd", "mmkd", "mtkd-rl"]
            }
          }

          """),
      Preset(
        name: "paper/table3",
        text: """
          {
            // Table 3 of the paper: ImageNet, DeiT-Tiny and CaiT-XXS24 with three published teachers. The recipe is DeiT's without its mixed images and
            // random augmentations, and unconfirmed: the paper does not say. The head of a transformer is not defined on a map, so CA-MKD is left out.
            //   mtkd-sweep import deit_small.safetensors --network deit-small --dataset imagenet:FOLDER --normalisation imagenet
            "version": 1,
            "name": "table3-vit",
            "base": {
              "dataset": "imagenet", "recipe": "vit", "epochs": 300, "batchSize": 1024,
              "teachers": [{ "import": "cait-s24" }, { "import": "deit-small" }, { "import": "deit-base" }]
            },
            "axes": { "method": ["baseline", "aver-kd", "aver-kd-fitnet", "amtml-kd", "aekd", "mmkd", "mtkd-rl"] },
            "zip": [{ "student": ["deit-tiny", "cait-xxs24"], "dropPath": [0.1, 0.05] }]
          }

          """),
    ]
  ) { $0.name }
}
