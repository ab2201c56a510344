/// A frozen network that students learn from: what it is, and how it was trained or
/// where its weights come from.
package struct TeacherSpec: Hashable, Sendable {
  package var network: ModelSpec
  /// Of a network that was trained elsewhere only how it is computed counts.
  package var recipe: RecipeSpec
  package var seed: Int
  /// How many training images it learns from, where that is another number than its students';
  /// nil where it is the same.
  package var trainImages: Int?
  /// Who trains it in this program's place; nil for nobody.
  package private(set) var trainer: TrainerSpec?
  /// Numbers of features, beside the logits, that this trainer writes down at most of what the teacher says
  /// of one view; nil where it writes nothing.
  package private(set) var outputs: Int?
  /// Of a network that was trained elsewhere, which has no recipe and no seed; nil for
  /// one that is trained here.
  package private(set) var weights: ImportedWeights?

  package init(network: ModelSpec, recipe: RecipeSpec, seed: Int) {
    self.network = network
    self.recipe = recipe
    self.seed = seed
  }

  package init(network: ModelSpec, weights: ImportedWeights) {
    self.init(network: network, recipe: .none, seed: 0)
    self.weights = weights
  }

  /// The same as the trainer of its students trains it: as it is where that trains no teachers, and where its
  /// weights come from elsewhere.
  package func trained(by trainer: TrainerSpec?) -> TeacherSpec {
    guard weights == nil, let trainer, case .trains(let outputs) = trainer.teaching else { return self }
    var teacher = self
    (teacher.trainer, teacher.outputs) = (trainer.inKeys, outputs)
    return teacher
  }

  /// The same without what only says how its outputs are kept.
  package var alone: TeacherSpec {
    var teacher = self
    teacher.outputs = nil
    return teacher
  }
}

extension TeacherSpec: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var members: [(name: String, write: (inout [UInt8]) -> Void)] = [("network", network.append)]
    if let weights {
      members.append(("weights", weights.append))
      for (name, value) in recipe.computation {
        members.append((name, { CanonicalJSON.append(value, to: &$0) }))
      }
      members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    } else {
      members.append(("recipe", recipe.append))
      members.append(("seed", { [seed] in CanonicalJSON.append(seed, to: &$0) }))
      if let trainImages { members.append(("trainImages", { CanonicalJSON.append(trainImages, to: &$0) })) }
      if let trainer { members.append(("trainer", trainer.append)) }
      if let outputs { members.append(("outputs", { CanonicalJSON.append(outputs, to: &$0) })) }
      if trainer != nil { members.sort { $0.name < $1.name } }
    }
    var object = ObjectWriter(to: &bytes)
    for member in members { object.member(member.name, to: &bytes, member.write) }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    if let weights = object["weights"] {
      self.init(
        network: try ModelSpec(object["network"] ?? .null, at: object.path("network")),
        weights: try ImportedWeights(weights, at: object.path("weights")))
      recipe = try RecipeSpec(computedAs: json.object ?? [:], at: path)
      return
    }
    self.init(
      network: try ModelSpec(object["network"] ?? .null, at: object.path("network")),
      recipe: try RecipeSpec(object["recipe"] ?? .null, at: object.path("recipe")),
      seed: try object.integer("seed"))
    trainImages = try object.optional("trainImages", SpecObject.integer)
    trainer = try object["trainer"].map { value throws(SpecError) in
      try TrainerSpec(value, at: object.path("trainer"))
    }
    outputs = try object.optional("outputs", SpecObject.integer)
  }
}

/// The canonical form of a run without its method, its recipe and its seed, for runs by the hundred
/// thousand that differ in these.
package struct GappedRun: Hashable, Sendable {
  /// Four: before the method, before the recipe, before the seed, behind the seed.
  fileprivate let pieces: [[UInt8]]

  /// Appends the canonical form of a run.
  ///
  /// - Parameters:
  ///   - method: its canonical form.
  ///   - recipe: its canonical form.
  package func append(method: [UInt8], recipe: [UInt8], seed: Int, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: pieces[0])
    bytes.append(contentsOf: method)
    bytes.append(contentsOf: pieces[1])
    bytes.append(contentsOf: recipe)
    bytes.append(contentsOf: pieces[2])
    CanonicalJSON.append(DecimalNumber(seed), to: &bytes)
    bytes.append(contentsOf: pieces[3])
  }
}

/// One seeded run of a student, fully resolved: exactly the values that its method reads, and nothing else,
/// so that equal runs are equal values.
public struct RunSpec: Hashable, Sendable {
  /// What it is trained and tested on.
  public var dataset: DatasetSpec
  /// The network that is trained.
  public var student: ModelSpec
  /// What it learns from, with its options.
  public var method: MethodSpec
  /// In the order of the pool; empty for a method that reads none.
  package var teachers: [TeacherSpec]
  /// How it is trained.
  public var recipe: RecipeSpec
  /// What its random streams are made from.
  public var seed: Int
  /// How many views of an image epochs draw from: K that are the same for every run, or 0 for
  /// a new one in each epoch.
  package var views: Int
  /// Who trains in this program's place; nil for nobody.
  package var trainer: TrainerSpec?
  /// Whether its evaluations measure how often the student and each teacher name the same class.
  package var agreement = false

  package init(
    dataset: DatasetSpec, student: ModelSpec, method: MethodSpec, teachers: [TeacherSpec], recipe: RecipeSpec,
    seed: Int, views: Int = 0
  ) {
    self.dataset = dataset
    self.student = student
    self.method = method
    self.teachers = teachers
    self.recipe = recipe
    self.seed = seed
    self.views = views
  }
}

extension RunSpec: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    append(to: &bytes) { value, bytes in value(&bytes) }
  }

  /// The canonical form with gaps for method, recipe and seed: all that the runs of a grid have in common
  /// that differ in nothing else.
  package var gapped: GappedRun {
    var (bytes, pieces): ([UInt8], [[UInt8]]) = ([], [])
    append(to: &bytes) { _, bytes in
      pieces.append(bytes)
      bytes = []
    }
    return GappedRun(pieces: pieces + [bytes])
  }

  /// - Parameter varying: is handed what writes the method, the recipe and the seed, in this order.
  private func append(
    to bytes: inout [UInt8], _ varying: (_ write: (inout [UInt8]) -> Void, inout [UInt8]) -> Void
  ) {
    var object = ObjectWriter(to: &bytes)
    if agreement { object.member("agreement", .bool(true), to: &bytes) }
    object.member("dataset", to: &bytes, dataset.append)
    object.member("method", to: &bytes) { varying(method.append, &$0) }
    object.member("recipe", to: &bytes) { varying(recipe.append, &$0) }
    object.member("seed", to: &bytes) { varying({ CanonicalJSON.append(DecimalNumber(seed), to: &$0) }, &$0) }
    object.member("student", to: &bytes, student.append)
    if !teachers.isEmpty {
      object.member("teachers", to: &bytes) { bytes in
        bytes.append(UInt8(ascii: "["))
        for (index, teacher) in teachers.enumerated() {
          if index > 0 { bytes.append(UInt8(ascii: ",")) }
          teacher.append(to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
      }
    }
    if let trainer { object.member("trainer", to: &bytes, trainer.append) }
    if views > 0 { object.member("views", views, to: &bytes) }
    object.end(&bytes)
  }

  public init(_ json: JSONValue, at path: String = "") throws(SpecError) {
    let object = try SpecObject(json, at: path)
    let list = try object.optional("teachers", SpecObject.array) ?? []
    var teachers: [TeacherSpec] = []
    for (index, teacher) in list.enumerated() {
      teachers.append(try TeacherSpec(teacher, at: object.path("teachers[\(index)]")))
    }
    self.init(
      dataset: try DatasetSpec(object["dataset"] ?? .null, at: object.path("dataset")),
      student: try ModelSpec(object["student"] ?? .null, at: object.path("student")),
      method: try MethodSpec(object["method"] ?? .null, at: object.path("method")), teachers: teachers,
      recipe: try RecipeSpec(object["recipe"] ?? .null, at: object.path("recipe")),
      seed: try object.integer("seed"), views: try object.optional("views", SpecObject.integer) ?? 0)
    trainer = try object["trainer"].map { value throws(SpecError) in
      try TrainerSpec(value, at: object.path("trainer"))
    }
    agreement = try object.optional("agreement", SpecObject.bool) ?? false
  }
}
