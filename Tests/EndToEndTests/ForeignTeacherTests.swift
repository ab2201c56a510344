import Foundation
import TestSupport
import Testing

/// Teachers that a trainer trains for its students, and what it writes down of them.
@Suite(.enabled(if: Available.python("json"), "python3 plays a trainer")) struct ForeignTeacherTests {
  /// A teacher's weights are the sum of what it was told; a student's numbers are made of its teacher's bytes
  /// and of what was written down of it. Standard library only.
  static let trainer = #"""
    import array, hashlib, json, os, struct, sys
    request = json.loads(sys.stdin.readline())
    if request.get("ask") == "describe":
        print(json.dumps({"record": "description", "networks": ["their-net", "their-big"],
                          "methods": ["baseline", {"name": "ours", "teachers": True}],
                          "metrics": {"test.mAP": {"direction": "higher", "headline": True}},
                          "teachers": True, "teacherOutputs": {"features": 4}}))
        sys.exit()
    print(json.dumps({key: request.get(key) for key in ("role", "ask", "teachers", "teacherOutputs")}), file=sys.stderr)
    folder, run = request["folder"], request["run"]

    def said(record):
        return [record, record / 2, -record]

    def part_of(path, chunks):
        head, at = b"mtkdchk1" + struct.pack("<Q", len(chunks)), 48 + 32 * len(chunks)
        for chunk in chunks:
            word = int.from_bytes(hashlib.sha256(chunk).digest()[:8], "big")
            head += struct.pack("<4Q", at, len(chunk), len(chunk), word)
            at += len(chunk)
        with open(path + ".aside", "wb") as file:
            file.write(head + hashlib.sha256(head).digest() + b"".join(chunks))
        os.replace(path + ".aside", path)

    def once(name):
        path = os.path.join(folder, "once-" + name)
        if os.path.exists(path):
            return False
        open(path, "w").close()
        return True

    if request.get("ask") == "outputs":
        asked = request["outputs"]
        assert asked["features"] == 4 and os.path.getsize(request["teachers"][0]) > 8
        for part in asked["parts"]:
            path = os.path.join(folder, part["file"])
            if os.path.exists(path):
                print("went on behind", part["file"], flush=True)
                continue
            chunks = []
            for record in range(part["first"], part["first"] + part["count"]):
                chunks.append(array.array("f", said(record)).tobytes())
                chunks.append(array.array("f", [record % asked["views"], 1]).tobytes())
            # HERE
            part_of(path, chunks)
            # PART
        print(json.dumps({"record": "finished", "features": [2]}))
        sys.exit()

    # BEGIN
    is_teacher = request.get("role") == "teacher"
    value = float(run["seed"] + run["recipe"]["epochs"])
    for place in request["teachers"]:
        with open(place, "rb") as file:
            value += file.read()[-4]
    for place in request.get("teacherOutputs") or []:
        if place is not None:
            with open(os.path.join(place, "part-00000.bin"), "rb") as file:
                data = file.read()
            (at,) = struct.unpack_from("<Q", data, 16 + 32 * 2 * 7)
            assert list(struct.unpack_from("<3f", data, at)) == said(7), "record 7"
            assert json.load(open(os.path.join(place, "form.json")))["map"] == [2]
    for epoch in range(request["reported"], run["recipe"]["epochs"]):
        # EPOCH
        name = "w%d.safetensors" % epoch
        head = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        with open(os.path.join(folder, name), "wb") as file:
            file.write(struct.pack("<Q", len(head)) + head + bytes([epoch + 1, 0, 0, 0]))
        record = {"record": "epoch", "epoch": epoch, "step": epoch + 1, "metrics": {"test.mAP": value - abs(epoch - 1)}}
        print(json.dumps({**record, "weights": name}), flush=True)
    print(json.dumps({"record": "finished"}))
    """#

  static func grid(
    _ base: String = #""student": "their-net", "method": "ours", "teachers": ["their-big"]"#,
    images: Int = 30, more: String = #", "seeds": { "count": 2 }"#
  ) -> String {
    """
    { "version": 1, "name": "taught", "run": { "retries": 2 },
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": \(images), "testImages": 15, "epochs": 3, "teacherEpochs": 3,
        "views": 2, \(base),
        "trainer": { "command": ["python3", "t.py"], "protocol": 2 } }\(more) }
    """
  }

  private func sweep(
    _ grid: String = Self.grid(), replacing: (String, String)...
  ) throws -> TinySweep {
    let sweep = try TinySweep(grid: grid)
    let script = replacing.reduce(Self.trainer) { $0.replacing($1.0, with: $1.1) }
    try sweep.write(script, to: "t.py")
    return sweep
  }

  /// Of the stages of a kind: their folders.
  private func stages(_ kind: String, _ sweep: TinySweep) throws -> [String] {
    try Program.shell(
      #"grep -l '"kind":"\#(kind)"' results/stages/*/spec.json | xargs -r -n1 dirname"#, in: sweep.folder
    ).out.split(separator: "\n").map(String.init)
  }

  private func logs(_ sweep: TinySweep) throws -> String {
    try Program.shell("cat results/stages/*/attempts/*/log", in: sweep.folder).out
  }

  private func digests(_ sweep: TinySweep) throws -> String {
    let list = try Program.run("list", "--digests", in: sweep.folder)
    #expect(list.status == 0, "\(list.talk)")
    return list.out
  }

  @Test func `a network that only the trainer knows teaches all of its students, trained and asked once`()
    throws
  {
    let sweep = try sweep()
    defer { sweep.remove() }
    let plan = try Program.run("plan", "tiny.json", in: sweep.folder)
    #expect(plan.out.contains("datasets, teachers and their outputs to make 3"), "\(plan.out) \(plan.talk)")
    #expect(plan.out.contains("outputs of teachers are kept: "), "\(plan.out)")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let teachers = try stages("teacher", sweep)
    let outputs = try stages("teacher-outputs", sweep)
    try #require(teachers.count == 1 && outputs.count == 1 && (try stages("student", sweep)).count == 2)
    // The best of three epochs by the declared headline is the second.
    let logs = try logs(sweep)
    let handed = logs.split(separator: "\n").filter { $0.contains(#""teacherOutputs": ["#) }
    #expect(handed.count == 2, "\(logs)")
    for line in handed {
      #expect(line.contains("/\(teachers[0])/output/best.safetensors"), "\(line)")
      #expect(line.contains("/\(outputs[0])/output\""), "\(line)")
    }
    let table = try Program.run("report", "--format", "csv", in: sweep.folder)
    #expect(table.out.contains("their-net,ours,2,"), "\(table.out)")
    let again = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(again.status == 0 && again.out == run.out, "\(again.talk)")

    let key = String(teachers[0].suffix(64))
    let explained = try Program.run(
      "plan", "tiny.json", "--explain", String(key.prefix(12)), in: sweep.folder)
    #expect(
      explained.out.contains("teacher their-big, by its students' trainer")
        && explained.out.contains("needed by 2 stages"), "\(explained.out) \(explained.talk)")
    for options in [["verify", "--all"], ["verify", key]] {
      let verified = try Program.start(options, in: sweep.folder).finish()
      #expect(verified.status == 0 && verified.out.contains("equal"), "\(verified.out) \(verified.talk)")
    }
    let written = try Program.start(
      ["export", key, "--format", "safetensors", "-o", "big.safetensors"], in: sweep.folder
    ).finish()
    #expect(written.status == 0, "\(written.talk)")
  }

  @Test func `without room, and where teachers are to be asked, students are handed no outputs`() throws {
    let sweep = try sweep()
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", "--cache-limit", "1kB", in: sweep.folder)
    #expect(run.status == 0 && run.talk.contains("no room within --cache-limit"), "\(run.talk)")
    let first = try digests(sweep)
    #expect(try logs(sweep).contains(#""teacherOutputs": [null]"#))
    let other = try self.sweep()
    defer { other.remove() }
    let asking = try Program.run("run", "tiny.json", "--no-cache", in: other.folder)
    #expect(asking.status == 0, "\(asking.talk)")
    #expect(try stages("teacher-outputs", other).isEmpty && digests(other) == first)
  }

  @Test func `killed in a teacher, in its outputs and in a student, a sweep comes to the same`() throws {
    let grid = Self.grid(images: 600)
    let calm = try sweep(grid)
    defer { calm.remove() }
    #expect(try Program.run("run", "tiny.json", in: calm.folder).status == 0)
    let sweep = try sweep(
      grid,
      replacing: ("# EPOCH", "if epoch == 1 and once('died'): sys.exit(1)"),
      ("# PART", "once(part[\"file\"]) and os.kill(os.getppid(), 9)"))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    #expect(try logs(sweep).contains("went on behind part-00000.bin"), "\(run.talk)")
    func results(_ sweep: TinySweep) throws -> String {
      try Program.run("report", "--format", "csv", in: sweep.folder).out
    }
    #expect(try results(sweep) == results(calm))
    let places = (try stages("teacher-outputs", sweep), try stages("teacher-outputs", calm))
    // The script is in the keys, so the places differ and their files do not.
    for part in ["part-00000.bin", "part-00001.bin"] {
      let same = try Program.shell(
        "cmp \(places.0[0])/output/\(part) \(calm.folder.path)/\(places.1[0])/output/\(part)",
        in: sweep.folder)
      #expect(same.status == 0, "\(same.out) \(same.talk)")
    }
  }

  @Test(arguments: [
    (
      #"print(json.dumps({"record": "failed", "reason": "the big one does not fit"})); sys.exit()"#,
      "the big one does not fit"
    ),
    (#"request["reported"] = 3"#, "wrote \"finished\" after 0 of 3 epochs"),
    (
      #"print(json.dumps({"record": "epoch", "epoch": 0, "step": 1, "metrics": {}})); run["recipe"]["epochs"] = 0"#,
      "wrote \"finished\" after 1 of 3 epochs"
    ),
  ])
  func `a teacher that fails blocks its students with the cause`(_ begin: String, _ says: String) throws {
    let sweep = try sweep(replacing: ("# BEGIN", "if request.get('role') == 'teacher': " + begin))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 1 && run.talk.contains(says), "\(run.status) \(run.talk)")
    let status = try Program.run("status", in: sweep.folder)
    #expect(status.out.contains(says), "\(status.out)")
    for student in try stages("student", sweep) {
      let shown = try Program.run("show", String(student.suffix(64).prefix(12)), in: sweep.folder)
      #expect(shown.out.contains(says), "\(shown.out) \(shown.talk)")
    }
  }

  @Test func `a teacher whose epochs name no weights is a failure, with what to do`() throws {
    let sweep = try sweep(replacing: (#"{**record, "weights": name}"#, "record"))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(
      run.status == 1 && run.talk.contains("was asked for a teacher and named no weights"), "\(run.talk)")
  }

  @Test(arguments: [
    ("chunks.pop()", "has 119 chunks, where 60 views with 2 chunks each make 120"),
    (
      "chunks[10] = array.array('f', [1, float('nan'), 1]).tobytes()",
      "a number that is not finite in the logits of image 2, view 1"
    ),
    (
      "chunks[1] = array.array('f', [1, float('-inf')]).tobytes()",
      "a number that is not finite in the features of image 0, view 0"
    ),
    (
      "chunks[0] = array.array('d', said(0)).tobytes()",
      "has 24 bytes as the logits of image 0, view 0, where 3 numbers of 32 bits make 12"
    ),
    (
      "part_of(path, chunks); data = open(path, 'rb').read(); open(path, 'wb').write(data[:-1]); continue",
      "is no whole file of chunks: chunk 119 lies beyond the end"
    ),
    (
      "part_of(path, chunks); data = bytearray(open(path, 'rb').read()); data[-1] ^= 1; open(path, 'wb').write(data); continue",
      "is no whole file of chunks: chunk 119 has another digest"
    ),
    (
      "part_of(path, chunks); open(path, 'ab').write(b'more'); continue",
      "bytes, where one without compression and gaps has"
    ),
    ("open(path, 'w').write('nothing much'); continue", "is no whole file of chunks: it has 12 bytes"),
    ("continue", "is not there"),
    ("os.symlink('/dev/zero', path); continue", "is no file of its own, but a link or something else"),
    (#"print(json.dumps({"record": "finished"})); sys.exit()"#, #"its "finished" has no "features""#),
    (
      #"print(json.dumps({"record": "finished", "features": [5]})); sys.exit()"#,
      #"its "finished" has "features": [5]"#
    ),
    (
      #"print(json.dumps({"record": "finished", "features": [-1, 0]})); sys.exit()"#,
      "1 to 3 extents, such as [512]"
    ),
    (
      #"print(json.dumps({"record": "epoch", "epoch": 0, "step": 1, "metrics": {}}))"#,
      "no epochs where a teacher's outputs are asked for"
    ),
  ])
  func `outputs that are not what they should be are refused with a sentence, and students do without`(
    _ code: String, _ says: String
  ) throws {
    let sweep = try sweep(replacing: ("# HERE", code))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0 && run.talk.contains(says), "\(run.status) \(run.talk)")
    #expect(try logs(sweep).contains(#""teacherOutputs": [null]"#))
  }

  @Test func `a trainer that trains no teachers is handed those of this program, as ever`() throws {
    let sweep = try sweep(
      Self.grid(
        #""student": "their-net", "method": "ours", "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }]"#
      ), replacing: (#""teachers": True, "teacherOutputs": {"features": 4}}"#, "}"))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    #expect(try stages("teacher", sweep).count == 1 && stages("teacher-outputs", sweep).isEmpty)
    #expect(
      try !Program.shell("cat \(stages("teacher", sweep)[0])/spec.json", in: sweep.folder).out.contains(
        "trainer"))
    #expect(try logs(sweep).contains(#""teacherOutputs": null"#))
  }

  @Test(arguments: [
    (
      #""teachers": ["their-bigg"]"#, (#"x"#, "x"),
      #"unknown network "their-bigg"; did you mean "their-big"?"#
    ),
    (
      #""teachers": ["mini-resnet8-w8"]"#, (#"x"#, "x"),
      #"does not know the network "mini-resnet8-w8""#
    ),
    (
      #""teachers": ["their-big"]"#, (#""teachers": True, "teacherOutputs": {"features": 4}}"#, "}"),
      #"which trains the teachers of this run, does not know the network "their-big""#
    ),
    (
      #""teachers": ["their-big"]"#, (#""teachers": True, "teacherOutputs""#, #""teacherOutputs""#),
      #"should be "teachers": true with it"#
    ),
    (
      #""teachers": ["their-big"]"#, (#"{"features": 4}"#, #"["logits"]"#),
      #""logits", or {"features": N}"#
    ),
  ])
  func `a teacher that nobody can train is refused at its place`(
    _ teachers: String, _ change: (String, String), _ says: String
  ) throws {
    let sweep = try sweep(
      Self.grid(#""student": "their-net", "method": "ours", \#(teachers)"#), replacing: change)
    defer { sweep.remove() }
    let output = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(output.status == 65 && output.talk.contains("tiny.json:"), "\(output.status) \(output.talk)")
    #expect(output.talk.contains(says), "\(output.talk)")
  }
}
