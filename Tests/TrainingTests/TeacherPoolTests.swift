import Datasets
import Distillation
import Networks
import Specs
import Synchronization
import Tensors
import Testing
import Training

/// Who answers for a teacher, the network or a record of it, changes no bit.
@Suite struct TeacherPoolTests {
  private static let task = ImageTask(channels: 3, height: 16, width: 16, classes: 5)
  private static let dataset = try! DatasetCatalog.read(
    DatasetSpec(name: "synthetic-3x16x16-5", trainImages: 96, testImages: 32))

  private static let networks: [JSONValue] = [
    ["family": "cifar_resnet", "depth": 8, "widths": [8, 8, 16, 32]],
    ["family": "cifar_wrn", "depth": 10, "widen": 2],
    "shufflenetv2-0-5", "regnetx-200mf", "mobilenetv2",
  ]

  private static func teacher(_ name: JSONValue) throws -> Teacher {
    let built = try BuiltNetwork(NetworkNames.spec(name), task)
    return Teacher(built, built.state(seed: 3))
  }

  private static func bits(_ activations: Activations) -> [[Float]] {
    [activations.logits.floats, activations.embedding.floats, activations.map.floats]
  }

  /// A record in memory, made of the teacher's answers in batches of its own size.
  private final class Record: RecordedOutputs {
    let answers: [Activations]
    let views: Int
    let reads = Atomic(0)

    init(_ teacher: Teacher, views: Int, batch: Int) throws {
      self.views = views
      let records = Array(0..<dataset.train.count * views)
      answers = try stride(from: 0, to: records.count, by: batch).flatMap { first -> [Activations] in
        let some = Array(records[first..<min(first + batch, records.count)])
        let said = try teacher(
          Augmentation.standard.batch(
            of: dataset.train, indices: some.map { $0 / views }, views: some.map { $0 % views }))
        return some.indices.map { index in
          Activations(
            maps: [said.map.rows([index])], embedding: said.embedding.rows([index]),
            logits: said.logits.rows([index]))
        }
      }
    }

    func activations(_ positions: [Int], views chosen: [Int]) -> Activations? {
      reads.add(1, ordering: .relaxed)
      let found = zip(positions, chosen).map { answers[$0 * views + $1] }
      return Activations(
        maps: [.concatenated(found.map(\.map), axis: 0)],
        embedding: .concatenated(found.map(\.embedding), axis: 0),
        logits: .concatenated(found.map(\.logits), axis: 0))
    }
  }

  @Test(arguments: networks.indices)
  func `what a teacher says of an image does not depend on its batch`(_ index: Int) throws {
    let teacher = try Self.teacher(Self.networks[index])
    let images = try Augmentation.standard.batch(
      of: Self.dataset.train, indices: Array(0..<64), views: (0..<64).map { $0 % 3 })
    let whole = teacher(images)
    // A teacher walks a batch in parts that fit the cache; the network takes it at once.
    let atOnce = teacher.network.network(images, Pass(teacher.state, .inference))
    let isSame = Self.bits(atOnce) == Self.bits(whole)
    #expect(isSame && whole.features.map(\.shape) == atOnce.features.map(\.shape))
    for size in [1, 16] {
      for first in stride(from: 0, to: 64, by: 16) {
        let some = Array(first..<first + size)
        let part = teacher(images.rows(some))
        // Whether they are equal, not how they differ: a difference of long arrays takes minutes to print.
        let equal = zip(Self.bits(part), Self.bits(whole.rows(some))).map { $0 == $1 }
        #expect(equal == [true, true, true], "logits, embedding and map in batches of \(size)")
      }
    }
  }

  @Test func `a run that reads its teachers ends with the bits of one that asks them`() throws {
    let teachers = try Self.networks.prefix(2).map(Self.teacher)
    let recipe = RecipeSpec.student(epochs: 2, batchSize: 20)
    func run(_ records: [(any RecordedOutputs)?]) throws -> (bits: [UInt8], states: [ContentKey]) {
      var run = try TrainingRun(
        student: NetworkNames.spec(Self.networks[0]), teachers: Array(teachers),
        method: MethodSpec(name: "mtkd-rl"), recipe: recipe,
        source: DatasetBatches(Self.dataset, batchSize: 20, seed: 4, plan: ViewPlan(views: 3)), seed: 4,
        recorded: records)
      var states: [ContentKey] = []
      while let report = try run.step() {
        if let epoch = report.finishedEpoch { states.append(epoch.state) }
      }
      return (run.snapshot.encoded(), states)
    }
    let asked = try run([])
    let records = try teachers.map { try Record($0, views: 3, batch: 7) }
    let read = try run(records)
    #expect(asked.states.count == 2 && read.states == asked.states)
    let isSame = read.bits == asked.bits
    #expect(isSame)
    #expect(records.allSatisfy { $0.reads.load(ordering: .relaxed) == 10 })
    let mixed = try run([records[0], nil]).states
    #expect(mixed == asked.states)
  }

  @Test func `who has just asked answers for others that show the same batch`() throws {
    let teacher = try Self.teacher(Self.networks[0])
    let shared = SharedAnswers()
    let (first, second) = (TeacherPool([teacher], shared: shared), TeacherPool([teacher], shared: shared))
    func ask(_ pool: TeacherPool, _ positions: [Int], epoch: Int) throws -> ([[Float]], isSpared: Bool?) {
      let images = try Augmentation.standard.batch(
        of: Self.dataset.train, indices: positions, seed: 1, epoch: epoch)
      let (said, cost) = pool.activations(images, positions, views: nil, epoch: epoch) { [0] }
      return (Self.bits(said[0]), cost?.isSpared)
    }
    let known = try ask(first, [4, 2, 9], epoch: 0)
    let told = try ask(second, [4, 2, 9], epoch: 0)
    #expect(known.isSpared == false && told.isSpared == true && told.0 == known.0)
    #expect(try ask(second, [4, 2, 9], epoch: 1).isSpared == false)
    // Only the last batch is kept.
    let again = try ask(first, [4, 2, 9], epoch: 0)
    #expect(again.isSpared == false && again.0 == known.0)
    #expect(try ask(second, [2, 4, 9], epoch: 0).isSpared == false)
  }
}

extension Activations {
  fileprivate func rows(_ chosen: [Int]) -> Activations {
    Activations(
      maps: [map.rows(chosen)], embedding: embedding.rows(chosen), logits: logits.rows(chosen))
  }
}
