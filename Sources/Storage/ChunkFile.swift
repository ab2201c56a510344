internal import Specs
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A chunk file that is not what was written.
package struct ChunkDamage: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let problem: String

  package init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  package var description: String { "\(path) is damaged: \(problem). What it holds will be computed again." }
}

/// Many small pieces of bytes in one file that processes map into memory together and read in any order, each
/// piece checked the first time that a process touches it.
///
///     "mtkdchk1"                                  8 bytes
///     number of chunks                            u64, little-endian as all that follow
///     offset, stored size, size, digest           4 × u64 for each chunk; the digest is the first 8 bytes of the stored bytes' SHA-256
///     SHA-256 of all above                        32 bytes
///     chunks                                      as they are, or, where sizes differ, zstd of their grouped bytes (`ByteGroups`)
package enum ChunkFile {
  fileprivate static let magic = Array("mtkdchk1".utf8)
  /// Bytes before the chunks of a file of so many.
  package static func headSize(_ count: Int) -> Int { 16 + 32 * count + 32 }

  /// The bytes of a file of chunks.
  ///
  /// - Parameter packs: whether chunks may be compressed; those that would not lose an eighth of their size
  ///   stay as they are, because unpacking costs more than reading.
  package static func encoded(_ chunks: [[UInt8]], packs: Bool) -> [UInt8] {
    let stored = packs ? chunks.map(Self.packed) : chunks
    var bytes = magic
    bytes.reserveCapacity(headSize(chunks.count) + stored.reduce(0) { $0 + $1.count })
    func append(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    append(UInt64(chunks.count))
    var offset = headSize(chunks.count)
    for (chunk, stored) in zip(chunks, stored) {
      for value in [offset, stored.count, chunk.count] { append(UInt64(value)) }
      append(ContentKey(hashing: stored).word)
      offset += stored.count
    }
    bytes.append(contentsOf: ContentKey(hashing: bytes).digest)
    for chunk in stored { bytes.append(contentsOf: chunk) }
    return bytes
  }

  private static func packed(_ chunk: [UInt8]) -> [UInt8] {
    let frame = Zstd.compress(ByteGroups.split(chunk))
    return frame.count <= chunk.count - chunk.count / 8 ? frame : chunk
  }
}

/// A chunk file in memory, shared with every process that maps it.
///
/// `@unchecked Sendable`: the mapping is read-only and lives as long as the object; what
/// changes is behind a mutex.
package final class MappedChunks: @unchecked Sendable {
  private struct Entry {
    let offset: Int
    let stored: Int
    let size: Int
    let digest: UInt64
  }

  private let path: String
  private let memory: UnsafeRawBufferPointer
  private let entries: [Entry]
  /// Chunks whose bytes were compared with their digest here.
  private let checked: Mutex<[Bool]>

  /// - Throws: `FileError`; `ChunkDamage` for a head that is not one, or chunks beyond the end of the file.
  package init(_ path: String) throws {
    self.path = path
    let (file, size): (Int32, Int)
    do throws(CheckedFile.Problem) {
      (file, size) = try CheckedFile.open(path)
    } catch {
      throw FileError("read", path, error)
    }
    defer { close(file) }
    guard size >= 16 else { throw ChunkDamage(path: path, problem: "it has \(size) bytes") }
    guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), base != MAP_FAILED else {
      throw FileError("map", path)
    }
    memory = UnsafeRawBufferPointer(start: base, count: size)
    do {
      entries = try Self.entries(of: memory, path)
    } catch {
      munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress!), memory.count)
      throw error
    }
    checked = Mutex(Array(repeating: false, count: entries.count))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress!), memory.count) }

  package var count: Int { entries.count }

  /// Of a chunk, unpacked.
  package func size(of chunk: Int) -> Int { entries[chunk].size }

  /// Copies a chunk to where it is wanted.
  ///
  /// - Precondition: `target` has the chunk's size.
  /// - Throws: `ChunkDamage`; then nothing of `target` is to be used.
  package func read(_ chunk: Int, into target: UnsafeMutableRawBufferPointer) throws(ChunkDamage) {
    let entry = entries[chunk]
    precondition(target.count == entry.size, "\(target.count) bytes for a chunk of \(entry.size)")
    let stored = UnsafeRawBufferPointer(rebasing: memory[entry.offset..<entry.offset + entry.stored])
    if !checked.withLock({ $0[chunk] }) {
      guard ContentKey(hashing: stored).word == entry.digest else {
        throw ChunkDamage(path: path, problem: "chunk \(chunk) has another digest")
      }
      checked.withLock { $0[chunk] = true }
    }
    guard entry.stored != entry.size else { return target.copyMemory(from: stored) }
    do {
      let bytes = ByteGroups.join(try Zstd.decompress(Array(stored), limit: entry.size))
      guard bytes.count == entry.size else { throw ZstdError(problem: "\(bytes.count) bytes") }
      bytes.withUnsafeBytes { target.copyMemory(from: $0) }
    } catch {
      throw ChunkDamage(path: path, problem: "chunk \(chunk): \(error)")
    }
  }

  /// A copy of a chunk.
  package func bytes(of chunk: Int) throws(ChunkDamage) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size(of: chunk), alignment: 8)
    defer { buffer.deallocate() }
    try read(chunk, into: buffer)
    return Array(buffer)
  }

  /// Compares every chunk with its digest.
  package func verify() throws(ChunkDamage) {
    for (chunk, entry) in entries.enumerated() {
      let stored = UnsafeRawBufferPointer(rebasing: memory[entry.offset..<entry.offset + entry.stored])
      guard ContentKey(hashing: stored).word == entry.digest else {
        throw ChunkDamage(path: path, problem: "chunk \(chunk) has another digest")
      }
    }
  }

  private static func entries(of memory: UnsafeRawBufferPointer, _ path: String) throws(ChunkDamage)
    -> [Entry]
  {
    func word(_ offset: Int) -> UInt64 {
      UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    guard memory.prefix(8).elementsEqual(ChunkFile.magic) else {
      throw ChunkDamage(path: path, problem: "it does not begin like one")
    }
    // A chunk takes 32 bytes of the head at least, so a count that fits cannot overflow below.
    guard let count = Int(exactly: word(8)), count <= memory.count / 32,
      ChunkFile.headSize(count) <= memory.count
    else { throw ChunkDamage(path: path, problem: "it declares \(word(8)) chunks in \(memory.count) bytes") }
    let end = 16 + 32 * count
    let digest = ContentKey(hashing: UnsafeRawBufferPointer(rebasing: memory[..<end])).digest
    guard memory[end..<end + 32].elementsEqual(digest) else {
      throw ChunkDamage(path: path, problem: "its head has another digest")
    }
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    for chunk in 0..<count {
      let place = 16 + 32 * chunk
      guard let offset = Int(exactly: word(place)), let stored = Int(exactly: word(place + 8)),
        let size = Int(exactly: word(place + 16)), offset <= memory.count, stored <= memory.count - offset,
        size <= Zstd.limit
      else { throw ChunkDamage(path: path, problem: "chunk \(chunk) lies beyond the end") }
      entries.append(Entry(offset: offset, stored: stored, size: size, digest: word(place + 24)))
    }
    return entries
  }
}
