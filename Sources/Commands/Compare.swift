import ArgumentParser
import Foundation
import Reports
import Results
import Specs
import Storage

/// `mtkd-sweep compare`: what differs between methods, sweeps or stores, and whether
/// that is more than chance.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two methods, two sweeps or two stores: B minus A.",
    discussion: """
      A and B are two sweeps of the store, two store folders (or their store.sqlite), or two methods of one sweep: the first of these that \
      they can be. Cells with equal labels stand beside each other, seed by seed where both have the seeds.

        mtkd-sweep compare ca-mkd mtkd-rl           two methods of the only sweep
        mtkd-sweep compare before after             two sweeps of one store
        mtkd-sweep compare results ../old/results   two stores
        mtkd-sweep compare --paper table1           the paper's own table under tests
      """)

  @OptionGroup var location: StoreLocation
  @OptionGroup var styles: StyleOptions
  @OptionGroup var options: TestOptions

  @Argument(help: ArgumentHelp("What to compare with.", valueName: "a"))
  var first: String?

  @Argument(help: ArgumentHelp("What is compared.", valueName: "b"))
  var second: String?

  @Option(help: "The sweep that is meant, for methods and stores. May be left out where there is one.")
  var sweep: String?

  @Option(
    help: ArgumentHelp(
      "Test the numbers that the paper prints: \(Catalog.paperTables.names.joined(separator: ", ")). A and "
        + "B, where given, are two of its methods.",
      valueName: "table"), completion: Completions.paperTables)
  var paper: String?

  @Option(
    help: "How to write it: \(Catalog.tableFormats.names.joined(separator: ", ")).",
    completion: Completions.formats)
  var format = TextTable.name

  @Flag(
    help: "For two methods: p values and intervals that stay valid although seeds were added after a look.")
  var anytime = false

  func validate() throws {
    do {
      _ = try Catalog.tableFormats.entry(format)
      if let paper { _ = try Catalog.paperTables.entry(paper) }
    } catch {
      throw ValidationError("\(error)")
    }
    if paper == nil, first == nil || second == nil { throw ValidationError("Name what to compare: A and B.") }
    if anytime, paper != nil { throw ValidationError("--anytime compares runs, and the paper prints none.") }
    if paper != nil, (first == nil) != (second == nil) { throw ValidationError("Name two methods, or none.") }
  }

  func run() throws {
    let style = styles.style(for: STDOUT_FILENO)
    let format = try Catalog.tableFormats.entry(format)
    if let paper {
      Out.put(format.render(try printed(paper, style), style: style))
      return
    }
    guard let first, let second else { return }
    if let stores = try stores(first, second) {
      if anytime { throw Self.anytimeOfMethods }
      Out.put(try compared(stores.0, stores.1, style))
      return
    }
    let store = try location.open()
    let sweeps = try store.sweeps()
    if let a = sweeps.first(where: { $0.name == first }), let b = sweeps.first(where: { $0.name == second }) {
      if anytime { throw Self.anytimeOfMethods }
      let test = try options.preferences(b)
      let sides = (try side(a, test, in: store, called: a.name), try side(b, test, in: store, called: b.name))
      Out.put(try compared(sides.0, sides.1, test, style))
      return
    }
    Out.put(try methods(first, second, in: store, sweeps, style))
  }

  private static let anytimeOfMethods = ValidationError(
    "--anytime compares two methods of one sweep, whose runs share their seeds.")

  private func printed(_ paper: String, _ style: TextStyle) throws -> Sheet {
    let table = try Catalog.paperTables.entry(paper)
    let correction = options.correction ?? .holm
    guard let first, let second else { return table.contrasts(correction: correction, style) }
    for name in [first, second] where !table.values.contains(where: { $0.methodName == name }) {
      var known: [String] = []
      for value in table.values where !value.methodName.isEmpty && !known.contains(value.methodName) {
        known.append(value.methodName)
      }
      throw UnknownName(kind: "method in \(table.title) of the paper", name: name, known: known)
    }
    return table.contrasts(of: second, against: [first], correction: correction, style)
  }

  // Stores

  /// Both as stores; nil where one of them is none.
  private func stores(_ a: String, _ b: String) throws -> (Source, Source)? {
    guard let first = Self.file(a), let second = Self.file(b) else { return nil }
    return (Source(path: a, file: first), Source(path: b, file: second))
  }

  private struct Source {
    let path: String
    let file: String
  }

  private static func file(_ path: String) -> String? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    let file = isFolder.boolValue ? StoreFolder(path).database : path
    return FileManager.default.fileExists(atPath: file) ? file : nil
  }

  private func compared(_ a: Source, _ b: Source, _ style: TextStyle) throws -> String {
    let stores = (try ResultStore(file: a.file, .reading), try ResultStore(file: b.file, .reading))
    let records = try (record(in: stores.0, a.path), record(in: stores.1, b.path))
    let test = try options.preferences(records.1)
    return try compared(
      side(records.0, test, in: stores.0, called: a.path),
      side(records.1, test, in: stores.1, called: b.path),
      test, style)
  }

  private func record(in store: ResultStore, _ path: String) throws -> SweepRecord {
    if let sweep { return try store.sweep(sweep) }
    let sweeps = try store.sweeps()
    guard sweeps.count == 1 else {
      throw NothingThere(
        description: sweeps.isEmpty
          ? "The store \(path) has no sweep yet."
          : "The store \(path) has \(sweeps.count) sweeps: \(sweeps.map(\.name).joined(separator: ", ")). "
            + "Name one with --sweep."
      )
    }
    return sweeps[0]
  }

  // Sweeps

  private func side(
    _ record: SweepRecord, _ preferences: ReportPreferences, in store: ResultStore, called name: String
  ) throws -> SweepComparison.Side {
    let each = try options.results(record, preferences, in: store)
    try ReportLayout(preferences).checkAverages(each)
    let results = each.averaged(over: preferences.average)
    let cells = Cell.cells(of: results, allowMixed: true)
    return SweepComparison.Side(
      name: name, results: results, specs: try store.specs(of: cells.compactMap(\.key)))
  }

  private func compared(
    _ a: SweepComparison.Side, _ b: SweepComparison.Side, _ preferences: ReportPreferences, _ style: TextStyle
  ) throws -> String {
    let comparison = SweepComparison(
      a, b, test: preferences.test == .none ? .pairedT : preferences.test, correction: preferences.correction,
      allowMixed: options.allowMixed)
    guard comparison.withheld.isEmpty else { throw MixedPrograms(cells: comparison.withheld) }
    if format == JSONTable.name { return JSONTable.render(comparison) }
    return try Catalog.tableFormats.entry(format).render(
      comparison.sheet(digits: options.digits, style), style: style)
  }

  // Methods

  private func methods(
    _ a: String, _ b: String, in store: ResultStore, _ sweeps: [SweepRecord], _ style: TextStyle
  ) throws -> String {
    let record = try location.sweep(sweep, in: store)
    let preferences = try options.preferences(record)
    let results = try options.results(record, preferences, in: store)
    var layout = ReportLayout(preferences)
    layout.compareTo = ["\(b) - \(a)"]
    (layout.digits, layout.allowMixed) = (options.digits, options.allowMixed)
    if layout.test == .none { layout.test = .pairedT }
    do {
      try layout.checkMethods(results)
    } catch {
      throw NothingThere(
        description:
          "'\(error.name)' is no sweep of \(location.path) (\(sweeps.map(\.name).joined(separator: ", "))), "
          + "no store, and no method of \(record.name) (\(error.known.joined(separator: ", ")))."
      )
    }
    try layout.checkAverages(results)
    let table = ReportTable(results, layout)
    guard !table.comparisons.isEmpty else {
      throw NothingThere(
        description:
          "No cells of \(a) and \(b) in \(record.name) agree in all other settings: there is "
          + "nothing to compare."
      )
    }
    let mixed = table.comparisons.filter { $0.a.isWithheld || $0.b.isWithheld }
    guard mixed.isEmpty else { throw MixedPrograms(cells: mixed.map(\.context)) }
    if anytime {
      let family = AnytimeComparison.family(table.comparisons)
      let sheet = AnytimeComparison.sheet(
        family, title: "\(record.name): \(b) \(style.minus) \(a)", digits: table.digits, style)
      return try Catalog.tableFormats.entry(format).render(sheet, style: style)
    }
    let settings = try settings(table.comparisons, a, b, in: store)
    if format == JSONTable.name {
      return JSONTable.render(
        table.comparisons, a: a, b: b, table.results, settings: Array(settings.dropFirst()))
    }
    var sheet = ComparisonSheet.full(
      table.comparisons, title: "\(record.name): \(b) \(style.minus) \(a)", digits: table.digits,
      correction: layout.correction, style)
    sheet.notes += settings + table.results.aliases.map(\.note)
    return try Catalog.tableFormats.entry(format).render(sheet, style: style)
  }

  /// Settings that differ between the first runs of each pair of cells.
  private func settings(
    _ comparisons: [CellComparison], _ a: String, _ b: String, in store: ResultStore
  ) throws -> [String] {
    let specs = try store.specs(of: comparisons.flatMap { [$0.a.key, $0.b.key] }.compactMap(\.self))
    var counts: [[String]: Int] = [:]
    for comparison in comparisons {
      guard let first = comparison.a.key.flatMap({ specs[$0] }),
        let second = comparison.b.key.flatMap({ specs[$0] })
      else { continue }
      for difference in SettingDifferences.between(first, second) { counts[difference, default: 0] += 1 }
    }
    guard !counts.isEmpty else { return [] }
    let lines = counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
      "  \($0.key[0]): \($0.key[1]) and \($0.key[2]), in \(counted($0.value, "pair"))"
    }
    return ["Settings that differ, \(a) then \(b):"] + lines
  }
}

/// Cells whose numbers may not be compared, because different programs or numerics made them.
struct MixedPrograms: UserError {
  var exitStatus: ExitStatus { .notComparable }
  let cells: [String]

  var description: String {
    let names =
      cells.prefix(5).joined(separator: "; ") + (cells.count > 5 ? "; and \(cells.count - 5) more" : "")
    return
      "Different programs or numerics made the seeds of \(counted(cells.count, "cell")): \(names). "
      + "`mtkd-sweep report` says which; --allow-mixed compares them all the same."
  }
}
