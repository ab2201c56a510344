import Datasets
import Distillation
import Networks
import Specs
import Synchronization
import Tensors
import Testing
import Training

/// What a method reads of its teachers is what it declares: that is what is cached.
@Suite struct TeacherTapTests {
  /// Batches whose every image has one view, so that teachers' outputs can be cached.
  private struct ViewedBatches: BatchSource {
    let base: FixedBatches

    var task: ImageTask { base.task }
    func order(epoch: Int) -> [[Int]] { base.order(epoch: epoch) }
    func trainingBatch(_ positions: [Int], epoch: Int) -> (images: Tensor, targets: any Targets) {
      base.trainingBatch(positions, epoch: epoch)
    }
    func plainBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
      base.plainBatch(positions)
    }
    func views(_ positions: [Int], epoch: Int) -> [Int]? { positions.map { _ in 0 } }
    var evaluationOrder: [[Int]] { base.evaluationOrder }
    func evaluationBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
      base.evaluationBatch(positions)
    }
  }

  /// A cache that keeps nothing and notes what is asked for.
  private final class Spy: RecordedOutputs {
    private let teacher: Teacher
    private let images: Tensor
    private let noted = Mutex<Set<Activations.Part>>([])

    init(_ teacher: Teacher, _ images: Tensor) {
      self.teacher = teacher
      self.images = images
    }

    var read: Set<Activations.Part> { noted.withLock { $0 } }

    func activations(_ positions: [Int], views: [Int]) -> Activations? {
      let whole = teacher(images.rows(positions))
      return Activations(taps: whole.taps, kept: [:]) { [self] part in
        noted.withLock { _ = $0.insert(part) }
        return whole[part]
      }
    }
  }

  /// What a run of the variant reads of its first teacher.
  private static func read(by variant: MethodVariant) throws -> Set<Activations.Part> {
    let tiny = variant.tiny {
      $0.precision = .single
      $0.epochs = 2
    }
    let source = ViewedBatches(base: tiny.source)
    let teachers = variant.method == "baseline" ? [] : try tiny.trainedTeachers
    let spies = teachers.map { Spy($0, source.base.images) }
    var run = try TrainingRun(
      student: TinyRun.network(8), teachers: teachers, method: tiny.spec,
      recipe: .student(epochs: tiny.epochs, batchSize: tiny.batchSize), source: source, seed: tiny.seed,
      recorded: spies)
    while try run.step() != nil {}
    return spies.first?.read ?? []
  }

  /// The parts of the tiny teachers that a declaration names. The accuracy of teachers is reported in every
  /// run, so their logits are always cached.
  private static func parts(_ taps: Set<TeacherTap>) throws -> Set<Activations.Part> {
    let all = try TinyRun().trainedTeachers[0].network.network.backbone.taps
    return taps.reduce(into: taps.isEmpty ? [] : [.logits]) { parts, tap in
      switch tap {
      case .logits: parts.insert(.logits)
      case .embedding: parts.insert(.embedding)
      case .map: parts.insert(.map(all[all.count - 1]))
      case .stages: parts.formUnion(all.filter(\.isStage).map { .map($0) })
      }
    }
  }

  /// All variants, and those with ND for methods that take it: it reads embeddings.
  static func variants(of method: String) throws -> [MethodVariant] {
    let options = try Catalog.methods.entry(method).description.options
    let nd = options.contains { $0.name == "ndMode" } ? [MethodVariant(method, ["ndMode": "add"])] : []
    return MethodVariant.all.filter { $0.method == method } + nd
  }

  @Test(arguments: Catalog.methods.names)
  func `a method reads the taps that it declares, all of them and no other`(_ name: String) throws {
    let declared = try Self.parts(Catalog.methods.entry(name).description.reads)
    var read: Set<Activations.Part> = []
    for variant in try Self.variants(of: name) {
      let parts = try Self.read(by: variant)
      #expect(
        parts.isSubset(of: declared), "\(variant.testDescription) reads \(parts.subtracting(declared)) too")
      read.formUnion(parts)
    }
    #expect(read == declared, "\(name) declares \(declared.subtracting(read)) and never reads it")
  }

  @Test func `a read outside of the declaration is noticed`() throws {
    let read = try Self.read(by: MethodVariant("aver-kd-fitnet"))
    let declared = try Self.parts(Catalog.methods.entry("aver-kd").description.reads)
    #expect(!read.isSubset(of: declared))
  }

  @Test func `what was not cached is asked of the teacher, and the run has the same bits`() throws {
    func end(_ recorded: (Teacher, FixedBatches) -> [(any RecordedOutputs)?]) throws -> [UInt8] {
      let tiny = MethodVariant("aver-kd-fitnet").tiny {
        $0.precision = .single
        $0.teachers = 1
      }
      let teachers = try tiny.trainedTeachers
      let source = ViewedBatches(base: tiny.source)
      var run = try TrainingRun(
        student: TinyRun.network(8), teachers: teachers, method: tiny.spec,
        recipe: .student(epochs: 2, batchSize: 4), source: source, seed: 3,
        recorded: recorded(teachers[0], source.base))
      while try run.step() != nil {}
      return run.snapshot.encoded()
    }
    let isSame = try end { _, _ in [] } == end { [LogitsOnly($0, $1.images)] }
    #expect(isSame)
  }

  /// A cache of a method that reads less.
  private struct LogitsOnly: RecordedOutputs {
    let logits: Tensor

    init(_ teacher: Teacher, _ images: Tensor) { logits = teacher(images).logits }

    func activations(_ positions: [Int], views: [Int]) -> Activations? {
      Activations(taps: [], kept: [.logits: logits.rows(positions)])
    }
  }
}
