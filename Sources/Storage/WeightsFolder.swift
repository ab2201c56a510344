package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// Weights that were trained elsewhere, in the folder that `--store` names.
///
///     weights/DIGEST.safetensors    files as they were published
///     weights/NAME.json             what `import` called them
package struct WeightsFolder: Sendable {
  package let path: String

  package init(_ store: StoreFolder) { path = "\(store.path)/weights" }

  /// The store's folder.
  package var store: String { String(path.dropLast("/weights".count)) }

  package func file(_ digest: ContentKey) -> String { "\(path)/\(digest).safetensors" }
  private func record(_ name: String) -> String { "\(path)/\(name).json" }

  package func has(_ digest: ContentKey) -> Bool { AtomicFile.exists(file(digest)) }

  /// Keeps a file under its digest.
  @discardableResult
  package func put(_ bytes: [UInt8]) throws(FileError) -> ContentKey {
    let digest = ContentKey(hashing: bytes)
    if has(digest) { return digest }
    try AtomicFile.createDurableFolder(path)
    try AtomicFile.write(bytes, to: file(digest))
    return digest
  }

  /// The bytes of a file, compared with its digest.
  package func read(_ digest: ContentKey) throws -> [UInt8] {
    let bytes = try AtomicFile.read(file(digest))
    guard ContentKey(hashing: bytes) == digest else { throw DamagedWeights(path: file(digest)) }
    return bytes
  }

  /// The digests under which there are files, in ascending order.
  package func digests() throws(FileError) -> [ContentKey] {
    guard AtomicFile.exists(path) else { return [] }
    return try AtomicFile.names(in: path).filter { $0.hasSuffix(".safetensors") }
      .compactMap { ContentKey($0.dropLast(".safetensors".count)) }.sorted()
  }

  package func remove(_ digest: ContentKey) throws(FileError) { try AtomicFile.removeFile(file(digest)) }

  /// On disk.
  package func bytes(of digest: ContentKey) -> Int { AtomicFile.size(file(digest)) }

  /// In ascending order.
  package func names() throws(FileError) -> [String] {
    guard AtomicFile.exists(path) else { return [] }
    return try AtomicFile.names(in: path).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
      .sorted()
  }

  /// Makes what another store has readable here too, without copying it.
  package func lend(_ other: WeightsFolder) throws(FileError) {
    guard AtomicFile.exists(other.path) else { return }
    guard symlink(other.path, path) == 0 else { throw FileError("link", path) }
  }

  private func source(_ path: String) -> String {
    "\(self.path)/\(ContentKey(hashing: Array(path.utf8))).source"
  }

  /// Notes which bytes a file outside of the store had when a sweep took it in.
  ///
  /// - Parameter path: absolute.
  package func note(source path: String, is digest: ContentKey) throws(FileError) {
    if self.digest(ofSource: path) == digest { return }
    try AtomicFile.write(Array("\(digest)\n\(path)\n".utf8), to: source(path))
  }

  /// The bytes that a file outside of the store had when a sweep took it in last; nil where none did, or the
  /// store has them no more.
  package func digest(ofSource path: String) -> ContentKey? {
    guard let bytes = try? AtomicFile.read(source(path), limit: AtomicFile.textLimit) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1)
    guard let digest = lines.first.flatMap({ ContentKey($0) }), has(digest) else { return nil }
    return digest
  }

  package func hasRecord(_ name: String) -> Bool { AtomicFile.exists(record(name)) }
  package func readRecord(_ name: String) throws(FileError) -> [UInt8] { try AtomicFile.read(record(name)) }

  package func write(_ bytes: [UInt8], as name: String) throws(FileError) {
    try AtomicFile.createDurableFolder(path)
    try AtomicFile.write(bytes, to: record(name))
  }
}

/// A file of weights that is not what its name says.
package struct DamagedWeights: Error, Equatable, CustomStringConvertible {
  package let path: String

  package init(path: String) { self.path = path }

  package var description: String {
    "\(path) was changed or is damaged. Remove it and import the original again."
  }
}
