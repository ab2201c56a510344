import Foundation
import Testing

/// What `-o` names is written, whatever it is, and stays what it is.
@Suite struct OutputFileTests {
  /// A store with one finished sweep, and commands that write what it holds with `-o`.
  private static let commands = [
    ["report", "-o"], ["report", "--format", "markdown", "-o"], ["export", "-o"],
    ["export", "--format", "jsonl", "-o"], ["plot", "seeds", "-o"],
  ]

  private func finished() throws -> TinySweep {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1")
        .replacing("\"count\": 2", with: "\"count\": 1"))
    let output = try Program.run("run", "tiny.json", "-q", in: sweep.folder)
    try #require(output.status == 0, "\(output.talk)")
    return sweep
  }

  /// The figure goes to a name that its kind allows.
  private func line(_ command: [String], _ name: String) -> String {
    "\"$PROGRAM\" \(command.joined(separator: " ")) \(name)"
  }

  private func shell(_ line: String, _ sweep: TinySweep) throws -> Program.Output {
    try Program.shell("set -e; \(line)", in: sweep.folder)
  }

  @Test func `devices, pipes, links and modes stay, and a minus is standard output`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    for command in Self.commands {
      let text = try shell(line(command, "-"), sweep)
      #expect(text.status == 0 && !text.out.isEmpty, "\(command): \(text.talk)")
      #expect(!FileManager.default.fileExists(atPath: sweep.folder.appending(path: "-").path))
      // A pipe with a reader gets the same bytes and stays a pipe.
      let pipe = try shell(
        "rm -f p.svg got; mkfifo p.svg; cat p.svg > got & \(line(command, "p.svg")); wait; test -p p.svg; cat got",
        sweep)
      #expect(pipe.status == 0 && pipe.out == text.out, "\(command): \(pipe.talk)")
      // A link leads to the file that is written; the mode of the file stays.
      let link = try shell(
        "rm -f *.svg; umask 022; : > real.svg; chmod 600 real.svg; ln -s real.svg l.svg; \(line(command, "l.svg")); "
          + "test -L l.svg; stat -c %a real.svg; cat real.svg", sweep)
      #expect(link.status == 0 && link.out == "600\n" + text.out, "\(command): \(link.out) \(link.talk)")
      // A link to nothing yet makes what it leads to; a new file gets the permissions of the mask.
      let dangling = try shell(
        "rm -f *.svg; umask 027; ln -s to.svg l.svg; \(line(command, "l.svg")); test -L l.svg; stat -c %a to.svg; "
          + "cat to.svg", sweep)
      #expect(dangling.status == 0 && dangling.out == "640\n" + text.out, "\(command): \(dangling.talk)")
      // Another name of the same file keeps showing it.
      let twice = try shell(
        "rm -f *.svg; : > a.svg; ln a.svg b.svg; \(line(command, "a.svg")); cat b.svg", sweep)
      #expect(twice.status == 0 && twice.out == text.out, "\(command): \(twice.talk)")
      #expect(try shell("rm -f *.svg; ls -a | grep -c aside || true", sweep).out == "0\n")
    }
  }

  @Test func `devices are written to, and a full one says so`() throws {
    let sweep = try finished()
    defer { sweep.remove() }
    let null = try shell("\(line(["report", "-o"], "/dev/null")); test -c /dev/null", sweep)
    #expect(null.status == 0, "\(null.talk)")
    for command in Self.commands.prefix(4) {
      let full = try Program.shell(line(command, "/dev/full"), in: sweep.folder)
      #expect(full.status == 74 && full.talk.contains("/dev/full"), "\(command): \(full.status) \(full.talk)")
    }
    let folder = try Program.shell(
      "mkdir d.svg; " + line(["plot", "seeds", "-o"], "d.svg"), in: sweep.folder)
    #expect(folder.status == 73 && folder.talk.contains("d.svg"), "\(folder.status) \(folder.talk)")
  }
}
