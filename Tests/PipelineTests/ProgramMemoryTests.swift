import Foundation
import Specs
import TestSupport
import Testing

@testable import Pipeline

/// What is remembered of programs is believed of the very same file alone, and only where nobody
/// else can have written it.
@Suite struct ProgramMemoryTests {
  private let folder: TemporaryFolder
  private let program: String
  private let file: String

  init() throws {
    folder = try TemporaryFolder()
    (program, file) = (folder.path("program"), folder.path("caches/mtkd-sweep/programs"))
    try folder.write(Array("first".utf8), to: "program")
  }

  /// A memory as another call of the program has it.
  private var digest: ContentKey? { ProgramMemory(path: file, youngest: 0).digest(of: program) }

  private func key(_ text: String) -> ContentKey { ContentKey(hashing: Array(text.utf8)) }

  /// Writes the memory's line of the program with another digest, by which one sees who is believed.
  private func plant(_ digest: ContentKey, sealedAs sealed: ContentKey? = nil) throws {
    let mark = try #require(FileMark(program)).whole
    let seal = key("\(sealed ?? digest) \(mark)")
    try FileManager.default.createDirectory(
      atPath: folder.path("caches/mtkd-sweep"), withIntermediateDirectories: true)
    try Data("\(digest) \(mark) \(seal)\n".utf8).write(to: URL(filePath: file))
    #expect(chmod(file, 0o644) == 0)
  }

  @Test func `a program is hashed once and found again`() throws {
    #expect(digest == key("first"))
    #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix(key("first").description))
    try plant(key("planted"))
    #expect(digest == key("planted"))
  }

  @Test func `another program is not taken for the one that was, whatever its size and its time`() throws {
    #expect(digest == key("first"))
    let before = try #require(FileMark(program))
    var times = try #require(FileMark.times(of: program))
    // In place, with the same size and the same time of its content.
    let handle = try #require(FileHandle(forWritingAtPath: program))
    try handle.write(contentsOf: Data("other".utf8))
    try handle.close()
    // Until the file system's clock has ticked: that is what the least age of a remembered file is for.
    repeat { #expect(utimensat(AT_FDCWD, program, &times, 0) == 0) } while FileMark(program) == before
    #expect(digest == key("other"))
    // Another file under the same name.
    try folder.write(Array("third".utf8), to: "built")
    #expect(rename(folder.path("built"), program) == 0)
    #expect(digest == key("third"))
  }

  @Test func `what is damaged in the memory is not believed`() throws {
    try plant(key("planted"), sealedAs: key("first"))
    #expect(digest == key("first"))
    try plant(key("planted"))
    let bytes = try Data(contentsOf: URL(filePath: file))
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 1
      try damaged.write(to: URL(filePath: file))
      #expect(digest == key("first"), "byte \(place)")
    }
    for length in [0, 1, bytes.count / 2] {
      try bytes.prefix(length).write(to: URL(filePath: file))
      #expect(digest == key("first"))
    }
  }

  @Test func `what somebody else may have written is not believed`() throws {
    try plant(key("planted"))
    #expect(chmod(file, 0o664) == 0)
    #expect(digest == key("first"))
    try plant(key("planted"))
    #expect(rename(file, "\(file).elsewhere") == 0)
    #expect(symlink("\(file).elsewhere", file) == 0)
    #expect(digest == key("first"))
    #expect(unlink(file) == 0)
    #expect(mkfifo(file, 0o600) == 0)
    #expect(digest == key("first"))
  }

  @Test func `a program that has only just been written is hashed and not remembered`() throws {
    #expect(ProgramMemory(path: file).digest(of: program) == key("first"))
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test func `where nothing can be written, the program is hashed`() throws {
    #expect(ProgramMemory(path: "/proc/nowhere/programs", youngest: 0).digest(of: program) == key("first"))
    #expect(ProgramMemory(environment: [:]).digest(of: program) == key("first"))
    #expect(ProgramMemory(path: file, youngest: 0).digest(of: folder.path("absent")) == nil)
  }
}

extension FileMark {
  /// The times of a file's last reading and writing, as `utimensat` takes them.
  fileprivate static func times(of path: String) -> [timespec]? {
    var status = stat()
    return stat(path, &status) == 0 ? [status.st_atim, status.st_mtim] : nil
  }
}
