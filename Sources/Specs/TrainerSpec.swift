/// A command that trains students in this program's place: somebody else's code under the same plan, resume,
/// store and report (`docs/trainers.md`).
public struct TrainerSpec: Hashable, Sendable {
  /// A file of the trainer that lies beside the grid.
  package struct File: Hashable, Sendable {
    package let name: String
    package let digest: ContentKey

    package init(name: String, digest: ContentKey) {
      self.name = name
      self.digest = digest
    }

    package static func == (a: File, b: File) -> Bool { a.name.hasBytes(of: b.name) && a.digest == b.digest }
  }

  /// What a trainer does for the students that it trains.
  package enum Teaching: Hashable, Sendable {
    /// It takes the weights of teachers that this program has trained.
    case none
    /// It trains their teachers.
    ///
    /// - Parameter outputs: how many numbers of features it writes down at most, beside the logits, of what a
    ///   teacher says of one view; nil where it writes nothing.
    case trains(outputs: Int?)
  }

  package var command: [String]
  /// In the order of their names. What they hold is part of the run: workers get
  /// copies of exactly these bytes.
  package var files: [File]
  /// What tables call it; in no key.
  package var name: String?
  /// The metrics that it declares, the headline first; in no key.
  package var metrics: [MetricDescription] = []
  /// Where the files lie; in no key.
  package var folder: String?
  /// The version of the lines that it speaks: from 2 on it says what it can do before anything is planned. In
  /// the key where it is not 1, because it is told to the trainer.
  package var version = 1
  /// What it says of teachers; in no key.
  package var teaching = Teaching.none
  /// Seconds that it may take to say so; in no key.
  package var patience = Self.usualPatience

  /// A deep-learning framework on a file system of a cluster takes half a minute to load.
  package static let usualPatience = 120
  package static let versions = 1...2

  package init(command: [String], files: [File] = [], name: String? = nil, folder: String? = nil) {
    self.command = command
    self.files = files
    self.name = name
    self.folder = folder
  }

  /// Words and names are compared by their bytes.
  public static func == (a: TrainerSpec, b: TrainerSpec) -> Bool {
    func isSame(_ a: String?, _ b: String?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.hasBytes(of: b)
    }
    return a.command.elementsEqual(b.command) { $0.hasBytes(of: $1) } && a.files == b.files
      && isSame(a.name, b.name) && isSame(a.folder, b.folder) && a.metrics == b.metrics
      && a.version == b.version && a.patience == b.patience && a.teaching == b.teaching
  }

  /// What its key is made of, and no more.
  package var inKeys: TrainerSpec {
    var spec = TrainerSpec(command: command, files: files)
    spec.version = version
    return spec
  }

  /// Names the set of files.
  package var filesKey: ContentKey {
    var hasher = ContentHasher()
    for file in files {
      hasher.field("name", file.name)
      hasher.field("digest", file.digest)
    }
    return hasher.finished()
  }
}

extension TrainerSpec: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("command", .array(command.map { .string($0) }), to: &bytes)
    if !files.isEmpty {
      let list = files.map { file -> JSONValue in
        ["digest": .string(file.digest.description), "name": .string(file.name)]
      }
      object.member("files", .array(list), to: &bytes)
    }
    if version != 1 { object.member("protocol", version, to: &bytes) }
    object.end(&bytes)
  }

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    let command = try Self.words(object.array("command"), at: object.path("command"))
    guard !command.isEmpty else { throw SpecError(path: object.path("command"), expected: "a command") }
    var files: [File] = []
    let list = try object.optional("files", SpecObject.array) ?? []
    for (index, file) in list.enumerated() {
      let file = try SpecObject(file, at: object.path("files[\(index)]"))
      let name = try file.string("name")
      guard Self.isPlain(name) else { throw SpecError(path: file.path("name"), expected: "a name of a file") }
      files.append(File(name: name, digest: try file.key("digest")))
    }
    self.init(command: command, files: files)
    version = try object.optional("protocol", SpecObject.integer) ?? 1
  }

  /// What a grid writes of a trainer, the files by their names alone.
  package struct Written: Sendable {
    package let command: [String]
    package let files: [String]
    package let name: String?
    package let metrics: [MetricDescription]
    package let version: Int
    package let patience: Int
  }

  private static let members = ["command", "describeWithin", "files", "metrics", "name", "protocol"]

  /// Reads `{ "command": […], "files": […], "name": …, "metrics": { … }, "protocol": 2,
  /// "describeWithin": 120 }`.
  package static func written(_ json: JSONValue) throws(SpecError) -> Written {
    let object = try SpecObject(json, at: "trainer")
    for name in (json.object ?? [:]).keys.sorted() where !members.contains(name) {
      let known = members.dropLast().map { "\"\($0)\"" }.joined(separator: ", ")
      throw SpecError(
        path: object.path(name),
        expected: "left out: a trainer has \(known) and \"\(members[members.count - 1])\"")
    }
    let command = try words(object.array("command"), at: "trainer.command")
    guard let program = command.first, !program.isEmpty else {
      throw SpecError(path: "trainer.command", expected: "a list of words, the program first")
    }
    let files = try words(object.optional("files", SpecObject.array) ?? [], at: "trainer.files")
    for name in files where !isPlain(name) {
      throw SpecError(path: "trainer.files", expected: "names of files beside the grid, not \"\(name)\"")
    }
    let metrics = try object["metrics"].map { value throws(SpecError) in
      try MetricDescription.ofTrainer(value, at: object.path("metrics"))
    }
    let version = try object.optional("protocol", SpecObject.integer) ?? 1
    guard versions.contains(version) else {
      throw SpecError(path: object.path("protocol"), expected: "1, or 2 for a trainer that describes itself")
    }
    let patience = try object.optional("describeWithin", SpecObject.integer) ?? usualPatience
    guard (1...3600).contains(patience) else {
      throw SpecError(path: object.path("describeWithin"), expected: "seconds, 1 to 3600")
    }
    return Written(
      command: command, files: files, name: try object.optional("name", SpecObject.string),
      metrics: metrics ?? [], version: version, patience: patience)
  }

  private static func words(_ list: [JSONValue], at path: String) throws(SpecError) -> [String] {
    var words: [String] = []
    for value in list {
      guard let word = value.string, !word.utf8.contains(0) else {
        throw SpecError(path: path, expected: "a list of words")
      }
      words.append(word)
    }
    return words
  }

  /// Whether a name stays in its folder.
  package static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.contains("/") && !name.hasPrefix("-")
      && !name.utf8.contains { $0 < 32 }
  }
}
