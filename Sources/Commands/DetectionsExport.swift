import Foundation
import Pipeline
import Reports
import Specs
import Storage

/// `mtkd-sweep export RUN --format coco-results`: what a detector has found, for other evaluators.
enum DetectionsExport {
  static let format = "coco-results"

  /// Writes the detections, and beside a file the ids of all images that were looked at.
  ///
  /// - Parameters:
  ///   - key: of a finished run or transfer, or the beginning of one.
  ///   - dataFolders: where the annotations of the test images are looked for.
  static func write(
    _ key: String, to output: String?, _ location: StoreLocation, dataFolders: [String]
  ) throws {
    let (stage, state) = try location.stage(key, in: location.open())
    guard case .finished = state else {
      throw NothingThere(
        description: "\(stage.title) is not finished: there are no detections to export yet.")
    }
    let results = try CocoResults(of: stage.spec, in: location.folder, dataFolders: dataFolders)
    let destination = ExportDestination(output: output)
    try destination.write { write in try results.file { try write(ExportedFile(path: "", bytes: $0)) } }
    guard let output, !destination.isStandardOutput, DataFolders.isRegularFile(output) else { return }
    let stem = output.hasSuffix(".json") ? String(output.dropLast(".json".count)) : output
    let images = CanonicalJSON.text(of: .array(results.imageIDs.map { JSONValue($0) })) + "\n"
    try ExportDestination(output: "\(stem).images.json").write { write in
      try write(ExportedFile(path: "", images))
    }
    Talk.say(
      "What \(results.title) has found is in \(output), the ids of the "
        + "\(count(results.imageIDs.count, "image")) that it looked at in \(stem).images.json.")
  }
}
