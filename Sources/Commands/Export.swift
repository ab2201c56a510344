import ArgumentParser
import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage

/// `mtkd-sweep export`: results for other programs.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a sweep's results, or a run's weights, for other programs.",
    discussion: (Catalog.exports.entries.map { format in
      "--format \(format.name)\n\(format.summary)"
    } + [
      "--format \(WeightsExport.format)\nThe weights of one run, named by its key, as PyTorch's "
        + "load_state_dict(strict=True) takes them.",
      "--format \(DetectionsExport.format)\nWhat the detector of one run, named by its key, has found in "
        + "the test images: COCO's format for results, as pycocotools' loadRes takes it, with masks "
        + "where there are.",
    ]).joined(separator: "\n\n"))

  /// Formats of a single run.
  private static let ofRuns = [WeightsExport.format, DetectionsExport.format]

  @OptionGroup var location: StoreLocation

  @Argument(
    help:
      ArgumentHelp(
        "The sweep, as 'mtkd-sweep list' names it. May be left out where the store holds one. "
          + "For \(Self.ofRuns.joined(separator: " and ")) the key of a run, or the beginning of one."),
    completion: Completions.sweeps)
  var sweep: String?

  @Option(
    help: ArgumentHelp(
      "Of a run's weights: last (the last epoch's), best (the best epoch's on the test images), or of a "
        + "trainer's run a number of epochs after which they were kept (run --keep).", valueName: "epoch"))
  var epoch = WeightsExport.Choice.last

  @Option(help: "What to write: \((Catalog.exports.names + Self.ofRuns).joined(separator: ", ")).")
  var format = TidyCSV.name

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "File or folder to write. (default: -, standard output, for a format that is one file) A folder is "
        + "replaced where an earlier export made it.",
      valueName: "path"))
  var output: String?

  @OptionGroup var data: DataFolders

  func validate() throws {
    if Self.ofRuns.contains(format) {
      guard sweep != nil else {
        let what = format == WeightsExport.format ? "weights" : "detections"
        throw ValidationError("Name the run whose \(what) to write.")
      }
      return
    }
    do { _ = try Catalog.exports.entry(format) } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    if let sweep, format == WeightsExport.format { return try writeWeights(sweep) }
    if let sweep, format == DetectionsExport.format {
      return try DetectionsExport.write(sweep, to: output, location, dataFolders: data.folders)
    }
    let store = try location.open()
    let record = try location.sweep(sweep, in: store)
    let format = try Catalog.exports.entry(format)
    let destination: ExportDestination
    if format.isFolder {
      guard let output, output != "-" else {
        throw NothingThere(
          description: "The format \(format.name) is a folder of files. Say where with -o DIR.")
      }
      destination = .folder(output)
    } else {
      destination = ExportDestination(output: output)
    }
    let header = ExportedSweep(
      name: record.name, columns: record.columns, time: record.created,
      location: format.isFolder ? destination.absolutePath : "")
    let export = format.init(header)
    let points = try store.points(of: record.name)
    try destination.write { write in
      for piece in export.head() { try write(piece) }
      for point in points {
        let account = try store.account(of: point, columns: record.columns).timed(in: location.folder)
        for piece in try export.pieces(of: account) {
          try write(piece)
        }
      }
    }
    guard let output, !destination.isStandardOutput else { return }
    Talk.say(
      points.count == 1
        ? "1 run of \(record.name) is in \(output)."
        : "\(output): \(counted(points.count, "run")) of \(record.name).")
  }

  private func writeWeights(_ key: String) throws {
    let (exported, title) = try WeightsExport.file(key, epoch, location, dataFolders: data.folders)
    guard let output else {
      throw NothingThere(description: "Weights go into a file. Say where with -o FILE.safetensors.")
    }
    try put(exported.bytes, at: output)
    // Beside a file lie its explanations; whoever writes into a pipe or a device wants the weights alone.
    let stem = output.hasSuffix(".safetensors") ? String(output.dropLast(".safetensors".count)) : output
    let isFile = !ExportDestination(output: output).isStandardOutput && DataFolders.isRegularFile(output)
    guard isFile else { return }
    try put(Array(exported.preprocess.utf8), at: "\(stem).preprocess.json")
    try put(Array(exported.readme.utf8), at: "\(stem).README.md")
    Talk.say(
      "The weights of \(title) are in \(output); how images are shown to them is in "
        + "\(stem).preprocess.json and \(stem).README.md.")
  }

  private func put(_ bytes: [UInt8], at path: String) throws {
    try ExportDestination(output: path).write { write in try write(ExportedFile(path: "", bytes: bytes)) }
  }
}

extension WeightsExport.Choice: ExpressibleByArgument {
  init?(argument: String) {
    switch argument {
    case "last": self = .last
    case "best": self = .best
    default:
      guard let epochs = Int(argument), epochs > 0 else { return nil }
      self = .after(epochs: epochs)
    }
  }

  var defaultValueDescription: String { word }
  static var allValueStrings: [String] { ["last", "best"] }
}
