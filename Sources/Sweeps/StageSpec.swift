public import Specs

/// A piece of work as data: what it is made of decides its key, and the key names its result for ever.
public protocol StageSpec: CanonicallyEncodable {
  static var kind: String { get }
  static var role: StageRole { get }
  /// Raised when the meaning of the output changes; never for a faster way to the same bits.
  static var revision: Int { get }
  /// Keys of the stages whose outputs this one reads, in order.
  var inputs: [ContentKey] { get }
  /// How the stage is to be computed, as its grid said (default: portable).
  var numerics: RecipeSpec.NumericsKind { get }
}

/// What stages of a kind are for; the scheduler knows nothing else of a kind.
public enum StageRole: Sendable {
  /// Its numbers are what somebody asked for: it runs although no other stage reads it.
  case result
  /// It runs where a stage that is still to run reads its output.
  case preparation
  /// Its output makes other stages faster and changes no bit of them: they do without it where it fails or
  /// finds no room. It is kept as long as there is room.
  case helper
}

extension StageSpec {
  public var numerics: RecipeSpec.NumericsKind { .portable }

  /// Names the stage's result: a digest over kind, revision, encoding and inputs.
  public var key: ContentKey { StageRequest(self).key }
}

/// A stage of any kind, encoded: what a worker is given.
package struct StageRequest: Hashable, Sendable {
  package let key: ContentKey
  package let kind: String
  package let revision: Int
  /// Nil for a stage that was read from its document: the catalog of kinds knows it by the kind's name.
  package private(set) var role: StageRole?
  package let inputs: [ContentKey]
  /// Stages that are worth waiting for because their outputs make this one faster. They change no bit of
  /// it, so they are in no key.
  package var helpers: [ContentKey] = []
  private let text: Text

  /// The specification, written out only when it is asked for: a plan may have a million
  /// that differ in a few digits.
  private enum Text: Sendable {
    case written([UInt8])
    case run(GappedRun, RunCell, seed: Int)
  }

  package init(_ stage: some StageSpec) {
    self.init(
      kind: type(of: stage).kind, revision: type(of: stage).revision, role: type(of: stage).role,
      spec: stage.canonicalBytes, inputs: stage.inputs)
  }

  /// - Parameter spec: the canonical encoding of the specification.
  package init(kind: String, revision: Int, role: StageRole? = nil, spec: [UInt8], inputs: [ContentKey]) {
    self.kind = kind
    self.revision = revision
    self.role = role
    self.inputs = inputs
    text = .written(spec)
    var hasher = RequestHasher()
    key = hasher.key(kind: kind, revision: revision, inputs: inputs) { $0.append(contentsOf: spec) }
  }

  /// A student's run.
  ///
  /// - Parameters:
  ///   - encoding: that of the lesson of its cell.
  ///   - inputs: the dataset, then the teachers.
  init(_ run: PlannedRun, _ encoding: GappedRun, inputs: [ContentKey], _ hasher: inout RequestHasher) {
    kind = StudentStage.kind
    revision = StudentStage.revision
    role = StudentStage.role
    self.inputs = inputs
    text = .run(encoding, run.cell, seed: run.seed)
    let (cell, seed) = (run.cell, run.seed)
    key = hasher.key(kind: kind, revision: revision, inputs: inputs) { bytes in
      encoding.append(method: cell.method.bytes, recipe: cell.recipe.bytes, seed: seed, to: &bytes)
    }
  }

  /// The canonical encoding of the specification.
  package var spec: [UInt8] {
    switch text {
    case .written(let bytes): return bytes
    case .run(let encoding, let cell, let seed):
      var bytes: [UInt8] = []
      encoding.append(method: cell.method.bytes, recipe: cell.recipe.bytes, seed: seed, to: &bytes)
      return bytes
    }
  }

  /// The same where nobody asks for it by itself: it runs for those that read it.
  var preparing: StageRequest {
    var request = self
    request.role = .preparation
    return request
  }

  /// The cell of a run that a plan asks for.
  var planned: RunCell? { if case .run(_, let cell, _) = text { cell } else { nil } }

  package static func == (a: StageRequest, b: StageRequest) -> Bool { a.key == b.key }
  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

extension StageRequest {
  /// The text of `spec.json`: all that the key was made of.
  package var document: [UInt8] {
    var bytes: [UInt8] = []
    var object = ObjectWriter(to: &bytes)
    object.member("inputs", .array(inputs.map { .string($0.description) }), to: &bytes)
    object.member("kind", .string(kind), to: &bytes)
    object.member("revision", revision, to: &bytes)
    object.member("spec", to: &bytes) { $0.append(contentsOf: spec) }
    object.end(&bytes)
    return bytes
  }

  /// Reads `spec.json`. The key is computed anew, so whoever knows the key notices any change.
  package init(document: [UInt8]) throws {
    let object = try SpecObject(JSONReader.read(document).value)
    guard let spec = object["spec"] else { throw SpecError(path: "spec", expected: "an object") }
    let inputs = try object.array("inputs").map { value throws(SpecError) -> ContentKey in
      guard let key = value.string.flatMap({ ContentKey($0) }) else {
        throw SpecError(path: "inputs", expected: "a list of keys")
      }
      return key
    }
    self.init(
      kind: try object.string("kind"), revision: try object.integer("revision"),
      spec: CanonicalJSON.bytes(of: spec),
      inputs: inputs)
  }

  /// How the stage is to be computed; a run that a plan asks for is not written out and read again for that.
  package func numerics(as type: (some StageSpec).Type) throws -> RecipeSpec.NumericsKind {
    try planned?.recipe.spec.numerics ?? decoded(as: type).numerics
  }

  /// The specification as the stage that it is.
  package func decoded<Stage: StageSpec>(as type: Stage.Type) throws -> Stage {
    try Stage(JSONReader.read(spec).value, at: kind)
  }
}

/// Makes keys one after the other in the same memory.
struct RequestHasher {
  private var spec: [UInt8] = []
  private var hasher = ContentHasher()
  /// What the last stage shared with most of its neighbours, before and behind its specification.
  private var last: (kind: String, revision: Int, inputs: [ContentKey]) = ("", 0, [])
  private var (head, tail) = (ContentHasher(), ContentHasher())

  /// The key of a stage.
  ///
  /// - Parameter write: appends the canonical encoding of the specification.
  mutating func key(
    kind: String, revision: Int, inputs: [ContentKey], _ write: (inout [UInt8]) -> Void
  ) -> ContentKey {
    if (kind, revision) != (last.kind, last.revision) || inputs != last.inputs {
      last = (kind, revision, inputs)
      head.clear()
      head.field("kind", kind)
      head.field("revision", String(revision))
      tail.clear()
      for input in inputs { tail.field("input", input) }
    }
    spec.removeAll(keepingCapacity: true)
    write(&spec)
    hasher.clear()
    hasher.fields(of: head)
    hasher.field("spec", spec)
    hasher.fields(of: tail)
    return hasher.finished()
  }
}
