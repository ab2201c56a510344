import Specs
import Testing

@Suite struct JSONReaderTests {
  private func value(_ text: String, comments: Bool = false) throws -> JSONValue {
    try JSONReader.read(Array(text.utf8), allowsComments: comments).value
  }

  private func failure(_ text: String, comments: Bool = false) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
      _ = try JSONReader.read(Array(text.utf8), allowsComments: comments)
      return nil
    } catch { return error }
  }

  @Test func `every kind of value is read`() throws {
    let text = #" { "a" : [ null , true, false, -1.5e3, "x" ] , "b": {}, "c": [], "d": 0 } "#
    #expect(
      try value(text)
        == ["a": [.null, true, false, -1500, "x"], "b": .object([:]), "c": .array([]), "d": 0])
  }

  @Test func `escapes mean what RFC 8259 says`() throws {
    #expect(try value(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{c}\n\r\t"))
    #expect(try value(#""\u00e9\ud83d\ude00é""#) == .string("é😀é"))
  }

  @Test func `members keep their order and places`() throws {
    let node = try JSONReader.read(Array("{\n \"b\": 1,\n \"a\": [2]}".utf8))
    guard case .object(let members) = node.kind else { return #expect(Bool(false), "an object") }
    #expect(members.map(\.name) == ["b", "a"])
    #expect(members.map(\.offset) == [3, 12])
    #expect(members.map(\.value.offset) == [8, 17])
  }

  @Test func `whether a number is written as an integer is kept`() throws {
    func isInteger(_ text: String) throws -> Bool {
      guard case .number(_, let isInteger) = try JSONReader.read(Array(text.utf8)).kind else { return false }
      return isInteger
    }
    #expect(try isInteger("5"))
    #expect(try !isInteger("5.0"))
    #expect(try !isInteger("5e0"))
  }

  @Test(arguments: [
    "01", "1.", ".5", "+1", "1e", "1e+", "--1", "1.2.3", "0x1", "1e999", "1234567890123456789", "-",
    "Infinity", "nul", "True",
    "'a'", "[1,]", "{\"a\":1,}", "[1 2]", "{\"a\" 1}", "{a: 1}", "[", "{", "\"", "\"\\", "\"\\u12\"",
    "\"\\u+123\"", "\"\t\"",
    "// x\n1", "1 // x", "/* x */ 1", "1 1", "", " ", "[1}", "{\"a\":1]", "\u{FEFF}1", "\"\\ud800x\"",
    "\"\\udc00\"",
  ])
  func `what is not JSON is refused`(_ text: String) { #expect(failure(text) != nil) }

  @Test func `comments and trailing commas are read where they are allowed`() throws {
    #expect(try value("// a\n[1, /* b */ 2, // c\n]// d", comments: true) == [1, 2])
    #expect(try value("{\"a\": /**/ 1,}", comments: true) == ["a": 1])
    #expect(failure("[,]", comments: true) != nil)
    #expect(failure("[1,,]", comments: true) != nil)
    #expect(failure("/ 1", comments: true) != nil)
  }

  @Test func `columns count characters, not bytes`() throws {
    let error = try #require(failure("[\"é😀\", x]"))
    #expect((error.line, error.column) == (1, 8))
    #expect(error.description == "1:8: expected a value, found 'x'")
  }

  @Test func `bytes that are not UTF-8 are refused with their place`() {
    let texts: [[UInt8]] = [
      [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xF8, 0x22],
    ]
    for bytes in texts {
      #expect {
        _ = try JSONReader.read(bytes)
      } throws: { error in
        (error as? JSONSyntaxError).map { $0.column == 2 && $0.problem.contains("UTF-8") } == true
      }
    }
  }

  @Test func `64 brackets may be nested and not one more`() throws {
    let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(throws: Never.self) { try value(deep) }
    #expect(failure("[\(deep)]")?.problem == "more than 64 nested brackets")
    #expect(failure(String(repeating: "{\"a\":", count: 100_000))?.problem == "more than 64 nested brackets")
  }

  @Test func `values are shown over several lines where one is too short, and read back as they are`() throws
  {
    let short = try value(#"{"b": [1, 2], "a": {}}"#)
    #expect(short.indented == #"{"a":{},"b":[1,2]}"#)
    let name = String(repeating: "n", count: 60)
    let long = try value(#"{"list": ["\#(name)", {"deep": ["\#(name)", "\#(name)"]}], "a": 1, "empty": []}"#)
    #expect(try value(long.indented) == long)
    let lines: [Substring] = long.indented.split(separator: "\n")
    let depths = lines.map { line in line.prefix { $0 == " " }.count }
    #expect(depths == [0, 2, 2, 2, 4, 4, 6, 8, 8, 6, 4, 2, 0], "\(long.indented)")
  }

  @Test func `a text cut anywhere is an error and no crash`() throws {
    let text = Array(#"{"a": [1.5e-3, "x\u00e9\n", {"b": null}], "c": tr"#.utf8) + Array("ue}".utf8)
    _ = try JSONReader.read(text)
    for count in 0..<text.count {
      #expect(throws: JSONSyntaxError.self, "\(count) bytes") {
        try JSONReader.read(Array(text.prefix(count)))
      }
    }
  }

  @Test func `any byte in any place is an error or another value, and no crash`() {
    let text = Array(#"{"a":[1,"\u00e9"],"b":-2.5e1}"#.utf8)
    for place in text.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[place] = byte
        _ = try? JSONReader.read(changed, allowsComments: true)
      }
    }
  }
}
