import Foundation
import TestSupport
import Testing

/// Teachers that a trainer trains, on a virtual cluster: the table and every digest must be those of an
/// undisturbed run on this machine.
@Suite(
  .enabled(if: Testbed.isHere, "a Slurm cluster on loopback is started"),
  .enabled(if: Available.python("json"), "python3 plays a trainer"), .serialized)
struct SlurmTeacherTests {
  /// Stages of a kind that have an output.
  private func published(_ kind: String, _ bed: Testbed) throws -> [String] {
    try bed.shell(
      #"for s in $(grep -l '"kind":"\#(kind)"' results/stages/*/spec.json); do ls -d ${s%spec.json}output; done"#
    ).out.split(separator: "\n").map(String.init)
  }

  @Test func `a network that only the trainer knows is trained and asked once, and its students read that`()
    throws
  {
    let bed = try Testbed(site: SlurmFaultTests.site)
    try bed.write(ForeignTeacherTests.trainer, to: "t.py")
    try bed.write(ForeignTeacherTests.grid(), to: "tiny.json")
    let expected = try bed.undisturbed()
    let submitted = try bed.sweep(waiting: false)
    try #require(submitted.status == 0, "\(submitted.talk)")
    let output = try bed.sweep(waiting: true)
    try #require(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == expected)
    #expect(try bed.attempts("teacher").count == 1 && bed.attempts("teacher-outputs").count == 1)
    let outputs = try published("teacher-outputs", bed)
    try #require(outputs.count == 1)
    let logs = try bed.shell("cat results/stages/*/attempts/*/log").out
    let handed = logs.split(separator: "\n").filter { $0.contains(#""teacherOutputs": ["#) }
    #expect(handed.count == 2, "\(logs)")
    for line in handed { #expect(line.contains("/\(outputs[0])\""), "\(line)") }
    let again = try bed.sweep(waiting: false)
    #expect(again.status == 0 && again.out == output.out, "\(again.talk)")
  }

  @Test func `without room for outputs students ask the teacher, and come to the same`() throws {
    let bed = try Testbed(site: SlurmFaultTests.site)
    try bed.write(ForeignTeacherTests.trainer, to: "t.py")
    try bed.write(ForeignTeacherTests.grid(), to: "tiny.json")
    let expected = try bed.undisturbed()
    let output = try bed.run("run", "tiny.json", "--executor", "slurm", "--wait", "--cache-limit", "1kB")
    #expect(output.status == 0 && output.talk.contains("--cache-limit"), "\(output.talk)")
    #expect(try published("teacher-outputs", bed).isEmpty && bed.evidence() == expected)
    let logs = try bed.shell("cat results/stages/*/attempts/*/log").out
    #expect(logs.contains(#""teacherOutputs": [null]"#), "\(logs)")
  }

  @Test func `a teacher that fails blocks its students with the cause, and retry begins anew`() throws {
    let bed = try Testbed(site: SlurmFaultTests.site)
    let failing = ForeignTeacherTests.trainer.replacing(
      "# BEGIN",
      with: #"if request.get("role") == "teacher" and not os.path.exists("\#(bed.path("mended"))"): "#
        + #"print(json.dumps({"record": "failed", "reason": "the big one does not fit"})); sys.exit()"#)
    try bed.write(failing, to: "t.py")
    // Evidence is kept by the text of the grid, and this trainer is another one.
    try bed.write(ForeignTeacherTests.grid(images: 33), to: "tiny.json")
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 1 && output.talk.contains("the big one does not fit"), "\(output.talk)")
    #expect(try bed.attempts().isEmpty && bed.attempts("teacher").count == 1)
    let status = try bed.run("status")
    #expect(status.out.contains("the big one does not fit"), "\(status.out)")
    try bed.write("", to: "mended")
    #expect(try bed.run("retry").status == 0)
    let again = try bed.sweep(waiting: true)
    #expect(again.status == 0, "\(again.talk)")
    #expect(try bed.evidence() == bed.undisturbed())
  }

  @Test func `workers killed in a teacher, in its outputs and in a student come to the same`() throws {
    let bed = try Testbed(site: SlurmFaultTests.site)
    // Each stage's worker is killed once: in its second epoch, or behind a part of its outputs.
    let script = ForeignTeacherTests.trainer
      .replacing("# EPOCH", with: "if epoch == 1 and once('died'): os.kill(os.getppid(), 9)")
      .replacing("# PART", with: "once(part[\"file\"]) and os.kill(os.getppid(), 9)")
    try bed.write(script, to: "t.py")
    try bed.write(ForeignTeacherTests.grid(images: 600), to: "tiny.json")
    let expected = try bed.undisturbed()
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == expected)
    for kind in ["teacher", "teacher-outputs"] {
      #expect(try bed.attempts(kind).count > 1, "\(kind): \(output.talk)")
    }
    #expect(try bed.attempts().count > 2)
    let logs = try bed.shell("cat results/stages/*/attempts/*/log").out
    #expect(logs.contains("went on behind part-00000.bin"), "\(logs)")
  }

  @Test(.enabled(if: Available.python("numpy", "random"), "numpy is there"))
  func `the example of the guide finds its library on nodes by the site's environment`() throws {
    let python = try #require(Python.interpreter(with: ["numpy", "random"])).path
    let library = RepositoryFile.root.appending(path: "Python").path
    let bed = try Testbed(
      site:
        #"{"pollSeconds": 1, "chunkMinutes": 0, "retrySeconds": 0, "environment": {"PYTHONPATH": "\#(library)"}}"#
    )
    try FileManager.default.copyItem(
      at: RepositoryFile.root.appending(path: "docs/examples/teachers.py"),
      to: bed.folder.appending(path: "teachers.py"))
    try bed.write(
      """
      { "version": 1, "name": "taught",
        "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 60, "testImages": 30, "epochs": 4, "teacherEpochs": 3,
                  "views": 2, "student": "their-small", "teachers": ["their-big"], "learningRate": 0.5,
                  "trainer": { "command": ["\(python)", "teachers.py"], "protocol": 2 } },
        "axes": { "method": ["soft", "baseline"] }, "seeds": { "count": 2 } }
      """, to: "tiny.json")
    func run(_ arguments: String...) throws -> Program.Output {
      try Program.start(
        ["run", "tiny.json"] + arguments, in: bed.folder,
        environment: bed.environment.merging(["PYTHONPATH": library]) { $1 }
      ).finish()
    }
    let calm = try run("--store", "calm")
    try #require(calm.status == 0, "\(calm.talk)")
    let output = try run("--executor", "slurm", "--wait")
    try #require(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == bed.evidence(store: "calm"))
    #expect(try published("teacher-outputs", bed).count == 1)
  }
}
