package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// A process as others can recognise it, even after its number went to somebody else.
package struct ProcessIdentity: Hashable, Sendable {
  package let host: String
  package let process: Int32
  /// When it started, in the kernel's ticks since the machine did, with the name of that start of the
  /// machine.
  package let started: String

  package init(host: String, process: Int32, started: String) {
    self.host = host
    self.process = process
    self.started = started
  }

  /// The process that asks.
  package static let current = ProcessIdentity(
    host: hostName(), process: getpid(), started: startTime(of: getpid()) ?? "")

  /// Whether the process still runs; nil where only its own host could tell.
  package var isAlive: Bool? {
    guard host == Self.current.host else { return nil }
    return Self.startTime(of: process) == started
  }

  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static let boot = text("/proc/sys/kernel/random/boot_id") ?? ""

  /// Field 22 of `/proc/PID/stat`, counted behind the name of the program, which may hold anything. A zombie
  /// counts as ended.
  private static func startTime(of process: Int32) -> String? {
    guard let stat = text("/proc/\(process)/stat"), let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return "\(boot) \(fields[19])"
  }

  /// Files of the kernel have no size, so they are read until they end.
  private static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(file, &buffer, buffer.count)
    guard count > 0 else { return nil }
    let text = String(decoding: buffer.prefix(count), as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}

/// Who works on something, since when.
package struct Holder: Hashable, Sendable {
  package let identity: ProcessIdentity
  /// Seconds since 1970, for sentences only.
  package let since: Int
  /// What a cluster calls the job that it runs in, such as `12_3`.
  package let job: String?

  package init(identity: ProcessIdentity, since: Int, job: String? = nil) {
    self.identity = identity
    self.since = since
    self.job = job
  }
}

extension Holder: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("host", .string(identity.host), to: &bytes)
    object.member("job", job.map { .string($0) }, to: &bytes)
    object.member("process", Int(identity.process), to: &bytes)
    object.member("since", since, to: &bytes)
    object.member("started", .string(identity.started), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    guard let process = Int32(exactly: try object.integer("process")) else {
      throw SpecError(path: object.path("process"), expected: "a process number")
    }
    let identity = ProcessIdentity(
      host: try object.string("host"), process: process, started: try object.string("started"))
    self.init(
      identity: identity, since: try object.integer("since"),
      job: try object.optional("job", SpecObject.string))
  }

  /// nil where the file is absent or was cut off while it was written.
  static func read(_ path: String) -> Holder? {
    guard let bytes = try? AtomicFile.read(path, limit: 1 << 16), let node = try? JSONReader.read(bytes)
    else { return nil }
    return try? Holder(node.value, at: path)
  }
}
