import Specs
import TestSupport
import Testing

/// The schema says what the reader says, as far as a schema can.
@Suite struct GridSchemaTests {
  private let schema = SchemaEvaluator(GridSchema.value(.toy))

  private func problems(_ text: String) throws -> [String] {
    schema.problems(try JSONReader.read(Array(text.utf8), allowsComments: true).value)
  }

  @Test(arguments: GridCase.good)
  func `the schema accepts a good grid`(_ grid: GridCase) throws { #expect(try problems(grid.text) == []) }

  @Test(arguments: GridCase.bad.filter(\.schemaCanTell))
  func `the schema refuses a bad grid`(_ grid: GridCase) {
    // What is no JSON never meets a schema.
    guard let problems = try? problems(grid.text) else { return }
    #expect(!problems.isEmpty)
  }

  @Test(arguments: GridCase.bad.filter { !$0.schemaCanTell })
  func `what a schema cannot tell it accepts`(_ grid: GridCase) throws {
    #expect(try problems(grid.text) == [])
  }

  @Test func `every key of the reader is in the guide to grids`() throws {
    let guide = try RepositoryFile.text("docs/grid.md")
    let keys = GridKeys.top + GridKeys.block + GridKeys.run + GridKeys.report
    #expect(keys.filter { !guide.contains("`\($0)`") && !guide.contains("\"\($0)\"") } == [])
  }

  @Test func `every key of the reader is in the schema`() {
    let value = GridSchema.value(.toy)
    func names(_ path: String...) -> Set<String> {
      let object = path.reduce(value) { $0.object?[$1] ?? .null }
      return Set(object.object?["properties"]?.object?.keys.map { $0 } ?? [])
    }
    #expect(names() == Set(GridKeys.top))
    #expect(names("properties", "blocks", "items") == Set(GridKeys.block))
    #expect(names("properties", "run") == Set(GridKeys.run))
    #expect(names("properties", "report") == Set(GridKeys.report))
    let catalog = GridVocabulary.toy.settings
    let settings = catalog.groups.union(catalog.names)
    #expect(names("$defs", "run") == settings)
    #expect(names("$defs", "axes") == settings)
    #expect(names("$defs", "match") == settings)
  }
}
