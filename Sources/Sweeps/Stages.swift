public import Specs

// The stages of a sweep.

/// Images that runs read: subset taken, checked, packed.
package struct DatasetStage: StageSpec {
  package static let kind = "dataset"
  package static let role = StageRole.preparation
  package static let revision = 1

  package var dataset: DatasetSpec
  package var inputs: [ContentKey] { [] }

  package init(_ dataset: DatasetSpec) { self.dataset = dataset }

  package func append(to bytes: inout [UInt8]) { dataset.append(to: &bytes) }
  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    dataset = try DatasetSpec(json, at: path)
  }
}

/// A network trained alone, on the dataset of those who learn from it, or on another
/// number of its training images.
package struct TeacherStage: StageSpec {
  package static let kind = "teacher"
  package static let role = StageRole.preparation
  package static let revision = 2

  package var dataset: DatasetSpec
  package var teacher: TeacherSpec
  package var inputs: [ContentKey] { [DatasetStage(dataset).key] }
  package var numerics: RecipeSpec.NumericsKind { teacher.recipe.numerics }

  /// - Parameter dataset: that of the students. How many of its images the teacher learns from
  ///   is the teacher's to say; two sweeps whose teachers are equal share them, however each of
  ///   them came to that number.
  package init(_ teacher: TeacherSpec, on dataset: DatasetSpec) {
    self.teacher = teacher.alone
    self.dataset = dataset
    guard let images = teacher.trainImages else { return }
    self.teacher.trainImages = nil
    self.dataset.trainImages = images
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

/// What a teacher says of every fixed view of the training images, written down for all runs
/// that show it these views.
///
/// No key of a student depends on it: a run that finds it reads it, a run that does not asks the teacher, and
/// both have the same bits.
package struct TeacherOutputsStage: StageSpec {
  package static let kind = "teacher-outputs"
  package static let role = StageRole.helper
  package static let revision = 1

  package var dataset: DatasetSpec
  package var teacher: TeacherSpec
  /// K, at least 1.
  package var views: Int
  /// Maps take tens of times the room of logits and embeddings.
  package var keeps: TeacherOutputs
  package var inputs: [ContentKey] {
    [DatasetStage(dataset).key, TeacherStage(teacher, on: dataset).key]
  }
  package var numerics: RecipeSpec.NumericsKind { teacher.recipe.numerics }

  /// - Parameter keeps: more than nothing.
  package init(_ teacher: TeacherSpec, on dataset: DatasetSpec, views: Int, keeps: TeacherOutputs) {
    self.teacher = teacher
    self.dataset = dataset
    self.views = views
    self.keeps = keeps
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("dataset", to: &bytes, dataset.append)
    object.member("maps", .bool(keeps >= .maps), to: &bytes)
    if keeps == .stages { object.member("stages", .bool(true), to: &bytes) }
    object.member("teacher", to: &bytes, teacher.append)
    object.member("views", views, to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    dataset = try DatasetSpec(object["dataset"] ?? .null, at: object.path("dataset"))
    teacher = try TeacherSpec(object["teacher"] ?? .null, at: object.path("teacher"))
    views = try object.integer("views")
    keeps = try object["stages"]?.bool == true ? .stages : object.bool("maps") ? .maps : .heads
  }
}

/// One seeded run of a student under a method.
package struct StudentStage: StageSpec {
  package static let kind = "student"
  package static let role = StageRole.result
  package static let revision = 2

  package var run: RunSpec
  /// The dataset, then the teachers in the order of the pool.
  package var inputs: [ContentKey] {
    [DatasetStage(run.dataset).key] + run.teachers.map { TeacherStage($0, on: run.dataset).key }
  }
  package var numerics: RecipeSpec.NumericsKind { run.recipe.numerics }

  package init(_ run: RunSpec) { self.run = run }

  package func append(to bytes: inout [UInt8]) { run.append(to: &bytes) }
  package init(_ json: JSONValue, at path: String) throws(SpecError) { run = try RunSpec(json, at: path) }
}

extension RunSpec {
  /// The key of the stage that publishes the images of the run: what a stage that reads them has among its
  /// `inputs`.
  public var datasetKey: ContentKey { DatasetStage(dataset).key }
  /// The key of the stage that trains the run's student.
  public var studentKey: ContentKey { StudentStage(self).key }
}
