import Foundation
import Specs
import Storage
import Testing

@Suite struct ChunkFileTests {
  /// Numbers behind a ReLU: half of them 0, the others random.
  private static func numbers(_ count: Int, seed: UInt64) -> [UInt8] {
    var word = seed
    return (0..<count).flatMap { _ -> [UInt8] in
      word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Float(Int32(truncatingIfNeeded: word >> 32)) / Float(Int32.max)
      return withUnsafeBytes(of: max(0, value).bitPattern.littleEndian) { Array($0) }
    }
  }

  private func file(_ bytes: [UInt8]) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "chunks-\(UUID().uuidString)").path
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  private func read(_ chunks: MappedChunks, _ index: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: chunks.size(of: index))
    try bytes.withUnsafeMutableBytes { try chunks.read(index, into: $0) }
    return bytes
  }

  @Test(arguments: [false, true]) func `chunks are read in any order as they were written`(_ packs: Bool)
    throws
  {
    var chunks = (0..<20).map { Self.numbers(50 + 13 * $0, seed: UInt64($0)) }
    chunks[7] = []
    let path = try file(ChunkFile.encoded(chunks, packs: packs))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let mapped = try MappedChunks(path)
    #expect(mapped.count == 20)
    for index in [19, 0, 7, 7, 3, 12, 3] { #expect(try read(mapped, index) == chunks[index]) }
    try mapped.verify()
  }

  @Test func `chunks of numbers behind a ReLU are packed smaller, random bytes stay as they are`() throws {
    let sparse = Self.numbers(4096, seed: 1)
    let plain = ChunkFile.encoded([sparse], packs: false).count
    #expect(ChunkFile.encoded([sparse], packs: true).count < plain * 4 / 5)
    var word: UInt64 = 5
    let noise = (0..<4096).map { _ -> UInt8 in
      word = word &* 6_364_136_223_846_793_005 &+ 1
      return UInt8(truncatingIfNeeded: word >> 56)
    }
    #expect(ChunkFile.encoded([noise], packs: true) == ChunkFile.encoded([noise], packs: false))
  }

  @Test(arguments: [false, true]) func `no flipped bit goes unnoticed`(_ packs: Bool) throws {
    let chunks = (0..<3).map { Self.numbers(64, seed: UInt64($0 + 9)) }
    let bytes = ChunkFile.encoded(chunks, packs: packs)
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8(place % 8)
      let path = try file(damaged)
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(throws: ChunkDamage.self, "byte \(place)") {
        let mapped = try MappedChunks(path)
        for index in 0..<mapped.count { _ = try read(mapped, index) }
      }
    }
  }

  @Test func `a file cut anywhere is refused`() throws {
    let bytes = ChunkFile.encoded((0..<3).map { Self.numbers(16, seed: UInt64($0)) }, packs: true)
    for end in bytes.indices {
      let path = try file(Array(bytes[..<end]))
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(throws: ChunkDamage.self, "\(end) bytes") { try MappedChunks(path) }
    }
  }
}
