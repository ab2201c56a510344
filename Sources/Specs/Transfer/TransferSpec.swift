/// Where a transfer's backbone comes from.
package enum BackboneSource: Hashable, Sendable {
  /// The run's own student, after its last epoch or its best one.
  case student(epoch: String)
  /// The network's own initialisation with the run's seed: the floor.
  case random(ModelSpec)
  /// Weights that were trained elsewhere.
  case weights(TeacherSpec)

  /// Whether the run trains a student first.
  package var isStudent: Bool { if case .student = self { true } else { false } }
}

/// What a run's backbone is put to, fully resolved: exactly the values that the head reads, so that equal
/// transfers are equal values.
package struct TransferSpec: Hashable, Sendable {
  package var task: TransferTask
  /// A detector or a segmentor by its name.
  package var head: String
  package var dataset: DatasetSpec
  /// Fields of the recipe that the head reads, by their names.
  package var fields: [String: JSONValue]

  package init(task: TransferTask, head: String, dataset: DatasetSpec, fields: [String: JSONValue]) {
    self.task = task
    self.head = head
    self.dataset = dataset
    self.fields = fields
  }
}

extension TransferSpec: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("dataset", to: &bytes, dataset.append)
    object.member("head", .string(head), to: &bytes)
    object.member("recipe", .object(fields), to: &bytes)
    object.member("task", .string(task.rawValue), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    guard let task = TransferTask(rawValue: try object.string("task")) else {
      throw SpecError(path: object.path("task"), expected: "detection or segmentation")
    }
    guard let fields = object["recipe"]?.object else {
      throw SpecError(path: object.path("recipe"), expected: "an object")
    }
    self.init(
      task: task, head: try object.string("head"),
      dataset: try DatasetSpec(object["dataset"] ?? .null, at: object.path("dataset")), fields: fields)
  }
}

extension TransferSpec {
  /// A field that is a number.
  ///
  /// - Throws: `SpecError` where the recipe does not hold it.
  package func number(_ name: String) throws(SpecError) -> Double {
    guard let value = fields[name]?.number else { throw wrong(name, "a number") }
    return value.double
  }

  package func integer(_ name: String) throws(SpecError) -> Int {
    guard let value = fields[name]?.integer else { throw wrong(name, "an integer") }
    return value
  }

  package func flag(_ name: String) throws(SpecError) -> Bool {
    guard let value = fields[name]?.bool else { throw wrong(name, "true or false") }
    return value
  }

  package func word<Word: RawRepresentable<String> & CaseIterable>(
    _ name: String, of type: Word.Type
  ) throws(SpecError) -> Word {
    guard let value = fields[name]?.string.flatMap(Word.init) else {
      throw wrong(name, "one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  package func numbers(_ name: String) throws(SpecError) -> [Double] {
    guard let values = fields[name]?.array?.map(\.number), !values.contains(nil) else {
      throw wrong(name, "a list of numbers")
    }
    return values.compactMap { $0?.double }
  }

  private func wrong(_ name: String, _ expected: String) -> SpecError {
    SpecError(path: "recipe.\(name)", expected: expected)
  }

  /// Such as `faster-rcnn on synthetic-shapes-96x96-3`.
  package var title: String { "\(head) on \(dataset.name)" }
}
