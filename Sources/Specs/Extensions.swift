/// What a program adds to the catalogs: networks, methods, kinds of datasets, table formats, executors,
/// metrics, kinds of stages and settings. Each module that has a catalog has an `add` for its entries.
///
///     var extensions = Extensions()
///     try extensions.add(PlainFamily.self)
///     try extensions.add(FirstStageKD.self)
///     await extensions.use { await SweepProgram.main() }
///
/// Entries hold while `use` runs, in the tasks that it starts too. They stand behind the entries of this
/// package, and none may take a name that another has: `add` throws, so that nothing is shadowed in silence.
public struct Extensions: Sendable {
  /// What is in use where this is read: nothing, unless a call of `use` leads there.
  @TaskLocal package static var current = Extensions()

  /// Of each type of entry, an array of that type.
  private var lists: [ObjectIdentifier: any Sendable] = [:]

  /// Adds nothing yet.
  public init() {}

  /// Runs a body in which the catalogs have these entries as well. What an outer call of `use` added does
  /// not hold in it.
  public func use<Value>(_ body: () throws -> Value) rethrows -> Value {
    try Self.$current.withValue(self, operation: body)
  }

  /// Runs a body in which the catalogs have these entries as well. What an outer call of `use` added does
  /// not hold in it.
  public func use<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
  ) async rethrows -> Value {
    try await Self.$current.withValue(self, operation: body, isolation: isolation)
  }

  /// Entries of one catalog, in the order in which they were added.
  package func entries<Entry: Sendable>(_ type: Entry.Type = Entry.self) -> [Entry] {
    lists[ObjectIdentifier(type)].flatMap { $0 as? [Entry] } ?? []
  }

  /// Adds an entry whose names are known to be free.
  package mutating func append<Entry: Sendable>(_ entry: Entry) {
    lists[ObjectIdentifier(Entry.self)] = entries() + [entry]
  }

  /// Adds an entry to those of a catalog.
  ///
  /// - Parameters:
  ///   - catalog: the entries of this package.
  ///   - names: all that a grid or a command may call an entry.
  /// - Throws: `ExtensionError.nameTaken`.
  package mutating func add<Entry: Sendable>(
    _ entry: Entry, to catalog: Catalog<Entry>, names: (Entry) -> [String]
  ) throws(ExtensionError) {
    let taken = Set((catalog.entries + entries()).flatMap(names))
    if let name = names(entry).first(where: taken.contains) {
      throw ExtensionError.nameTaken(kind: catalog.kind, name: name)
    }
    append(entry)
  }
}

/// An entry that cannot be added to a catalog.
public enum ExtensionError: Error, Equatable, CustomStringConvertible {
  /// Another entry of the catalog has the name. `kind` is what an entry is called, such as `method`.
  case nameTaken(kind: String, name: String)
  /// Two settings, or a setting and an option of a method, would be called the same and mean different
  /// things. `owner` is who declares the name the second time.
  case settingTaken(name: String, owner: String)
  /// A setting whose value would go where nothing reads it: added settings belong to recipes.
  case notOfRecipe(setting: String)

  public var description: String {
    switch self {
    case .nameTaken(let kind, let name):
      "There is a \(kind) named '\(name)' already. Give the added one another name."
    case .settingTaken(let name, let owner):
      "The setting '\(name)' of \(owner) has another meaning already. Give one of the two another name."
    case .notOfRecipe(let setting):
      "The setting '\(setting)' is of no recipe, and only values of recipes reach who reads them. "
        + "Declare it with the place .recipe or .recipeOfAll, or as an option of its method."
    }
  }
}
