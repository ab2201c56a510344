/// Which of a run's epochs speaks for it.
package enum ReportSelection: String, CaseIterable, Sendable {
  /// The last: what an unattended training ends with.
  case last
  /// The one with the best validation value, the earliest if several.
  case bestOnValidation
  /// The one with the best value of the metric itself: chosen by what it is judged by, so a table says so.
  case bestOnTest
}

/// Which epoch counts as a run's last one, for a metric that not every epoch reports.
package enum ReportEpoch: String, CaseIterable, Sendable {
  /// The last epoch of the run; a run that did not report the metric there has no number.
  case last
  /// The last epoch that reported the metric.
  case lastReported
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
  /// Nil for the headline of the sweep.
  package var metric: String?
  /// Which values of the metric are the better ones; nil for what the task or the trainer declares.
  package var direction: MetricDirection?
  package var select = ReportSelection.last
  package var epoch = ReportEpoch.last
  /// Settings whose values make the rows and the columns; the usual layout where both are empty.
  package var rows: [String] = []
  package var columns: [String] = []
  /// The declared family: a method that every other is compared with, or one pair, `mtkd-rl - ca-mkd`.
  package var compareTo: [String] = []
  package var test = ReportTest.pairedT
  package var correction = ReportCorrection.holm
  /// Settings over which means are taken, seed by seed, before mean and std over the seeds.
  package var average: [String] = []
  /// The paper's table that the grid follows, such as `preset:paper/table1`.
  package var paperValues: String?

  package init() {}

  /// The methods that an entry of `compareTo` names: `ca-mkd`, or the two of `mtkd-rl - ca-mkd`, with or
  /// without ` over student` behind them.
  package static func methods(inFamily entry: String) -> [String] {
    let pair = entry.firstRange(of: over).map { entry[..<$0.lowerBound] } ?? entry[...]
    return pair.split(separator: " - ", maxSplits: 1).map(String.init)
  }

  /// The settings over which an entry of `compareTo` takes means: `student` of
  /// `mtkd-rl - ca-mkd over student`.
  package static func averages(inFamily entry: String) -> [String] {
    guard let range = entry.firstRange(of: over) else { return [] }
    return entry[range.upperBound...].split { $0 == "," || $0 == " " }.map(String.init)
  }

  /// An entry of `compareTo` that takes means over settings.
  package static func family(_ compare: String, over average: [String]) -> String {
    average.isEmpty ? compare : compare + over + average.joined(separator: ",")
  }

  private static let over = " over "
}

extension ReportPreferences: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    func list(_ texts: [String]) -> JSONValue? { texts.isEmpty ? nil : .array(texts.map { .string($0) }) }
    var object = ObjectWriter(to: &bytes)
    object.member("average", list(average), to: &bytes)
    object.member("columns", list(columns), to: &bytes)
    object.member("compareTo", list(compareTo), to: &bytes)
    object.member("correction", .string(correction.rawValue), to: &bytes)
    object.member("direction", direction.map { .string($0.rawValue) }, to: &bytes)
    if epoch != .last { object.member("epoch", .string(epoch.rawValue), to: &bytes) }
    object.member("metric", metric.map { .string($0) }, to: &bytes)
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
    metric = try object.optional("metric", SpecObject.string)
    direction = try MetricDirection.read(object)
    select = try word("select", select)
    epoch = try word("epoch", epoch)
    rows = try texts("rows")
    columns = try texts("columns")
    compareTo = try texts("compareTo")
    average = try texts("average")
    test = try word("test", test)
    correction = try word("correction", correction)
    paperValues = try object.optional("paperValues", SpecObject.string)
  }
}
