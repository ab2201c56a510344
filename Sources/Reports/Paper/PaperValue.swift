/// One number that a paper prints.
package struct PaperValue: Equatable, Sendable {
  /// `table1`, `table6a`, `figure2`, `readme`.
  package let table: String
  package let dataset: String
  /// As the paper writes them.
  package let network: String
  package let method: String
  /// As this program writes it: `ca-mkd`; empty where the row is about a network alone.
  package let methodName: String
  /// `top1`, `params`, `time_per_epoch`, `mAP` and so on.
  package let metric: String
  package let mean: Double
  /// As printed; nil where none is. The paper does not say whether it divides by n or by n - 1.
  package let std: Double?
  package let unit: String
  /// What tells rows of one network and method apart: a detector, an agent, a part of the state.
  package let variant: String
  package let source: String

  /// Runs behind a number with a std.
  package static let count = 3

  package var moments: Moments { Moments(count: Self.count, mean: mean, std: std) }

  /// In the order of the tables.
  package static let all: [PaperValue] = printed.split(separator: "\n").map { PaperValue(row: $0) }

  /// - Precondition: the row is one of `printed`, which a test reads from end to end.
  private init(row: Substring) {
    let fields = Self.fields(row)
    precondition(fields.count == 13, "a row of \(fields.count) fields: \(row)")
    (table, dataset, network, method) = (fields[0], fields[2], fields[3], fields[4])
    methodName = Self.methodNames[fields[5]] ?? (fields[5] == "-" ? "" : fields[5])
    (metric, mean, std) = (fields[6], Double(fields[7])!, Double(fields[8]))
    (unit, variant, source) = (fields[9], fields[11], fields[12])
  }

  /// The data's short names, as this program writes them.
  private static let methodNames = ["camkd": "ca-mkd", "amtml": "amtml-kd", "ebkd": "eb-kd"]

  /// The fields of a line of comma-separated values; quotes keep commas together.
  static func fields(_ line: Substring) -> [String] {
    var fields = [""]
    var isQuoted = false
    for character in line {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: fields.append("")
      default: fields[fields.count - 1].append(character)
      }
    }
    return fields
  }
}

/// A number that the paper's text states of its tables.
package struct PaperClaim: Equatable, Sendable {
  /// `MTKD-RL minus CA-MKD, mean of 4 students`.
  package let claim: String
  package let stated: Double
  /// What the tables give.
  package let recomputed: Double
  /// Whether the two are one number at the digits that are printed.
  package let agrees: Bool
  package let source: String

  package static let all: [PaperClaim] = PaperValue.printedClaims.split(separator: "\n").map { row in
    let fields = PaperValue.fields(row)
    precondition(fields.count == 5, "a row of \(fields.count) fields: \(row)")
    return PaperClaim(
      claim: fields[0], stated: Double(fields[1])!, recomputed: Double(fields[2])!,
      agrees: fields[3] == "yes",
      source: fields[4])
  }
}

/// A table or figure of the paper that a grid can follow.
package struct PaperTable: Sendable {
  /// After `preset:paper/` in a grid.
  package let name: String
  /// `Table 1`.
  package let title: String
  /// The rows of `PaperValue.table` that belong to it.
  private let tables: [String]
  /// What a reader has to know before setting other numbers beside these.
  package let notes: [String]
  /// Methods that the paper's own is tested against, and the family that is corrected over:
  /// the first so many of them.
  let rivals: [String]
  let family: Int
  /// Where rows of one method differ in a variant: the one that the others are tested against.
  let variant: String

  init(
    name: String, title: String, tables: [String], notes: [String],
    rivals: [String] = ["ca-mkd", "mmkd", "aver-kd-fitnet"], family: Int = 2, variant: String = ""
  ) {
    self.name = name
    self.title = title
    self.tables = tables
    self.notes = notes
    self.rivals = rivals
    self.family = family
    self.variant = variant
  }

  /// What the table is about: accuracies of classifiers, detectors or segmenters.
  var accuracies: [PaperValue] {
    values.filter { ["top1", "mAP", "mIoU"].contains($0.metric) && !$0.methodName.isEmpty }
  }

  /// Whether the table is one of CIFAR-100 under the paper's student recipe.
  var isCIFAR: Bool { values.contains { $0.dataset == "CIFAR-100" } }

  package var values: [PaperValue] { PaperValue.all.filter { tables.contains($0.table) } }

  /// The accuracy of a student under a method; nil where the table has none, or several that only a variant
  /// tells apart and none is meant.
  ///
  /// - Parameters:
  ///   - student: as grids write it, or as the paper does.
  ///   - variants: what the run is called besides, such as `ppo`, `mask-rcnn` or
  ///     `ade20k:FOLDER`; compared without case.
  package func accuracy(student: String, method: String, variants: [String] = []) -> PaperValue? {
    var rows = accuracies.filter { $0.methodName == method && Self.isSame($0.network, student) }
    if Set(rows.map(\.dataset)).count > 1 {
      let datasets = Set(variants.compactMap { $0.split(separator: ":").first?.lowercased() })
      rows.removeAll { !datasets.contains($0.dataset.lowercased()) }
    }
    if rows.count == 1 { return rows[0] }
    let meant = Set(variants.map { $0.lowercased() } + [""])
    return rows.first { meant.contains($0.variant.lowercased()) && !$0.variant.isEmpty }
      ?? rows.first { $0.variant.isEmpty }
  }

  /// Whether a label of the paper and a name of a grid mean one network.
  static func isSame(_ label: String, _ name: String) -> Bool {
    func bare(_ text: String) -> String {
      let text = text.lowercased()
      let short = text.hasPrefix("tv-") ? String(text.dropFirst(3)) : text
      return short.filter { $0.isLetter || $0.isNumber }
    }
    return bare(label) == bare(name) || aliases[bare(name)] == bare(label)
  }

  /// Other spellings that grids accept.
  private static let aliases = ["shufflev2": "shufflenetv2"]
}
