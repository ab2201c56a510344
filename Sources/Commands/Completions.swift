import ArgumentParser
import Distillation
import Networks
import Pipeline
import Reports
import Specs
import Storage
import Sweeps

/// What a shell offers for an argument: asked of the program when it is wanted.
enum Completions {
  static let grids = CompletionKind.file(extensions: ["json", "jsonc"])
  static let networks = CompletionKind.custom { _, _, prefix in
    NetworkNames.ids.filter { $0.hasPrefix(prefix) }
  }
  static let methods = CompletionKind.custom { _, _, prefix in
    Catalog.methods.names.filter { $0.hasPrefix(prefix) }
  }
  static let settings = CompletionKind.custom { _, _, prefix in
    ((try? SettingCatalog.ofThisProgram.get())?.names ?? []).filter { $0.hasPrefix(prefix) }
  }
  static let formats = CompletionKind.list(Catalog.tableFormats.names)
  static let reportFormats = CompletionKind.list(Catalog.tableFormats.names + [SweepPage.name])
  static let figures = CompletionKind.list(Catalog.figures.names)
  static let presets = CompletionKind.custom { _, _, prefix in
    Catalog.presets.names.filter { $0.hasPrefix(prefix) }
  }
  static let sweeps = CompletionKind.custom { words, _, prefix in
    ((try? store(words)?.sweeps().map(\.name)) ?? []).filter { $0.hasPrefix(prefix) }
  }
  /// Settings that tell the cells of the store's sweeps apart: of one of them, where a word names it.
  static let varying = CompletionKind.custom { words, _, prefix in
    columns(words).filter { $0.hasPrefix(prefix) }
  }
  /// The same with a sign behind it, and seeds.
  static let conditions = CompletionKind.custom { words, _, prefix in
    (columns(words) + ["seed"]).map { "\($0)=" }.filter { $0.hasPrefix(prefix) }
  }
  static let paperTables = CompletionKind.list(Catalog.paperTables.names)
  static let runs = CompletionKind.custom { words, _, prefix in
    let keys = (try? store(words)?.stages(withPrefix: prefix).map(\.stage.key)) ?? []
    return keys.map { String($0.description.prefix(max(12, prefix.count))) }
  }

  private static func columns(_ words: [String]) -> [String] {
    let sweeps = (try? store(words)?.sweeps()) ?? []
    let named = sweeps.filter { words.contains($0.name) }
    return Set((named.isEmpty ? sweeps : named).flatMap(\.columns)).sorted()
  }

  /// The store that the words so far name.
  private static func store(_ words: [String]) -> ResultStore? {
    let place = words.firstIndex(of: "--store").flatMap {
      words.indices.contains($0 + 1) ? words[$0 + 1] : nil
    }
    return try? ResultStore(at: StoreFolder(place ?? "results"), .reading)
  }
}
