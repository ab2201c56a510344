/// The JSON schema of grid files, for editors: made of the lists that the reader reads by.
package enum GridSchema {
  package static func value(_ vocabulary: GridVocabulary) -> JSONValue {
    let settings = settings(vocabulary)
    let block: [String: JSONValue] = [
      "name": text, "base": reference("run"), "axes": reference("axes"),
      "zip": list(of: reference("axes")), "exclude": list(of: reference("match")),
      "include": list(of: reference("run")),
      "seeds": reference("seeds"),
    ]
    var top = block
    top["$schema"] = text
    top["version"] = ["const": 1]
    top["name"] = ["type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"]
    top["note"] = text
    top["extends"] = ["type": "string", "description": "preset:NAME or a path relative to this file"]
    top["blocks"] = ["type": "array", "minItems": 1, "items": object(block, required: ["name"])]
    top["teacherSeeds"] = words(GridSpec.TeacherSeeds.allCases.map(\.rawValue))
    top["run"] = object(Dictionary(GridKeys.run.map { ($0, JSONValue.object([:])) }) { $1 })
    top["report"] = object(Dictionary(GridKeys.report.map { ($0, JSONValue.object([:])) }) { $1 })
    guard case .object(var schema) = object(top, required: ["version", "name"]) else { return .null }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "mtkd-sweep grid, version 1"
    schema["$defs"] = .object([
      "run": object(settings), "axes": axes(Array(settings.keys)),
      "match": object(settings.mapValues { _ in .object([:]) }),
      "values": values,
      "seeds": [
        "oneOf": [
          ["type": "array", "minItems": 1, "uniqueItems": true, "items": ["type": "integer", "minimum": 0]],
          object(
            ["count": ["type": "integer", "minimum": 1], "first": ["type": "integer", "minimum": 0]],
            required: ["count"]),
        ]
      ],
    ])
    return .object(schema)
  }

  private static let text: JSONValue = ["type": "string"]
  private static let positive: JSONValue = ["type": "integer", "minimum": 1]

  private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/$defs/\(name)")] }
  private static func list(of items: JSONValue) -> JSONValue { ["type": "array", "items": items] }
  private static func words(_ words: [String]) -> JSONValue { ["enum": .array(words.map { .string($0) })] }

  private static func object(_ properties: [String: JSONValue], required: [String] = []) -> JSONValue {
    var schema: [String: JSONValue] = [
      "type": "object", "additionalProperties": false, "properties": .object(properties),
    ]
    if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
    return .object(schema)
  }

  private static func axes(_ names: [String]) -> JSONValue {
    guard case .object(var schema) = object(Dictionary(names.map { ($0, reference("values")) }) { $1 }) else {
      return .null
    }
    schema["minProperties"] = 1
    return .object(schema)
  }

  private static let values: JSONValue = {
    let numbers: JSONValue = ["type": "array", "minItems": 3, "maxItems": 3, "items": ["type": "number"]]
    let ranges = ["range", "linspace", "logspace"].map { object([$0: numbers], required: [$0]) }
    let pool = object(
      ["pool": ["type": "array", "minItems": 1], "take": .object([:]), "choose": words(["prefix", "all"])],
      required: ["pool", "take"])
    return ["oneOf": .array([["type": "array", "minItems": 1]] + ranges + [pool])]
  }()

  /// Common settings, then the options of all methods.
  private static func settings(_ vocabulary: GridVocabulary) -> [String: JSONValue] {
    var settings: [String: JSONValue] = [:]
    for option in vocabulary.methods.flatMap(\.options) { settings[option.name] = schema(of: option) }
    for name in GridKeys.common { settings[name] = .object([:]) }
    for name in ["epochs", "batchSize", "teacherEpochs", "trainImages", "testImages"] {
      settings[name] = positive
    }
    settings["validationImages"] = ["type": "integer", "minimum": 0]
    settings["learningRate"] = ["type": "number", "exclusiveMinimum": 0]
    settings["student"] = ["type": ["string", "object"]]
    settings["method"] = text
    settings["dataset"] = text
    settings["recipe"] = words(["student", "teacher"])
    settings["teacherRecipe"] = words(["student", "teacher"])
    settings["preset"] = words(vocabulary.methods.flatMap { $0.presets.map(\.name) })
    settings["teachers"] = ["type": ["array", "object"]]
    return settings
  }

  private static func schema(of option: OptionDescription) -> JSONValue {
    var schema: [String: JSONValue] = ["description": .string(option.help), "default": option.standard]
    switch option.kind {
    case .number(let minimum): (schema["type"], schema["minimum"]) = ("number", .number(minimum))
    case .integer(let minimum):
      (schema["type"], schema["minimum"]) = ("integer", .number(DecimalNumber(minimum)))
    case .flag: schema["type"] = "boolean"
    case .choice(let words): schema["enum"] = .array(words.map { .string($0) })
    case .words(let words): (schema["type"], schema["items"]) = ("array", self.words(words))
    case .integerOr(let minimum, let words):
      schema["oneOf"] = [["type": "integer", "minimum": .number(DecimalNumber(minimum))], self.words(words)]
    }
    return .object(schema)
  }
}
