/// What a number that runs report is: how tables, figures and selections name it, print it and judge it.
///
///     MetricDescription("test.mAP", title: "mean average precision", unit: "%", isHigherBetter: true)
///
/// Tasks and trainers declare the metrics that they report; a sweep is stored with the declarations
/// of its runs. A metric that nobody declared has a name and nothing else: it is shown, and no value
/// of it is called the best.
public struct MetricDescription: Hashable, Sendable {
  /// As runs report it, such as `test.loss`.
  public var name: String
  /// What it is called in a sentence, such as `accuracy`.
  public var title: String
  /// Such as `%`, `nats` or `s`; nil for a pure number.
  public var unit: String?
  /// Which of two values is the better one; nil where nobody said.
  public var isHigherBetter: Bool?
  /// Whether it stands for a run where nothing else is asked for: it chooses the best epoch, and is what
  /// lists and displays show.
  public var isHeadline: Bool
  /// Whether an external trainer declared it; else a task did, or nobody.
  package var isOfTrainer: Bool

  /// - Parameters:
  ///   - name: as runs report it.
  ///   - title: what it is called in a sentence (default: the name).
  public init(
    _ name: String, title: String? = nil, unit: String? = nil, isHigherBetter: Bool? = nil,
    isHeadline: Bool = false, isOfTrainer: Bool = false
  ) {
    self.name = name
    self.title = title ?? name
    self.unit = unit
    self.isHigherBetter = isHigherBetter
    self.isHeadline = isHeadline
    self.isOfTrainer = isOfTrainer
  }

  /// The name with its unit, such as `test.mAP (%)`: the title of a column or an axis.
  package var heading: String { unit.map { "\(name) (\($0))" } ?? name }

  /// A value with its unit, such as `72.10 %` or `0.4213 nats`: two digits after the point for
  /// percentages, four otherwise.
  package func text(_ value: Double) -> String {
    let number = NumberFormat.fixed(value, unit == "%" ? 2 : 4)
    return unit.map { "\(number) \($0)" } ?? number
  }

  /// Whether `a` is the better value. False where nobody said which way the metric is good, and for
  /// values that are not finite.
  package func isBetter(_ a: Double, than b: Double) -> Bool {
    guard let isHigherBetter, a.isFinite else { return false }
    return !b.isFinite || (isHigherBetter ? a > b : a < b)
  }

  /// The name of the same metric on validation data: `validation.mAP` for `test.mAP`; nil where the name does
  /// not begin with the test set.
  package var validationName: String? {
    for prefix in ["test.", "test/"] where name.hasPrefix(prefix) {
      return "validation" + name.dropFirst("test".count)
    }
    return nil
  }
}

/// The metrics that a sweep's runs declare.
package struct MetricDescriptions: Hashable, Sendable {
  /// In the order of their declaration; each name once.
  package let values: [MetricDescription]

  /// Where several declare one name, the first counts; where they contradict each other about
  /// the direction, it has none.
  package init(_ declared: [MetricDescription]) {
    var values: [MetricDescription] = []
    var places: [String: Int] = [:]
    for metric in declared {
      guard let place = places[metric.name] else {
        places[metric.name] = values.count
        values.append(metric)
        continue
      }
      if let direction = metric.isHigherBetter, let other = values[place].isHigherBetter, direction != other {
        values[place].isHigherBetter = nil
      }
    }
    self.values = values
  }

  /// The description of a metric; a bare one where nobody declared it. What an attempt measured of its own
  /// cost is declared by the program.
  package subscript(name: String) -> MetricDescription {
    values.first { $0.name == name } ?? Self.measured(name) ?? MetricDescription(name)
  }

  /// What stands for a run where nothing else is asked for; nil where nobody declared such a metric.
  package var headline: MetricDescription? { values.first(where: \.isHeadline) }

  /// The metrics whose best value may choose a run's epoch under `bestOnValidation`, the preferred one first:
  /// a run is chosen by the first that it recorded. Metrics of a task follow the task's headline; those of a
  /// trainer, and undeclared ones, their own validation value.
  package func selectors(of metric: MetricDescription) -> [MetricDescription] {
    func twin(_ metric: MetricDescription?) -> MetricDescription? {
      guard let metric, let name = metric.validationName else { return nil }
      var twin = self[name]
      // The same quantity on other images is good in the same direction.
      twin.isHigherBetter = twin.isHigherBetter ?? metric.isHigherBetter
      return twin
    }
    let isOfTask = values.contains { $0.name == metric.name && !$0.isOfTrainer }
    let pair = isOfTask ? [twin(headline), twin(metric)] : [twin(metric), twin(headline)]
    var selectors: [MetricDescription] = []
    for case .some(let selector) in pair where selector.isHigherBetter != nil && !selectors.contains(selector)
    {
      selectors.append(selector)
    }
    return selectors
  }

  private static func measured(_ name: String) -> MetricDescription? {
    guard name.hasPrefix(Metrics.measuredPrefix) else { return nil }
    let word = name.dropFirst(Metrics.measuredPrefix.count)
    let unit = word.lowercased().contains("seconds") ? "s" : word.hasSuffix("Megabytes") ? "10⁶ bytes" : nil
    return MetricDescription(name, unit: unit, isHigherBetter: unit == nil ? nil : false)
  }
}

extension MetricDescription: CanonicallyEncodable {
  /// The words of a grid for the two directions.
  package static let directions = MetricDirection.allCases.map(\.rawValue)

  public func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("direction", isHigherBetter.map { .string(MetricDirection($0).rawValue) }, to: &bytes)
    if isHeadline { object.member("headline", true, to: &bytes) }
    object.member("name", .string(name), to: &bytes)
    if title != name { object.member("title", .string(title), to: &bytes) }
    if isOfTrainer { object.member("trainer", true, to: &bytes) }
    object.member("unit", unit.map { .string($0) }, to: &bytes)
    object.end(&bytes)
  }

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      try object.string("name"), title: try object.optional("title", SpecObject.string),
      unit: try object.optional("unit", SpecObject.string),
      isHigherBetter: try MetricDirection.read(object)?.isHigherBetter,
      isHeadline: try object.optional("headline", SpecObject.bool) ?? false,
      isOfTrainer: try object.optional("trainer", SpecObject.bool) ?? false)
  }

  /// The longest name, title or unit that a trainer may declare, in characters.
  private static let longest = 100

  /// Reads what a grid declares for a trainer, an object of metrics by their names:
  /// `{ "test.mAP": { "title": "mean average precision", "unit": "%", "direction":
  /// "higher", "headline": true } }`.
  ///
  /// - Returns: In the order of their names, the headline first.
  package static func ofTrainer(_ json: JSONValue, at path: String) throws(SpecError) -> [MetricDescription] {
    guard let members = json.object else {
      throw SpecError(path: path, expected: "an object of metrics by their names")
    }
    var metrics: [MetricDescription] = []
    for name in members.keys.sorted() {
      let place = "\(path).\(name)"
      guard !name.isEmpty, !name.hasPrefix(Metrics.measuredPrefix) else {
        throw SpecError(
          path: place, expected: "a name that does not begin with \"\(Metrics.measuredPrefix)\"")
      }
      let object = try SpecObject(members[name] ?? .null, at: place)
      let known = ["direction", "headline", "title", "unit"]
      for member in (members[name]?.object ?? [:]).keys.sorted() where !known.contains(member) {
        throw SpecError(
          path: object.path(member), expected: "left out: a metric has \(known.joined(separator: ", "))")
      }
      let metric = MetricDescription(
        name, title: try object.optional("title", SpecObject.string),
        unit: try object.optional("unit", SpecObject.string),
        isHigherBetter: try MetricDirection.read(object)?.isHigherBetter,
        isHeadline: try object.optional("headline", SpecObject.bool) ?? false, isOfTrainer: true)
      guard [metric.name, metric.title, metric.unit ?? ""].allSatisfy({ $0.count <= longest }) else {
        throw SpecError(path: place, expected: "a metric with texts of at most \(longest) characters")
      }
      metrics.append(metric)
    }
    guard metrics.count(where: \.isHeadline) < 2 else {
      throw SpecError(path: path, expected: "metrics of which one at most is the headline")
    }
    return metrics.filter(\.isHeadline) + metrics.filter { !$0.isHeadline }
  }
}

/// Which values of a metric are the better ones, as a grid writes it.
package enum MetricDirection: String, CaseIterable, Sendable {
  case higher, lower

  package init(_ isHigherBetter: Bool) { self = isHigherBetter ? .higher : .lower }
  package var isHigherBetter: Bool { self == .higher }

  /// The member `direction` of an object; nil where it is absent.
  static func read(_ object: SpecObject) throws(SpecError) -> MetricDirection? {
    guard let word = try object.optional("direction", SpecObject.string) else { return nil }
    guard let direction = MetricDirection(rawValue: word) else {
      throw SpecError(path: object.path("direction"), expected: "\"higher\" or \"lower\"")
    }
    return direction
  }
}
