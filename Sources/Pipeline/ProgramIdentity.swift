package import Foundation
package import Specs
internal import Tensors

/// What this program is and where it runs.
package enum ProgramIdentity {
  package static let version = "0.2.0"

  /// The provenance of whatever this process computes. The kernel that decides bits is asked of the library itself.
  package static func provenance() -> Provenance {
    BLAS.useOneThread()
    let program = digest
    let blas = BLAS.description
    return Provenance(
      version: version, commit: program.flatMap(commit), program: program, blas: blas, cpu: processor,
      host: ProcessInfo.processInfo.hostName, profile: profile, threads: Device.current.threads)
  }

  private static let variable = "MTKD_SWEEP_PROGRAM"

  /// For processes that run a program: its digest, with all that tells whether they run the same file. Hashing it takes longer than a small stage.
  package static func environment(of executable: String) -> [String: String] {
    guard let digest = digest(of: URL(filePath: executable)), let mark = mark(of: executable) else {
      return [:]
    }
    return [variable: "\(digest) \(mark)"]
  }

  /// Of this process's executable: what the parent says, where it speaks of this very file, else computed.
  private static var digest: ContentKey? {
    let words = ProcessInfo.processInfo.environment[variable]?.split(separator: " ", maxSplits: 1)
    if let words, words.count == 2, let mark = mark(of: "/proc/self/exe"), words[1] == mark {
      return ContentKey(words[0])
    }
    // By the open file: another program may lie under its name by now.
    return digest(of: URL(filePath: "/proc/self/exe"))
  }

  private static func digest(of executable: URL) -> ContentKey? {
    (try? Data(contentsOf: executable, options: .alwaysMapped)).map { data in
      data.withUnsafeBytes { ContentKey(hashing: $0) }
    }
  }

  /// Device, number, size and time of a file in nanoseconds: another one, or a changed one, has others. The time of its last change of names does
  /// not count: a program that is built anew while it runs loses its name and stays the same.
  private static func mark(of path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    let modified = status.st_mtim
    return
      "\(status.st_dev) \(status.st_ino) \(status.st_size) \(modified.tv_sec).\(modified.tv_nsec)"
  }

  /// What decides bits besides the program: library kernel, threads, precision.
  package static var profile: String {
    BLAS.useOneThread()
    return "single, 1 thread, \(BLAS.description)"
  }

  /// The file that this process runs.
  package static var executable: URL? {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map { URL(filePath: $0) }
  }

  /// `make build` writes the commit beside the program with the program's digest; another program's note does not count.
  private static func commit(of program: ContentKey) -> String? {
    guard let executable,
      let note = try? String(contentsOf: executable.appendingPathExtension("commit"), encoding: .utf8)
    else { return nil }
    let words = note.split(whereSeparator: \.isWhitespace)
    return words.count == 2 && words[0] == program.description && words[1] != "unknown"
      ? String(words[1]) : nil
  }

  /// The kind of processor, as the kernel names it.
  private static var processor: String {
    // The first processor's part: the kernel takes as long for each of the others.
    let file = FileHandle(forReadingAtPath: "/proc/cpuinfo")
    let text = String(decoding: (try? file?.read(upToCount: 4096)) ?? Data(), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
  }
}
