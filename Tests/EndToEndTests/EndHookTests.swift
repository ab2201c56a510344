import Foundation
import Testing

/// What happens beside a run: the command at its end, counts in its lines, tokens that nobody else sees.
@Suite struct EndHookTests {
  private static let grid = TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1")

  private static let hook =
    #"echo "$MTKD_SWEEP_EXIT_CODE $MTKD_SWEEP_NAME $MTKD_SWEEP_FINISHED $MTKD_SWEEP_FAILED $MTKD_SWEEP_OPEN of $MTKD_SWEEP_RUNS" > end"#

  private func end(_ sweep: TinySweep) -> String {
    (try? String(contentsOf: sweep.folder.appending(path: "end"), encoding: .utf8)) ?? "no hook"
  }

  @Test func `the command at the end finds exit code and counts, however the run ended`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let refused = try Program.run("run", "absent.json", "--on-end", Self.hook, in: sweep.folder)
    #expect(refused.status == 66 && end(sweep) == "no hook")
    let part = try Program.run("run", "tiny.json", "--max-runs", "1", "--on-end", Self.hook, in: sweep.folder)
    #expect(part.status == 75 && end(sweep) == "75 tiny 1 0 3 of 4\n", "\(end(sweep))")
    let full = try Program.shell(
      "\"$PROGRAM\" run tiny.json --on-end '\(Self.hook)' > /dev/full; echo $?", in: sweep.folder)
    #expect(full.out == "74\n" && end(sweep) == "74 tiny 4 0 0 of 4\n", "\(full.out) \(end(sweep))")
    let bad = try Program.run("run", "tiny.json", "--on-end", "exit 3", in: sweep.folder)
    #expect(bad.status == 0 && bad.talk.contains("--on-end"), "\(bad.talk)")
  }

  @Test func `a run shows when it was made, how long it took, and how good its teachers are`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", "-q", in: sweep.folder).status == 0)
    let list = try Program.run("list", "tiny", "--long", in: sweep.folder)
    let lines = list.out.split(separator: "\n")
    #expect(
      lines.count == 4 && lines.allSatisfy { $0.contains("began ") && $0.contains("took ") }, "\(list.out)")
    let line = try #require(lines.first { $0.contains("mtkd-rl") })
    let show = try Program.run("show", String(line.prefix(8)), in: sweep.folder)
    #expect(show.status == 0 && show.out.contains("took "), "\(show.out)")
    #expect(show.out.contains("teacher cifar_resnet") && show.out.contains("test.acc1"), "\(show.out)")
    let json = try Program.run("show", String(line.prefix(8)), "--json", in: sweep.folder)
    #expect(json.out.contains("\"teachers\":[{") && json.out.contains("\"began\":"), "\(json.out)")
  }

  @Test func `without a terminal the lines count the runs`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    for number in 1...4 { #expect(output.talk.contains("(\(number) of 4)"), "\(output.talk)") }
  }

  @Test func `a token comes from a file or the environment, and one that is too short is refused`() throws {
    let sweep = try TinySweep(grid: Self.grid)
    defer { sweep.remove() }
    try sweep.write("short\n", to: "token")
    for line in [
      "\"$PROGRAM\" serve --port 0 --token-file token", "MTKD_SWEEP_TOKEN=short \"$PROGRAM\" serve --port 0",
      "echo short | \"$PROGRAM\" serve --port 0 --token-file -",
      "\"$PROGRAM\" serve --port 0 --token-file token --token 0123456789abcdef0",
    ] {
      let output = try Program.shell(line, in: sweep.folder)
      #expect(output.status == 64 && output.talk.contains("oken"), "\(line): \(output.status) \(output.talk)")
    }
    let absent = try Program.run("serve", "--port", "0", "--token-file", "absent", in: sweep.folder)
    #expect(absent.status == 66 && absent.talk.contains("absent"), "\(absent.status) \(absent.talk)")
  }
}
