import Specs
import Testing

/// Text of others: what a terminal, a page, a paper or a spreadsheet would obey is shown instead.
@Suite struct ForeignTextTests {
  static let hostile =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\r\nnext\u{9b}31m\u{202e}gpj.exe\u{2066}\u{2028}\u{200f}\u{61c}\u{85}\u{7f}\u{0}"

  private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
      || [.lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
  }

  @Test(arguments: ForeignText.Output.allCases)
  func `no output gets a character that it would obey`(_ output: ForeignText.Output) {
    let safe = ForeignText.safe(Self.hostile, for: output)
    let kept = output == .html ? ["\n"] : []
    #expect(!safe.unicodeScalars.contains { Self.isActive($0) && !kept.contains(String($0)) }, "\(safe)")
  }

  @Test(arguments: ForeignText.Output.allCases.filter { $0 != .latex })
  func `ordinary text stays, in any script`(_ output: ForeignText.Output) {
    for text in [
      "resnet8 mtkd-rl α=0.5 seed 2", "Größe 72.10 ± 0.40 [72.3]", "שלום", "日本語 👩‍🔬", "val_loss _best_", "",
    ] { #expect(ForeignText.safe(text, for: output) == text) }
  }

  @Test func `what is hidden is shown in JSON's notation, so that JSON stays the same JSON`() throws {
    #expect(ForeignText.safe("a\u{1b}[2J\u{7}\n\u{202e}", for: .line) == #"a\u001b[2J\u0007\n\u202e"#)
    let value: JSONValue = .object(["reason": .string(Self.hostile)])
    let shown = ForeignText.screen(CanonicalJSON.text(of: value))
    #expect(!shown.unicodeScalars.contains(where: Self.isActive))
    #expect(try JSONReader.read(Array(shown.utf8)).value == value)
  }

  @Test func `whole output keeps its lines and its bold words, and nothing else`() {
    let own = "\u{1b}[1mtable\u{1b}[0m\n\ta\r\nb\n"
    #expect(ForeignText.screen(own) == own.replacing("\r\n", with: "\n"))
    #expect(ForeignText.screen("\u{1b}[31mred\u{1b}[0m\u{7}") == "\\u001b[31mred\u{1b}[0m\\u0007")
  }

  @Test func `no text is longer than it may be, and what is missing is counted`() {
    let long = String(repeating: "x", count: 900_000)
    #expect(ForeignText.line(long) == String(repeating: "x", count: 1000) + " … (899000 more characters)")
    #expect(ForeignText.line("ä\n", most: 2) == "ä\\n")
    #expect(ForeignText.line(String(repeating: "é", count: 600)) == String(repeating: "é", count: 600))
  }

  @Test(arguments: [
    ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-2+3+cmd", "'-2+3+cmd"),
    ("@SUM(A1)", "'@SUM(A1)"), ("-0.5", "-0.5"), ("+1.30", "+1.30"), ("-", "-"), ("-1e-05", "-1e-05"),
    ("-1.20 to 0.30", "-1.20 to 0.30"), ("a=1", "a=1"), ("a,b", "\"a,b\""), ("=\"x\"", "\"'=\"\"x\"\"\""),
    ("-1 =cmd", "'-1 =cmd"),
  ])
  func `a spreadsheet computes no field`(_ text: String, _ field: String) {
    #expect(ForeignText.safe(text, for: .csv) == field)
  }

  @Test(arguments: [
    ("a|b", #"a\|b"#), (#"a\|b"#, #"a\\\|b"#), ("<script>", #"\<script>"#), ("p < 0.001", "p < 0.001"),
    ("[x](javascript:y)", #"[x]\(javascript:y)"#), ("</td>", #"\</td>"#),
    ("72.1 [72.3] (2 of 3)", "72.1 [72.3] (2 of 3)"), ("val_loss *best*", #"val_loss \*best\*"#),
  ])
  func `Markdown gets no cell, tag or link`(_ text: String, _ safe: String) {
    #expect(ForeignText.safe(text, for: .markdown) == safe)
  }

  @Test func `LaTeX gets no command`() {
    #expect(
      ForeignText.safe(##"\input{/etc/passwd} 5 % & $x_1$ #"##, for: .latex)
        == ##"\textbackslash{}input\{/etc/passwd\} 5 \% \& \$x\_1\$ \#"##)
  }

  @Test func `a log's colours are not part of what it says`() {
    let log = "\u{1b}[1;31mValueError\u{1b}[0m: no such class\n"
    #expect(
      String(decoding: ForeignText.withoutColours(Array(log.utf8)), as: UTF8.self)
        == "ValueError: no such class\n")
    #expect(ForeignText.withoutColours([0x1b]) == [0x1b])
    #expect(ForeignText.withoutColours([0x1b, 0x5b]) == [])
  }
}
