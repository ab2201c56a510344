internal import Specs

extension RunResolver {
  /// The recipe of a row's student, worked out once for rows that agree in what decides it.
  mutating func recipePart(_ row: GridRow, of network: ModelSpec) -> RecipePart {
    if let known = rows.recipes.value(for: row) { return known }
    let shown = rows.recipes.deciding(row)
    let recipe = recipe(shown, of: network)
    noteOwnWords(shown, recipe.schedule)
    warnAboutMilestones(recipe, "epochs", shown)
    let bytes = recipe.canonicalBytes
    let part = RecipePart(recipe, bytes: bytes, number: recipeNumbers.number(of: ByteString(bytes)).number)
    rows.recipes.remember(part, for: row)
    return part
  }

  func recipeName(_ row: GridRow) -> RecipeSpec.Name {
    row["recipe"]?.value.string.flatMap(RecipeSpec.Name.init) ?? .student
  }

  /// The recipe that a row names, without what it says beside the name.
  func namedRecipe(_ row: GridRow, of network: ModelSpec) -> RecipeSpec {
    RecipeSpec.named(
      recipeName(row), family: network.family, epochs: row["epochs"]?.value.integer,
      batchSize: row["batchSize"]?.value.integer)
  }

  func recipe(_ row: GridRow, of network: ModelSpec) -> RecipeSpec {
    var recipe = namedRecipe(row, of: network)
    for setting in recipeSettings {
      guard let value = row[setting.name]?.value else { continue }
      if case .schedule(let schedule) = setting.readers, schedule != recipe.schedule { continue }
      recipe[setting] = value
    }
    return recipe
  }

  /// A run and its teachers are computed alike.
  func takeComputation(_ recipe: inout RecipeSpec, from row: GridRow) {
    for setting in recipeSettings where setting.place == .recipeOfAll {
      if let value = row[setting.name]?.value { recipe[setting] = value }
    }
  }

  /// Remembers which words of a row mean what the recipe has by that name, where methods
  /// had an option of it once.
  private mutating func noteOwnWords(_ row: GridRow, _ schedule: RecipeSpec.Schedule) {
    for setting in recipeSettings {
      guard case .schedule(let own) = setting.readers, own == schedule, row[setting.name] != nil else {
        continue
      }
      note(setting.name, in: row) { $0.isOwn = true }
    }
  }

  /// Warns about a schedule that is too short to tell its milestones apart.
  mutating func warnAboutMilestones(_ recipe: RecipeSpec, _ setting: String, _ row: GridRow) {
    guard recipe.schedule == .multiStep, recipe.milestones.count > 1, Set(recipe.milestones).count == 1,
      let spot = row[setting]?.spot ?? row["epochs"]?.spot
    else { return }
    warn(
      spot.problem(
        "in \(counted(recipe.epochs, "epoch")) the learning rate falls \(recipe.milestones.count) times at "
          + "once, before epoch \(recipe.milestones[0] + 1); a longer training spreads the steps",
        .warning))
  }
}
