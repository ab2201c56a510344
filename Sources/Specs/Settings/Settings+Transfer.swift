extension Settings {
  /// What a run's backbone is put to: a detector or a segmentor, its dataset, and all fields of its recipe.
  static let transfer: [SettingDescription] = transferBase + transferFields

  private static let transferBase: [SettingDescription] = [
    SettingDescription(
      "transfer.detector", .choice(TransferTask.detection.heads), default: .absent("none"), place: .transfer,
      sentence: "The detector that the backbone is trained in; the run's task is then `detection`."),
    SettingDescription(
      "transfer.segmentor", .choice(TransferTask.segmentation.heads), default: .absent("none"),
      place: .transfer,
      sentence: "The segmentor that the backbone is trained in; the run's task is then `segmentation`."),
    SettingDescription(
      "transfer.dataset", .annotatedDataset, default: .absent("none"), place: .transfer,
      sentence: "The images with boxes, masks or labels of pixels that a transfer is trained and tested on."),
    SettingDescription(
      "transfer.recipe", .choice(TransferRecipes.all.map(\.name)), default: .absent("the task's first"),
      place: .transfer,
      sentence:
        "The transfer's recipe, `mmdet-1x` or `lab-seg` where none is named; the settings below "
        + "override its values."
    ),
    SettingDescription(
      "transfer.trainImages", .integer(minimum: 1), default: .absent("all"), unit: "images", place: .transfer,
      sentence: "Size of a seeded subset of the transfer's training images, the same for all seeds."),
    SettingDescription(
      "transfer.testImages", .integer(minimum: 1), default: .absent("all"), unit: "images", place: .transfer,
      sentence: "Size of a seeded subset of the transfer's test images, the same for all seeds."),
    SettingDescription(
      "transfer.validationImages", .integer(minimum: 0), default: .value(0), unit: "images", place: .transfer,
      sentence: "Images taken out of the transfer's training images."),
    SettingDescription(
      "transfer.backbone", .backbone, default: .value("student"), place: .transfer,
      sentence:
        "Whose backbone it is: the run's own student's, that of weights from elsewhere, or a random "
        + "one as the floor."
    ),
    SettingDescription(
      "transfer.epoch", .choice(["last", "best"]), default: .value("last"), place: .transfer,
      sentence: "Which checkpoint of the student gives the backbone."),
    SettingDescription(
      "transfer.seeds", .integer(1...1000), default: .value(1), unit: "transfers", place: .transfer,
      sentence: "Transfers of each backbone; a run's value is their mean."),
    SettingDescription(
      "transfer.label", .label, default: .absent("none"), place: .transfer,
      sentence: "What reports show as student and method of a backbone from elsewhere; in no key."),
  ]

  /// One setting for a field that both tasks have.
  private static let transferFields: [SettingDescription] = {
    var settings: [SettingDescription] = []
    for field in TransferRecipes.fields where !settings.contains(where: { $0.name == field.setting }) {
      let twin = TransferRecipes.segmentation.first { $0.name == field.name && $0.task != field.task }
      settings.append(
        SettingDescription(
          field.setting, field.kind, default: .absent("the recipe's"),
          unit: twin == nil || twin?.unit == field.unit ? field.unit : "epochs or steps", place: .transfer,
          sentence: field.sentence))
    }
    return settings
  }()
}
