/// A distillation method and the options that it reads.
package struct MethodSpec: Hashable, Sendable {
  package var name: String
  /// What was set to something other than the method's default. An option that the method does not read is never here,
  /// which is why a baseline is one run whatever the grid says of alpha.
  package var options: [String: JSONValue]
  /// Which of the results that the method had under this name and these options; see `MethodDescription.revision`.
  package var revision: Int

  package init(name: String, options: [String: JSONValue] = [:], revision: Int = 1) {
    self.name = name
    self.options = options
    self.revision = revision
  }
}

extension MethodSpec: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    let sorted = options.map { ChosenOption($0.key, $0.value) }.sorted { $0.precedes($1) }
    Self.append(name, sorted, revision: revision, to: &bytes)
  }

  /// The canonical form of a method whose options lie in order already, as `ChosenOption.precedes` has it. The first
  /// revision is not written, so that it has the keys that it had before there were others.
  package static func append(
    _ name: String, _ options: [ChosenOption], revision: Int, to bytes: inout [UInt8]
  ) {
    var object = ObjectWriter(to: &bytes)
    object.member("name", to: &bytes) { CanonicalJSON.append(name, to: &$0) }
    if !options.isEmpty {
      object.member("options", to: &bytes) { bytes in
        var members = ObjectWriter(to: &bytes)
        for option in options {
          members.member(option.name, to: &bytes) { CanonicalJSON.append(option.value, to: &$0) }
        }
        members.end(&bytes)
      }
    }
    if revision != 1 { object.member("revision", revision, to: &bytes) }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      name: try object.string("name"), options: object["options"]?.object ?? [:],
      revision: object["revision"] == nil ? 1 : try object.integer("revision"))
  }
}

/// An option with the value that it has.
package struct ChosenOption: Hashable, Sendable {
  package let name: String
  package let value: JSONValue

  package init(_ name: String, _ value: JSONValue) { (self.name, self.value) = (name, value) }

  /// The order of the canonical form.
  package func precedes(_ other: ChosenOption) -> Bool {
    name.utf8.lexicographicallyPrecedes(other.name.utf8)
  }
}

/// The options of a run as a method's rules ask for them: what is set, else the default; nil for what the method does not have.
package struct OptionValues: Sendable {
  fileprivate let method: MethodDescription
  /// A few: looked through one by one.
  fileprivate let set: [ChosenOption]

  /// - Precondition: the option is no amount. Runs by the hundred thousand differ in nothing else, and rules are asked once for all of them.
  package subscript(name: String) -> JSONValue? {
    precondition(!method.amounts.contains(name), "\(name) is an amount, and rules look at choices alone")
    for option in set where option.name == name { return option.value }
    return method.standards[name]
  }
}

/// What a method's rules say of what is set. Options that differ in amounts alone have the same.
package struct OptionRules: Sendable {
  /// Options that the others leave unread, some of which may be set to their defaults.
  fileprivate let silenced: [String]
  /// Options that are left unread by what makes a difference.
  package let unread: [String]
  /// What is wrong with the combination; a sentence for each problem.
  package let problems: [String]
}

/// What a grid may set of a method: its catalog entry in words, for the grid reader, `methods` and the schema.
package struct MethodDescription: Sendable {
  /// As the program writes it: `mtkd-rl`.
  package let name: String
  /// Accepted spellings of papers and fixtures, never written.
  package let aliases: [String]
  /// One sentence.
  package let summary: String
  package let readsTeachers: Bool
  package let teacherOutputs: TeacherOutputs
  /// Whether maps go through the teachers' classifiers, which a transformer's does not take.
  package let readsTeacherHeads: Bool
  package let options: [OptionDescription]
  /// Named bundles of options, the value of the key `preset`; the first is the default and holds the options' defaults.
  package let presets: [(name: String, options: [String: JSONValue])]
  /// Options that change nothing, given all of them resolved: they are in no key. Like `problems` it looks at choices alone: not at `.number`.
  package let unread: @Sendable (_ options: OptionValues) -> [String]
  /// What is wrong with a combination of options, all of them resolved; a sentence for each problem.
  package let problems: @Sendable (_ options: OptionValues) -> [String]
  /// Rises when the same options give other results: runs of before keep their keys and are not mixed with new ones.
  package let revision: Int
  /// What a step takes beside that of a plain student, in such steps: of methods that look ahead. For forecasts.
  package let extraSteps: Double
  /// The formula as implemented, then paper, release and our choice; lines.
  package let explanation: String
  fileprivate let standards: [String: JSONValue]
  /// Options of kind `.number`.
  fileprivate let amounts: Set<String>

  package init(
    name: String, aliases: [String] = [], summary: String, readsTeachers: Bool,
    teacherOutputs: TeacherOutputs = .all, readsTeacherHeads: Bool = false,
    options: [OptionDescription] = [], presets: [(name: String, options: [String: JSONValue])] = [],
    unread: @escaping @Sendable (OptionValues) -> [String] = { _ in [] },
    problems: @escaping @Sendable (OptionValues) -> [String] = { _ in [] },
    revision: Int = 1, extraSteps: Double = 0,
    explanation: String = ""
  ) {
    (self.name, self.aliases, self.summary) = (name, aliases, summary)
    (self.readsTeachers, self.options, self.presets) = (readsTeachers, options, presets)
    (self.unread, self.problems, self.explanation) = (unread, problems, explanation)
    self.readsTeacherHeads = readsTeacherHeads
    self.teacherOutputs = readsTeachers ? teacherOutputs : .none
    self.extraSteps = extraSteps
    self.revision = revision
    standards = Dictionary(options.map { ($0.name, $0.standard) }) { first, _ in first }
    amounts = Set(options.filter(\.isAmount).map(\.name))
  }

  /// Every option with its value: defaults, then what is set.
  package func resolved(_ set: [String: JSONValue]) -> [String: JSONValue] {
    standards.merging(set) { $1 }
  }

  /// What its rules say where this is set.
  package func rules(_ set: [ChosenOption]) -> OptionRules {
    let silenced = unread(OptionValues(method: self, set: set))
    let rest = OptionValues(method: self, set: set.filter { !isIdle($0, silenced) })
    // What is left out may have decided what is read.
    return OptionRules(silenced: silenced, unread: unread(rest), problems: problems(rest))
  }

  /// What is set and makes a difference: neither a default nor an option that the others leave unread. The order stays.
  ///
  /// - Parameter rules: of the same choices.
  package func reduced(_ set: [ChosenOption], _ rules: OptionRules) -> [ChosenOption] {
    // Mostly all of it does.
    set.contains { isIdle($0, rules.silenced) } ? set.filter { !isIdle($0, rules.silenced) } : set
  }

  /// The same of options in no order.
  package func reduced(_ set: [String: JSONValue]) -> [String: JSONValue] {
    let options = set.map { ChosenOption($0.key, $0.value) }
    return Dictionary(uniqueKeysWithValues: reduced(options, rules(options)).map { ($0.name, $0.value) })
  }

  private func isIdle(_ option: ChosenOption, _ silenced: [String]) -> Bool {
    silenced.contains(option.name) || standards[option.name] == option.value
  }
}

/// What a method reads of a teacher's evaluation, and so what must be kept for it where views are fixed.
package enum TeacherOutputs: Int, Comparable, Sendable {
  case none
  /// Logits and embedding.
  case heads
  /// Logits, embedding and the last feature map.
  case maps
  /// Maps of earlier stages too, which nobody keeps: teachers are evaluated.
  case all

  package static func < (a: TeacherOutputs, b: TeacherOutputs) -> Bool { a.rawValue < b.rawValue }
}

/// One option of a method.
package struct OptionDescription: Sendable {
  package enum Kind: Sendable {
    /// From `minimum` on.
    case number(minimum: DecimalNumber)
    case integer(minimum: Int)
    case flag
    case choice([String])
    /// A list of different words, at least one.
    case words([String])
    /// An integer from `minimum` on, or one of the words.
    case integerOr(minimum: Int, [String])
  }

  package let name: String
  package let kind: Kind
  package let standard: JSONValue
  package let help: String

  package init(_ name: String, _ kind: Kind, standard: JSONValue, help: String) {
    (self.name, self.kind, self.standard, self.help) = (name, kind, standard, help)
  }

  /// Whether it is a quantity that is varied, not something that decides what else is read.
  package var isAmount: Bool { if case .number = kind { true } else { false } }

  /// What a value should be, where this one is not acceptable; nil where it is.
  package func complaint(about value: JSONValue) -> String? {
    switch kind {
    case .number(let minimum):
      value.number.map { $0 >= minimum } == true ? nil : "a number, \(minimum) or more"
    case .integer(let minimum):
      value.integer.map { $0 >= minimum } == true ? nil : "an integer, \(minimum) or more"
    case .flag: value.bool == nil ? "true or false" : nil
    case .choice(let words):
      value.string.map(words.contains) == true ? nil : "one of \(words.joined(separator: ", "))"
    case .words(let words):
      Self.areWords(value, among: words) ? nil : "a list of \(words.joined(separator: ", "))"
    case .integerOr(let minimum, let words):
      value.integer.map { $0 >= minimum } == true || value.string.map(words.contains) == true
        ? nil : "\(words.joined(separator: ", ")), or an integer, \(minimum) or more"
    }
  }

  private static func areWords(_ value: JSONValue, among words: [String]) -> Bool {
    guard let list = value.array, !list.isEmpty, Set(list).count == list.count else { return false }
    return list.allSatisfy { $0.string.map(words.contains) == true }
  }
}
