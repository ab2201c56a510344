import Specs
import TestSupport
import Testing

@testable import Sweeps

/// What a grid asks for that only some of its runs can measure.
@Suite struct AgreementSettingTests {
  private let vocabulary = GridVocabulary.toy

  private func runs(_ members: String) throws -> [RunSpec] {
    let text = """
      {"version": 1, "name": "g", "base": {"student": "resnet8", "teachers": ["resnet14"], "epochs": 8\(members)},
       "axes": {"method": ["baseline", "aver-kd"]}}
      """
    let draft = GridReader.draft(
      Array(text.utf8), file: "grid.json", groups: vocabulary.settings.groups
    ) { _, _ in throw ToyGrid.NoSuchGrid() }
    return try GridExpansion(draft.judged(by: vocabulary), vocabulary).runs.map(\.spec)
  }

  @Test func `agreement is a part of the runs that have teachers, and of no other`() throws {
    let (plain, asked, declined) = (
      try runs(""), try runs(#", "agreement": true"#), try runs(#", "agreement": false"#)
    )
    #expect(declined == plain && asked[0] == plain[0], "what is not measured is in no key")
    #expect(asked.map(\.agreement) == [false, true])
    #expect(StudentStage(asked[1]).key != StudentStage(plain[1]).key)
    #expect(asked[1].teachers == plain[1].teachers)
    let read = try RunSpec(JSONReader.read(asked[1].canonicalBytes).value)
    #expect(read == asked[1] && read.canonicalBytes == asked[1].canonicalBytes)
  }
}
