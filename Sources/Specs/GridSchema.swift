/// The JSON schema of grid files, for editors: made of the descriptions that the reader reads by.
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
    top["claims"] = ["type": "array", "minItems": 1, "items": object(claim, required: ["compare"])]
    guard case .object(var schema) = object(top, required: ["version", "name"]) else { return .null }
    let conditions = settings.mapValues { _ in reference("condition") }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "mtkd-sweep grid, version 1"
    schema["$defs"] = .object([
      "run": object(settings.merging(groups(settings, vocabulary.settings)) { $1 }),
      "axes": axes(settings, vocabulary.settings),
      "match": filled(object(conditions.merging(groups(conditions, vocabulary.settings)) { $1 })),
      "condition": condition,
      "seeds": [
        "oneOf": [
          ["type": "array", "minItems": 1, "uniqueItems": true, "items": ["type": "integer", "minimum": 0]],
          object(
            [
              "count": positive, "first": ["type": "integer", "minimum": 0], "upTo": positive,
              "step": positive,
            ],
            required: ["count"]),
        ]
      ],
    ])
    return .object(schema)
  }

  private static let claim: [String: JSONValue] = [
    "compare": text, "where": reference("match"), "metric": text, "average": list(of: text),
    "select": words(ReportSelection.allCases.filter { $0 != .bestOnTest }.map(\.rawValue)),
    "smallest": ["type": "number", "exclusiveMinimum": 0],
    "level": [
      "type": "number", "exclusiveMinimum": 0, "maximum": .number(DecimalNumber(mantissa: 5, exponent: -1)),
    ],
  ]

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

  /// Every setting as an axis: a list of its values; for numbers also ranges, for
  /// teachers also subsets of a pool.
  private static func axes(_ settings: [String: JSONValue], _ catalog: SettingCatalog) -> JSONValue {
    let numbers: JSONValue = ["type": "array", "minItems": 3, "maxItems": 3, "items": ["type": "number"]]
    let ranges = ["range", "linspace", "logspace"].map { object([$0: numbers], required: [$0]) }
    var axes: [String: JSONValue] = [:]
    for (name, values) in settings {
      let list: JSONValue = ["type": "array", "minItems": 1, "items": values]
      let pools = catalog[name]?.kind == .teachers ? [SettingKind.pool] : []
      axes[name] = ["anyOf": .array([list] + ranges + pools)]
    }
    return filled(object(axes.merging(groups(axes, catalog)) { $1 }))
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
    "devices": ["oneOf": [["enum": ["auto"]], list(of: text)]],
    "devicesPerRun": [
      "type": "integer", "minimum": 1, "maximum": .number(DecimalNumber(GridKeys.mostDevices)),
    ],
    "runsPerDevice": [
      "type": "integer", "minimum": 1, "maximum": .number(DecimalNumber(GridKeys.mostDevices)),
    ],
    "deviceCheck": list(of: text),
  ]

  private static let reports: [String: JSONValue] = [
    "metric": text, "direction": words(MetricDirection.allCases.map(\.rawValue)),
    "select": words(ReportSelection.allCases.map(\.rawValue)),
    "epoch": words(ReportEpoch.allCases.map(\.rawValue)),
    "rows": list(of: text), "columns": list(of: text), "average": list(of: text),
    "compareTo": list(of: [
      "oneOf": [text, object(["compare": text, "average": list(of: text)], required: ["compare"])]
    ]),
    "test": words(ReportTest.allCases.map(\.rawValue)),
    "correction": words(ReportCorrection.allCases.map(\.rawValue)),
    "paperValues": words(GridKeys.paperTables.map { GridKeys.paperPrefix + $0 }),
  ]

  /// A schema for each setting: what its kind accepts, with its sentence and its default.
  private static func settings(_ vocabulary: GridVocabulary) -> [String: JSONValue] {
    var settings: [String: JSONValue] = [:]
    for setting in vocabulary.settings.entries {
      var schema = setting.kind.schema(presets: vocabulary.presets)
      schema["description"] = .string(setting.sentence)
      if setting.standard != .null { schema["default"] = setting.standard }
      settings[setting.name] = .object(schema)
    }
    return settings
  }

  /// `"transfer": { "detector": … }` for `transfer.detector`.
  private static func groups(
    _ settings: [String: JSONValue], _ catalog: SettingCatalog
  ) -> [String: JSONValue] {
    var groups: [String: JSONValue] = [:]
    for group in catalog.groups {
      var members: [String: JSONValue] = [:]
      for (name, schema) in settings where name.hasPrefix("\(group).") {
        members[String(name.dropFirst(group.count + 1))] = schema
      }
      groups[group] = object(members)
    }
    return groups
  }
}
