package import Foundation
package import Specs
internal import Tensors

/// What this program is and where it runs.
package enum ProgramIdentity {
  package static let version = "0.1.0"

  /// The provenance of whatever this process computes.
  ///
  /// - Parameter numerics: what the process was started with; the kernel that decides bits is asked of the library itself.
  package static func provenance() -> Provenance {
    BLAS.useOneThread()
    let program = executable.flatMap { path in
      (try? Data(contentsOf: path, options: .alwaysMapped)).map { data in
        data.withUnsafeBytes { ContentKey(hashing: $0) }
      }
    }
    let blas = BLAS.description
    return Provenance(
      version: version, commit: program.flatMap(commit), program: program, blas: blas, cpu: processor,
      host: ProcessInfo.processInfo.hostName, profile: profile)
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
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
  }
}
