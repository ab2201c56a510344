/// A distillation method and the options that it reads.
public struct MethodSpec: Hashable, Sendable {
  /// As the program writes it: `mtkd-rl`.
  public var name: String
  /// What was set to something other than the method's default, by encoded names. An option that the method
  /// does not read is never here, which is why a baseline is one run whatever the grid says of alpha.
  public var options: [String: JSONValue]
  /// Which of the results that the method had under this name and these options; see
  /// `MethodDescription.revision`.
  package var revision: Int

  package init(name: String, options: [String: JSONValue] = [:], revision: Int = 1) {
    self.name = name
    self.options = options
    self.revision = revision
  }
}

extension MethodSpec: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    let sorted = options.map { ChosenOption($0.key, $0.value) }.sorted { $0.precedes($1) }
    Self.append(name, sorted, revision: revision, to: &bytes)
  }

  /// The canonical form of a method whose options lie in order already, as `ChosenOption.precedes` has it.
  /// The first revision is not written, so that it has the keys that it had before there were others.
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

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      name: try object.string("name"), options: object["options"]?.object ?? [:],
      revision: object["revision"] == nil ? 1 : try object.integer("revision"))
  }
}

/// An option with the value that it has.
package struct ChosenOption: Hashable, Sendable {
  /// As canonical encodings have it.
  public let name: String
  package let value: JSONValue

  package init(_ name: String, _ value: JSONValue) {
    self.name = name
    self.value = value
  }

  /// The order of the canonical form.
  package func precedes(_ other: ChosenOption) -> Bool {
    name.utf8.lexicographicallyPrecedes(other.name.utf8)
  }
}

/// The options of a run as a method's rules ask for them, by the names that a grid uses: what is set, else
/// the default; nil for what the method does not have.
public struct OptionValues: Sendable {
  fileprivate let method: MethodDescription
  /// A few: looked through one by one.
  fileprivate let set: [ChosenOption]
  /// How many teachers the run has, 1 or more; nil where that is not known.
  public let teachers: Int?

  /// - Precondition: the option is no amount. Runs by the hundred thousand differ in nothing else, and rules
  ///   are asked once for all of them.
  public subscript(name: String) -> JSONValue? {
    let name = method.encodedNames[name] ?? name
    precondition(!method.amounts.contains(name), "\(name) is an amount, and rules look at choices alone")
    for option in set where option.name == name { return option.value }
    return method.standards[name]
  }
}

/// What a method's rules say of what is set. Options that differ in amounts alone have the same.
package struct OptionRules: Sendable {
  /// Encoded names of options that the others leave unread, some of which may be set to their defaults.
  fileprivate let silenced: [String]
  /// Options that are left unread by what makes a difference, by the names that a grid uses.
  package let unread: [String]
  /// What is wrong with the combination; a sentence for each problem.
  package let problems: [String]
}

/// What a grid may set of a method: its catalog entry in words, for the grid reader,
/// `methods` and the schema.
public struct MethodDescription: Sendable {
  /// As the program writes it: `mtkd-rl`.
  public let name: String
  /// Accepted spellings of papers and fixtures, never written.
  public let aliases: [String]
  /// One sentence.
  public let summary: String
  /// Whether its runs have teachers.
  public let readsTeachers: Bool
  /// The places of a teacher's evaluation that it reads. They are what is cached; the conformance suite fails
  /// a method that reads another.
  package let reads: Set<TeacherTap>
  /// Whether maps go through the teachers' classifiers, which a transformer's does not take.
  package let readsTeacherHeads: Bool
  /// What a grid may set of it.
  public let options: [SettingDescription]
  /// Named bundles of options, the value of the key `preset`; the first is the default and
  /// holds the options' defaults.
  package let presets: [(name: String, options: [String: JSONValue])]
  /// Options that change nothing, given all of them resolved and the number of teachers: they are in no key.
  /// Like `problems` it looks at choices alone: not at `.number`.
  package let unread: @Sendable (_ options: OptionValues) -> [String]
  /// What is wrong with a combination of options, all of them resolved; a sentence for each problem.
  package let problems: @Sendable (_ options: OptionValues) -> [String]
  /// What a reader of the table would want to have known, given all options resolved and how many epochs a
  /// run has: a sentence for each thing.
  package let warnings: @Sendable (_ options: OptionValues, _ epochs: Int) -> [String]
  /// Rises when the same options give other results: runs of before keep their keys and are
  /// not mixed with new ones.
  package let revision: Int
  /// Extra cost of a step, in units of a plain student's step; for forecasts.
  package let extraSteps: Double
  /// The formula as implemented, then paper, release and our choice; lines.
  package let explanation: String
  /// By encoded names.
  fileprivate let standards: [String: JSONValue]
  /// Encoded names of options of kind `.number`.
  fileprivate let amounts: Set<String>
  /// Of options whose encoded name is another than a grid's.
  fileprivate let encodedNames: [String: String]

  /// A method as a grid names it.
  ///
  ///     MethodDescription(
  ///       name: "first-stage", summary: "The first stage's map, teachers weighed alike.", readsTeachers: true,
  ///       reads: [.stages], explanation: "L = mean over samples of H + D")
  ///
  /// - Parameters:
  ///   - reads: the places of a teacher's evaluation that it reads (default: all); they are what is cached.
  ///   - options: settings that its runs have, by their names; each is in a run's key where it is not its
  ///     default.
  ///   - extraSteps: what a step costs besides a plain student's step, in units of one; for forecasts.
  ///   - explanation: the formula as implemented, in lines.
  public init(
    name: String, aliases: [String] = [], summary: String, readsTeachers: Bool,
    reads: Set<TeacherTap> = Set(TeacherTap.allCases), readsTeacherHeads: Bool = false,
    options: [SettingDescription] = [], presets: [(name: String, options: [String: JSONValue])] = [],
    unread: @escaping @Sendable (OptionValues) -> [String] = { _ in [] },
    problems: @escaping @Sendable (OptionValues) -> [String] = { _ in [] },
    warnings: @escaping @Sendable (OptionValues, _ epochs: Int) -> [String] = { _, _ in [] },
    revision: Int = 1, extraSteps: Double = 0,
    explanation: String = ""
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.readsTeachers = readsTeachers
    self.reads = readsTeachers ? reads : []
    self.readsTeacherHeads = readsTeacherHeads
    self.options = options
    self.presets = presets
    self.unread = unread
    self.problems = problems
    self.warnings = warnings
    self.extraSteps = extraSteps
    self.revision = revision
    self.explanation = explanation
    standards = Dictionary(options.map { ($0.encodedName, $0.standard) }) { first, _ in first }
    amounts = Set(options.filter(\.isAmount).map(\.encodedName))
    encodedNames = Dictionary(
      options.filter { $0.encodedName != $0.name }.map { ($0.name, $0.encodedName) }
    ) { first, _ in first }
  }

  /// What must be cached of a teacher for it.
  package var teacherOutputs: TeacherOutputs { TeacherOutputs(reading: reads) }

  /// The name that encodings have for what a grid calls an option.
  package func encodedName(of option: String) -> String { encodedNames[option] ?? option }

  /// Every option with its value, by the names that a grid uses: defaults, then what is set.
  ///
  /// - Parameter set: by encoded names.
  package func resolved(_ set: [String: JSONValue]) -> [String: JSONValue] {
    Dictionary(options.map { ($0.name, set[$0.encodedName] ?? $0.standard) }) { first, _ in first }
  }

  /// What its rules say where this is set.
  ///
  /// - Parameter teachers: how many the run has; nil where that is not known.
  package func rules(_ set: [ChosenOption], teachers: Int? = nil) -> OptionRules {
    let silenced = unread(OptionValues(method: self, set: set, teachers: teachers)).map {
      encodedName(of: $0)
    }
    let rest = OptionValues(method: self, set: set.filter { !isIdle($0, silenced) }, teachers: teachers)
    // What is left out may have decided what is read.
    return OptionRules(silenced: silenced, unread: unread(rest), problems: problems(rest))
  }

  /// What it warns of where this is set.
  ///
  /// - Parameters:
  ///   - set: what makes a difference, as `reduced` leaves it.
  ///   - teachers: how many the run has; nil where that is not known.
  ///   - epochs: the length of the student's training.
  package func warnings(_ set: [ChosenOption], teachers: Int?, epochs: Int) -> [String] {
    warnings(OptionValues(method: self, set: set, teachers: teachers), epochs)
  }

  /// What is set and makes a difference: neither a default nor an option that the others leave
  /// unread. The order stays.
  ///
  /// - Parameter rules: of the same choices.
  package func reduced(_ set: [ChosenOption], _ rules: OptionRules) -> [ChosenOption] {
    // Mostly all of it does.
    set.contains { isIdle($0, rules.silenced) } ? set.filter { !isIdle($0, rules.silenced) } : set
  }

  /// The same of options in no order, by encoded names.
  package func reduced(_ set: [String: JSONValue], teachers: Int? = nil) -> [String: JSONValue] {
    let options = set.map { ChosenOption($0.key, $0.value) }
    let rules = rules(options, teachers: teachers)
    return Dictionary(uniqueKeysWithValues: reduced(options, rules).map { ($0.name, $0.value) })
  }

  private func isIdle(_ option: ChosenOption, _ silenced: [String]) -> Bool {
    silenced.contains(option.name) || standards[option.name] == option.value
  }
}

/// A place of a teacher's evaluation that a method may read.
public enum TeacherTap: String, CaseIterable, Sendable {
  case logits, embedding
  /// The map at the last tap.
  case map
  /// The map at the end of each stage.
  case stages
}

/// What is cached of a teacher's evaluations where views are fixed, each with all that
/// the cases before it keep.
package enum TeacherOutputs: Int, Comparable, CaseIterable, Sendable {
  case none
  /// Logits and embedding.
  case heads
  /// The last map too.
  case maps
  /// The map at the end of each stage.
  case stages

  package static func < (a: TeacherOutputs, b: TeacherOutputs) -> Bool { a.rawValue < b.rawValue }

  /// What serves a method that reads these taps.
  package init(reading taps: Set<TeacherTap>) {
    self = taps.contains(.stages) ? .stages : taps.contains(.map) ? .maps : taps.isEmpty ? .none : .heads
  }

  /// The cases that serve whoever reads this one, the smallest first.
  package var sufficient: [TeacherOutputs] { Self.allCases.filter { $0 >= self && $0 != .none } }
}
