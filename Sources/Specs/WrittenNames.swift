/// What a grid calls its networks. Names of published networks are in no key, so the specification of a stage
/// does not tell which of several names somebody wrote; displays and reports take these.
public struct WrittenNames: Hashable, Sendable {
  private var networks: [ModelSpec: String] = [:]
  /// Of networks that were trained elsewhere, by the digest of their weights.
  private var weights: [ContentKey: String] = [:]

  package init() {}

  /// Remembers how a grid writes a network; the first way counts.
  package mutating func note(_ value: JSONValue, _ network: ModelSpec) {
    if networks[network] == nil { networks[network] = value.title }
  }

  /// Remembers how a grid writes a network that was trained elsewhere: an import by its
  /// name, a file by its network.
  package mutating func note(_ value: JSONValue, _ teacher: TeacherSpec) {
    guard let digest = teacher.weights?.digest, weights[digest] == nil else { return }
    weights[digest] = (value.object?["import"] ?? value.object?["network"])?.title
  }

  /// Nil for a network that the grid does not name.
  package subscript(network: ModelSpec) -> String? { networks[network] }
  /// Nil for a teacher that the grid does not name.
  package subscript(teacher: TeacherSpec) -> String? {
    teacher.weights.map { weights[$0.digest] } ?? networks[teacher.network]
  }
}

extension WrittenNames: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    let entries: [(name: String, JSONValue)] =
      networks.map { ($1, ["family": .string($0.family), "parameters": .object($0.parameters)]) }
      + weights.map { ($1, .string($0.description)) }
    let values = entries.map { JSONValue.object(["name": .string($0.name), "network": $0.1]) }
    let texts = values.map { CanonicalJSON.text(of: $0) }
    let sorted = zip(texts, values).sorted { $0.0 < $1.0 }.map(\.1)
    CanonicalJSON.append(.array(sorted), to: &bytes)
  }

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    guard let entries = json.array else { throw SpecError(path: path, expected: "an array") }
    for (index, entry) in entries.enumerated() {
      let object = try SpecObject(entry, at: "\(path)[\(index)]")
      let name = ForeignText.line(try object.string("name"))
      if let digest = object["network"]?.string.flatMap({ ContentKey($0) }) {
        weights[digest] = name
      } else {
        networks[try ModelSpec(object["network"] ?? .null, at: object.path("network"))] = name
      }
    }
  }
}

extension TeacherSpec {
  /// Such as `teacher resnet56 seed 2`.
  package func title(_ name: String) -> String {
    let seed = weights.map { " from weights \($0.digest.short)" } ?? (seed == 0 ? "" : " seed \(seed)")
    return "teacher \(name)\(seed)" + (trainer == nil ? "" : ", by its students' trainer")
  }
}

/// What a person calls a run of a sweep.
package enum RunTitle {
  /// What its grid varies, such as `resnet8 mtkd-rl alpha=0.5 seed 2`.
  package static func text(_ columns: [String], _ labels: [JSONValue], seed: Int) -> String {
    var words: [String] = []
    for (column, label) in zip(columns, labels) where label != .null {
      let value = label.array.map { "\($0.count)" } ?? label.title
      switch column {
      case "student", "method": words.append(value)
      case "teachers": words.append("M=\(value)")
      default: words.append("\(column)=\(value)")
      }
    }
    return words.joined(separator: " ") + " seed \(seed)"
  }
}
