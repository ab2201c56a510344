import Foundation
import Testing

/// docs/tutorial.md is run as it stands: what a reader types and sees is what happens.
@Suite struct TutorialTests {
  private enum Block {
    case file(name: String, text: String)
    /// Commands in their order, each with the lines that it prints; `...` stands for any text or any lines.
    case console([(command: String, output: [String])])
  }

  private static let repository = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  @Test func `every command of the tutorial prints what the tutorial says`() throws {
    let text = try String(contentsOf: Self.repository.appending(path: "docs/tutorial.md"), encoding: .utf8)
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var commands = 0
    for block in Self.blocks(of: text) {
      switch block {
      case .file(let name, let text):
        try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
      case .console(let steps):
        for step in steps {
          let place = Program.path.deletingLastPathComponent().path
          let output = try Program.shell("PATH=\"\(place):$PATH\"; \(step.command)", in: folder)
          #expect(output.status == 0, "\(step.command): \(output.talk)")
          let lines = output.out.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
          let printed = lines.last == "" ? Array(lines.dropLast()) : lines
          #expect(
            Self.matches(printed[...], step.output[...]), "\(step.command) printed:\n\(output.out)")
          commands += 1
        }
      }
    }
    #expect(commands >= 12, "the tutorial has commands")
  }

  @Test func `lines match with gaps of any length, and only then`() {
    #expect(Self.matches(["a", "b", "c"], ["a", "...", "c"]))
    #expect(Self.matches(["a", "c"], ["a", "...", "c"]))
    #expect(Self.matches(["to run 6, datasets 2"], ["to run 6, ..."]))
    #expect(!Self.matches(["to run 5, datasets 2"], ["to run 6, ..."]))
    #expect(!Self.matches(["a", "b"], ["a"]) && !Self.matches(["a"], ["a", "b"]))
  }

  private static func blocks(of text: String) -> [Block] {
    var blocks: [Block] = []
    var fence: (kind: String, lines: [String])?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      guard line.hasPrefix("```") else {
        fence?.lines.append(line)
        continue
      }
      guard let (kind, lines) = fence else {
        fence = (String(line.dropFirst(3)), [])
        continue
      }
      let words = kind.split(separator: " ").map(String.init)
      if words.first == "console" {
        var steps: [(command: String, output: [String])] = []
        for line in lines {
          if line.hasPrefix("$ ") {
            steps.append((String(line.dropFirst(2)), []))
          } else {
            steps[steps.count - 1].output.append(line)
          }
        }
        blocks.append(.console(steps))
      } else if words.count == 2 {
        blocks.append(.file(name: words[1], text: lines.joined(separator: "\n") + "\n"))
      }
      fence = nil
    }
    return blocks
  }

  private static func matches(_ lines: ArraySlice<String>, _ pattern: ArraySlice<String>) -> Bool {
    guard let first = pattern.first else { return lines.isEmpty }
    if first == "..." {
      return matches(lines, pattern.dropFirst()) || (!lines.isEmpty && matches(lines.dropFirst(), pattern))
    }
    guard let line = lines.first, fits(line, first) else { return false }
    return matches(lines.dropFirst(), pattern.dropFirst())
  }

  private static func fits(_ line: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "...", omittingEmptySubsequences: false)
    guard line.hasPrefix(parts[0]), line.hasSuffix(parts[parts.count - 1]) else { return false }
    guard parts.count > 1 else { return line == pattern }
    var rest = line.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let place = rest.firstRange(of: part) else { return false }
      rest = rest[place.upperBound...]
    }
    return rest.count >= parts[parts.count - 1].count
  }
}
