internal import Specs

/// What somebody else's trainer says that it can do, by the names that a grid uses (docs/trainers.md).
struct DescribedTrainer: Sendable {
  struct Method: Sendable {
    let name: String
    let summary: String
    let readsTeachers: Bool
    let options: [SettingDescription]
  }

  /// Nil where it takes any.
  let networks: [String]?
  let methods: [Method]
  let metrics: [MetricDescription]
  /// Nil where it did not say.
  let tasks: [String]?
  /// For people.
  let devices: [String]
  /// What it does for its students' teachers.
  let teaching: TrainerSpec.Teaching

  /// More of a kind is no description.
  private static let most = 1000

  /// Reads the record `description`.
  init(_ json: JSONValue) throws(SpecError) {
    let object = try SpecObject(json, at: "description")
    networks = try object["networks"] == nil ? nil : Self.names(object, "networks")
    tasks = try object["tasks"] == nil ? nil : Self.names(object, "tasks")
    devices = try object["devices"] == nil ? [] : Self.names(object, "devices")
    teaching = try Self.teaching(object)
    metrics =
      try object["metrics"].map { value throws(SpecError) in
        try MetricDescription.ofTrainer(value, at: object.path("metrics"))
      } ?? []
    var methods: [Method] = []
    let list = try object.optional("methods", SpecObject.array) ?? []
    for (index, value) in list.prefix(Self.most).enumerated() {
      let method = try Self.method(value, at: object.path("methods[\(index)]"))
      guard !methods.contains(where: { $0.name == method.name }) else {
        throw SpecError(path: object.path("methods[\(index)].name"), expected: "a name of its own")
      }
      methods.append(method)
    }
    guard !methods.isEmpty else {
      throw SpecError(path: object.path("methods"), expected: "a list of methods, at least one")
    }
    self.methods = methods
  }

  /// Numbers of features of one view: more are no features.
  private static let mostFeatures = 1 << 22

  private static func teaching(_ object: SpecObject) throws(SpecError) -> TrainerSpec.Teaching {
    let trains = try object.optional("teachers", SpecObject.bool) ?? false
    guard let outputs = object["teacherOutputs"] else { return trains ? .trains(outputs: nil) : .none }
    guard trains else {
      throw SpecError(
        path: object.path("teacherOutputs"),
        expected: "\"teachers\": true with it: outputs are written of teachers that the trainer has trained")
    }
    if outputs == "logits" { return .trains(outputs: 0) }
    guard let features = outputs.object?["features"]?.integer, (1...mostFeatures).contains(features) else {
      throw SpecError(
        path: object.path("teacherOutputs"),
        expected: "\"logits\", or {\"features\": N} with the most numbers of features of one view, "
          + "1 to \(mostFeatures)")
    }
    return .trains(outputs: features)
  }

  /// - Throws: `SpecError` for an element that is not a plain word.
  private static func names(_ object: SpecObject, _ member: String) throws(SpecError) -> [String] {
    var names: [String] = []
    for value in try object.array(member).prefix(most) {
      guard let name = value.string, isWord(name) else {
        throw SpecError(path: object.path(member), expected: "a list of names of at most 100 characters")
      }
      names.append(name)
    }
    return names
  }

  private static func isWord(_ name: String) -> Bool {
    !name.isEmpty && name.count <= 100 && name == ForeignText.line(name)
  }

  private static func method(_ json: JSONValue, at path: String) throws(SpecError) -> Method {
    if let name = json.string, isWord(name) {
      return Method(name: name, summary: "", readsTeachers: false, options: [])
    }
    let object = try SpecObject(json, at: path)
    let name = try object.string("name")
    guard isWord(name) else {
      throw SpecError(path: object.path("name"), expected: "a name of at most 100 characters")
    }
    var options: [SettingDescription] = []
    let written = object["options"]?.object ?? [:]
    for option in written.keys.sorted() {
      options.append(
        try Self.option(option, written[option] ?? .null, at: object.path("options.\(option)"), of: name))
    }
    return Method(
      name: name, summary: ForeignText.line(try object.optional("summary", SpecObject.string) ?? ""),
      readsTeachers: try object.optional("teachers", SpecObject.bool) ?? false, options: options)
  }

  private static func option(
    _ name: String, _ json: JSONValue, at path: String, of method: String
  ) throws(SpecError) -> SettingDescription {
    guard isWord(name), !name.contains(".") else {
      throw SpecError(path: path, expected: "a name of at most 100 characters without a point")
    }
    let object = try SpecObject(json, at: path)
    let kind: SettingKind
    switch try object.string("kind") {
    case "number": kind = .number(minimum: object["minimum"]?.number ?? DecimalNumber(-1_000_000_000_000))
    case "integer": kind = .integer(minimum: try object.optional("minimum", SpecObject.integer) ?? Int.min)
    case "flag": kind = .flag
    case "choice": kind = .choice(try names(object, "values"))
    default: throw SpecError(path: object.path("kind"), expected: "number, integer, flag or choice")
    }
    guard let standard = object["default"] else {
      throw SpecError(path: object.path("default"), expected: "the value that a run has without it")
    }
    if let complaint = kind.complaint(about: standard, isPlain: true) {
      throw SpecError(path: object.path("default"), expected: complaint)
    }
    let sentence = ForeignText.line(
      try object.optional("summary", SpecObject.string) ?? "An option of \(method).")
    return SettingDescription(option: name, kind, default: standard, sentence)
  }
}
