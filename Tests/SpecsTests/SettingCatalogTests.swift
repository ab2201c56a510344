import Specs
import TestSupport
import Testing

/// A setting is described once, and everything else follows.
@Suite struct SettingCatalogTests {
  private func method(_ name: String, _ options: [SettingDescription]) -> MethodDescription {
    MethodDescription(name: name, summary: "", readsTeachers: true, options: options)
  }

  // One name, one meaning

  @Test func `methods may share a setting, and it is one entry`() throws {
    let catalog = try SettingCatalog(methods: [method("a", [.alpha]), method("b", [.alpha, .beta])])
    #expect(catalog.names.count { $0 == "alpha" } == 1)
    #expect(catalog.readers(of: .alpha) == ["a", "b"] && catalog.readers(of: .beta) == ["b"])
    #expect(catalog.readers(of: .temperature) == [])
  }

  @Test func `a second meaning of a name is refused`() {
    let other = SettingDescription(option: "alpha", .number(minimum: 0), default: 2, "Something else.")
    #expect(throws: AmbiguousSetting(name: "alpha", owner: "b")) {
      try SettingCatalog(methods: [method("a", [.alpha]), method("b", [other])])
    }
    let option = SettingDescription(option: "epochs", .integer(minimum: 1), default: 5, "Of an agent.")
    #expect(throws: AmbiguousSetting(name: "epochs", owner: "a")) {
      try SettingCatalog(methods: [method("a", [option])])
    }
    let recipe = SettingDescription(
      "momentum", .number(.from(0)), default: .ofRecipe, place: .recipe, sentence: "Of SGD.")
    #expect(throws: AmbiguousSetting.self) {
      try SettingCatalog(Settings.common + [recipe, recipe], methods: [])
    }
  }

  @Test func `two options under one encoded name are refused`() {
    let a = SettingDescription(option: "a", .flag, default: false, encodedName: "b", "A.")
    let b = SettingDescription(option: "b", .flag, default: false, "B.")
    let c = SettingDescription(option: "c", .flag, default: false, encodedName: "b", "C.")
    #expect(throws: AmbiguousSetting.self) { try SettingCatalog(methods: [method("m", [a, b])]) }
    #expect(throws: AmbiguousSetting.self) { try SettingCatalog(methods: [method("m", [a, c])]) }
  }

  @Test(
    arguments: [
      ("lr", "learningRate"), ("bs", "batchSize"), ("wd", "weightDecay"), ("batch_size", "batchSize"),
      ("colorJitter", "colourJitter"), ("epoch", "epochs"), ("LR", "learningRate"), ("studnt", "student"),
    ])
  func `what other programs call a setting is understood`(_ word: String, _ name: String) {
    #expect(GridVocabulary.toy.settings.nearest(to: word) == name)
  }

  // Kinds: reader and schema are one

  private static let kinds: [SettingKind] = [
    .number(.from(0)), .number(.above(0)), .number(.from(0, to: 1)), .number(.from(0, below: 1)),
    .integer(minimum: 1), .integer(0...1000), .flag, .choice(["a", "b"]), .choice(["a", "b", "c"]),
    .words(["a", "b"]), .integerOr(minimum: 1, ["all"]), .teachers, .dataset,
  ]
  private static let values: [JSONValue] = [
    -1, 0, 1, 2, 1000, 1001, .number(DecimalNumber(mantissa: 5, exponent: -1)), "a", "b", "all", "z", true,
    .null, [], ["a"], ["a", "b"], ["a", "a"], ["z"], [1], .object([:]),
    .object(["pool": ["x", "y"], "take": 1]), .object(["pool": [], "take": 1]),
  ]

  @Test(arguments: kinds)
  func `the schema of a kind accepts what its reader accepts`(_ kind: SettingKind) {
    let schema = SchemaEvaluator(.object(kind.schema(presets: [])))
    for value in Self.values {
      let isRead = kind.complaint(about: value) == nil
      // A pool without a list is for the reader of pools to refuse.
      if kind == .teachers, value.object != nil { continue }
      #expect(schema.problems(value).isEmpty == isRead, "\(kind) and \(value)")
    }
  }

  @Test(arguments: Settings.common.map(\.name))
  func `a default can be written out`(_ name: String) throws {
    let setting = try #require(GridVocabulary.toy.settings[name])
    if setting.standard != .null { #expect(setting.complaint(about: setting.standard) == nil) }
    #expect(setting.sentence.hasSuffix(".") && setting.sentence.count > 10)
  }

  // A recipe setting is one entry

  private static let clip = SettingDescription(
    "gradientClip", .number(.from(0, below: 100)), default: .value(0), place: .recipe, synonyms: ["clip"],
    sentence: "Largest norm of a gradient; 0 for none.")

  @Test func `a recipe keeps a setting that it knows nothing of, and its key only where it is set`() throws {
    var recipe = RecipeSpec.student(epochs: 8)
    let before = recipe.canonicalBytes
    #expect(recipe[Self.clip] == 0)
    recipe[Self.clip] = 5
    #expect(recipe[Self.clip] == 5)
    let text = String(decoding: recipe.canonicalBytes, as: UTF8.self)
    #expect(text.contains(#""gamma":0.1,"gradientClip":5,"learningRate":0.05"#), "in the order of names")
    let read = try RecipeSpec(JSONReader.read(recipe.canonicalBytes).value, at: "")
    #expect(read == recipe && read.canonicalBytes == recipe.canonicalBytes)
    #expect(read.unknownSettings == ["gradientClip"], "no setting of this program: nobody could compute it")
    recipe[Self.clip] = 0
    #expect(recipe.canonicalBytes == before)
  }

  @Test func `values of a recipe that no recipe has are refused with their place`() {
    for (member, value) in [("labelSmoothing", "1"), ("dropPath", "\"x\""), ("numerics", "\"fast\"")] {
      let text = String(decoding: RecipeSpec.student(epochs: 8).canonicalBytes, as: UTF8.self)
      let bytes = Array(text.replacing("\"momentum\"", with: "\"\(member)\":\(value),\"momentum\"").utf8)
      #expect { try RecipeSpec(JSONReader.read(bytes).value, at: "recipe") } throws: { error in
        (error as? SpecError)?.path == "recipe.\(member)"
      }
    }
  }

  // Listings

  @Test func `the table has a row for each setting and no line above 110 columns`() {
    let catalog = GridVocabulary.toy.settings
    let lines = SettingTable.text(catalog).split(separator: "\n", omittingEmptySubsequences: false)
    for name in catalog.names { #expect(lines.contains { $0.hasPrefix("\(name) ") }, "\(name)") }
    #expect(lines.allSatisfy { $0.count <= 110 && !$0.hasSuffix(" ") })
  }

  @Test func `a default says what named recipes have instead`() throws {
    let catalog = GridVocabulary.toy.settings
    #expect(SettingTable.defaultText(try #require(catalog["labelSmoothing"])) == "0; vit: 0.1")
    #expect(SettingTable.defaultText(try #require(catalog["learningRate"])) == "the recipe's")
    #expect(SettingTable.defaultText(try #require(catalog["teacherEpochs"])) == "as epochs")
  }
}
