import Foundation
import Specs
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct CheckedFileTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func `a regular file is read from where it is asked for, and links to it too`() throws {
    try folder.write([1, 2, 3], to: "a")
    #expect(symlink("a", folder.path("link")) == 0)
    #expect(try CheckedFile.read(folder.path("link"), limit: 3) == [1, 2, 3])
    #expect(try CheckedFile.read(folder.path("a"), limit: 1, from: 2) == [3])
    #expect(try CheckedFile.read(folder.path("a"), limit: 0, from: 9) == [])
    #expect(try CheckedFile.tail(folder.path("a"), limit: 2).bytes == [2, 3])
    #expect(try CheckedFile.tail(folder.path("a"), limit: 2).isCut)
    #expect(try !CheckedFile.tail(folder.path("a"), limit: 3).isCut)
  }

  @Test func `a file that is larger than its reader expects is refused with both sizes, before it is read`()
    throws
  {
    try folder.write([], to: "sparse")
    #expect(truncate(folder.path("sparse"), 1 << 40) == 0)
    let problem = CheckedFile.Problem.tooLarge(size: 1 << 40, limit: 100)
    #expect(throws: problem) { try CheckedFile.read(folder.path("sparse"), limit: 100) }
    #expect("\(problem)" == "it has 1099511627776 bytes, and at most 100 are read")
  }

  @Test func `what is no regular file is named and never waited for`() throws {
    #expect(mkfifo(folder.path("fifo"), 0o644) == 0)
    #expect(throws: CheckedFile.Problem.notRegular("a FIFO")) {
      try CheckedFile.read(folder.path("fifo"), limit: 10)
    }
    #expect(throws: CheckedFile.Problem.notRegular("a folder")) {
      try CheckedFile.read(folder.path, limit: 10)
    }
    #expect(throws: CheckedFile.Problem.notRegular("a device")) {
      try CheckedFile.read("/dev/zero", limit: 10)
    }
    #expect(throws: CheckedFile.Problem.system(ENOENT)) {
      try CheckedFile.read(folder.path("none"), limit: 10)
    }
    #expect(!CheckedFile.isRegular(folder.path("fifo")) && CheckedFile.kind(of: folder.path("none")) == nil)
  }
}
