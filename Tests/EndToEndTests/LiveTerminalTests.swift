import Foundation
import TestSupport
import Testing

/// What stands on a terminal after bytes were written to it: text, line feeds, carriage
/// returns, moves up, and erasing.
struct Terminal {
  let width: Int
  private(set) var lines: [[Character]] = [[]]
  private var (row, column) = (0, 0)

  init(width: Int) { self.width = width }

  mutating func write(_ text: String) {
    var rest = Array(text.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\n": feed()
      case "\r": column = 0
      case "\u{1b}":
        guard rest.first == "[" else { continue }
        rest.removeFirst()
        var digits = ""
        while let next = rest.popFirst() {
          if next.properties.isAlphabetic {
            control(next, Int(digits))
            break
          }
          digits.unicodeScalars.append(next)
        }
      default: put(Character(scalar))
      }
    }
  }

  private mutating func put(_ character: Character) {
    if column >= width {
      column = 0
      feed()
    }
    while lines[row].count <= column { lines[row].append(" ") }
    lines[row][column] = character
    column += 1
  }

  private mutating func feed() {
    row += 1
    if row == lines.count { lines.append([]) }
  }

  private mutating func control(_ letter: Unicode.Scalar, _ number: Int?) {
    switch letter {
    case "A": row = max(0, row - (number ?? 1))
    case "K": lines[row] = Array(lines[row].prefix(column))
    case "J":
      lines[row] = Array(lines[row].prefix(column))
      lines.removeLast(lines.count - 1 - row)
    default: break
    }
  }

  var text: String { lines.map { String($0) }.joined(separator: "\n") }
}

@Suite(.enabled(if: Available.tool("script"), "script makes a terminal"))
struct LiveTerminalTests {
  /// What a program writes to a terminal of so many columns and rows.
  private func typescript(_ command: String, columns: Int, rows: Int, in folder: URL) throws -> String {
    let line = "script -qefc 'stty cols \(columns) rows \(rows); \(command)' typescript >/dev/null </dev/null"
    let answer = try Program.shell(line, in: folder)
    #expect(answer.status == 0, "\(answer.talk)")
    let bytes = try Data(contentsOf: folder.appending(path: "typescript"))
    // The first and the last line are those of `script` itself. Split as bytes: a return and a
    // line feed are one character.
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    return lines.dropFirst().filter { !$0.hasPrefix("Script done on") }.joined(separator: "\n")
  }

  @Test(arguments: [44, 100]) func `a run redraws a frame and leaves nothing of it behind`(_ columns: Int)
    throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let text = try typescript(
      "$PROGRAM run tiny.json --workers 2", columns: columns, rows: 20, in: sweep.folder)
    #expect(text.contains("\u{1b}[") && text.contains("█") && text.contains("at work") == false)
    #expect(text.contains("of 4 runs"), "\(text)")
    var terminal = Terminal(width: columns)
    terminal.write(text)
    let seen = terminal.text
    #expect(!seen.contains("█") && !seen.contains("░") && !seen.contains("of 4 runs,"), "\(seen)")
    // What was said above the frame stands there once, whole, and the table is the last word.
    #expect(seen.ranges(of: "runs asked for").count == 1, "\(seen)")
    #expect(seen.ranges(of: "n = 2.").count == 1, "\(seen)")
    // Every frame is one write that ends by erasing what is below: no half of it is ever seen.
    #expect(text.ranges(of: "\u{1b}[J").count > 3)
  }

  @Test func `status watches until all is over, as a frame or as lines`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let lines = try Program.run("status", "--watch", in: sweep.folder)
    #expect(lines.status == 0 && lines.out.contains("tiny: 4 of 4 runs, 0 at work"), "\(lines.out)")
    #expect(!lines.out.contains("\u{1b}"))
    let text = try typescript("$PROGRAM status --watch", columns: 80, rows: 24, in: sweep.folder)
    var terminal = Terminal(width: 80)
    terminal.write(text)
    #expect(terminal.text.contains("4 of 4 runs") && terminal.text.contains("mtkd-rl"), "\(terminal.text)")
    #expect(terminal.lines.allSatisfy { $0.count < 80 })
    let wrong = try Program.run("status", "--watch", "--json", in: sweep.folder)
    #expect(wrong.status == 64)
  }
}
