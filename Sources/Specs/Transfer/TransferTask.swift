/// What a distilled network's backbone is put to.
package enum TransferTask: String, CaseIterable, Sendable {
  case detection, segmentation

  /// The heads that do the task, by the names that grids use.
  package var heads: [String] {
    switch self {
    case .detection: ["retinanet", "faster-rcnn", "mask-rcnn", "cascade-rcnn"]
    case .segmentation: ["deeplabv3", "pspnet"]
    }
  }

  /// The setting that names one of them.
  package var setting: String {
    switch self {
    case .detection: "transfer.detector"
    case .segmentation: "transfer.segmentor"
    }
  }

  /// The recipe that holds where a grid names none.
  package var usualRecipe: String {
    switch self {
    case .detection: "mmdet-1x"
    case .segmentation: "lab-seg"
    }
  }
}

/// A recipe of transfers by its name.
package struct TransferRecipe: Hashable, Sendable {
  package let name: String
  package let task: TransferTask
  /// One line for a listing.
  package let summary: String
}

/// A field of the recipes of a task: every constant that differs between frameworks is
/// one, so it is in the key.
///
///     TransferField("fpnWidth", .integer(minimum: 1), unit: "channels", .detection, "…",
///       ["mmdet-1x": .value(256), "torchvision": .value(256), "mini-det": .value(64)])
///
/// That entry is also the setting `transfer.fpnWidth`.
package struct TransferField: Hashable, Sendable {
  package let name: String
  package let kind: SettingKind
  package let unit: String?
  package let task: TransferTask
  /// Heads that read it.
  package let readers: [String]
  package let sentence: String
  /// By the name of a recipe of the task.
  package let standards: [String: Standard]
  /// A value that stands in no key: the one that transfers had before there was the field; nil for none.
  package let omitted: JSONValue?

  /// What a recipe says.
  package indirect enum Standard: Hashable, Sendable {
    case value(JSONValue)
    /// One value for some heads, another for the rest.
    case byHead([String: JSONValue], else: JSONValue)
    /// One value for datasets whose names begin so, another for the rest.
    case byDataset([String: JSONValue], else: JSONValue)
    /// √(2 / (9 × the field's value)).
    case kaiming(of: String)

    /// What a listing prints.
    package var text: String {
      func list(_ parts: [String: JSONValue], _ rest: JSONValue) -> String {
        let named = parts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.title)" }
        return (named + ["others \(rest.title)"]).joined(separator: "; ")
      }
      switch self {
      case .value(let value): return value.title
      case .byHead(let parts, let rest), .byDataset(let parts, let rest): return list(parts, rest)
      case .kaiming(let field): return "sqrt(2 / (9 \(field)))"
      }
    }
  }

  package init(
    _ name: String, _ kind: SettingKind, unit: String? = nil, _ task: TransferTask, readers: [String]? = nil,
    _ sentence: String, _ standards: [String: Standard], omitted: JSONValue? = nil
  ) {
    self.name = name
    self.kind = kind
    self.unit = unit
    self.task = task
    self.readers = readers ?? task.heads
    self.sentence = sentence
    self.standards = standards
    self.omitted = omitted
  }

  /// As a grid names it.
  package var setting: String { "transfer.\(name)" }
}

extension TransferField {
  /// The value that a recipe gives a head on a dataset.
  ///
  /// - Parameter number: the resolved value of another field.
  func standard(
    _ recipe: String, head: String, dataset: String, number: (String) -> Double?
  ) -> JSONValue {
    switch standards[recipe] {
    case nil: return .null
    case .value(let value): return value
    case .byHead(let parts, let rest): return parts[head] ?? rest
    case .byDataset(let parts, let rest): return parts.first { dataset.hasPrefix($0.key) }?.value ?? rest
    case .kaiming(let field):
      let width = number(field) ?? 1
      return DecimalNumber((2 / (9 * width)).squareRoot()).map { .number($0) } ?? .null
    }
  }
}
