internal import Foundation
internal import Networks
internal import Specs
internal import Storage

/// Weights that a trainer names with its epochs: those of the best and of the newest epochs are kept, in a
/// folder of the stage until the run is published.
struct KeptWeights {
  /// What an output says of them: after which epochs, counted from 0, and steps.
  static let file = "checkpoints.json"
  /// Weights of other epochs than the best and the last, by how many epochs they had seen.
  static func file(after epochs: Int) -> String { "after-\(epochs).safetensors" }
  /// Reads such a name; nil for any other.
  static func epochs(_ name: String) -> Int? {
    let epochs = name.split(separator: "-").last?.split(separator: ".").first.flatMap { Int($0) }
    return epochs.flatMap { file(after: $0) == name ? $0 : nil }
  }

  /// Where the trainer leaves them, and where they are kept.
  private let (source, folder): (String, String)
  /// How many of the newest are kept.
  private let count: Int
  /// What tells the best epoch; nil where nobody says which way it is good.
  private let metric: MetricDescription?
  /// Of epochs whose weights are kept.
  private var known: [Int: EpochRecord] = [:]
  private var best: EpochRecord?

  /// - Parameters:
  ///   - stage: of the run.
  ///   - headline: the metric whose best value tells the best epoch.
  ///   - count: how many of the newest epochs are kept.
  ///   - earlier: epochs that earlier attempts recorded.
  init(
    of stage: StageFolder, from source: String, best headline: MetricDescription, count: Int,
    earlier: [EpochRecord]
  ) {
    self.source = source
    folder = "\(stage.path)/weights"
    self.count = max(1, count)
    metric = headline.isHigherBetter == nil ? nil : headline
    for epoch in earlier where AtomicFile.exists(path(of: epoch.epoch)) { note(epoch) }
  }

  private func path(of epoch: Int) -> String { "\(folder)/\(Self.file(after: epoch + 1))" }

  private mutating func note(_ epoch: EpochRecord) {
    known[epoch.epoch] = epoch
    guard let metric, let value = epoch.metrics[metric.name], value.isFinite else { return }
    if let best, best.epoch != epoch.epoch,
      !metric.isBetter(value, than: best.metrics[metric.name] ?? .nan)
    {
      return
    }
    best = epoch
  }

  /// Takes an epoch's weights out of the trainer's folder, before the epoch is recorded: whoever is killed
  /// between the two is told of the epoch again, and has them already.
  ///
  /// - Throws: `TrainerFault` where they are not there or are no safetensors file.
  mutating func take(_ name: String?, of epoch: EpochRecord) throws {
    let target = path(of: epoch.epoch)
    if let name, AtomicFile.exists("\(source)/\(name)") || !AtomicFile.exists(target) {
      let place = "with epoch \(epoch.epoch)"
      let bytes = try PublishedFile.read(name, in: source, named: place)
      do { _ = try Safetensors(decoding: bytes) } catch {
        throw TrainerFault(
          reason:
            "The trainer names the weights \(name) \(place), and they are no safetensors file: \(error)"
        )
      }
      try AtomicFile.createFolder(folder)
      try AtomicFile.replace(bytes, at: target)
      try FileManager.default.removeItem(atPath: "\(source)/\(name)")
    }
    guard AtomicFile.exists(target) else { return }
    note(epoch)
    for old in known.keys.sorted().dropLast(count) where old != best?.epoch {
      try FileManager.default.removeItem(atPath: path(of: old))
      known[old] = nil
    }
  }

  /// What is published beside the trainer's own files: nothing where it named no weights.
  func files(epochs: Int) throws -> [(name: String, bytes: [UInt8])] {
    guard !known.isEmpty else { return [] }
    var files: [(name: String, bytes: [UInt8])] = []
    var places: [String: JSONValue] = [:]
    func add(_ name: String, _ word: String?, _ epoch: EpochRecord) throws {
      files.append((name, try AtomicFile.read(path(of: epoch.epoch))))
      guard let word else { return }
      places[word] = [
        "epoch": .number(DecimalNumber(epoch.epoch)), "step": .number(DecimalNumber(epoch.step)),
      ]
    }
    for (number, epoch) in known.sorted(by: { $0.key < $1.key }) {
      let isLast = number == epochs - 1
      if isLast { try add(TrainingBody.finalFile, "final", epoch) }
      if number == best?.epoch { try add(TrainingBody.bestFile, "best", epoch) }
      if !isLast, number != best?.epoch { try add(Self.file(after: number + 1), nil, epoch) }
    }
    return files + [(Self.file, CanonicalJSON.bytes(of: .object(places)))]
  }

  /// Once the run is published.
  func remove() throws {
    guard AtomicFile.exists(folder) else { return }
    try AtomicFile.removeFolder(folder)
  }

  /// The best and the last weights of a run of a trainer, as its output has them;
  /// none of one that named none.
  static func checkpoints(_ output: PublishedOutput) throws -> [Checkpoint] {
    guard output.names.contains(file) else { return [] }
    let places = try JSONReader.read(output.read(file)).value.object ?? [:]
    return try [(CheckpointKind.best, TrainingBody.bestFile), (.final, TrainingBody.finalFile)]
      .compactMap {
        kind, name in
        guard let place = places[kind.rawValue]?.object, let epoch = place["epoch"]?.integer,
          let step = place["step"]?.integer
        else { return nil }
        return Checkpoint(
          kind: kind, epoch: epoch, step: step, bytes: try output.read(name),
          digest: try output.digest(of: name))
      }
  }
}
