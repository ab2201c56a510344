package import Specs

// The stages of a sweep. Outputs of teachers on fixed views will stand between teachers and students.

/// Images that runs read: subset taken, checked, packed.
package struct DatasetStage: StageSpec {
  package static let kind = "dataset"
  package static let revision = 1

  package var dataset: DatasetSpec
  package var inputs: [ContentKey] { [] }

  package init(_ dataset: DatasetSpec) { self.dataset = dataset }

  package func append(to bytes: inout [UInt8]) { dataset.append(to: &bytes) }
  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    dataset = try DatasetSpec(json, at: path)
  }
}

/// A network trained alone, on the dataset of those who learn from it.
package struct TeacherStage: StageSpec {
  package static let kind = "teacher"
  package static let revision = 2

  package var dataset: DatasetSpec
  package var teacher: TeacherSpec
  package var inputs: [ContentKey] { [DatasetStage(dataset).key] }

  package init(_ teacher: TeacherSpec, on dataset: DatasetSpec) {
    (self.teacher, self.dataset) = (teacher, dataset)
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("dataset", to: &bytes, dataset.append)
    object.member("teacher", to: &bytes, teacher.append)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    dataset = try DatasetSpec(object["dataset"] ?? .null, at: object.path("dataset"))
    teacher = try TeacherSpec(object["teacher"] ?? .null, at: object.path("teacher"))
  }
}

/// One seeded run of a student under a method.
package struct StudentStage: StageSpec {
  package static let kind = "student"
  package static let revision = 2

  package var run: RunSpec
  /// The dataset, then the teachers in the order of the pool.
  package var inputs: [ContentKey] {
    [DatasetStage(run.dataset).key] + run.teachers.map { TeacherStage($0, on: run.dataset).key }
  }

  package init(_ run: RunSpec) { self.run = run }

  package func append(to bytes: inout [UInt8]) { run.append(to: &bytes) }
  package init(_ json: JSONValue, at path: String) throws(SpecError) { run = try RunSpec(json, at: path) }
}
