internal import Specs

// What a figure says of every cell of its table

extension FigureInput {
  /// Where each cell of the table went: `26 cells: 18 drawn, 3 diverged
  /// (learningRate=100000), 5 do not read alpha.`
  ///
  /// - Parameters:
  ///   - drawn: cells with a number in the picture.
  ///   - remark: what is said of the drawn ones beside their count.
  ///   - reason: why a cell that has a number is not drawn, in words that follow a count.
  func account(drawn: [Cell], remark: String = "", else reason: (Cell) -> String) -> String {
    let shown = Set(drawn.map(\.labels))
    var order: [String] = []
    var groups: [String: [Cell]] = [:]
    for cell in table.cells where !shown.contains(cell.labels) {
      let word = Self.gap(of: cell) ?? reason(cell)
      if groups[word] == nil { order.append(word) }
      groups[word, default: []].append(cell)
    }
    let partial = table.cells.count { shown.contains($0.labels) && $0.shortfall != nil }
    var drawing = "\(shown.count) drawn\(remark)"
    if partial > 0 { drawing += " (\(partial) without every seed)" }
    let others = order.map { word -> String in
      let cells = groups[word]!
      let common = Self.gap(of: cells[0]) == nil ? "" : self.common(cells)
      return "\(cells.count) \(word)\(common.isEmpty ? "" : " (\(common))")"
    }
    let account = "\(counted(table.cells.count, "cell")): \(([drawing] + others).joined(separator: ", "))."
    return ([account] + results.aliases.map(\.note)).joined(separator: " ")
  }

  /// Why a cell has no number; nil where it has one.
  private static func gap(of cell: Cell) -> String? {
    if cell.isWithheld { return "withheld, of mixed programs" }
    guard cell.headline == nil else { return nil }
    var words: [String] = []
    for gap in cell.gaps where !words.contains(gap.word) { words.append(gap.word) }
    return words.isEmpty ? "without a number" : words.joined(separator: " or ")
  }

  /// The settings that some cells share and that vary in the table.
  private func common(_ cells: [Cell]) -> String {
    let pools = ReportTable.poolNames(results)
    return results.columns.indices.compactMap { place -> String? in
      let label = cells[0].labels[place]
      guard label != .null, cells.allSatisfy({ $0.labels[place] == label }),
        table.cells.contains(where: { $0.labels[place] != label })
      else { return nil }
      return results.columns[place] == "student"
        ? ReportTable.text(label) : ReportTable.word(results.columns[place], label, pools)
    }.joined(separator: " ")
  }

  /// As many groups of cells as a picture has room for, in their order: the two with the best means, those
  /// that are compared, then the next best. Without a direction the first ones of the table.
  func kept<Group>(_ groups: [Group], most: Int, _ cells: (Group) -> [Cell]) -> [Group] {
    guard groups.count > most else { return groups }
    let sign = results.described.isHigherBetter.map { $0 ? 1.0 : -1.0 } ?? 0
    let bests = groups.map { group in
      cells(group).compactMap { $0.headline.map { sign * $0.mean } }.max() ?? -.infinity
    }
    func ranked(_ places: [Int]) -> [Int] { places.sorted { (-bests[$0], $0) < (-bests[$1], $1) } }
    let compared = Set(table.comparisons.flatMap { [$0.a.labels, $0.b.labels] })
    let all = ranked(Array(groups.indices))
    let (first, rest) = (sign == 0 ? [] : Array(all.prefix(2)), sign == 0 ? all : Array(all.dropFirst(2)))
    func isCompared(_ place: Int) -> Bool { cells(groups[place]).contains { compared.contains($0.labels) } }
    let order = first + rest.filter(isCompared) + rest.filter { !isCompared($0) }
    return order.prefix(most).sorted().map { groups[$0] }
  }
}
