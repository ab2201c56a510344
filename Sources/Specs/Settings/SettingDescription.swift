/// One setting of a run, described once. The grid reader, `check`, the JSON schema, filters, the encoding,
/// `init`, completion, `settings` and the table in docs/grid.md are made of these descriptions.
///
///     SettingDescription(
///       "labelSmoothing", .number(.from(0, below: 1)), default: .value(0), place: .recipe,
///       sentence: "Share of a label that all classes divide among them.")
///
/// That one entry in `Settings.common` is a whole recipe setting; whoever computes with it reads
/// `recipe.number("labelSmoothing")`.
public struct SettingDescription: Hashable, Sendable {
  /// As a grid writes it. A dot makes it a member of a group: `transfer.detector` is also
  /// `"transfer": { "detector": … }`.
  public let name: String
  /// What its values may be.
  public let kind: SettingKind
  /// What a run has whose grid does not name the setting.
  public let `default`: Default
  /// Of an amount: `epochs`, `images`. Nil for what has none.
  public let unit: String?
  /// Which runs can differ in it.
  public let readers: Readers
  /// What it is, for people.
  public let sentence: String
  /// Where its value goes.
  public let place: Place
  /// What other programs call it; for hints alone.
  public let synonyms: [String]
  /// What older grids call it; read where it can mean nothing else.
  public let formerName: String?
  /// What canonical encodings, and so keys, call it.
  public let encodedName: String

  /// What a run has whose grid does not name the setting.
  public enum Default: Hashable, Sendable {
    /// There is no run without it.
    case required
    /// What its absence means, in a word: `none`, `all`.
    case absent(String)
    /// Left out of the encoding. A named recipe may have another one.
    case value(JSONValue)
    case ofRecipe
    /// That of another setting.
    case of(String)
    /// The first of the method's.
    case ofMethod
  }

  /// Which runs can differ in it.
  public enum Readers: Hashable, Sendable {
    case everyRun
    /// Runs whose method reads teachers.
    case methodsWithTeachers
    /// Runs whose method has presets.
    case methodsWithPresets
    /// Runs whose method lists it among its options.
    case methodsThatListIt
    /// Runs whose rate follows this schedule.
    case schedule(RecipeSpec.Schedule)
  }

  /// Where its value goes.
  public enum Place: Hashable, Sendable {
    /// Into the run, beside its recipe and its method.
    case run
    /// Into what recipes start from, the student's and its teachers': name, length, batches.
    case recipeBase
    /// Into the student's recipe.
    case recipe
    /// Into the recipes of the student and of its teachers, which are computed alike.
    case recipeOfAll
    /// Into the method's options.
    case method
    /// Into what the run's backbone is put to.
    case transfer
  }

  /// A setting of every run.
  ///
  /// - Parameters:
  ///   - readers: which runs can differ in it (default: every run).
  ///   - encodedName: what keys call it (default: its name).
  public init(
    _ name: String, _ kind: SettingKind, default: Default, unit: String? = nil, readers: Readers = .everyRun,
    place: Place, synonyms: [String] = [], formerName: String? = nil, encodedName: String? = nil,
    sentence: String
  ) {
    self.name = name
    self.kind = kind
    self.default = `default`
    self.unit = unit
    self.readers = readers
    self.sentence = sentence
    self.place = place
    self.synonyms = synonyms
    self.formerName = formerName
    self.encodedName = encodedName ?? name
  }

  /// An option of methods.
  ///
  /// - Parameter standard: its default.
  public init(
    option name: String, _ kind: SettingKind, default standard: JSONValue, unit: String? = nil,
    formerName: String? = nil, encodedName: String? = nil, _ sentence: String
  ) {
    self.init(
      name, kind, default: .value(standard), unit: unit, readers: .methodsThatListIt, place: .method,
      formerName: formerName, encodedName: encodedName, sentence: sentence)
  }

  /// The default where it is one value for every run; else null.
  package var standard: JSONValue { if case .value(let value) = self.default { value } else { .null } }

  /// Whether it is a quantity that is varied, not something that decides what else is read.
  package var isAmount: Bool { kind.isAmount }

  /// Whether recipes hold it.
  package var isOfRecipe: Bool { place == .recipe || place == .recipeOfAll }

  /// What a value should be, where this one is not acceptable; nil where it is.
  package func complaint(about value: JSONValue, isPlain: Bool = true) -> String? {
    kind.complaint(about: value, isPlain: isPlain)
  }
}

extension MethodDescription {
  /// Whether a setting can change a run of the method.
  package func reads(_ setting: SettingDescription) -> Bool {
    switch setting.readers {
    case .everyRun, .schedule: true
    case .methodsWithTeachers: readsTeachers
    case .methodsWithPresets: !presets.isEmpty
    case .methodsThatListIt: options.contains { $0.name == setting.name }
    }
  }
}
