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
    top["run"] = object(preferences)
    top["report"] = object(reports)
    guard case .object(var schema) = object(top, required: ["version", "name"]) else { return .null }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "mtkd-sweep grid, version 1"
    schema["$defs"] = .object([
      "run": object(settings), "axes": axes(settings),
      "match": filled(object(settings.mapValues { _ in reference("condition") })),
      "condition": condition,
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

  /// An object that has at least one member.
  private static func filled(_ schema: JSONValue) -> JSONValue {
    .object(schema.object!.merging(["minProperties": 1]) { $1 })
  }

  /// Every setting as an axis: a list of its values; for numbers also ranges, for teachers also subsets of a pool.
  private static func axes(_ settings: [String: JSONValue]) -> JSONValue {
    let numbers: JSONValue = ["type": "array", "minItems": 3, "maxItems": 3, "items": ["type": "number"]]
    let ranges = ["range", "linspace", "logspace"].map { object([$0: numbers], required: [$0]) }
    let pool = object(
      [
        "pool": ["type": "array", "minItems": 1],
        "take": ["oneOf": [positive, ["type": "array", "minItems": 1, "items": positive]]],
        "choose": words(["prefix", "all"]),
      ], required: ["pool", "take"])
    return filled(
      object(
        settings.map { name, values in
          (name, ["type": "array", "minItems": 1, "items": values] as JSONValue)
        }.reduce(into: [:]) { axes, axis in
          axes[axis.0] = ["anyOf": .array([axis.1] + ranges + (axis.0 == "teachers" ? [pool] : []))]
        }))
  }

  /// What a filter asks of a setting.
  private static let condition: JSONValue = {
    let scalar: JSONValue = ["type": ["string", "number", "boolean", "null"]]
    let number: JSONValue = ["type": "number"]
    let bounds = object(["not": .object([:]), "lt": number, "le": number, "gt": number, "ge": number])
    return ["anyOf": [scalar, ["type": "array", "minItems": 1], filled(bounds)]]
  }()

  private static let preferences: [String: JSONValue] = [
    "workers": ["type": "integer", "minimum": 1, "maximum": 1024],
    "threadsPerRun": [
      "type": "integer", "minimum": 1, "maximum": .number(DecimalNumber(GridKeys.mostThreads)),
    ],
    "order": words(GridSpec.RunPreferences.Order.allCases.map(\.rawValue)),
    "onDiverged": words(GridSpec.RunPreferences.OnDiverged.allCases.map(\.rawValue)),
    "retries": ["type": "integer", "minimum": 0, "maximum": 10],
    "maxMinutesPerRun": ["type": "number", "exclusiveMinimum": 0],
  ]

  private static let reports: [String: JSONValue] = [
    "metric": text, "direction": words(MetricDirection.allCases.map(\.rawValue)),
    "select": words(ReportSelection.allCases.map(\.rawValue)),
    "epoch": words(ReportEpoch.allCases.map(\.rawValue)),
    "rows": list(of: text), "columns": list(of: text), "compareTo": list(of: text),
    "test": words(ReportTest.allCases.map(\.rawValue)),
    "correction": words(ReportCorrection.allCases.map(\.rawValue)),
    "paperValues": words(GridKeys.paperTables.map { GridKeys.paperPrefix + $0 }),
  ]

  /// Common settings, then the options of all methods.
  private static func settings(_ vocabulary: GridVocabulary) -> [String: JSONValue] {
    var settings: [String: JSONValue] = [:]
    for option in vocabulary.methods.flatMap(\.options) {
      // Methods may mean different things by one name: what any of them takes is allowed.
      let schema = schema(of: option)
      settings[option.name] =
        settings[option.name].map { $0 == schema ? schema : ["anyOf": [$0, schema]] } ?? schema
    }
    for name in GridKeys.common { settings[name] = .object([:]) }
    for name in ["epochs", "batchSize", "teacherEpochs", "trainImages", "testImages"] {
      settings[name] = positive
    }
    settings["validationImages"] = ["type": "integer", "minimum": 0]
    settings["views"] = [
      "type": "integer", "minimum": 0, "maximum": .number(DecimalNumber(GridKeys.mostViews)),
    ]
    settings["learningRate"] = ["type": "number", "exclusiveMinimum": 0]
    settings["convolution"] = words(RecipeSpec.ConvolutionKind.allCases.map(\.rawValue))
    settings["numerics"] = words(RecipeSpec.NumericsKind.allCases.map(\.rawValue))
    settings["student"] = ["type": ["string", "object"]]
    settings["method"] = text
    settings["dataset"] = text
    settings["recipe"] = words(RecipeSpec.Name.allCases.map(\.rawValue))
    settings["teacherRecipe"] = words(RecipeSpec.Name.allCases.map(\.rawValue))
    for name in ["weightDecay", "labelSmoothing", "dropPath"] {
      settings[name] = ["type": "number", "minimum": 0]
    }
    settings["colourJitter"] = ["type": "number", "minimum": 0, "maximum": 1]
    settings["warmupEpochs"] = ["type": "integer", "minimum": 0]
    settings["preset"] = words(vocabulary.methods.flatMap { $0.presets.map(\.name) })
    settings["teachers"] = ["type": ["array", "object"]]
    settings["trainer"] = object(
      [
        "command": ["type": "array", "minItems": 1, "items": text], "files": list(of: text), "name": text,
        "metrics": [
          "type": "object",
          "additionalProperties": object([
            "title": text, "unit": text, "headline": ["type": "boolean"],
            "direction": words(MetricDirection.allCases.map(\.rawValue)),
          ]),
        ],
      ], required: ["command"])
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
