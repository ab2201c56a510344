package import Specs

extension Catalog where Entry == PaperTable {
  /// The order and the names are those of `GridKeys.paperTables`.
  package static let paperTables = Catalog(
    "table of the paper",
    [
      PaperTable(name: "table1", title: "Table 1", tables: ["table1"], notes: cifarNotes),
      PaperTable(name: "table2", title: "Table 2", tables: ["table2"], notes: imageNetNotes),
      PaperTable(name: "table3", title: "Table 3", tables: ["table3"], notes: imageNetNotes),
      PaperTable(
        name: "table4", title: "Table 4", tables: ["table4"],
        notes: [
          "Detection on COCO-2017 with backbones trained on ImageNet; single numbers without a std."
        ] + downstreamNotes
          + ["\"mAP\" is taken as box AP at IoU 0.50 to 0.95, for Mask R-CNN too."], rivals: ["baseline"]),
      PaperTable(
        name: "table5", title: "Table 5", tables: ["table5"],
        notes: ["The paper does not name the metric; mIoU is assumed. Single numbers without a std."]
          + downstreamNotes
          + [
            "For COCO-Stuff, test.mIoU under lab-seg counts the 11 ids that never occur as 0; "
              + "test.mIoU.present leaves them out."
          ],
        rivals: ["baseline"]),
      PaperTable(name: "table6a", title: "Table 6(a)", tables: ["table6a"], notes: cifarNotes, variant: "PG"),
      PaperTable(
        name: "table6b", title: "Table 6(b)", tables: ["table6b"], notes: cifarNotes, variant: "all"),
      PaperTable(
        name: "table6c", title: "Table 6(c)", tables: ["table6c"],
        notes: cifarNotes + [
          "Seconds and memory are those of one RTX 4090; ours are CPU seconds."
        ], rivals: ["ca-mkd", "aver-kd-fitnet"], family: 1),
      PaperTable(
        name: "table7", title: "Table 7", tables: ["table7"], notes: imageNetNotes,
        rivals: ["baseline", "mtkd-rl+dist", "mtkd-rl+nd"]),
      PaperTable(
        name: "fig2-loss-terms", title: "Figure 2, loss terms", tables: ["figure2"],
        notes: cifarNotes + ["The text gives gains over the baseline of Table 1; accuracies are their sums."],
        variant: "logit- and feature-level KD"),
      PaperTable(
        name: "readme", title: "README of the release", tables: ["readme"],
        notes: [
          "Not in the paper: single numbers of the dynamic and the static mix from the README of the "
            + "released code."
        ], variant: "static"),
    ]
  ) { $0.name }

  private static let cifarNotes = [
    "The paper averages 3 runs and does not say whether ± divides by n or by n - 1; here it is "
      + "taken as n - 1.",
    "The paper does not say which epoch it reports; the released script ends with the best test epoch.",
    "Our augmentation, subsets and random streams are our own; the released code's are not "
      + "reproduced bit for bit.",
    "The paper does not say how it scaled the losses of the compared methods; see the option 'scaling'.",
    "The paper's Baseline may come from the released baseline script: weight decay 5e-4, no Nesterov, rate "
      + "0.01 for mobile networks.",
  ]
  private static let downstreamNotes = [
    "The paper's protocol is not published: neither framework nor schedule, seeds or metric. The recipes "
      + "mmdet-1x and lab-seg are what its authors most likely used (docs/transfer.md)."
  ]
  private static let imageNetNotes = [
    "Single numbers: the paper prints no std, so no test is possible.",
    "The recipe on ImageNet was not released.",
  ]
}
