/// What made a result: recorded with every attempt, part of no key.
package struct Provenance: Hashable, Sendable {
  /// Version of the program, such as `0.1.0`.
  package var version: String
  /// The commit it was built from, `-dirty` appended for a changed tree; nil where the build did not say.
  package var commit: String?
  /// Digest of the executable.
  package var program: ContentKey?
  /// OpenBLAS version and the kernel in use, such as `0.3.21 Haswell`.
  package var blas: String
  package var cpu: String
  package var host: String
  /// The numerics profile that decides bits: library kernel, its threads, precision.
  package var profile: String
  /// Threads that the run's work was divided among, which decide no bit; nil where it was made
  /// before they were recorded.
  package var threads: Int?

  package init(
    version: String, commit: String?, program: ContentKey?, blas: String, cpu: String, host: String,
    profile: String, threads: Int? = nil
  ) {
    self.version = version
    self.commit = commit
    self.program = program
    self.blas = blas
    self.cpu = cpu
    self.host = host
    self.profile = profile
    self.threads = threads
  }
}

extension Provenance: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("blas", .string(blas), to: &bytes)
    object.member("commit", commit.map { .string($0) }, to: &bytes)
    object.member("cpu", .string(cpu), to: &bytes)
    object.member("host", .string(host), to: &bytes)
    object.member("profile", .string(profile), to: &bytes)
    object.member("program", program.map { .string($0.description) }, to: &bytes)
    object.member("threads", threads.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.member("version", .string(version), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      version: try object.string("version"), commit: try object.optional("commit", SpecObject.string),
      program: try object.optional("program", SpecObject.key), blas: try object.string("blas"),
      cpu: try object.string("cpu"), host: try object.string("host"), profile: try object.string("profile"),
      threads: try object.optional("threads", SpecObject.integer))
  }
}

extension Provenance {
  /// What may have decided the bits of a result: results with one text may stand in one cell.
  ///
  /// The commit where the build said it and the tree was clean, because a commit may be built twice; else the
  /// digest of the executable.
  package var numerics: String { numerics(commits: [:]) }

  /// - Parameter commits: of executables, by their digests, as other provenances say: the same file is the
  ///   same program where its note of the commit was missing too.
  package func numerics(commits: [ContentKey: String]) -> String {
    let noted = commit == nil ? program.flatMap { commits[$0] } : nil
    let program = cleanCommit ?? noted ?? self.program?.short ?? "unknown build"
    return "mtkd-sweep \(version) (\(program)), \(profile)"
  }

  /// The commits of executables by their digests; none where two are said of one.
  package static func commits(of made: some Sequence<Provenance>) -> [ContentKey: String] {
    var said: [ContentKey: Set<String>] = [:]
    for provenance in made {
      guard let program = provenance.program, let commit = provenance.cleanCommit else { continue }
      said[program, default: []].insert(commit)
    }
    return said.compactMapValues { $0.count == 1 ? $0.first : nil }
  }

  /// Nil where the build did not say it, or the tree was changed.
  private var cleanCommit: String? { commit.flatMap { $0.hasSuffix("-dirty") ? nil : $0 } }

  /// `4 threads a run`; nil where it is not known.
  package var threading: String? { threads.map { "\($0) \($0 == 1 ? "thread" : "threads") a run" } }
}
