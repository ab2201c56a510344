internal import Reports
package import Specs
package import Storage

/// A teacher of a run, with the headline number of the state that students learn from.
package struct TeacherFact: Sendable {
  package let title: String
  package let key: ContentKey
  /// `test.acc1` in percent, at its best epoch where that was kept; nil before the teacher is trained.
  package let accuracy: Double?
  /// The share of test images for which it and the student name the same class, in
  /// percent; nil where nobody asked.
  package let agreement: Double?

  /// Such as `resnet56, test.acc1 93.39 % at its best epoch, 5e0c91d2aa`.
  package var text: String {
    let number =
      accuracy.map { "test.acc1 \(NumberFormat.fixed($0, 2)) % at its best epoch" } ?? "not trained yet"
    let shared =
      agreement.map { ", agrees with the student on \(NumberFormat.fixed($0, 2)) % of the test images" }
      ?? ""
    return "\(title), \(number), \(key.short)\(shared)"
  }

  package var json: JSONValue {
    func number(_ value: Double?) -> JSONValue {
      value.flatMap { DecimalNumber($0) }.map { .number($0) } ?? .null
    }
    var members: [String: JSONValue] = [
      "key": .string(key.description), "title": .string(title), "test.acc1": number(accuracy),
    ]
    if let agreement { members["test.agreement"] = number(agreement) }
    return .object(members)
  }
}

extension ResultStore {
  /// Teachers that a stage reads, in the order of its specification, as the sweep
  /// that asks for it calls them.
  package func teachers(of stage: StageRecord) throws -> [TeacherFact] {
    try teachers(of: stage, sweep(askingFor: stage.key)?.names ?? WrittenNames())
  }

  private func teachers(of stage: StageRecord, _ names: WrittenNames) throws -> [TeacherFact] {
    let spec = try JSONReader.read(Array(stage.spec.utf8)).value
    let keys = (spec.object?["inputs"]?.array ?? []).compactMap { $0.string.flatMap { ContentKey($0) } }
    let own = try metrics(of: stage.key)
    return try records(of: keys).filter { $0.kind == "teacher" }.map { teacher in
      let metrics = try metrics(of: teacher.key)
      // The first input is the dataset.
      let place = keys.dropFirst().firstIndex(of: teacher.key).map { $0 - 1 }
      return TeacherFact(
        title: Self.title(of: teacher, names), key: teacher.key,
        accuracy: metrics[ClassificationMetrics.best(ClassificationMetrics.headline.name)]
          ?? metrics[ClassificationMetrics.headline.name],
        agreement: place.flatMap { own[ClassificationMetrics.agreement(.test, teacher: $0)] })
    }
  }

  /// As the grid writes it; as the store does where the grid does not say.
  private static func title(of stage: StageRecord, _ names: WrittenNames) -> String {
    guard let spec = try? JSONReader.read(Array(stage.spec.utf8)).value,
      let teacher = try? TeacherSpec(spec.object?["spec"]?.object?["teacher"] ?? .null, at: "teacher"),
      let name = names[teacher]
    else { return stage.title }
    return teacher.title(name)
  }

  /// Teachers of a sweep, as one run of each cell names them, the first cells at least.
  func teachers(of results: SweepResults, _ names: WrittenNames) throws -> [SweepResults.Teacher] {
    var cells: Set<[JSONValue]> = []
    var keys: [ContentKey] = []
    for run in results.runs where keys.count < Self.mostTaughtCells {
      guard let key = run.key, cells.insert(run.labels).inserted else { continue }
      keys.append(key)
    }
    var known: Set<ContentKey> = []
    var teachers: [SweepResults.Teacher] = []
    for stage in try records(of: keys) {
      for teacher in try self.teachers(of: stage, names) where known.insert(teacher.key).inserted {
        teachers.append(SweepResults.Teacher(title: teacher.title, accuracy: teacher.accuracy))
      }
    }
    return teachers
  }

  /// Cells that are asked for their teachers: a table of more tells of most teachers all the same.
  private static var mostTaughtCells: Int { 200 }
}
