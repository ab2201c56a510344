package import Specs

/// A run that a grid asks for: a cell of the grid and a seed.
package struct PlannedRun: Sendable {
  package let cell: RunCell
  package let seed: Int

  package init(cell: RunCell, seed: Int) {
    self.cell = cell
    self.seed = seed
  }

  /// All that the run is, put together from the parts that it shares with others.
  package var spec: RunSpec { cell.spec(seed: seed) }
  /// Aligned with the expansion's `columns`; null where the method does not read the setting.
  package var labels: [JSONValue] { cell.labels }
  /// Where the grid asks for it first.
  package var block: Int { cell.block }
  /// Of the stage that its numbers come from.
  package var kind: String { cell.transfer == nil ? StudentStage.kind : EvaluationStage.kind }
}

extension PlannedRun {
  /// A run by itself, outside of a grid: its parts are numbered by what they are.
  init(spec: RunSpec, labels: [JSONValue], block: Int) {
    func number(_ bytes: [UInt8]) -> Int { Int(truncatingIfNeeded: ContentKey(hashing: bytes).word) }
    func lesson(_ number: Int) -> Lesson {
      Lesson(
        dataset: spec.dataset, student: spec.student, teachers: spec.teachers, views: spec.views,
        trainer: spec.trainer, agreement: spec.agreement, seeds: .fixed, number: number)
    }
    let (recipe, method) = (spec.recipe.canonicalBytes, spec.method.canonicalBytes)
    let options = spec.method.options.map { ChosenOption($0.key, $0.value) }.sorted { $0.precedes($1) }
    cell = RunCell(
      lesson(number(lesson(0).encoding)), RecipePart(spec.recipe, bytes: recipe, number: number(recipe)),
      MethodPart(
        spec.method.name, options, revision: spec.method.revision, unread: [], bytes: method,
        number: number(method)),
      labels: labels, block: block, number: number(spec.canonicalBytes))
    seed = spec.seed
  }
}

/// All runs of one row of a grid, which differ in nothing but their seed. A grid of a million rows keeps what
/// they share once: a cell refers to parts that know their encodings.
package final class RunCell: Sendable {
  package let lesson: Lesson
  package let recipe: RecipePart
  package let method: MethodPart
  /// What the backbone is put to; nil for nothing.
  package let transfer: TransferPart?
  package let labels: [JSONValue]
  package let block: Int
  /// Equal for rows that ask for the same runs; from 0, in the order in which the grid names them.
  let number: Int

  init(
    _ lesson: Lesson, _ recipe: RecipePart, _ method: MethodPart, transfer: TransferPart? = nil,
    labels: [JSONValue], block: Int, number: Int
  ) {
    self.lesson = lesson
    self.recipe = recipe
    self.method = method
    self.transfer = transfer
    self.labels = labels
    self.block = block
    self.number = number
  }

  /// Images that are held out for choosing an epoch.
  var validationImages: Int { (transfer?.spec.dataset ?? lesson.dataset).validationImages }

  package func spec(seed: Int) -> RunSpec {
    var run = RunSpec(
      dataset: lesson.dataset, student: lesson.student, method: method.spec,
      teachers: lesson.teachers(seed: seed), recipe: recipe.spec, seed: seed, views: lesson.views)
    run.trainer = lesson.trainer
    run.agreement = lesson.agreement
    return run
  }
}

/// Who learns what from whom: all of a run but its method, its recipe and its seed.
package final class Lesson: Sendable {
  package let dataset: DatasetSpec
  package let student: ModelSpec
  package let views: Int
  package let trainer: TrainerSpec?
  /// Whether evaluations measure how often the student and each teacher name the same class.
  package let agreement: Bool
  /// With seeds of 0, where they have the seed of their run.
  private let teachers: [TeacherSpec]
  /// Whether some teacher has the seed of its run.
  package let hasSeededTeachers: Bool
  /// Equal for lessons with equal encodings.
  package let number: Int

  /// - Parameters:
  ///   - teachers: in the order of the pool.
  ///   - seeds: whether teachers that are trained here have the seed of their run.
  init(
    dataset: DatasetSpec, student: ModelSpec, teachers: [TeacherSpec], views: Int, trainer: TrainerSpec?,
    agreement: Bool = false, seeds: GridSpec.TeacherSeeds, number: Int
  ) {
    self.dataset = dataset
    self.student = student
    self.teachers = teachers
    self.views = views
    self.trainer = trainer
    self.agreement = agreement
    self.number = number
    hasSeededTeachers = seeds == .perSeed && teachers.contains { $0.weights == nil }
  }

  var hasTeachers: Bool { !teachers.isEmpty }
  /// M.
  var teacherCount: Int { teachers.count }

  /// What a run of a trainer reads of its teachers, whatever its method; nil for one of this
  /// program, whose methods say so.
  var reads: TeacherOutputs? {
    guard let trainer else { return nil }
    guard case .trains(let outputs?) = trainer.teaching else { return TeacherOutputs.none }
    return outputs > 0 ? .maps : .heads
  }

  /// In the order of the pool.
  package func teachers(seed: Int) -> [TeacherSpec] {
    guard hasSeededTeachers else { return teachers }
    return teachers.map { teacher in
      var teacher = teacher
      if teacher.weights == nil { teacher.seed = seed }
      return teacher
    }
  }

  /// What teachers and the encoding depend on: a seed, or 0 where teachers have none of their own.
  package func teacherSeed(of seed: Int) -> Int { hasSeededTeachers ? seed : 0 }

  /// What tells it from others, whatever its runs' seeds are.
  var encoding: [UInt8] {
    var bytes: [UInt8] = []
    gapped(seed: 0).append(method: [], recipe: [], seed: 0, to: &bytes)
    return bytes
  }

  /// The canonical form of its runs, with gaps.
  func gapped(seed: Int) -> GappedRun {
    var run = RunSpec(
      dataset: dataset, student: student, method: MethodSpec(name: ""), teachers: teachers(seed: seed),
      recipe: .student(epochs: 1), seed: 0, views: views)
    run.trainer = trainer
    run.agreement = agreement
    return run.gapped
  }
}

/// How a student is trained.
package final class RecipePart: Sendable {
  package let spec: RecipeSpec
  /// The canonical form.
  let bytes: [UInt8]
  /// Equal for equal encodings.
  package let number: Int

  init(_ spec: RecipeSpec, bytes: [UInt8], number: Int) {
    self.spec = spec
    self.bytes = bytes
    self.number = number
  }
}

/// A method with the options that it reads.
package final class MethodPart: Sendable {
  package let name: String
  /// What is set to something other than the default, in canonical order.
  let options: [ChosenOption]
  /// See `MethodDescription.revision`.
  let revision: Int
  /// Options that the others leave unread, by the names that a grid uses.
  let unread: [String]
  /// The canonical form.
  let bytes: [UInt8]
  /// Equal for equal encodings.
  let number: Int

  init(
    _ name: String, _ options: [ChosenOption], revision: Int, unread: [String], bytes: [UInt8], number: Int
  ) {
    self.name = name
    self.options = options
    self.revision = revision
    self.unread = unread
    self.bytes = bytes
    self.number = number
  }

  package var spec: MethodSpec {
    MethodSpec(
      name: name, options: Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.value) }),
      revision: revision)
  }
}

/// What a run's backbone is put to, and whose backbone that is.
package final class TransferPart: Sendable {
  package let spec: TransferSpec
  package let source: BackboneSource
  /// k: transfers of each backbone.
  package let seeds: Int
  /// How the run is computed.
  let computation: [String: JSONValue]
  /// The canonical form of all of it.
  let bytes: [UInt8]
  /// Equal for equal encodings.
  package let number: Int

  init(
    _ spec: TransferSpec, of source: BackboneSource, seeds: Int, computation: [String: JSONValue],
    number: (ByteString) -> Int
  ) {
    self.spec = spec
    self.source = source
    self.seeds = seeds
    self.computation = computation
    var bytes = spec.canonicalBytes
    switch source {
    case .student(let epoch): bytes += Array("student \(epoch)".utf8)
    case .random(let network): bytes += Array("random ".utf8) + network.canonicalBytes
    case .weights(let teacher): bytes += Array("weights ".utf8) + teacher.canonicalBytes
    }
    bytes += Array(" \(seeds) ".utf8) + CanonicalJSON.bytes(of: .object(computation))
    self.bytes = bytes
    self.number = number(ByteString(bytes))
  }

  /// The network whose backbone it is.
  package func network(of lesson: Lesson) -> ModelSpec {
    switch source {
    case .student: lesson.student
    case .random(let network): network
    case .weights(let teacher): teacher.network
    }
  }

  /// T = (s - 1) k + t, t = 1 … k, for a run's seed s.
  func seeds(of run: Int) -> [Int] { (1...seeds).map { (run - 1) * seeds + $0 } }
}

/// Bytes as a key that is hashed once: a table of a million that looks its keys up again when it grows would
/// wait for memory each time.
struct ByteString: Hashable {
  private let digest: Int
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var hasher = Hasher()
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    digest = hasher.finalize()
  }

  static func == (a: ByteString, b: ByteString) -> Bool { a.digest == b.digest && a.bytes == b.bytes }
  func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// Numbers for values, from 0: equal values, equal numbers.
struct Numbering<Value: Hashable> {
  private var known: [Value: Int] = [:]

  /// Makes room for so many more values at once: a table that doubles looks up all that it has each time.
  mutating func reserve(_ more: Int) { known.reserveCapacity(known.count + more) }

  /// - Returns: the number, and whether nobody asked for it before.
  mutating func number(of value: Value) -> (number: Int, isNew: Bool) {
    let next = known.count
    let number = Self.number(&known[value], else: next)
    return (number, number == next)
  }

  /// One look where the value is new, which most are that come by the hundred thousand.
  private static func number(_ place: inout Int?, else next: Int) -> Int {
    if let place { return place }
    place = next
    return next
  }
}
