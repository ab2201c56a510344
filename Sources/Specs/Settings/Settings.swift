/// The settings of runs that are not one method's own. A new one is one entry here.
package enum Settings {
  /// More views than this are fresh ones in all but name, and nothing could be kept of them.
  package static let mostViews = 1000

  /// Settings of every run, in the order of the guide; then those that several methods
  /// share, and those of transfers.
  package static let common = ofStudents + transfer

  static let ofStudents: [SettingDescription] = [
    SettingDescription(
      "student", .network, default: .required, place: .run, synonyms: ["network", "model", "arch"],
      sentence: "The network that is trained and tested."),
    SettingDescription(
      "method", .method, default: .required, place: .run, synonyms: ["distill", "algorithm"],
      sentence: "How the student learns; `mtkd-sweep methods NAME` lists its options."),
    SettingDescription(
      "dataset", .dataset, default: .value("synthetic"), place: .run, synonyms: ["data"],
      sentence: "The images, by a name of `mtkd-sweep datasets`; a folder is relative to the grid."),
    SettingDescription(
      "trainImages", .integer(minimum: 1), default: .absent("all"), unit: "images", place: .run,
      sentence: "Size of a class-balanced, seeded subset of the training images."),
    SettingDescription(
      "testImages", .integer(minimum: 1), default: .absent("all"), unit: "images", place: .run,
      sentence: "Size of a class-balanced, seeded subset of the test images."),
    SettingDescription(
      "validationImages", .integer(minimum: 0), default: .value(0), unit: "images", place: .run,
      synonyms: ["valImages"],
      sentence: "Images taken out of the training images, for model selection."),
    SettingDescription(
      "resize", .choice(["bilinear", "bicubic"]), default: .value("bilinear"), place: .run,
      synonyms: ["interpolation"],
      sentence: "How photographs are resampled when a network is measured; timm's DeiT and "
        + "CaiT use bicubic."),
    SettingDescription(
      "crop", .number(.from(DecimalNumber(mantissa: 1, exponent: -1))),
      default: .value(.number(DecimalNumber(mantissa: 875, exponent: -3))),
      place: .run, synonyms: ["crop_pct", "cropPercent"],
      sentence:
        "The middle square's share of a photograph's shorter side when a network is measured, at most 1."
    ),
    SettingDescription(
      "teachers", .teachers, default: .absent("none"), readers: .methodsWithTeachers, place: .run,
      synonyms: ["teacher"],
      sentence:
        "The pool of teachers, in order. A teacher is a network that is trained here, { \"import\": NAME }, "
        + "or { \"file\": PATH, \"network\": NAME }."
    ),
    SettingDescription(
      "recipe", .choice(RecipeSpec.Name.allCases.map(\.rawValue)), default: .value("student"),
      place: .recipeBase,
      sentence: "The student's training recipe; the settings below override its values one by one."),
    SettingDescription(
      "epochs", .integer(minimum: 1), default: .ofRecipe, unit: "epochs", place: .recipeBase,
      synonyms: ["num_epochs", "max_epochs", "ep"], sentence: "Length of the student's training."),
    SettingDescription(
      "batchSize", .integer(minimum: 1), default: .ofRecipe, unit: "images", place: .recipeBase,
      synonyms: ["bs", "batch", "batch_size"], sentence: "Images in a batch, of the student and its teachers."
    ),
    SettingDescription(
      "learningRate", .number(.above(0)), default: .ofRecipe, place: .recipe,
      synonyms: ["lr", "learning_rate", "eta"], sentence: "The student's learning rate before the schedule."),
    SettingDescription(
      "weightDecay", .number(.from(0)), default: .ofRecipe, place: .recipe,
      synonyms: ["wd", "weight_decay", "l2"], sentence: "The student's weight decay."),
    SettingDescription(
      "labelSmoothing", .number(.from(0, below: 1)), default: .value(0), place: .recipe,
      synonyms: ["label_smoothing", "smoothing"],
      sentence: "Share of a label that all classes divide among them."),
    SettingDescription(
      "dropPath", .number(.from(0, below: 1)), default: .value(0), place: .recipe,
      synonyms: ["drop_path", "stochasticDepth", "stochastic_depth"],
      sentence: "Highest probability with which stochastic depth leaves out a branch of a transformer."),
    SettingDescription(
      "warmupEpochs", .integer(minimum: 0), default: .value(0), unit: "epochs",
      readers: .schedule(.cosine), place: .recipe, synonyms: ["warmup", "warmup_epochs"],
      sentence:
        "Epochs in which the learning rate rises to its full value; of recipes with a cosine "
        + "schedule (`vit`)."
    ),
    SettingDescription(
      "colourJitter", .number(.from(0, to: 1)), default: .value(0), place: .recipe,
      synonyms: ["colorJitter", "color_jitter", "jitter"],
      sentence:
        "Of photographs: brightness, contrast and saturation change by factors from 1 - this to 1 + this, "
        + "in a random order; not with fixed views. TorchVision and timm usually take 0.4."
    ),
    SettingDescription(
      "teacherEpochs", .integer(minimum: 1), default: .of("epochs"), unit: "epochs",
      readers: .methodsWithTeachers, place: .run,
      sentence: "Length of the teachers' training, of which the best test epoch is used, as the authors do."),
    SettingDescription(
      "teacherRecipe", .choice(RecipeSpec.Name.allCases.map(\.rawValue)), default: .value("teacher"),
      readers: .methodsWithTeachers, place: .run, sentence: "The teachers' training recipe."),
    SettingDescription(
      "teacherTrainImages", .integer(minimum: 1), default: .of("trainImages"), unit: "images",
      readers: .methodsWithTeachers, place: .run,
      sentence:
        "How many training images the teachers learn from: teachers that know no more than the student have "
        + "little to teach. Larger subsets hold the smaller ones; images held out for "
        + "validation are in none."
    ),
    SettingDescription(
      "views", .integer(0...mostViews), default: .value(0), unit: "views of an image", place: .run,
      sentence:
        "K: every epoch draws each image's view from K seeded ones, the same for all runs, so that "
        + "teachers' outputs can be cached; 0: new views in each epoch."
    ),
    SettingDescription(
      "agreement", .flag, default: .value(false), readers: .methodsWithTeachers, place: .run,
      sentence:
        "Whether each evaluation also measures the share of images for which the student and a teacher name "
        + "the same class: `test.agreement.0` of the first teacher, and so on."
    ),
    SettingDescription(
      "convolution", .choice(RecipeSpec.ConvolutionKind.allCases.map(\.rawValue)), default: .value("auto"),
      place: .recipeOfAll,
      sentence:
        "How convolutions are computed: the fastest way for each shape, Winograd's algorithm included, or "
        + "the sums of the definition. Holds for a run and its teachers, imported ones too."
    ),
    SettingDescription(
      "numerics", .choice(RecipeSpec.NumericsKind.allCases.map(\.rawValue)), default: .value("portable"),
      place: .recipeOfAll,
      sentence:
        "`portable`: the same bits on every machine with AVX2. `native`: products of attention use "
        + "OpenBLAS's kernel for this processor, and the bits are those of its kind. Holds for a run "
        + "and its teachers."
    ),
    SettingDescription(
      "trainer", .trainer, default: .absent("none"), place: .run,
      sentence: "A program that trains in this one's place: docs/trainers.md."),
    SettingDescription(
      "preset", .preset, default: .ofMethod, readers: .methodsWithPresets, place: .method,
      sentence: "A named bundle of the method's options; options that are set win over it."),
    alpha, beta, temperature,
  ]

  package static let alpha = SettingDescription(
    option: "alpha", .number(minimum: 0), default: 1, "Weight of the logit term (equation 2).")
  package static let beta = SettingDescription(
    option: "beta", .number(minimum: 0), default: 5, "Weight of the feature term (equation 2).")
  package static let temperature = SettingDescription(
    option: "temperature", .number(minimum: DecimalNumber(mantissa: 1, exponent: -3)), default: 4,
    "T that softens logits in the KD loss.")

  /// Names that documents use and this version does not read yet.
  package static let later = ["baselineRecipe"]
}

extension SettingDescription {
  package static let alpha = Settings.alpha
  package static let beta = Settings.beta
  package static let temperature = Settings.temperature
}
