import Specs
import TestSupport
import Testing

/// Two texts that look alike and have other bytes are two: a composed letter, and a letter
/// with an accent behind it.
@Suite struct ByteIdentityTests {
  private let composed = "caf\u{e9}"
  private let decomposed = "cafe\u{301}"

  @Test func `values are equal where their bytes are`() {
    #expect(composed == decomposed, "what Swift says of texts")
    #expect(JSONValue.string(composed) != .string(decomposed))
    #expect(JSONValue.array([.string(composed)]) != .array([.string(decomposed)]))
    #expect(JSONValue.object([composed: 1]) != .object([decomposed: 1]))
    #expect(JSONValue.object(["a": .string(composed)]) == .object(["a": .string(composed)]))
    #expect(Set([JSONValue.string(composed), .string(decomposed)]).count == 2)
  }

  @Test func `trainers and datasets are told apart`() {
    #expect(TrainerSpec(command: [composed]) != TrainerSpec(command: [decomposed]))
    #expect(TrainerSpec(command: ["a"], name: composed) != TrainerSpec(command: ["a"], name: decomposed))
    #expect(DatasetSpec(name: "d", folder: composed) != DatasetSpec(name: "d", folder: decomposed))
    #expect(DatasetSpec(name: "d", folder: composed) == DatasetSpec(name: "d", folder: composed))
    #expect(DatasetSpec(name: "d", folder: "") != DatasetSpec(name: "d"))
  }

  @Test(arguments: ["a", "a/b c.json", "it's", "$HOME", "", "grün/x.json", "-"])
  func `words of suggested commands are quoted where a shell would split or change them`(_ word: String) {
    let quoted = shellWord(word)
    #expect(quoted == word || quoted.hasPrefix("'"))
    if word.contains(" ") || word.contains("$") || word.isEmpty { #expect(quoted.hasPrefix("'")) }
  }
}
