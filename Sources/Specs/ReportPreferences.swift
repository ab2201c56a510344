/// Which of a run's epochs speaks for it.
package enum ReportSelection: String, CaseIterable, Sendable {
  /// The last: what an unattended training ends with.
  case last
  /// The one of the highest validation accuracy, the earliest if several.
  case bestOnValidation
  /// The one of the highest test accuracy: chosen by what it is judged by, so a table says so.
  case bestOnTest
}

/// How the difference of two cells is tested; all tests are two-sided.
package enum ReportTest: String, CaseIterable, Sendable {
  case none, pairedT, signFlip, wilcoxon, welch

  /// In a sentence: `paired t`.
  package var title: String {
    switch self {
    case .none: "no test"
    case .pairedT: "paired t"
    case .signFlip: "sign flip"
    case .wilcoxon: "Wilcoxon"
    case .welch: "Welch"
    }
  }
}

/// What is done about many tests at once.
package enum ReportCorrection: String, CaseIterable, Sendable {
  case none, holm, benjaminiHochberg

  /// In a sentence: `Holm`.
  package var title: String {
    switch self {
    case .none: "no correction"
    case .holm: "Holm"
    case .benjaminiHochberg: "Benjamini-Hochberg"
    }
  }
}

/// How to show a sweep: the `report` block of a grid. Changes no result and no key.
package struct ReportPreferences: Hashable, Sendable {
  package var metric = "test.acc1"
  package var select = ReportSelection.last
  /// Settings whose values make the rows and the columns; the usual layout where both are empty.
  package var rows: [String] = []
  package var columns: [String] = []
  /// The declared family: a method that every other is compared with, or one pair, `mtkd-rl - ca-mkd`.
  package var compareTo: [String] = []
  package var test = ReportTest.pairedT
  package var correction = ReportCorrection.holm
  /// The paper's table that the grid follows, such as `preset:paper/table1`.
  package var paperValues: String?

  package init() {}

  /// The methods that an entry of `compareTo` names: `ca-mkd`, or the two of `mtkd-rl - ca-mkd`.
  package static func methods(inFamily entry: String) -> [String] {
    entry.split(separator: " - ", maxSplits: 1).map(String.init)
  }
}

extension ReportPreferences: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    func list(_ texts: [String]) -> JSONValue? { texts.isEmpty ? nil : .array(texts.map { .string($0) }) }
    var object = ObjectWriter(to: &bytes)
    object.member("columns", list(columns), to: &bytes)
    object.member("compareTo", list(compareTo), to: &bytes)
    object.member("correction", .string(correction.rawValue), to: &bytes)
    object.member("metric", .string(metric), to: &bytes)
    object.member("paperValues", paperValues.map { .string($0) }, to: &bytes)
    object.member("rows", list(rows), to: &bytes)
    object.member("select", .string(select.rawValue), to: &bytes)
    object.member("test", .string(test.rawValue), to: &bytes)
    object.end(&bytes)
  }

  /// Reads what `append` wrote; what is absent has its default.
  package init(_ json: JSONValue, at path: String = "report") throws(SpecError) {
    let object = try SpecObject(json, at: path)
    func word<Word: RawRepresentable<String>>(_ name: String, _ standard: Word) throws(SpecError) -> Word {
      guard let text = try object.optional(name, SpecObject.string) else { return standard }
      guard let word = Word(rawValue: text) else {
        throw SpecError(path: object.path(name), expected: "a word that this program knows")
      }
      return word
    }
    func texts(_ name: String) throws(SpecError) -> [String] {
      (try object.optional(name, SpecObject.array) ?? []).compactMap(\.string)
    }
    metric = try object.optional("metric", SpecObject.string) ?? metric
    select = try word("select", select)
    (rows, columns, compareTo) = (try texts("rows"), try texts("columns"), try texts("compareTo"))
    (test, correction) = (try word("test", test), try word("correction", correction))
    paperValues = try object.optional("paperValues", SpecObject.string)
  }
}
