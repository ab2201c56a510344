package import Specs

/// Our cells beside the numbers of a paper's table.
package struct PaperComparison: Sendable {
  package let table: PaperTable
  package let rows: [Row]
  /// What differs between our runs and the paper's, each with the cells that it is true
  /// of; empty for all of them.
  package let settings: [(difference: String, cells: [String])]

  package struct Row: Sendable {
    /// `resnet56 mtkd-rl`.
    package let name: String
    package let cell: Cell
    package let value: PaperValue
    /// Ours minus the paper's; nil where one of the two has no std.
    package let welch: WelchComparison?
  }

  /// - Parameter specs: of the cells' runs, by key; notes on settings are made of those that are there.
  package init(_ report: ReportTable, _ table: PaperTable, specs: [ContentKey: RunSpec]) {
    self.table = table
    let columns = report.results.columns
    func label(_ cell: Cell, _ name: String) -> JSONValue? {
      columns.firstIndex(of: name).map { cell.labels[$0] }.flatMap { $0 == .null ? nil : $0 }
    }
    let pools = ReportTable.poolNames(report.results)
    var rows: [Row] = []
    for cell in report.cells {
      guard let student = label(cell, "student"), let method = label(cell, "method")?.string else { continue }
      var variants = cell.labels.compactMap(\.string)
      if let alpha = label(cell, "alpha")?.number, let beta = label(cell, "beta")?.number {
        variants.append(Self.terms(alpha, beta))
      }
      let name = ReportTable.text(student)
      guard let value = table.accuracy(student: name, method: method, variants: variants) else { continue }
      rows.append(
        Row(
          name: ReportTable.words(cell.labels, columns, pools), cell: cell, value: value,
          welch: cell.headline.flatMap { WelchComparison(value.moments, $0.moments) }))
    }
    self.rows = rows
    settings = table.isCIFAR ? Self.settings(rows, specs) : []
  }

  /// The variant of Figure 2 that a pair of loss weights is.
  private static func terms(_ alpha: DecimalNumber, _ beta: DecimalNumber) -> String {
    let zero = DecimalNumber(0)
    if beta == zero { return "logit-level KD only" }
    return alpha == zero ? "feature-level KD only" : "logit- and feature-level KD"
  }

  private static func settings(
    _ rows: [Row], _ specs: [ContentKey: RunSpec]
  ) -> [(difference: String, cells: [String])] {
    var order: [String] = []
    var cells: [String: [String]] = [:]
    for row in rows {
      guard let spec = row.cell.key.flatMap({ specs[$0] }) else { continue }
      for difference in PaperSettings.differences(of: spec, seeds: row.cell.headline?.count ?? 0) {
        if cells[difference] == nil { order.append(difference) }
        cells[difference, default: []].append(row.name)
      }
    }
    let known = rows.count { $0.cell.key.flatMap { specs[$0] } != nil }
    return order.map { ($0, cells[$0]!.count == known ? [] : cells[$0]!) }
  }

  package func sheet(digits: Int, _ style: TextStyle) -> Sheet {
    let body = rows.map { row -> [Sheet.Entry] in
      let own = ReportTable.text(row.cell.headline, plusMinus: style.plusMinus, digits: digits)
      let printed = NumberFormat.fixed(row.value.mean, 2)
      let theirs =
        row.value.std.map { "\(printed) \(style.plusMinus) \(NumberFormat.fixed($0, 2))" } ?? printed
      let difference = row.cell.headline.map { NumberFormat.signed($0.mean - row.value.mean, digits) }
      let n =
        row.value.std == nil
        ? "\(row.cell.headline?.count ?? 0), -" : "\(row.cell.headline?.count ?? 0), \(PaperValue.count)"
      return [
        Sheet.Entry(row.name), Sheet.Entry(own), Sheet.Entry(theirs), Sheet.Entry(difference ?? "-"),
        Sheet.Entry(n), Sheet.Entry(NumberFormat.p(row.welch?.p)),
      ]
    }
    var notes: [String] = []
    if rows.isEmpty { notes.append("No cell of this report stands in that table.") }
    if !rows.isEmpty {
      notes.append("n: our seeds and the paper's runs; p: two-sided Welch test of ours against the paper's.")
    }
    if !settings.isEmpty { notes.append("Settings that differ from the paper's:") }
    for (difference, cells) in settings {
      notes.append("  \(difference)\(cells.isEmpty ? "" : " (\(cells.joined(separator: "; ")))")")
    }
    return Sheet(
      title: "Beside \(table.title) of the paper", head: ["", "ours", "paper", "difference", "n", "p"],
      rows: body,
      notes: notes + table.notes)
  }
}

/// What the paper's CIFAR-100 runs were.
///
/// - Source: the paper's section on its implementation, and the released scripts where it is silent
///   (`train_student_rl.py`).
enum PaperSettings {
  private static let recipe = RecipeSpec.student(epochs: 240)
  private static let teachers = ["cifar_regnet", "cifar_regnet", "cifar_resnet", "cifar_wrn"]

  /// Sentences such as `12 epochs; the paper 240`.
  static func differences(of run: RunSpec, seeds: Int) -> [String] {
    var found: [String] = []
    func note(_ differs: Bool, _ text: @autoclosure () -> String) { if differs { found.append(text()) } }
    note(run.dataset.name != "cifar100", "dataset \(run.dataset.name); the paper CIFAR-100")
    if let images = run.dataset.trainImages { found.append("\(images) training images; the paper all") }
    if let images = run.dataset.testImages { found.append("\(images) test images; the paper all") }
    note(
      run.dataset.validationImages > 0,
      "\(run.dataset.validationImages) training images held out for validation; the paper none")
    let own = run.recipe
    note(own.epochs != recipe.epochs, "\(counted(own.epochs, "epoch")); the paper \(recipe.epochs)")
    note(own.batchSize != recipe.batchSize, "batches of \(own.batchSize); the paper \(recipe.batchSize)")
    note(
      own.learningRate != recipe.learningRate,
      "learning rate \(own.learningRate); the paper \(recipe.learningRate)")
    note(
      own.weightDecay != recipe.weightDecay,
      "weight decay \(own.weightDecay); the paper \(recipe.weightDecay)")
    note(own.nesterov != recipe.nesterov, "momentum without Nesterov; the paper with")
    note(
      own.epochs == recipe.epochs && own.milestones != recipe.milestones,
      "rate drops at \(own.milestones.map(String.init).joined(separator: ", ")); the paper 150, 180, 210")
    for (name, value) in run.method.options.sorted(by: { $0.key < $1.key }) {
      found.append("\(name) \(value.title) instead of this program's default")
    }
    if !run.teachers.isEmpty {
      let families = run.teachers.map(\.network.family).sorted()
      if families.count != teachers.count {
        found.append("\(counted(families.count, "teacher")); the paper \(teachers.count)")
      } else {
        note(families != teachers, "other teachers: \(families.joined(separator: ", "))")
      }
      let epochs = Set(run.teachers.map(\.recipe.epochs)).subtracting([recipe.epochs]).sorted()
      note(
        !epochs.isEmpty,
        "teachers trained for \(epochs.map(String.init).joined(separator: " or ")) epochs; the paper "
          + "\(recipe.epochs)"
      )
    }
    note(seeds != PaperValue.count, "\(counted(seeds, "seed")); the paper \(PaperValue.count) runs")
    return found
  }
}
