internal import Datasets
internal import Networks
package import Specs
internal import Storage
internal import Sweeps
internal import Tensors

/// How much work is left, from networks' multiply-adds and from what stages took here before.
package struct Forecast: Sendable {
  /// Multiply-adds a CPU second that are assumed where nothing has been measured in this store yet.
  static let assumedRate = 4e9
  /// Topic of the measured seconds for 10⁹ multiply-adds.
  static let topic = "seconds for 10^9 multiply-adds"

  package let cpuSeconds: Double
  package let diskBytes: Double
  /// Stages behind the rate; 0 where it is assumed.
  package let measurements: Int
  /// The longest single stage and what it waits for, which no number of workers shortens.
  private let longest: Double
  /// Multiply-adds of each stage still to run.
  private let costs: [ContentKey: Double]
  /// CPU seconds a multiply-add.
  private let rate: Double

  init(
    _ expansion: GridExpansion, _ plan: SweepPlan, done: Set<ContentKey>, estimates: [String: Estimate]
  ) throws {
    var meter = CostMeter()
    let measured = estimates[Self.topic]
    rate = measured.map { $0.seconds / 1e9 } ?? 1 / Self.assumedRate
    measurements = measured?.count ?? 0
    var (costs, disk): ([ContentKey: Double], Double) = ([:], 0)
    let readers = Set(plan.stages.filter { !$0.helpers.isEmpty }.map(\.key))
    for (key, record) in plan.records where !done.contains(key) {
      costs[key] = try meter.record(record)
      disk += try meter.bytes(of: record)
    }
    for (run, key) in zip(expansion.runs, plan.runKeys) where !done.contains(key) {
      costs[key] = try meter.student(run.spec, isRead: readers.contains(key))
      disk += try meter.bytes(run.spec.student, run.spec.dataset)
      for teacher in run.spec.teachers {
        let stage = TeacherStage(teacher, on: run.spec.dataset)
        guard !meter.seen.contains(stage) else { continue }
        meter.seen.insert(stage)
        if !done.contains(stage.key) { costs[stage.key] = try meter.teacher(stage) }
      }
    }
    self.costs = costs
    cpuSeconds = costs.values.sorted().reduce(0, +) * rate
    longest = (costs.values.max() ?? 0) * rate
    diskBytes = disk
  }

  /// Of what a teacher says, uncompressed.
  static func bytes(of record: TeacherOutputsStage) throws -> Double {
    var meter = CostMeter()
    return try meter.bytes(of: record)
  }

  /// At so many workers that do not disturb each other.
  package func wallSeconds(workers: Int) -> Double { max(longest, cpuSeconds / Double(max(1, workers))) }

  /// CPU seconds of one stage.
  package func seconds(of key: ContentKey) -> Double { costs[key, default: 0] * rate }

  /// Multiply-adds of one stage still to run.
  func cost(of key: ContentKey) -> Double? { costs[key] }
}

/// Multiply-adds of stages; every network is evaluated once a task.
private struct CostMeter {
  /// A training step costs a forward pass and about two more for the gradients.
  private static let trainingPasses = 3.0

  var seen: Set<TeacherStage> = []
  private var networks: [ModelSpec: [ImageTask: NetworkCost]] = [:]

  mutating func student(_ run: RunSpec, isRead: Bool) throws -> Double {
    let (task, train, test) = Self.size(of: run.dataset)
    let own = Double(try cost(run.student, task).multiplyAdds)
    let teachers =
      isRead ? 0 : try run.teachers.reduce(0.0) { try $0 + Double(cost($1.network, task).multiplyAdds) }
    return Double(run.recipe.epochs) * (train * (Self.trainingPasses * own + teachers) + test * own)
  }

  mutating func teacher(_ stage: TeacherStage) throws -> Double {
    let (task, train, test) = Self.size(of: stage.dataset)
    let own = Double(try cost(stage.teacher.network, task).multiplyAdds)
    return Double(stage.teacher.recipe.epochs) * own * (Self.trainingPasses * train + test)
  }

  mutating func record(_ stage: TeacherOutputsStage) throws -> Double {
    let (task, train, _) = Self.size(of: stage.dataset)
    return train * Double(stage.views) * Double(try cost(stage.teacher.network, task).multiplyAdds)
  }

  /// Of what a teacher says, uncompressed.
  mutating func bytes(of stage: TeacherOutputsStage) throws -> Double {
    let (task, train, _) = Self.size(of: stage.dataset)
    let cost = try cost(stage.teacher.network, task)
    return train * Double(stage.views) * 4
      * Double(task.classes + cost.embedding + (stage.maps ? cost.map.count : 0))
  }

  /// Of a student's checkpoints, on disk and in the store: weights three times, momentum once.
  mutating func bytes(_ student: ModelSpec, _ dataset: DatasetSpec) throws -> Double {
    Double(try cost(student, Self.size(of: dataset).task).parameters) * 4 * 7
  }

  private mutating func cost(_ network: ModelSpec, _ task: ImageTask) throws -> NetworkCost {
    if let known = networks[network]?[task] { return known }
    let cost = try NetworkCost(network, task)
    networks[network, default: [:]][task] = cost
    return cost
  }

  /// The task of a dataset by its name and the images that a run sees; sizes of unknown folders are those of MNIST.
  private static func size(of dataset: DatasetSpec) -> (task: ImageTask, train: Double, test: Double) {
    let full = DatasetCatalog.usualSize(dataset.name)
    let train = dataset.trainImages ?? (full.train - dataset.validationImages)
    return (full.task, Double(train), Double(dataset.testImages ?? full.test))
  }
}
