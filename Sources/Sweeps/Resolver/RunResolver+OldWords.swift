internal import Specs

// What older grids call a setting: `warmupEpochs` was a method's option as well as the rate's warm-up. The
// old word is read where it can mean only one thing.

/// A place of a grid that uses an old word.
struct OldWordPlace: Hashable {
  let word: String
  let place: GridPlace
}

/// What the rows that read a place mean by its word.
struct OldWordMeanings {
  let spot: GridSpot
  /// The setting that still has the name.
  var isOwn = false
  /// The option that had it once; nil while no row means it.
  var option: SettingDescription?
  var method = ""
}

extension MethodDescription {
  /// The option that older grids call by a name.
  func option(formerly name: String) -> SettingDescription? { options.first { $0.formerName == name } }
}

extension RunResolver {
  /// Whether a setting of this name acts in a run by itself.
  func isOwnWord(_ name: String, _ schedule: RecipeSpec.Schedule) -> Bool {
    guard let setting = vocabulary.settings[name] else { return false }
    if case .schedule(let own) = setting.readers { return own == schedule }
    return true
  }

  func schedule(_ row: GridRow) -> RecipeSpec.Schedule { recipeName(row).schedule }

  /// What a row sets an option to, by its name or by its old one.
  mutating func setting(_ option: SettingDescription, of method: MethodDescription, in row: GridRow)
    -> GridSpec.Setting?
  {
    if let setting = row[option.name] { return setting }
    guard let word = option.formerName, let setting = row[word] else { return nil }
    guard !isOwnWord(word, schedule(row)) else {
      report(setting.spot.problem(twoMeanings(word, option, method)))
      return nil
    }
    note(word, in: row) {
      $0.option = option
      $0.method = method.name
    }
    return setting
  }

  /// Remembers what a row means by a word.
  mutating func note(_ word: String, in row: GridRow, _ change: (inout OldWordMeanings) -> Void) {
    guard let spot = row.nameSpot(word) else { return }
    let place = OldWordPlace(word: word, place: spot.place)
    var meanings = oldWords[place] ?? OldWordMeanings(spot: spot)
    change(&meanings)
    oldWords[place] = meanings
  }

  func twoMeanings(_ word: String, _ option: SettingDescription, _ method: MethodDescription) -> String {
    let own = vocabulary.settings[word]?.sentence ?? ""
    return """
      "\(word)" could mean two things in a run of \(method.name) with this recipe. \(own) Or, \
      as "\(option.name)": \(option.sentence) Write "\(option.name)" too, and "\(word)" is the recipe's alone
      """
  }

  /// Notes what was read by an old word, and complains where some rows mean one thing by it and some another.
  mutating func reportOldWords() {
    for (place, meanings) in oldWords.sorted(by: { $0.value.spot.offset < $1.value.spot.offset }) {
      guard let option = meanings.option else { continue }
      if meanings.isOwn {
        report(
          meanings.spot.problem(
            "\"\(place.word)\" means the recipe's own in some runs here and \"\(option.name)\" of "
              + "\(meanings.method) in others; write \"\(option.name)\" where that is meant"
          ))
      } else {
        warn(
          meanings.spot.problem(
            "\"\(place.word)\" is read as \"\(option.name)\", the name that it has now; write that", .warning)
        )
      }
    }
  }
}
