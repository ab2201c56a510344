/// A command that trains students in this program's place: somebody else's code under the same plan, resume, store and report
/// (`docs/trainers.md`).
package struct TrainerSpec: Hashable, Sendable {
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

  package var command: [String]
  /// In the order of their names. What they hold is part of the run: workers get copies of exactly these bytes.
  package var files: [File]
  /// What tables call it; in no key.
  package var name: String?
  /// The metrics that it declares, the headline first; in no key.
  package var metrics: [MetricDescription] = []
  /// Where the files lie; in no key.
  package var folder: String?

  package init(command: [String], files: [File] = [], name: String? = nil, folder: String? = nil) {
    self.command = command
    self.files = files
    self.name = name
    self.folder = folder
  }

  /// Words and names are compared by their bytes.
  package static func == (a: TrainerSpec, b: TrainerSpec) -> Bool {
    func isSame(_ a: String?, _ b: String?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.hasBytes(of: b)
    }
    return a.command.elementsEqual(b.command) { $0.hasBytes(of: $1) } && a.files == b.files
      && isSame(a.name, b.name) && isSame(a.folder, b.folder) && a.metrics == b.metrics
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
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("command", .array(command.map { .string($0) }), to: &bytes)
    if !files.isEmpty {
      let list = files.map { file -> JSONValue in
        ["digest": .string(file.digest.description), "name": .string(file.name)]
      }
      object.member("files", .array(list), to: &bytes)
    }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
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
  }

  /// What a grid writes: `{ "command": […], "files": […], "name": …, "metrics": { … } }`, the files by their names alone.
  package static func written(
    _ json: JSONValue
  ) throws(SpecError) -> (command: [String], files: [String], name: String?, metrics: [MetricDescription]) {
    let object = try SpecObject(json, at: "trainer")
    for name in (json.object ?? [:]).keys.sorted()
    where !["command", "files", "metrics", "name"].contains(name) {
      throw SpecError(
        path: object.path(name),
        expected: "left out: a trainer has \"command\", \"files\", \"metrics\" and \"name\"")
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
    return (command, files, try object.optional("name", SpecObject.string), metrics ?? [])
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
