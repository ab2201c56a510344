import Specs
import Sweeps
import TestSupport
import Testing

/// Keys are promises for ever: these literals may only change together with a revision.
@Suite struct StageTests {
  private let dataset = DatasetSpec(
    name: "cifar100", digest: ContentKey(hashing: Array("files".utf8)), trainImages: 10_000, testImages: 2000)
  private let student = ModelSpec(
    family: "cifar_resnet", parameters: ["depth": 8, "widths": [16, 16, 32, 64]])

  private var teacher: TeacherSpec {
    TeacherSpec(
      network: ModelSpec(family: "cifar_wrn", parameters: ["depth": 16, "widen": 2]),
      recipe: .teacher(family: "cifar_wrn", epochs: 240), seed: 0)
  }

  private var run: RunSpec {
    RunSpec(
      dataset: dataset, student: student,
      method: MethodSpec(
        name: "mtkd-rl",
        options: ["alpha": .number(DecimalNumber(mantissa: 5, exponent: -1)), "mixing": "dynamic"]),
      teachers: [teacher], recipe: .student(epochs: 240), seed: 3)
  }

  @Test func `golden encodings`() {
    #expect(
      String(decoding: run.canonicalBytes, as: UTF8.self)
        == #"{"dataset":{"digest":"3d7db37d08f9140fd09f12b9621cd0954b6d56a9d2f357fb2c7f5d62636d2fd1","name":"cifar100","testImages":2000,"trainImages":10000},"method":{"name":"mtkd-rl","options":{"alpha":0.5,"mixing":"dynamic"}},"recipe":{"batchSize":64,"epochs":240,"gamma":0.1,"learningRate":0.05,"milestones":[150,180,210],"momentum":0.9,"nesterov":true,"weightDecay":0.0001},"seed":3,"student":{"family":"cifar_resnet","parameters":{"depth":8,"widths":[16,16,32,64]}},"teachers":[{"network":{"family":"cifar_wrn","parameters":{"depth":16,"widen":2}},"recipe":{"batchSize":64,"epochs":240,"gamma":0.1,"learningRate":0.05,"milestones":[150,180,210],"momentum":0.9,"nesterov":false,"weightDecay":0.0005},"seed":0}]}"#
    )
  }

  @Test func `who trains a teacher is part of its key, and what is kept of it is not`() throws {
    var trainer = TrainerSpec(command: ["python3", "t.py"], name: "theirs", folder: "here")
    trainer.version = 2
    #expect(teacher.trained(by: trainer) == teacher && teacher.trained(by: nil) == teacher)
    trainer.teaching = .trains(outputs: nil)
    let theirs = teacher.trained(by: trainer)
    let text = String(decoding: theirs.canonicalBytes, as: UTF8.self)
    #expect(text.hasSuffix(#","seed":0,"trainer":{"command":["python3","t.py"],"protocol":2}}"#), "\(text)")
    #expect(TeacherStage(theirs, on: dataset).key != TeacherStage(teacher, on: dataset).key)
    trainer.teaching = .trains(outputs: 7)
    let kept = teacher.trained(by: trainer)
    #expect(String(decoding: kept.canonicalBytes, as: UTF8.self).contains(#"},"outputs":7,"recipe":{"#))
    #expect(TeacherStage(kept, on: dataset).key == TeacherStage(theirs, on: dataset).key)
    #expect(try TeacherSpec(JSONReader.read(kept.canonicalBytes).value, at: "") == kept)
    let imported = TeacherSpec(
      network: teacher.network, weights: ImportedWeights(digest: dataset.digest!, normalisation: nil))
    #expect(imported.trained(by: trainer) == imported)
  }

  @Test func `how convolutions are computed is part of a run, and the default is left out`() throws {
    var direct = run
    direct.recipe.convolution = .direct
    let text = String(decoding: direct.canonicalBytes, as: UTF8.self)
    #expect(text.contains(#""recipe":{"batchSize":64,"convolution":"direct","epochs":240,"#))
    #expect(StudentStage(direct).key != StudentStage(run).key)
    #expect(try RunSpec(JSONReader.read(direct.canonicalBytes).value) == direct)
    direct.recipe.convolution = .auto
    #expect(StudentStage(direct).key == StudentStage(run).key)
    let wrong = text.replacing(#""convolution":"direct""#, with: #""convolution":"fft""#)
    #expect(throws: SpecError(path: "recipe.convolution", expected: "\"auto\" or \"direct\"")) {
      try RunSpec(JSONReader.read(Array(wrong.utf8)).value)
    }
  }

  @Test func `whose kernels compute is part of a run, and the default is left out`() throws {
    var native = run
    native.recipe.numerics = .native
    let text = String(decoding: native.canonicalBytes, as: UTF8.self)
    #expect(text.contains(#""nesterov":true,"numerics":"native","weightDecay""#))
    #expect(StudentStage(native).key != StudentStage(run).key)
    #expect(try RunSpec(JSONReader.read(native.canonicalBytes).value) == native)
    #expect(try StageRequest(StudentStage(native)).numerics(as: StudentStage.self) == .native)
    #expect(try StageRequest(StudentStage(run)).numerics(as: StudentStage.self) == .portable)
    #expect(try StageRequest(DatasetStage(dataset)).numerics(as: DatasetStage.self) == .portable)
    native.recipe.numerics = .portable
    #expect(StudentStage(native).key == StudentStage(run).key)
  }

  @Test func `what a method computed before is another run, and its first revision is left out`() throws {
    var later = run
    later.method.revision = 2
    let text = String(decoding: later.canonicalBytes, as: UTF8.self)
    #expect(text.contains(#""options":{"alpha":0.5,"mixing":"dynamic"},"revision":2},"recipe""#))
    #expect(StudentStage(later).key != StudentStage(run).key)
    #expect(try RunSpec(JSONReader.read(later.canonicalBytes).value) == later)
    later.method.revision = 1
    #expect(StudentStage(later).key == StudentStage(run).key)
  }

  @Test func `an imported teacher is computed as its run is`() throws {
    let plain = TeacherSpec(
      network: teacher.network, weights: ImportedWeights(digest: ContentKey(hashing: Array("w".utf8))))
    var other = plain
    (other.recipe.convolution, other.recipe.numerics) = (.direct, .native)
    let text = String(decoding: other.canonicalBytes, as: UTF8.self)
    #expect(text.hasPrefix(#"{"convolution":"direct","network":{"#) && text.contains(#""numerics":"native""#))
    #expect(try TeacherSpec(JSONReader.read(other.canonicalBytes).value, at: "") == other)
    let whole = String(decoding: plain.canonicalBytes, as: UTF8.self)
    #expect(!whole.contains("numerics") && !whole.contains("convolution"))
    #expect(TeacherStage(plain, on: dataset).key != TeacherStage(other, on: dataset).key)
    #expect(try StageRequest(TeacherStage(other, on: dataset)).numerics(as: TeacherStage.self) == .native)
    let outputs = TeacherOutputsStage(other, on: dataset, views: 2, keeps: .heads)
    #expect(try StageRequest(outputs).numerics(as: TeacherOutputsStage.self) == .native)
  }

  @Test func `golden keys`() {
    #expect(
      DatasetStage(dataset).key.description
        == "8dd0c5d3b8e0e750cee59ee8e43d79acb36b5b935e9b588e1f5139b37c7c66a7")
    #expect(
      TeacherStage(teacher, on: dataset).key.description
        == "f52fb37e0531663f19f4149cb4b9b30e9647c92b41a786cefd030109b3d661d1")
    #expect(
      StudentStage(run).key.description == "416d6cc3cd6c794322b0afb6a9fa7f722ff7e102b1c0e30e61aab777b1d50ac2")
  }

  @Test func `a key covers kind, revision, specification and inputs, each by its name`() {
    // Written out by hand from the description in `StageRequest`: little-endian lengths
    // before names and values.
    func field(_ name: String, _ value: [UInt8]) -> [UInt8] {
      func counted(_ bytes: [UInt8]) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
      }
      return counted(Array(name.utf8)) + counted(value)
    }
    let bytes =
      field("kind", Array("teacher".utf8)) + field("revision", Array("2".utf8))
      + field("spec", TeacherStage(teacher, on: dataset).canonicalBytes)
      + field("input", DatasetStage(dataset).key.digest)
    #expect(TeacherStage.revision == 2)
    #expect(TeacherStage(teacher, on: dataset).key == ContentKey(hashing: bytes))
  }

  @Test func `every value of a run is in its key, and the folder of its data is not`() {
    var keys = [StudentStage(run).key]
    func vary(_ change: (inout RunSpec) -> Void) {
      var other = run
      change(&other)
      keys.append(StudentStage(other).key)
    }
    vary { $0.seed = 4 }
    vary { $0.dataset.digest = ContentKey(hashing: [1]) }
    vary { $0.dataset.trainImages = nil }
    vary { $0.dataset.testImages = 100 }
    vary { $0.dataset.validationImages = 100 }
    vary { $0.dataset.name = "cifar10" }
    vary { $0.student.parameters["depth"] = 14 }
    vary { $0.student.family = "cifar_wrn" }
    vary { $0.method.name = "aver-kd" }
    vary { $0.method.options["alpha"] = 2 }
    vary { $0.method.options["mixing"] = nil }
    vary { $0.teachers = [] }
    vary { $0.teachers += [$0.teachers[0]] }
    vary { $0.teachers[0].seed = 1 }
    vary { $0.teachers[0].recipe.epochs = 10 }
    vary { $0.teachers[0].network.parameters["widen"] = 1 }
    vary { $0.recipe.epochs = 60 }
    vary { $0.recipe.batchSize = 32 }
    vary { $0.recipe.learningRate = 1 }
    vary { $0.recipe.momentum = 0 }
    vary { $0.recipe.nesterov = false }
    vary { $0.recipe.weightDecay = 0 }
    vary { $0.recipe.milestones = [] }
    vary { $0.recipe.gamma = 1 }
    #expect(Set(keys).count == keys.count)
    var moved = run
    moved.dataset.folder = "/elsewhere"
    #expect(StudentStage(moved).key == keys[0])
  }

  @Test func `a stage is its document, and a changed document has another key`() throws {
    let request = StageRequest(StudentStage(run))
    #expect(try StageRequest(document: request.document) == request)
    #expect(try StageRequest(document: request.document).decoded(as: StudentStage.self) == StudentStage(run))
    let text = String(decoding: request.document, as: UTF8.self)
    let changed = text.replacing("\"seed\":3", with: "\"seed\":4")
    #expect(try StageRequest(document: Array(changed.utf8)).key != request.key)
    for count in stride(from: 0, to: text.utf8.count, by: 7) {
      #expect(throws: (any Error).self) { try StageRequest(document: Array(text.utf8.prefix(count))) }
    }
  }

  @Test func `every stage reads back what it writes`() throws {
    let stages: [StageRequest] = [
      StageRequest(DatasetStage(dataset)), StageRequest(TeacherStage(teacher, on: dataset)),
      StageRequest(StudentStage(run)),
    ]
    #expect(try stages[0].decoded(as: DatasetStage.self) == DatasetStage(dataset))
    #expect(try stages[1].decoded(as: TeacherStage.self) == TeacherStage(teacher, on: dataset))
    #expect(throws: SpecError.self) { try stages[0].decoded(as: StudentStage.self) }
    #expect(stages[1].inputs == [stages[0].key])
    #expect(stages[2].inputs == [stages[0].key, stages[1].key])
  }
}

@Suite struct SweepPlanTests {
  private func plan(_ members: String) throws -> (GridExpansion, SweepPlan) {
    let expansion = try GridExpansion(ToyGrid.read("{\"version\": 1, \"name\": \"g\", \(members)}"), .toy)
    return (expansion, SweepPlan(expansion.runs))
  }

  @Test func `a stage that many runs want is planned once, and after its inputs`() throws {
    let (expansion, plan) = try plan(
      #""base": {"dataset": "cifar100"}, "axes": {"student": ["resnet8", "resnet14"], "method": ["baseline", "aver-kd"], "teachers": {"pool": ["resnet14", "wrn-16-1"], "take": [1, 2]}}, "seeds": [1, 2]"#
    )
    #expect(expansion.runs.count == 12)
    #expect(plan.stages.count { $0.kind == "dataset" } == 1)
    #expect(plan.stages.count { $0.kind == "teacher" } == 2)
    #expect(plan.stages.count { $0.kind == "student" } == 12)
    #expect(Set(plan.stages.map(\.key)).count == plan.stages.count)
    var seen: Set<ContentKey> = []
    for stage in plan.stages {
      #expect(stage.inputs.allSatisfy(seen.contains))
      seen.insert(stage.key)
    }
  }

  @Test(arguments: ["fixed", "perSeed"])
  func `keys of runs are those of their stages`(_ teacherSeeds: String) throws {
    let (expansion, plan) = try plan(
      #""base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"]}, "axes": {"alpha": [0, 1, 2]}, "seeds": [1, 2, 12345], "teacherSeeds": "\#(teacherSeeds)""#
    )
    #expect(plan.runKeys == expansion.runs.map { StudentStage($0.spec).key })
    for (run, key) in zip(expansion.runs, plan.runKeys) {
      let stage = try #require(plan.stages.first { $0.key == key })
      #expect(stage.inputs == StudentStage(run.spec).inputs)
      #expect(stage.spec == run.spec.canonicalBytes)
    }
  }

  @Test func `two datasets have their own teachers`() throws {
    let (_, plan) = try plan(
      #""base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"]}, "axes": {"dataset": ["synthetic", "cifar100"]}"#
    )
    #expect(plan.stages.map(\.kind) == ["dataset", "dataset", "teacher", "teacher", "student", "student"])
  }
}

@Suite struct PresetTests {
  @Test(arguments: Catalog.presets.names)
  func `a preset is the file of its name`(_ name: String) throws {
    let long = ["paper/table2": "table2-imagenet", "paper/table3": "table3-vit"]
    let file = long[name] ?? (name.hasPrefix("paper/") ? String(name.dropFirst("paper/".count)) : name)
    let text = try RepositoryFile.text("sweeps/\(file).json")
    #expect(try Catalog.presets.entry(name).text == text)
  }

  @Test(arguments: Catalog.presets.names)
  func `a preset is a grid`(_ name: String) throws {
    let bytes = Array(try Catalog.presets.entry(name).text.utf8)
    let draft = GridReader.draft(bytes, file: name, groups: ["transfer"]) { reference, _ in
      (reference, Array(try Catalog.presets.entry(String(reference.dropFirst("preset:".count))).text.utf8))
    }
    #expect(draft.problems.isEmpty)
    #expect(draft.grid?.blocks.isEmpty == false)
  }
}
