package import Foundation
package import Specs
internal import Storage
internal import Tensors

/// What this program is and where it runs.
package enum ProgramIdentity {
  package static let version = "0.2.0"

  /// The provenance of whatever this process computes. The kernel that decides bits is
  /// asked of the library itself.
  package static func provenance() -> Provenance {
    BLAS.useOneThread()
    let program = digest
    let blas = BLAS.description
    return Provenance(
      version: version, commit: program.flatMap(commit), program: program, blas: blas, cpu: processor,
      host: ProcessIdentity.current.host, profile: profile, threads: Device.current.threads)
  }

  private static let variable = "MTKD_SWEEP_PROGRAM"

  /// For processes that run a program: its digest, with all that tells whether they run the same file.
  package static func environment(of executable: String) -> [String: String] {
    guard let digest = memory.digest(of: executable), let mark = FileMark(executable) else { return [:] }
    return [variable: "\(digest) \(mark.content)"]
  }

  /// Of this process's executable: what the parent says, where it speaks of this very file, else what is
  /// known of it or computed.
  private static var digest: ContentKey? {
    let words = getenv(variable).map { String(cString: $0).split(separator: " ", maxSplits: 1) }
    if let words, words.count == 2, let mark = FileMark("/proc/self/exe"), words[1] == mark.content {
      return ContentKey(words[0])
    }
    // By the open file: another program may lie under its name by now.
    return memory.digest(of: "/proc/self/exe")
  }

  private static let memory = ProgramMemory(environment: ProcessInfo.processInfo.environment)

  /// What decides bits besides the program: library kernel, threads, precision.
  package static var profile: String {
    BLAS.useOneThread()
    return "single, 1 thread, \(BLAS.description)"
  }

  /// The file that this process runs.
  package static var executable: URL? {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map { URL(filePath: $0) }
  }

  /// `make build` writes the commit beside the program with the program's digest; another
  /// program's note does not count.
  private static func commit(of program: ContentKey) -> String? {
    guard let executable, let note = try? CheckedFile.head("\(executable.path).commit", count: 1024) else {
      return nil
    }
    let words = note.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
      .map { String(decoding: $0, as: UTF8.self) }
    return words.count == 2 && words[0] == program.description && words[1] != "unknown"
      ? words[1] : nil
  }

  /// The kind of processor, as the kernel names it.
  private static var processor: String {
    let file = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "unknown" }
    defer { close(file) }
    // Within the first processor's part: the kernel takes as long for each of the others.
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = read(file, &bytes, bytes.count)
    for line in bytes.prefix(max(0, count)).split(separator: UInt8(ascii: "\n"))
    where line.starts(with: "model name".utf8) {
      var name = line.split(separator: UInt8(ascii: ":")).last ?? []
      name = name.drop { $0 == UInt8(ascii: " ") }
      while name.last == UInt8(ascii: " ") { name.removeLast() }
      return String(decoding: name, as: UTF8.self)
    }
    return "unknown"
  }
}
