internal import Foundation
internal import Networks
internal import Specs
internal import Storage
internal import Tensors
internal import Transfers

// Weights as grids name them: of teachers, and of backbones.

extension TeacherWeights {
  /// A teacher as a grid writes it: `{ "import": NAME }`, or `{ "file": PATH, "network": NAME }` with
  /// `"normalisation"` where the images should be normalised in another way than the dataset's. Whether it
  /// fits is not asked before the dataset's images are known.
  static func teacher(
    _ value: JSONValue, on dataset: DatasetSpec, in folder: WeightsFolder?, gridFolder: String
  ) throws -> TeacherSpec {
    let members = value.object ?? [:]
    let task = try? Self.task(of: dataset)
    let known = members["import"] == nil ? ["file", "network", "normalisation"] : ["import"]
    if let unknown = members.keys.filter({ !known.contains($0) }).min() {
      let hint = NearestName.of(unknown, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      throw WeightsError("unknown key \"\(unknown)\" of a teacher\(hint)")
    }
    let advice = "--dataset \(dataset.name)\(dataset.folder == nil ? "" : ":FOLDER")"
    if let name = members["import"] {
      switch try Self.imported(name, in: folder) {
      case .absent(let sentence): return absent(value, as: name, "resnet20", sentence, advice)
      case .found(let record):
        if let task, record.classes != task.classes {
          throw WeightsError(
            "\(name.title): \(ImportError.classes(found: record.classes, expected: task.classes))")
        }
        return TeacherSpec(network: record.network, weights: record.weights)
      }
    }
    let network = try members["network"].map { try NetworkNames.spec($0) }
    guard let path = try file(members, in: folder, gridFolder: gridFolder) else {
      return absent(value, as: members["network"], "resnet20", missing(members, gridFolder: gridFolder))
    }
    guard let task else {
      // The sweep cannot be run as it is, and what it would read is told apart by these.
      return TeacherSpec(
        network: try network ?? NetworkNames.spec("resnet20"),
        weights: ImportedWeights(digest: ContentKey(hashing: try AtomicFile.read(path)), path: path))
    }
    let examined = try examine(
      path, network: network, normalisation: members["normalisation"].map { try choice($0) } ?? .stated,
      task: task)
    return TeacherSpec(network: examined.network, weights: examined.weights)
  }

  /// A backbone as a grid writes it: `{ "import": NAME }`, or `{ "file": PATH, "network": NAME }`.
  static func backbone(
    _ value: JSONValue, in folder: WeightsFolder?, gridFolder: String
  ) throws -> TeacherSpec {
    let members = value.object ?? [:]
    if let name = members["import"] {
      switch try Self.imported(name, in: folder) {
      case .absent(let sentence):
        return absent(value, as: name, "resnet18", sentence, "--dataset imagenet:FOLDER")
      case .found(let record): return TeacherSpec(network: record.network, weights: record.weights)
      }
    }
    guard members["file"]?.string != nil, let named = members["network"] else {
      throw WeightsError("a backbone from a file names the file and its network")
    }
    let network = try NetworkNames.spec(named)
    guard NetworkNames.isTrunk(network) else {
      throw WeightsError(TransferObstacles.trunk(network, named.title, trainedOn: nil) ?? "")
    }
    guard let source = try file(members, in: folder, gridFolder: gridFolder) else {
      return absent(value, as: named, "resnet18", missing(members, gridFolder: gridFolder))
    }
    let bytes: [UInt8]
    do throws(FileError) { bytes = try AtomicFile.read(source) } catch { throw WeightsError("\(error)") }
    if let sentence = ForeignWeights.sentence(bytes, source) { throw WeightsError(sentence) }
    let file: Safetensors
    do throws(SafetensorsError) { file = try Safetensors(decoding: bytes) } catch {
      throw WeightsError("\(source): \(error)")
    }
    let normalisation = try Self.named(source) { try Self.normalisation(of: file) }
    do { _ = try Trunk(network, normalisation ?? .imageNet, from: file) } catch {
      throw WeightsError("\(source): \(error)")
    }
    return TeacherSpec(
      network: network,
      weights: ImportedWeights(
        digest: ContentKey(hashing: bytes), normalisation: normalisation, path: source))
  }

  /// Whether a store has what a grid names.
  private enum Imported {
    case found(ImportRecord)
    /// With a sentence.
    case absent(String)
  }

  private static func imported(_ name: JSONValue, in folder: WeightsFolder?) throws -> Imported {
    let name = name.title
    if let folder, folder.hasRecord(name) { return .found(try record(name, in: folder)) }
    let known = try folder?.names() ?? []
    let hint = NearestName.of(name, among: known).map { " Did you mean '\($0)'?" } ?? ""
    let place = folder.map { " in the store \($0.store)" } ?? ""
    return .absent("There is no import named '\(name)'\(place).\(hint)")
  }

  /// Weights that are not there: what is asked for without them is counted and reckoned with
  /// a network in their stead.
  ///
  /// - Parameters:
  ///   - name: perhaps a network's.
  ///   - other: what the forecast takes them for where the name says nothing.
  ///   - advice: what `import` is told besides the network; nil for files that a grid names.
  private static func absent(
    _ value: JSONValue, as name: JSONValue?, _ other: String, _ sentence: String, _ advice: String? = nil
  ) -> TeacherSpec {
    let named = name.flatMap { name in (try? NetworkNames.spec(name)).map { (name.title, $0) } }
    let (title, network) = named ?? (other, try! NetworkNames.spec(.string(other)))
    var sentence = sentence
    if let advice, let name {
      let own = named == nil ? "NETWORK --name \(name.title)" : title
      sentence +=
        " `mtkd-sweep import FILE --network \(own) \(advice)` takes it in from a safetensors file."
    }
    if named == nil { sentence += " Until then a plan takes it for a \(other)." }
    return TeacherSpec(network: network, weights: ImportedWeights(absent: value, sentence))
  }

  /// Where the file of a teacher or a backbone lies; nil where it is not there. Whatever became of it: what a
  /// sweep has taken in of it is in the store.
  private static func file(
    _ members: [String: JSONValue], in folder: WeightsFolder?, gridFolder: String
  ) throws -> String? {
    guard let text = members["file"]?.string else {
      throw WeightsError("\"file\" should be the path of a safetensors file")
    }
    let named = seen(text, from: gridFolder)
    if CheckedFile.isRegular(named) { return named }
    if let kept = folder?.digest(ofSource: absolute(named)), let path = folder?.file(kept) { return path }
    return AtomicFile.exists(named) ? named : nil
  }

  private static func missing(_ members: [String: JSONValue], gridFolder: String) -> String {
    let path = seen(members["file"]?.string ?? "", from: gridFolder)
    return
      "The weights \(path) do not exist. Put the safetensors file there, or name another one in the grid."
  }

  private static func seen(_ path: String, from gridFolder: String) -> String {
    path.hasPrefix("/") || gridFolder == "." ? path : "\(gridFolder)/\(path)"
  }
}
