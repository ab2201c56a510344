import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// Weights in and out of the program.
@Suite struct WeightsCommandTests {
  private static let teachers = [
    ("resnet20", 91.6), ("resnet32", 92.8), ("resnet44", 93.4), ("resnet56", 92.7),
  ]

  private static let hasTeachers = teachers.allSatisfy {
    Available.hasData("teachers/\($0.0)-cifar10-papernet.safetensors")
  }

  @Test(.enabled(if: hasTeachers, "the published teachers of CIFAR-10 are read"), arguments: teachers)
  func `a published teacher is as good here as it was there`(_ name: String, _ percent: Double) throws {
    let data = try #require(Fixtures.images)
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.run(
      "import", "\(data.path)/teachers/\(name)-cifar10-papernet.safetensors", "--network", name, "--dataset",
      "cifar10:\(data.path)/cifar10", "--normalisation", "imagenet", "--evaluate", "--json", in: sweep.folder)
    try #require(output.status == 0, "\(output.talk)")
    let test = try SpecObject(JSONReader.read(Array(output.out.utf8)).value).object("test")
    #expect(try test.integer("images") == 1017)
    #expect(try abs(test.number("acc1").double - percent) <= 0.1)
  }

  /// Trains one small network and exports it: the folder and the file.
  private func exported(_ sweep: TinySweep) throws -> URL {
    let grid = """
      { "version": 1, "name": "alone",
        "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 96, "testImages": 48, "batchSize": 16, "epochs": 2,
                  "method": "aver-kd-fitnet", "teacherEpochs": 1,
                  "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] },
                  "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }] } }
      """
    try sweep.write(grid, to: "alone.json")
    let run = try Program.run("run", "alone.json", "-q", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let list = try Program.run("list", "alone", in: sweep.folder)
    let key = try #require(list.out.split(separator: " ").first)
    let export = try Program.run(
      "export", String(key), "--format", "safetensors", "-o", "student.safetensors", in: sweep.folder)
    try #require(export.status == 0, "\(export.talk)")
    return sweep.folder.appending(path: "student.safetensors")
  }

  @Test func `an exported student is its network alone, with where it comes from`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let file = try Safetensors(decoding: Array(Data(contentsOf: exported(sweep))))
    #expect(file.metadata["grid"] == "alone" && file.metadata["method"] == "aver-kd-fitnet")
    #expect(file.metadata["run"]?.count == 64 && file.metadata["format"] == "pt")
    // What the method trained beside the network stays here.
    #expect(!file.entries.contains { $0.name.hasPrefix("distillation") })
    #expect(try Set(file.entries.map(\.name)) == Set(network(of: file).declarations.map(\.path)))
  }

  private func network(of file: Safetensors) throws -> BuiltNetwork {
    let spec = try ModelSpec(
      JSONReader.read(Array(try #require(file.metadata["network"]).utf8)).value, at: "network")
    return try BuiltNetwork(spec, ImageTask(channels: 1, height: 8, width: 8, classes: 3))
  }

  @Test(.enabled(if: Available.python("torch", "numpy"), "PyTorch loads the weights"))
  func `an exported student says in PyTorch what it says here`() throws {
    let python = try #require(Python.interpreter(with: ["torch", "numpy"]))
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let path = try exported(sweep)
    let file = try Safetensors(decoding: Array(Data(contentsOf: path)))
    let built = try network(of: file)
    let script = Fixtures.committed.appending(path: "weights/round_trip.py").path
    let answer = try Python.run(
      python, ["-B", script, path.path, "9", "4", "1", "8", "8"], in: sweep.folder)
    try #require(answer.status == 0, "\(answer.out)")
    let line = try #require(answer.out.split(separator: "\n").last { $0.hasPrefix("[[") })
    let theirs = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [[Double]]
    let truth = try #require(theirs).flatMap(\.self)
    let state = try StateImport(file, into: built).state.converted(to: .double)
    let images = Tensor(FillRule.images(seed: 9, [4, 1, 8, 8]), [4, 1, 8, 8], .double)
    let ours = built.network(images, Pass(state, .inference)).logits.doubles
    try #require(ours.count == truth.count)
    let largest = try #require(truth.map(abs).max())
    #expect(zip(ours, truth).allSatisfy { abs($0 - $1) <= 1e-9 * largest })
  }

  @Test func `an export says how images are shown, and an import goes by it`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let path = try exported(sweep)
    let file = try Safetensors(decoding: Array(Data(contentsOf: path)))
    let json = try JSONReader.read(Array(try #require(file.metadata["preprocess"]).utf8)).value
    let steps = try #require(json.object?["steps"]?.array)
    #expect(steps.map { $0.object?["transform"]?.string } == ["Grayscale", "ToTensor", "Normalize"])
    let numbers = ["mean", "std"].map { steps.last?.object?[$0]?.array?.compactMap { $0.number?.double } }
    #expect(numbers == [[0.5], [0.25]])
    #expect(file.metadata["datasetDigest"]?.count == 64)
    let readme = try String(contentsOf: sweep.folder.appending(path: "student.README.md"), encoding: .utf8)
    #expect(readme.split(separator: "\n").count == 5 && readme.contains("mean 0.5; std 0.25"), "\(readme)")
    let record = try Data(contentsOf: sweep.folder.appending(path: "student.preprocess.json"))
    #expect(try JSONReader.read(Array(record)).value == json)
    let same = try Program.run(
      "import", "student.safetensors", "--dataset", "synthetic-1x8x8-3", "--name", "same", in: sweep.folder)
    #expect(same.status == 0 && same.talk.contains("the file's own mean [0.5]"), "\(same.talk)")
    let other = try Program.run(
      "import", "student.safetensors", "--dataset", "synthetic-1x8x8-3", "--name", "other", "--mean", "0.4",
      "--std", "0.3", in: sweep.folder)
    #expect(other.status == 0 && other.talk.contains("the file says mean [0.5]"), "\(other.talk)")
    for (mean, std, part) in [
      ("123.675", "58", "--mean 0.485 --std 0.227"), ("0.5", "0", "--std 0 is not above 0"),
      ("0.5,0.5", "0.2", "one a channel"),
    ] {
      let refused = try Program.run(
        "import", "student.safetensors", "--dataset", "synthetic-1x8x8-3", "--name", "no", "--mean", mean,
        "--std", std, in: sweep.folder)
      #expect(refused.status != 0 && refused.talk.contains(part), "\(refused.talk)")
    }
  }

  @Test
  func `weights in several files are taken by their index, and an import is shown with all that it says`()
    throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let whole = try Safetensors(decoding: Array(Data(contentsOf: exported(sweep))))
    var parts = [Safetensors(), Safetensors()]
    parts[0].metadata = whole.metadata
    var map: [String: JSONValue] = [:]
    for (place, entry) in whole.entries.enumerated() {
      parts[place % 2].append(entry)
      map[entry.name] = .string("part-\(place % 2).safetensors")
    }
    for (place, part) in parts.enumerated() {
      try Data(part.encoded()).write(to: sweep.folder.appending(path: "part-\(place).safetensors"))
    }
    let index: JSONValue = .object(["weight_map": .object(map), "metadata": .object([:])])
    try sweep.write(index.description, to: "model.safetensors.index.json")
    func take(_ file: String, as name: String) throws -> Program.Output {
      try Program.run(
        "import", file, "--dataset", "synthetic-1x8x8-3", "--name", name, "--evaluate", in: sweep.folder)
    }
    let (joined, single) = (
      try take("model.safetensors.index.json", as: "joined"), try take("student.safetensors", as: "single")
    )
    #expect(joined.status == 0 && joined.talk.contains("joined to one"), "\(joined.talk)")
    #expect(joined.out.split(separator: "\n").last == single.out.split(separator: "\n").last)
    for name in ["joined", "single"] {
      let shown = try Program.run("show", name, in: sweep.folder)
      let digest = try #require(whole.metadata["datasetDigest"])
      for part in ["mean [0.5], std [0.25]", "3 classes", digest, "1 × 8 × 8"] {
        #expect(shown.status == 0 && shown.out.contains(part), "\(part): \(shown.out) \(shown.talk)")
      }
    }
    try FileManager.default.removeItem(at: sweep.folder.appending(path: "part-1.safetensors"))
    let gone = try take("model.safetensors.index.json", as: "gone")
    #expect(gone.status == 65 && gone.talk.contains("part-1.safetensors is not there"), "\(gone.talk)")
    try sweep.write(#"{"weight_map": {"a": "../../etc/passwd"}}"#, to: "evil.json")
    let evil = try take("evil.json", as: "evil")
    #expect(evil.status == 65 && evil.talk.contains("a file beside the index"), "\(evil.talk)")
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    ("<!DOCTYPE html><html>", "web page"), ("{\"metadata\":{},\"weight_map\":{}}", "several files"),
    ("\u{80}\u{2}", "Not a safetensors file"), ("GGUF", "GGUF"), ("", "is empty"),
  ])
  func `a file of another kind is named by its first bytes`(_ content: String, _ part: String) throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try sweep.write(content, to: "weights.safetensors")
    let output = try Program.run(
      "import", "weights.safetensors", "--network", "resnet8", "--dataset", "synthetic-1x8x8-3",
      in: sweep.folder)
    #expect(output.status == 65 && output.talk.contains(part), "\(output.talk)")
  }

  @Test func `images of IDX files have the size that their header says, in the program too`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let folder = sweep.folder.appending(path: "digits")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func header(_ extents: [UInt8]) -> [UInt8] {
      [0, 0, 8, UInt8(extents.count)] + extents.flatMap { [0, 0, 0, $0] }
    }
    for (name, count) in [("train", 6), ("t10k", 4)] as [(String, UInt8)] {
      let pixels = (0..<Int(count) * 1024).map { UInt8($0 * 13 & 255) }
      try Data(header([count, 32, 32]) + pixels).write(
        to: folder.appending(path: "\(name)-images.idx3-ubyte"))
      try Data(header([count]) + (0..<count).map { $0 % 2 }).write(
        to: folder.appending(path: "\(name)-labels.idx1-ubyte"))
    }
    func grid(_ student: String) -> String {
      """
      { "version": 1, "name": "digits", "base": { "dataset": "idx:digits", "method": "baseline", "epochs": 1,
        "batchSize": 4, "student": \(student) } }
      """
    }
    let fitting = #"{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] }"#
    try sweep.write(grid(fitting), to: "digits.json")
    let plan = try Program.run("plan", "digits.json", "--json", in: sweep.folder)
    #expect(plan.status == 0, "\(plan.talk)")
    let run = try Program.run("run", "digits.json", "-q", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    try sweep.write(grid("\"mini-vit\""), to: "small.json")
    let check = try Program.run("check", "small.json", in: sweep.folder)
    #expect(
      check.status == 65 && check.talk.contains("28 × 28") && check.talk.contains("32"), "\(check.talk)")
  }

  @Test func `a grid mixes imported, named and trained teachers, in the order of its pool`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    _ = try exported(sweep)
    let first = try Program.run(
      "import", "student.safetensors", "--dataset", "synthetic-1x8x8-3", "--name", "mine", "--store", "other",
      in: sweep.folder)
    try #require(first.status == 0, "\(first.talk)")
    let grid = """
      { "version": 1, "name": "mixed",
        "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 48, "testImages": 24, "batchSize": 16, "epochs": 1,
                  "method": "aver-kd", "teacherEpochs": 1,
                  "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] } },
        "axes": { "teachers": { "pool": [{ "import": "mine" },
                                         { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] },
                                         { "file": "student.safetensors", "normalisation": { "mean": [0.4], "std": [0.3] } }],
                                "take": [1, 2, 3] } } }
      """
    try sweep.write(grid, to: "mixed.json")
    let run = try Program.run("run", "mixed.json", "--store", "other", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    #expect(run.talk.components(separatedBy: "from weights").count == 3, "\(run.talk)")
    // The file may go, and be given another name: what counts is its digest, and the store has its bytes.
    try FileManager.default.moveItem(
      at: sweep.folder.appending(path: "student.safetensors"),
      to: sweep.folder.appending(path: "moved.safetensors"))
    try sweep.write(
      grid.replacingOccurrences(of: "student.safetensors", with: "moved.safetensors"), to: "mixed.json")
    let plan = try Program.run("plan", "mixed.json", "--store", "other", in: sweep.folder)
    #expect(plan.out.contains("done 3, to run 0"), "\(plan.out)")
  }

  @Test func `runs of imported teachers are verified, checked, tidied and archived with what they need`()
    throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    _ = try exported(sweep)
    func call(_ line: String) throws -> Program.Output {
      try Program.shell("$PROGRAM \(line) --store other", in: sweep.folder)
    }
    #expect(try call("import student.safetensors --dataset synthetic-1x8x8-3 --name mine").status == 0)
    try sweep.write(
      """
      { "version": 1, "name": "taught",
        "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 48, "testImages": 24, "batchSize": 16, "epochs": 1,
                  "method": "aver-kd", "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] },
                  "teachers": [{ "import": "mine" }] } }
      """, to: "taught.json")
    let run = try call("run taught.json -q")
    try #require(run.status == 0, "\(run.talk)")
    let verified = try call("verify --all")
    #expect(verified.status == 0, "\(verified.out) \(verified.talk)")
    #expect(
      verified.out.components(separatedBy: " equal ").count == 3, "student and teacher: \(verified.out)")

    // A file that nobody needs is shown and removed; the one that the sweep needs stays.
    let weights = sweep.folder.appending(path: "other/weights")
    let stray = String(repeating: "a", count: 64) + ".safetensors"
    try Data("stray".utf8).write(to: weights.appending(path: stray))
    let damage = try call("fsck")
    #expect(damage.status == 1 && damage.out.contains(stray), "\(damage.out)")
    let shown = try call("gc")
    #expect(
      shown.out.contains("weights/\(stray)") && shown.out.contains("1 file of weights"), "\(shown.out)")
    try #require(try call("gc --yes").status == 0)
    #expect(try call("gc").out == "Nothing to remove.\n")
    let clean = try call("fsck")
    #expect(clean.status == 0, "\(clean.out)")
    // Under no name any more, but a sweep needs it.
    try FileManager.default.removeItem(at: weights.appending(path: "mine.json"))
    #expect(try call("gc").out == "Nothing to remove.\n")

    // An archive carries the file too: where it is unpacked, student and teacher can be verified.
    let packed = try call("archive taught -o taught.mtkd")
    #expect(
      packed.status == 0 && packed.out.contains("and 1 file of imported weights") && packed.talk.isEmpty,
      "\(packed.out) \(packed.talk)")
    func there(_ line: String) throws -> Program.Output {
      try Program.shell("$PROGRAM \(line) --store there", in: sweep.folder)
    }
    #expect(try there("unarchive taught.mtkd").status == 0)
    #expect(try there("verify --all").status == 0)
    // Where the store has the file no more, the archive says so, and students can be verified without.
    #expect(try Program.shell("mv other/weights aside", in: sweep.folder).status == 0)
    let poorer = try call("archive taught -o poorer.mtkd")
    #expect(
      poorer.status == 0 && poorer.talk.contains("without files that teachers were imported from"),
      "\(poorer.talk)")
    #expect(try Program.shell("rm -rf other/weights; mv aside other/weights", in: sweep.folder).status == 0)
    #expect(
      try Program.shell("$PROGRAM unarchive poorer.mtkd --store poor", in: sweep.folder).status == 0)
    let without = try Program.shell("$PROGRAM verify --all --store poor", in: sweep.folder)
    #expect(without.status == 4 && without.out.contains("import it again"), "\(without.out)")

    // Weights that were changed are never taken for what they were.
    let file = try #require(
      try FileManager.default.contentsOfDirectory(atPath: weights.path).first { $0.hasSuffix(".safetensors") }
    )
    var bytes = try Data(contentsOf: weights.appending(path: file))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: weights.appending(path: file))
    let changed = try call("fsck")
    #expect(changed.status == 1 && changed.out.contains("was changed or is damaged"), "\(changed.out)")
  }

  @Test
  func
    `a method that a network cannot serve, and a network that images do not fit, are refused where the grid names them`()
    throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    func talk(_ student: String, _ teachers: String, _ dataset: String = "synthetic-1x28x28-10") throws
      -> String
    {
      try sweep.write(
        """
        { "version": 1, "name": "served", "base": { "dataset": "\(dataset)" },
          "axes": { "method": ["aver-kd", "ca-mkd"],
            "student": ["\(student)"],
            "teachers": [["mini-resnet8-w8"],
              ["\(teachers)"]] } }
        """, to: "served.json")
      let check = try Program.run("check", "served.json", in: sweep.folder)
      #expect(check.status == (check.talk.contains("error") || !check.talk.isEmpty ? 65 : 0), "\(check.talk)")
      return check.talk
    }
    let headless = try talk("mini-resnet8-w8", "mini-vit")
    #expect(
      headless.contains("served.json:2:") && headless.contains("ca-mkd sends the student's map"),
      "\(headless)")
    // As a student a transformer serves every method.
    #expect(try talk("mini-vit", "mini-resnet14-w8").isEmpty)
    let large = try talk("mini-vit", "mini-resnet8-w8", "synthetic-3x32x32-10")
    #expect(large.contains("served.json:3:") && large.contains("28 × 28"), "\(large)")
    let taught = try talk("mini-vit", "mini-vit-c32")
    #expect(taught.contains("served.json:5:") && taught.contains("32 × 32"), "\(taught)")
  }

  @Test func `weights that do not fit are explained where the grid names them`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try sweep.write("no tensors", to: "bad.safetensors")
    try Data([0x50, 0x4B, 3, 4, 0, 0]).write(to: sweep.folder.appending(path: "model.pth"))
    let cases = [
      ("{ \"file\": \"bad.safetensors\", \"network\": \"resnet8\" }", "Not a safetensors file"),
      ("{ \"file\": \"model.pth\", \"network\": \"resnet8\" }", "Convert it"),
      ("{ \"file\": \"bad.safetensors\", \"netwrok\": \"resnet8\" }", "did you mean \"network\""),
    ]
    for (teacher, part) in cases {
      try sweep.write(
        """
        { "version": 1, "name": "bad", "base": { "dataset": "synthetic-1x8x8-3", "method": "aver-kd",
          "student": "mini-resnet8-w8",
          "teachers": [\(teacher)] } }
        """, to: "bad.json")
      let check = try Program.run("check", "bad.json", in: sweep.folder)
      #expect(check.status == 65, "\(check.talk)")
      #expect(check.talk.contains("bad.json:3") && check.talk.contains(part), "\(check.talk)")
    }
    let pickled = try Program.run(
      "import", "model.pth", "--network", "resnet8", "--dataset", "synthetic-1x8x8-3", in: sweep.folder)
    #expect(pickled.status == 65 && pickled.talk.contains("safetensors.torch"), "\(pickled.talk)")
    let misspelt = try Program.run(
      "import", "bad.safetensors", "--network", "resnet9", "--dataset", "synthetic-1x8x8-3", in: sweep.folder)
    #expect(misspelt.status == 66 && misspelt.talk.contains("resnet8"), "\(misspelt.talk)")
  }
}
