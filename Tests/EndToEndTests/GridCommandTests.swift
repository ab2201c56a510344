import Foundation
import Specs
import TestSupport
import Testing

/// What the commands about grids say and understand.
@Suite struct GridCommandTests {
  @Test func `a grid comes from standard input or from a pipe of the shell`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    for line in [
      "cat tiny.json | \"$PROGRAM\" check -", "\"$PROGRAM\" check /dev/stdin < tiny.json",
      "bash -c '\"$PROGRAM\" check <(cat tiny.json)'", "cat tiny.json | \"$PROGRAM\" plan -",
    ] {
      let output = try Program.shell("export PROGRAM; \(line)", in: sweep.folder)
      #expect(output.status == 0 && output.out.contains("asked for"), "\(line): \(output.talk)")
    }
    let bad = try Program.shell("echo '{' | \"$PROGRAM\" check -", in: sweep.folder)
    #expect(bad.status == 65 && bad.talk.contains("-:2:1: "), "\(bad.talk)")
  }

  @Test func `settings are listed and explained, and a wrong name has a hint`() throws {
    let folder = try TemporaryFolder()
    let place = URL(filePath: folder.path)
    let all = try Program.run("settings", in: place)
    #expect(all.status == 0 && all.out.contains("labelSmoothing") && all.out.contains("policyWarmupEpochs"))
    let one = try Program.run("settings", "policyWarmupEpochs", in: place)
    #expect(
      one.out.contains("mtkd-rl") && one.out.contains("once called") && one.out.contains("warmupEpochs"))
    let wrong = try Program.run("settings", "lr", in: place)
    #expect(wrong.status == 66 && wrong.talk.contains("learningRate"), "\(wrong.talk)")
    let json = try Program.run("settings", "dropPath", "--json", in: place)
    let value = try JSONReader.read(Array(json.out.utf8)).value.object?["settings"]?.array?.first?.object
    #expect(value?["default"] == 0 && value?["jsonSchema"]?.object?["exclusiveMaximum"] == 1)
  }

  @Test func `help on nothing that there is names topics and ends with 64`() throws {
    let folder = try TemporaryFolder()
    let output = try Program.run("help", "grids", in: URL(filePath: folder.path))
    #expect(output.status == 64 && output.talk.contains("Did you mean 'grid'?"), "\(output.talk)")
    let command = try Program.run("help", "check", in: URL(filePath: folder.path))
    #expect(command.status == 0 && command.out.contains("--try"))
  }

  @Test func `every distinct stage is tried for one step, and nothing is written`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.run("check", "tiny.json", "--try", "--json", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    let value = try JSONReader.read(Array(output.out.utf8)).value
    let trials = value.object?["trials"]?.array ?? []
    #expect(trials.contains { $0.object?["title"]?.string?.hasPrefix("teacher ") == true })
    #expect(trials.contains { $0.object?["title"]?.string?.hasPrefix("student ") == true })
    for trial in trials {
      let members = trial.object ?? [:]
      #expect((members["stepSeconds"]?.number?.double ?? 0) > 0, "\(trial)")
      #expect((members["evaluationSeconds"]?.number?.double ?? 0) > 0, "\(trial)")
      // A process of this program holds several MB before it does anything.
      #expect((members["peakBytes"]?.integer ?? 0) > 2_000_000, "\(trial)")
    }
    #expect(!FileManager.default.fileExists(atPath: sweep.folder.appending(path: "results").path))
    let text = try Program.run("check", "tiny.json", "--try", in: sweep.folder)
    #expect(text.out.contains("peak memory") && text.out.contains("evaluation batch"), "\(text.out)")
  }

  @Test func `commands in the program's sentences are commands with options that there are`() throws {
    let sources = RepositoryFile.root.appending(path: "Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var helps: [String: String] = [:]
    var count = 0
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /`mtkd-sweep ([a-z-]+)([^`\n]*)`/) {
        let (command, rest) = (String(match.1), String(match.2))
        if command.hasPrefix("-") || command == "help" { continue }
        if helps[command] == nil {
          let help = try Program.run(command, "--help", in: FileManager.default.temporaryDirectory)
          #expect(help.status == 0, "\(file.lastPathComponent): \(match.0)")
          helps[command] = help.out
        }
        let words = rest.split(separator: " ").filter { $0.hasPrefix("-") && $0.count > 1 }
        for option in words.map({ $0.prefix { $0 == "-" || $0.isLetter } }) {
          #expect(
            helps[command]!.contains(option), "\(file.lastPathComponent): \(match.0) has no \(option)")
        }
        count += 1
      }
    }
    #expect(count > 20)
  }
}
