@testable import Storage
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func `a file is written and replaced, and nothing else is left`() throws {
    try AtomicFile.write([1, 2, 3], to: folder.path("a"))
    #expect(try AtomicFile.read(folder.path("a")) == [1, 2, 3])
    try AtomicFile.write([], to: folder.path("a"))
    #expect(try AtomicFile.read(folder.path("a")) == [])
    #expect(try folder.names() == ["a"])
  }

  @Test func `a file that cannot be replaced stays as it was, and what stood aside is removed`() throws {
    try AtomicFile.createFolder(folder.path("a/b"))
    #expect(throws: FileError.self) { try AtomicFile.write([1], to: folder.path("a")) }
    #expect(try folder.names() == ["a"])
    #expect(throws: FileError.self) { try AtomicFile.write([1], to: folder.path("none/a")) }
  }

  @Test func `reading starts where it is told, and behind the end there is nothing`() throws {
    try AtomicFile.write([1, 2, 3], to: folder.path("a"))
    #expect(try AtomicFile.read(folder.path("a"), from: 2) == [3])
    #expect(try AtomicFile.read(folder.path("a"), from: 9) == [])
    #expect { try AtomicFile.read(folder.path("none")) } throws: { ($0 as? FileError)?.isAbsent == true }
  }

  @Test(arguments: [0, 1, 3, 40]) func `syncing several at once fails when one of them fails`(_ count: Int)
    throws
  {
    let files = (0..<count).map { folder.path("\($0)") }
    for file in files { try AtomicFile.writeUnsynced([1], to: file) }
    try AtomicFile.sync(files: files + [folder.path("absent")], folders: [folder.path])
    #expect(throws: FileError.self) { try AtomicFile.sync(files: files, folders: [folder.path("none")]) }
    // A file that is no folder stands in the way of a file.
    let unreachable = files.prefix(1).map { "\($0)/inside" }
    if !unreachable.isEmpty {
      #expect(throws: FileError.self) {
        try AtomicFile.sync(files: files + unreachable, folders: [folder.path])
      }
    }
  }

  @Test func `folders are made with those above them`() throws {
    try AtomicFile.createFolder(folder.path("a/b/c"))
    try AtomicFile.createFolder(folder.path("a/b/c"))
    #expect(AtomicFile.isFolder(folder.path("a/b/c")))
    try AtomicFile.write([], to: folder.path("file"))
    #expect(throws: FileError.self) { try AtomicFile.createFolder(folder.path("file")) }
    #expect(throws: FileError.self) { try AtomicFile.createFolder(folder.path("file/inner")) }
  }

  @Test func `names are sorted, and a folder is removed with all in it`() throws {
    for name in ["b", "c", "a"] {
      try AtomicFile.createFolder(folder.path("f/\(name)"))
      try AtomicFile.write([1], to: folder.path("f/\(name)/x"))
    }
    #expect(try AtomicFile.names(in: folder.path("f")) == ["a", "b", "c"])
    try AtomicFile.removeFolder(folder.path("f"))
    #expect(try AtomicFile.names(in: folder.path("f")) == [])
    #expect(try folder.names() == [])
  }

  @Test func `errors name what was tried, the place and the next step`() {
    #expect(
      FileError("write", "x/y", code: 28).description
        == "Cannot write x/y: No space left on device. Make room there and run the same command again: what was finished is kept."
    )
    #expect(
      FileError("write", "x", code: 30).description.hasSuffix(
        "Name a folder that can be written with --store."))
    #expect(FileError("read", "x", code: 13).isDenied && FileError("read", "x", code: 28).isFull)
  }
}

@Suite struct ZstdTests {
  private static func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
  }

  @Test(arguments: [0, 1, 3, 4, 1000, 100_001])
  func `what is compressed comes back`(_ count: Int) throws {
    for bytes in [Self.noise(count), [UInt8](repeating: 7, count: count)] {
      #expect(try Zstd.decompress(Zstd.compress(bytes)) == bytes)
    }
  }

  @Test func `a frame cut anywhere is an error`() {
    let frame = Zstd.compress(Self.noise(300))
    for count in 0..<frame.count {
      #expect(throws: ZstdError.self) { try Zstd.decompress(Array(frame.prefix(count))) }
    }
  }

  @Test func `a changed bit is an error`() {
    let content = Self.noise(100) + [UInt8](repeating: 0, count: 100)
    let frame = Zstd.compress(content)
    for place in frame.indices {
      for bit in 0..<8 {
        var changed = frame
        changed[place] ^= 1 << bit
        // A few bits of the header mean nothing to the content; whatever is accepted is the content.
        #expect((try? Zstd.decompress(changed)).map { $0 == content } != false, "byte \(place), bit \(bit)")
      }
    }
  }

  @Test func `a frame that claims too much, or is followed by something, is refused`() {
    let frame = Zstd.compress([UInt8](repeating: 0, count: 1000))
    #expect(throws: ZstdError.self) { try Zstd.decompress(frame, limit: 999) }
    #expect(throws: ZstdError.self) { try Zstd.decompress(frame + [0]) }
    #expect(throws: ZstdError.self) { try Zstd.decompress(frame + frame) }
    // A header of RFC 8878 that declares 2^60 bytes, and an empty last block.
    let bomb: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x01, 0, 0]
    #expect(throws: ZstdError.self) { try Zstd.decompress(bomb) }
  }

  @Test func `bytes are grouped by significance and joined again`() {
    #expect(ByteGroups.split([1, 2, 3, 4, 11, 12, 13, 14, 99]) == [1, 11, 2, 12, 3, 13, 4, 14, 99])
    for count in 0..<20 {
      let bytes = Self.noise(count)
      #expect(ByteGroups.join(ByteGroups.split(bytes)) == bytes)
    }
  }
}

@Suite struct TimeOfDayTests {
  @Test(arguments: [
    (0, "1970-01-01 00:00:00 UTC"), (951_782_400, "2000-02-29 00:00:00 UTC"),
    (951_868_799, "2000-02-29 23:59:59 UTC"),
    (1_709_251_199, "2024-02-29 23:59:59 UTC"), (4_107_542_399, "2100-02-28 23:59:59 UTC"),
    (4_107_542_400, "2100-03-01 00:00:00 UTC"),
    (1_935_680_889, "2031-05-04 17:08:09 UTC"),
  ])
  func `seconds since 1970 as people read them`(_ seconds: Int, _ text: String) {
    #expect(TimeOfDay.text(seconds) == text)
  }

  @Test func `elsewhere clocks show another hour, and at times another day`() {
    let seconds = 1_935_680_889
    #expect(TimeOfDay.text(seconds, offset: 7200, zone: "CEST") == "2031-05-04 19:08:09 CEST")
    #expect(TimeOfDay.text(seconds, offset: 9 * 3600, zone: "JST") == "2031-05-05 02:08:09 JST")
    #expect(TimeOfDay.text(seconds, offset: -12600, zone: "NST") == "2031-05-04 13:38:09 NST")
  }
}
