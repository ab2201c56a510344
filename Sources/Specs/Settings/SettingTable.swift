/// The settings as text: for `mtkd-sweep settings` and for the table in docs/grid.md, which is generated.
package enum SettingTable {
  /// Columns of a line at most.
  private static let width = 110
  private static let gap = 2

  package static let beginMark =
    "<!-- Generated: `make settings-table` writes what stands up to the end mark. -->"
  package static let endMark = "<!-- End of the generated table. -->"

  /// A row for each setting: name, default, values, sentence; long texts go on below themselves.
  package static func text(_ catalog: SettingCatalog) -> String {
    let rows =
      [["setting", "default", "values", "what it is"]]
      + catalog.entries.map { setting in
        [setting.name, defaultText(setting), setting.kind.values, setting.sentence]
      }
    let name = rows.map(\.[0].count).max() ?? 0
    let widths = [name, 14, 28, width - name - 14 - 28 - 3 * gap]
    return rows.map { lines($0, widths).map { "\($0)\n" }.joined() }.joined()
  }

  /// A guide with its generated part made anew; nil where it has no marks.
  package static func updating(_ guide: String, _ catalog: SettingCatalog) -> String? {
    guard let begin = guide.firstRange(of: beginMark), let end = guide.firstRange(of: endMark),
      begin.upperBound <= end.lowerBound
    else { return nil }
    let table = "\n\n```text\n\(text(catalog))```\n\n"
    return guide[..<begin.upperBound] + table + guide[end.lowerBound...]
  }

  /// A default in a few words, with what named recipes have instead: `0; vit: 5`.
  package static func defaultText(_ setting: SettingDescription) -> String {
    switch setting.default {
    case .required: return "required"
    case .absent(let word): return word
    case .ofRecipe: return "the recipe's"
    case .of(let name): return "as \(name)"
    case .ofMethod: return "the first"
    case .value(let value):
      guard setting.isOfRecipe else { return valueText(value) }
      let others = RecipeSpec.Name.allCases.compactMap { name -> String? in
        let own = RecipeSpec.named(name, family: "")[setting]
        return own == value ? nil : "\(name.rawValue): \(valueText(own))"
      }
      return ([valueText(value)] + others).joined(separator: "; ")
    }
  }

  /// Who reads a setting, in words.
  package static func readersText(_ setting: SettingDescription, _ catalog: SettingCatalog) -> String {
    switch setting.readers {
    case .everyRun: return "every run"
    case .methodsWithTeachers: return "methods with teachers"
    case .methodsWithPresets, .methodsThatListIt:
      return catalog.readers(of: setting).joined(separator: ", ")
    case .schedule(let schedule):
      let recipes = RecipeSpec.Name.allCases.filter { $0.schedule == schedule }.map(\.rawValue)
      return "runs with the recipe \(recipes.joined(separator: " or "))"
    }
  }

  /// Where a setting's value goes, in words.
  package static func placeText(_ setting: SettingDescription) -> String {
    switch setting.place {
    case .run: "the run"
    case .recipeBase: "what the recipes of the student and of its teachers start from"
    case .recipe: "the student's recipe"
    case .recipeOfAll: "the recipes of the student and of its teachers"
    case .method: "the method's options"
    case .transfer: "what the run's backbone is put to"
    }
  }

  /// A value as people write it: words without quotes, lists with commas.
  package static func valueText(_ value: JSONValue) -> String {
    value.string ?? value.array?.map(valueText).joined(separator: ", ") ?? value.description
  }

  private static func lines(_ cells: [String], _ widths: [Int]) -> [String] {
    let wrapped = zip(cells, widths).map { wrap($0, $1) }
    return (0..<(wrapped.map(\.count).max() ?? 0)).map { line in
      let parts = zip(wrapped, widths).map { lines, width in
        let text = lines.indices.contains(line) ? lines[line] : ""
        return text + String(repeating: " ", count: max(0, width - text.count) + gap)
      }
      var text = parts.joined()
      while text.last == " " { text.removeLast() }
      return text
    }
  }

  /// Breaks between words; a word that is too long by itself stays whole.
  private static func wrap(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines.isEmpty ? [""] : lines
  }
}
