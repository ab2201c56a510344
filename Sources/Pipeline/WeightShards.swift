internal import Foundation
internal import Networks
internal import Specs
internal import Storage

/// Weights in several files with an index, as Hugging Face's programs write them.
///
///     { "metadata": …, "weight_map": { "conv1.weight": "model-00001-of-00002.safetensors", … } }
enum WeightShards {
  private static let mostFiles = 1000

  /// One file with the arrays of all, in the order of their names.
  ///
  /// - Returns: nil for what is no index.
  /// - Throws: `WeightsError` for a file that is missing, or does not hold what the index says.
  static func joined(_ index: [UInt8], at path: String) throws -> [UInt8]? {
    guard index.first == UInt8(ascii: "{"), let value = try? JSONReader.read(index).value,
      let map = value.object?["weight_map"]?.object
    else { return nil }
    var places: [String: [String]] = [:]
    for (name, file) in map {
      guard let file = file.string, TrainerSpec.isPlain(file) else {
        throw WeightsError("\(path): \"weight_map\" should name a file beside the index for '\(name)'.")
      }
      places[file, default: []].append(name)
    }
    guard !places.isEmpty, places.count <= mostFiles else {
      throw WeightsError(
        "\(path) is the index of weights in several files and names \(places.count); expected 1 "
          + "to \(mostFiles)."
      )
    }
    let folder = (path as NSString).deletingLastPathComponent
    var entries: [String: Safetensors.Entry] = [:]
    var metadata: [String: String] = [:]
    for (name, arrays) in places.sorted(by: { $0.key < $1.key }) {
      let file = try read(folder.isEmpty ? name : "\(folder)/\(name)", of: path)
      metadata.merge(file.metadata) { first, _ in first }
      for array in arrays {
        guard let entry = file[array] else {
          throw WeightsError("\(path) says that '\(array)' is in \(name), and it is not.")
        }
        entries[array] = entry
      }
    }
    var whole = Safetensors()
    whole.metadata = metadata
    for name in entries.keys.sorted() { whole.append(entries[name]!) }
    return whole.encoded()
  }

  private static func read(_ path: String, of index: String) throws -> Safetensors {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try AtomicFile.read(path) } catch {
      throw WeightsError(
        error.isAbsent
          ? "\(index) is an index of several files, and \(path) is not there. Put all of them "
            + "into one folder."
          : "\(error)")
    }
    if let sentence = ForeignWeights.sentence(bytes, path) { throw WeightsError(sentence) }
    do throws(SafetensorsError) { return try Safetensors(decoding: bytes) } catch {
      throw WeightsError("\(path): \(error)")
    }
  }
}
