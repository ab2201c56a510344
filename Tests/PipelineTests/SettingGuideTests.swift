import Distillation
import Pipeline
import Specs
import TestSupport
import Testing

/// docs/grid.md carries a table that the program writes.
@Suite struct SettingGuideTests {
  @Test func `the table in the guide to grids is the catalog's`() throws {
    let guide = try RepositoryFile.text("docs/grid.md")
    let updated = try #require(SettingTable.updating(guide, try SettingCatalog.ofThisProgram.get()))
    #expect(guide == updated, "stale: run `make settings-table`")
  }

  @Test func `every setting of this program has one meaning, a default that it takes and a sentence`() throws
  {
    let catalog = try SettingCatalog.ofThisProgram.get()
    #expect(Set(catalog.names).count == catalog.names.count && catalog.names.count > 40)
    for setting in catalog.entries {
      if setting.standard != .null { #expect(setting.complaint(about: setting.standard) == nil) }
      #expect(setting.sentence.hasSuffix("."))
    }
  }
}
