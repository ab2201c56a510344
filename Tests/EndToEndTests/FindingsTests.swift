import Foundation
import TestSupport
import Testing

/// docs/findings.md is written from stores, and says no more than these do.
@Suite(.enabled(if: Available.python("json"), "python3 writes the page and plays a trainer"))
struct FindingsTests {
  private static let claims = """
    [
     {"text": "declared and found", "paper": 2.5, "source": "T", "sweep": "claims", "compare": ["aver-kd", "baseline"]},
     {"text": "declared, other sign", "paper": -2.5, "source": "T", "sweep": "claims", "compare": ["aver-kd", "baseline"]},
     {"text": "declared, undecided", "paper": 1, "source": "T", "sweep": "claims", "compare": ["ca-mkd", "aver-kd"]},
     {"text": "looked at afterwards", "paper": 1, "source": "T", "sweep": "claims", "compare": ["ca-mkd", "baseline"]},
     {"text": "another sweep", "paper": 1, "source": "T", "sweep": "elsewhere", "compare": ["a", "b"]},
     {"text": "no data", "paper": 1, "source": "T", "reason": "ImageNet is not here"}
    ]
    """

  @Test func `a verdict needs a claim that was declared, and its sign`() throws {
    let sweep = try TinySweep(
      grid: ClaimTests.grid(#"{ "compare": "aver-kd - baseline" }, { "compare": "ca-mkd - aver-kd" }"#))
    defer { sweep.remove() }
    try sweep.write(ClaimTests.trainer, to: "trainer.py")
    try sweep.write(ClaimTests.values, to: "values.json")
    try sweep.write(Self.claims, to: "claims.json")
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let script = RepositoryFile.root.appending(path: "docs/tools/findings.py").path
    let made = try Program.shell(
      "python3 '\(script)' \"$PROGRAM\" claims.json page.md none results && cat page.md", in: sweep.folder)
    #expect(made.status == 0, "\(made.talk)")
    func line(_ text: String) -> [String] {
      let line = made.out.split(separator: "\n").first { $0.contains(text) } ?? ""
      return line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(line("declared and found")[1] == "supported")
    #expect(line("declared, other sign")[1] == "contradicted")
    #expect(line("declared, undecided")[1] == "open")
    #expect(line("looked at afterwards")[1] == "open (not declared beforehand)")
    #expect(
      line("looked at afterwards").last?.contains("`mtkd-sweep compare baseline ca-mkd --anytime") == true)
    #expect(line("another sweep")[1] == "open: elsewhere has not been run")
    #expect(line("no data")[1] == "not testable here: ImageNet is not here")
    #expect(line("declared and found")[2].hasPrefix("+"))
  }
}
