package import Specs

/// An output that is not what was published.
package enum OutputError: Error, Equatable, CustomStringConvertible {
  case file(FileError)
  case damaged(path: String, reason: String)
  case noFile(path: String, known: [String])

  package var description: String {
    switch self {
    case .file(let error): error.description
    case .damaged(let path, let reason):
      "\(path) is not what was published (\(reason)). Remove its stage's output folder and run again."
    case .noFile(let path, let known): "There is no \(path); the output has \(known.joined(separator: ", "))."
    }
  }
}

/// Two finished attempts at one stage that did not come to the same bytes, which the key promises.
package struct Contradiction: Error, Equatable, CustomStringConvertible {
  package let key: ContentKey
  /// The output that was not published.
  package let path: String
  package let names: [String]

  package var description: String {
    "Two attempts at \(key.short) came to different results: \(names.joined(separator: ", ")) in \(path) "
      + "differs from what was published first. `mtkd-sweep show \(key.short)` says which machines made them."
  }
}

/// The files of an output with their sizes and digests, in the order in which they were named.
struct Manifest: Hashable, Sendable {
  static let name = "manifest.json"

  struct Entry: Hashable, Sendable {
    let name: String
    let size: Int
    let digest: ContentKey
  }

  let entries: [Entry]

  init(entries: [Entry]) { self.entries = entries }

  init(_ files: [(name: String, bytes: [UInt8])]) {
    entries = files.map { Entry(name: $0.name, size: $0.bytes.count, digest: ContentKey(hashing: $0.bytes)) }
  }
}

extension Manifest: CanonicallyEncodable {
  func append(to bytes: inout [UInt8]) {
    let list = entries.map { entry -> JSONValue in
      [
        "digest": .string(entry.digest.description), "name": .string(entry.name),
        "size": .number(DecimalNumber(entry.size)),
      ]
    }
    CanonicalJSON.append(["files": .array(list)], to: &bytes)
  }

  init(_ json: JSONValue, at path: String) throws(SpecError) {
    var entries: [Entry] = []
    for (index, file) in try SpecObject(json, at: path).array("files").enumerated() {
      let object = try SpecObject(file, at: "\(path)[\(index)]")
      let name = try object.string("name")
      // Of a file in this folder, and of no other.
      guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")) else {
        throw SpecError(path: object.path("name"), expected: "the name of a file in the output's folder")
      }
      entries.append(
        Entry(name: name, size: try object.integer("size"), digest: try object.key("digest")))
    }
    self.entries = entries
  }
}

/// The finished output of a stage. Every read compares with the manifest.
package struct PublishedOutput: Sendable {
  private let path: String
  private let manifest: Manifest

  init(_ path: String) throws(OutputError) {
    self.path = path
    let place = "\(path)/\(Manifest.name)"
    let bytes: [UInt8]
    do { bytes = try AtomicFile.read(place, limit: AtomicFile.textLimit) } catch { throw .file(error) }
    do {
      manifest = try Manifest(JSONReader.read(bytes).value, at: "")
    } catch {
      throw .damaged(path: place, reason: "\(error)")
    }
  }

  package var names: [String] { manifest.entries.map(\.name) }

  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Names of files that the other has with other bytes, or has not, or has alone.
  package func differences(from other: PublishedOutput) -> [String] {
    let (own, others) = (Set(manifest.entries), Set(other.manifest.entries))
    return Set(own.symmetricDifference(others).map(\.name)).sorted()
  }

  private func entry(_ name: String) throws(OutputError) -> Manifest.Entry {
    guard let entry = manifest.entries.first(where: { $0.name == name }) else {
      throw .noFile(path: path(of: name), known: names)
    }
    return entry
  }

  /// Of a file as it was published, which `read` has compared.
  package func digest(of name: String) throws(OutputError) -> ContentKey { try entry(name).digest }

  package func read(_ name: String) throws(OutputError) -> [UInt8] {
    let (place, entry) = (path(of: name), try entry(name))
    let bytes: [UInt8]
    // Asked before it is read: what is there may be of any size.
    let size = AtomicFile.size(place)
    guard size == entry.size || !AtomicFile.exists(place) else {
      throw .damaged(path: place, reason: "\(size) bytes instead of \(entry.size)")
    }
    do { bytes = try AtomicFile.read(place, limit: entry.size) } catch { throw .file(error) }
    guard bytes.count == entry.size else {
      throw .damaged(path: place, reason: "\(bytes.count) bytes instead of \(entry.size)")
    }
    let digest = ContentKey(hashing: bytes)
    guard digest == entry.digest else {
      throw .damaged(path: place, reason: "digest \(digest.short) instead of \(entry.digest.short)")
    }
    return bytes
  }

  /// Reads every file.
  package func verify() throws(OutputError) { for name in names { _ = try read(name) } }
}
