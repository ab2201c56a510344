/// What the value of a setting may be. Reader, schema, listings and the table in
/// docs/grid.md all ask this one type.
public enum SettingKind: Hashable, Sendable {
  case number(NumberRange)
  /// Written without point and exponent.
  case integer(ClosedRange<Int>)
  case flag
  case choice([String])
  /// A list of different words, at least one.
  case words([String])
  /// An integer of the range, or one of the words.
  case integerOr(ClosedRange<Int>, [String])
  /// A network by its name, or as `{ "family": …, parameters }`.
  case network
  /// A list of networks and imported teachers, or `{ "pool": […], "take": M }`.
  case teachers
  case method
  /// A named bundle of a method's options.
  case preset
  /// `NAME` or `NAME:FOLDER`.
  case dataset
  /// A name of images with objects or label maps, or `NAME:FOLDER`.
  case annotatedDataset
  /// `{ "command": […], "files": […], "name": …, "metrics": { … } }`.
  case trainer
  /// A list of numbers of the range, perhaps empty.
  case list(NumberRange)
  /// True, false, or the word.
  case flagOr(String)
  /// `"student"`, `{ "import": NAME }`, `{ "file": PATH, "network": NAME }` or `{ "random": NETWORK }`.
  case backbone
  /// What reports show of a backbone from elsewhere: `{ "student": …, "method": … }`.
  case label

  /// A number from a minimum on.
  public static func number(minimum: DecimalNumber) -> SettingKind { .number(.from(minimum)) }
  /// A whole number from a minimum on.
  public static func integer(minimum: Int) -> SettingKind { .integer(minimum...Int.max) }
  /// A whole number from a minimum on, or one of the words.
  public static func integerOr(minimum: Int, _ words: [String]) -> SettingKind {
    .integerOr(minimum...Int.max, words)
  }
}

/// The numbers that a setting takes.
public struct NumberRange: Hashable, Sendable {
  package let lower: DecimalNumber
  package let includesLower: Bool
  /// Nil for no upper bound.
  package let upper: DecimalNumber?
  package let includesUpper: Bool

  private init(
    _ lower: DecimalNumber, _ includesLower: Bool, _ upper: DecimalNumber? = nil, _ includesUpper: Bool = true
  ) {
    self.lower = lower
    self.includesLower = includesLower
    self.upper = upper
    self.includesUpper = includesUpper
  }

  /// Numbers from a bound on, which is among them.
  public static func from(_ lower: DecimalNumber) -> NumberRange { NumberRange(lower, true) }
  /// Numbers above a bound, which is not among them.
  public static func above(_ lower: DecimalNumber) -> NumberRange { NumberRange(lower, false) }
  /// Numbers between two bounds, which are among them.
  public static func from(_ lower: DecimalNumber, to upper: DecimalNumber) -> NumberRange {
    NumberRange(lower, true, upper, true)
  }
  /// Numbers from a bound on and below another.
  public static func from(_ lower: DecimalNumber, below upper: DecimalNumber) -> NumberRange {
    NumberRange(lower, true, upper, false)
  }

  package func contains(_ value: DecimalNumber) -> Bool {
    guard includesLower ? value >= lower : value > lower else { return false }
    guard let upper else { return true }
    return includesUpper ? value <= upper : value < upper
  }

  /// `a number, 0 or more`, `a number above 0`, `a number from 0 to 1`, `a number from 0 to below 1`.
  package var words: String {
    guard let upper else { return includesLower ? "a number, \(lower) or more" : "a number above \(lower)" }
    return "a number \(includesLower ? "from" : "above") \(lower) to \(includesUpper ? "" : "below ")\(upper)"
  }

  fileprivate var schema: [String: JSONValue] {
    var schema: [String: JSONValue] = ["type": "number"]
    schema[includesLower ? "minimum" : "exclusiveMinimum"] = .number(lower)
    if let upper { schema[includesUpper ? "maximum" : "exclusiveMaximum"] = .number(upper) }
    return schema
  }
}

// MARK: Reading

extension SettingKind {
  /// What a value should be, in words, where this one is not acceptable by itself; nil where it is. Whether a
  /// name means something is for the vocabulary to say.
  ///
  /// - Parameter isPlain: whether a number is written without point and exponent, as integers have to be.
  package func complaint(about value: JSONValue, isPlain: Bool = true) -> String? {
    switch self {
    case .number(let range):
      return value.number.map(range.contains) == true ? nil : range.words
    case .integer(let range):
      return isPlain && value.integer.map(range.contains) == true ? nil : range.words
    case .flag:
      return value.bool == nil ? "true or false" : nil
    case .choice(let words):
      return value.string.map(words.contains) == true ? nil : Self.oneOf(words)
    case .words(let words):
      return Self.areWords(value, among: words) ? nil : "a list of \(words.joined(separator: ", "))"
    case .integerOr(let range, let words):
      if value.string.map(words.contains) == true { return nil }
      if isPlain, value.integer.map(range.contains) == true { return nil }
      return "\(words.joined(separator: ", ")), or \(range.words)"
    case .teachers:
      if value.array?.isEmpty == false || value.object?["pool"]?.array?.isEmpty == false { return nil }
      return "a list of networks, or { \"pool\": […], \"take\": M }"
    case .dataset, .annotatedDataset:
      return value.string == nil ? "a name, or NAME:FOLDER" : nil
    case .list(let range):
      guard let values = value.array, values.allSatisfy({ $0.number.map(range.contains) == true }) else {
        return "a list, perhaps empty, of which each is \(range.words)"
      }
      return nil
    case .flagOr(let word):
      return value.bool == nil && value.string != word ? "true, false or \"\(word)\"" : nil
    case .backbone: return Self.complaint(aboutBackbone: value)
    case .label:
      guard let members = value.object, !members.isEmpty,
        members.allSatisfy({ ["student", "method"].contains($0.key) && $0.value.string != nil })
      else { return "{ \"student\": \"…\", \"method\": \"…\" }, one of the two or both" }
      return nil
    case .network, .method, .preset, .trainer:
      return nil
    }
  }

  private static func complaint(aboutBackbone value: JSONValue) -> String? {
    if value == "student" { return nil }
    let expected =
      "\"student\", { \"import\": NAME }, { \"file\": PATH, \"network\": NAME } or { \"random\": NETWORK }"
    guard let members = value.object else { return expected }
    let names = Set(members.keys)
    let isKnown = names == ["random"] || names == ["import"] || names == ["file", "network"]
    return isKnown ? nil : expected
  }

  /// Whether the setting is a quantity that is varied, not something that decides what else is read.
  package var isAmount: Bool { if case .number = self { true } else { false } }

  private static func oneOf(_ words: [String]) -> String {
    words.count == 2 ? "\"\(words[0])\" or \"\(words[1])\"" : "one of \(words.joined(separator: ", "))"
  }

  private static func areWords(_ value: JSONValue, among words: [String]) -> Bool {
    guard let list = value.array, !list.isEmpty, Set(list).count == list.count else { return false }
    return list.allSatisfy { $0.string.map(words.contains) == true }
  }
}

extension ClosedRange<Int> {
  /// `an integer, 1 or more`, `an integer from 0 to 1000`.
  package var words: String {
    upperBound == .max
      ? "an integer, \(lowerBound) or more" : "an integer from \(lowerBound) to \(upperBound)"
  }

  fileprivate var schema: [String: JSONValue] {
    var schema: [String: JSONValue] = ["type": "integer", "minimum": .number(DecimalNumber(lowerBound))]
    if upperBound != .max { schema["maximum"] = .number(DecimalNumber(upperBound)) }
    return schema
  }
}

// MARK: Schema and listings

extension SettingKind {
  /// The members of a JSON schema that accepts what `complaint` accepts, as far as a schema can tell: it does
  /// not see how a number is written, and it does not know what a network or a method is called.
  ///
  /// - Parameter presets: names of the bundles of all methods.
  package func schema(presets: [String]) -> [String: JSONValue] {
    let text: JSONValue = ["type": "string"]
    func words(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
    switch self {
    case .number(let range): return range.schema
    case .integer(let range): return range.schema
    case .flag: return ["type": "boolean"]
    case .choice(let choices): return ["enum": words(choices)]
    case .words(let choices):
      return [
        "type": "array", "minItems": 1, "uniqueItems": true, "items": .object(["enum": words(choices)]),
      ]
    case .integerOr(let range, let choices):
      return ["oneOf": .array([.object(range.schema), .object(["enum": words(choices)])])]
    case .network: return ["type": ["string", "object"]]
    case .teachers: return ["anyOf": [["type": "array", "minItems": 1], Self.pool]]
    case .method, .dataset, .annotatedDataset: return ["type": "string"]
    case .list(let range): return ["type": "array", "items": .object(range.schema)]
    case .flagOr(let word): return ["enum": [true, false, .string(word)]]
    case .backbone: return ["type": ["string", "object"]]
    case .label:
      return [
        "type": "object", "additionalProperties": false, "minProperties": 1,
        "properties": ["student": text, "method": text],
      ]
    case .preset: return ["enum": words(presets)]
    case .trainer:
      return ["oneOf": [["enum": words(Catalog.trainers.names)], Self.command]]
    }
  }

  /// `{ "pool": […], "take": M, "choose": "prefix" }`; as an axis `take` may be a list,
  /// and `choose` may be `all`.
  static let pool: JSONValue = {
    let count: JSONValue = ["type": "integer", "minimum": 1]
    return [
      "type": "object", "additionalProperties": false, "required": ["pool", "take"],
      "properties": [
        "pool": ["type": "array", "minItems": 1],
        "take": ["oneOf": [count, ["type": "array", "minItems": 1, "items": count]]],
        "choose": ["enum": ["prefix", "all"]],
      ],
    ]
  }()

  /// A trainer that is no entry of the catalog.
  private static let command: JSONValue = {
    let text: JSONValue = ["type": "string"]
    return [
      "type": "object", "additionalProperties": false, "required": ["command"],
      "properties": [
        "command": ["type": "array", "minItems": 1, "items": text],
        "files": ["type": "array", "items": text], "name": text,
        "metrics": ["type": "object", "additionalProperties": Self.metric],
        "protocol": ["enum": [1, 2]],
        "describeWithin": ["type": "integer", "minimum": 1, "maximum": 3600],
      ],
    ]
  }()

  /// What a trainer says of a metric that it reports.
  private static let metric: JSONValue = {
    let text: JSONValue = ["type": "string"]
    return [
      "type": "object", "additionalProperties": false,
      "properties": [
        "title": text, "unit": text, "headline": ["type": "boolean"],
        "direction": ["enum": .array(MetricDirection.allCases.map { .string($0.rawValue) })],
      ],
    ]
  }()

  /// What may be written, in few words: `from 0 to below 1`, `static | dynamic`.
  package var values: String {
    switch self {
    case .number(let range): range.words
    case .integer(let range): range.words
    case .flag: "true or false"
    case .choice(let words): words.joined(separator: " | ")
    case .words(let words): "a list of \(words.joined(separator: ", "))"
    case .integerOr(let range, let words): "\(words.joined(separator: " | ")), or \(range.words)"
    case .network: "a name of `models`, or an object"
    case .teachers: "a list of networks, or a pool"
    case .method: "a name of `methods`"
    case .preset: "a preset of the method"
    case .dataset, .annotatedDataset: "NAME or NAME:FOLDER"
    case .trainer: "\(Catalog.trainers.names.joined(separator: " | ")), or an object"
    case .label: "an object"
    case .list(let range): "a list; each \(range.words)"
    case .flagOr(let word): "true, false or \(word)"
    case .backbone: "student, or an object"
    }
  }

  /// Words that a shell may offer for it.
  package var choices: [String] {
    switch self {
    case .choice(let words), .words(let words), .integerOr(_, let words): words
    case .flag: ["true", "false"]
    case .flagOr(let word): ["true", "false", word]
    case .trainer: Catalog.trainers.names
    default: []
    }
  }
}
