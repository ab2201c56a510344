import Datasets
import Foundation
import Networks
import Specs
import Tensors
import Training

/// Whether the way in which convolutions are computed shows in what a network learns: equal seeds,
/// equal images, three paths.
///
///     mtkd-benchmarks parity --data FOLDER --out FILE [--networks NAME,…] [--paths auto,direct,reference] [--seeds N] [--epochs N]
///
/// Trains on CIFAR-10 with the student's recipe. A finished run is a line of FILE and is not run again, so
/// that the command goes on where it was ended.
struct PathParity {
  private struct Result: Codable {
    let network: String
    let path: String
    let seed: Int
    let epochs: Int
    /// Percent of the test images, after the last epoch.
    let accuracy: Double
    /// Nats, mean over the test images.
    let loss: Double
    let cpuSeconds: Double
  }

  static func main(_ arguments: [String]) throws {
    var (folder, out) = ("data", "parity.jsonl")
    var (networks, seeds, epochs) = (["resnet8", "resnet20"], 3, 20)
    var paths = ConvolutionChoice.allCases
    var words = arguments[...]
    func names() -> [String]? { words.popFirst()?.split(separator: ",").map(String.init) }
    while let word = words.popFirst() {
      switch word {
      case "--data": folder = words.popFirst() ?? folder
      case "--out": out = words.popFirst() ?? out
      case "--networks": networks = names() ?? networks
      case "--paths": paths = names()?.compactMap(ConvolutionChoice.init) ?? paths
      case "--seeds": seeds = words.popFirst().flatMap { Int($0) } ?? seeds
      case "--epochs": epochs = words.popFirst().flatMap { Int($0) } ?? epochs
      default: print("unknown word \(word)")
      }
    }
    let dataset = try DatasetCatalog.read(DatasetCatalog.locate("cifar10", searching: [folder]).spec)
    print("CIFAR-10, \(dataset.train.count) + \(dataset.test.count) images, \(epochs) epochs")
    var results = try read(out)
    for network in networks {
      for seed in 1...seeds {
        for path in paths
        where !results.contains(where: {
          ($0.network, $0.path, $0.seed, $0.epochs) == (network, path.rawValue, seed, epochs)
        }) {
          let result = try train(network, path, seed: seed, epochs: epochs, on: dataset)
          results.append(result)
          try append(result, to: out)
        }
      }
      table(results.filter { $0.network == network && $0.epochs == epochs }, network, paths)
    }
  }

  private static func train(
    _ network: String, _ path: ConvolutionChoice, seed: Int, epochs: Int, on dataset: Dataset
  ) throws -> Result {
    let recipe = RecipeSpec.student(epochs: epochs)
    let start = cpuSeconds
    var run = try TrainingRun(
      student: NetworkNames.spec(.string(network)), teachers: [], method: MethodSpec(name: "baseline"),
      recipe: recipe, source: DatasetBatches(dataset, batchSize: recipe.batchSize, seed: seed), seed: seed)
    run.convolution = path
    while try run.step() != nil {}
    let evaluation = try run.evaluate()
    return Result(
      network: network, path: path.rawValue, seed: seed, epochs: epochs, accuracy: evaluation.accuracy,
      loss: evaluation.loss, cpuSeconds: cpuSeconds - start)
  }

  /// A row a path: mean and standard deviation (n - 1), and the differences to the
  /// reference path seed by seed.
  private static func table(_ results: [Result], _ network: String, _ paths: [ConvolutionChoice]) {
    for path in paths {
      let rows = results.filter { $0.path == path.rawValue }.sorted { $0.seed < $1.seed }
      guard !rows.isEmpty else { continue }
      let accuracies = rows.map(\.accuracy)
      let each = accuracies.map { String(format: "%.2f", $0) }.joined(separator: ", ")
      let differences = rows.compactMap { row in
        results.first { $0.path == ConvolutionChoice.reference.rawValue && $0.seed == row.seed }
          .map { row.accuracy - $0.accuracy }
      }
      let apart =
        path == .reference || differences.isEmpty
        ? "" : String(format: ", to reference %+.2f ± %.2f", mean(differences), std(differences))
      print(
        String(
          format: "%@ %@: acc1 %.2f ± %.2f (%@)%@, loss %.3f, %.0f CPU s a run", network, path.rawValue,
          mean(accuracies), std(accuracies), each, apart, mean(rows.map(\.loss)),
          mean(rows.map(\.cpuSeconds))))
    }
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  private static func std(_ values: [Double]) -> Double {
    let center = mean(values)
    let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    return values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
  }

  private static func read(_ path: String) throws -> [Result] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Result.self, from: Data($0.utf8)) }
  }

  private static func append(_ result: Result, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let line = try encoder.encode(result) + Data("\n".utf8)
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.seekToEnd()
    try file.write(contentsOf: line)
    try file.close()
  }

  private static var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
