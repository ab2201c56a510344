package import Specs

/// Test images of a sweep's transfers: the truth, and beside it what one run of each cell found.
package enum PicturesBeside {
  /// Cells beside each other, and images below each other.
  private static let (mostCells, mostPictures) = (5, 3)

  /// One run of a cell, with what its evaluation wrote for people.
  package struct Shown: Sendable {
    let key: ContentKey
    let findings: TransferFindings
    let files: [[UInt8]]

    /// - Parameter files: PNG files, as many as the findings have pictures.
    package init(_ key: ContentKey, _ findings: TransferFindings, files: [[UInt8]]) {
      precondition(findings.pictures.count == files.count)
      (self.key, self.findings, self.files) = (key, findings, files)
    }
  }

  /// The runs to look at: the first finished one of each cell, of the best and the compared
  /// cells where there are many.
  package static func runs(of table: ReportTable) -> [ContentKey] {
    let finished = table.cells.filter { $0.key != nil }
    return FigureInput(table).kept(finished, most: 2 * mostCells) { [$0] }.compactMap(\.key)
  }

  /// - Parameters:
  ///   - shown: runs of the table.
  ///   - link: to the page of a run.
  /// - Returns: empty where nothing has pictures.
  package static func markup(
    _ shown: [Shown], of table: ReportTable, link: (ContentKey) -> String
  ) -> Markup {
    let groups = groups(shown.filter { !$0.findings.pictures.isEmpty })
    guard !groups.isEmpty else { return "" }
    let parts = groups.enumerated().map { place, group in
      part(Array(group.prefix(mostCells)), place, table, link)
    }
    let drawn = groups.reduce(0) { $0 + min(mostCells, $1.count) }
    let cells = table.cells.count { $0.key != nil }
    let rest: Markup = drawn < cells ? " \(drawn) of \(cells) cells." : ""
    return """
      <p class="soft small">The first test images: the truth, then what a run of each cell found.\(rest) \
      The page of a run has more of them, with its classes and curves.</p>\(parts)
      """
  }

  /// Runs whose pictures are of the same images, with the same classes.
  private static func groups(_ shown: [Shown]) -> [[Shown]] {
    var groups: [[Shown]] = []
    for one in shown {
      func isLike(_ other: Shown) -> Bool {
        one.findings.classes == other.findings.classes
          && one.findings.pictures.map(\.name) == other.findings.pictures.map(\.name)
          && one.files.first == other.files.first
      }
      if let place = groups.firstIndex(where: { isLike($0[0]) }) {
        groups[place].append(one)
      } else {
        groups.append([one])
      }
    }
    return groups
  }

  private static func part(
    _ runs: [Shown], _ number: Int, _ table: ReportTable, _ link: (ContentKey) -> String
  ) -> Markup {
    let first = runs[0].findings
    let names = names(runs, table)
    let rows = first.pictures.indices.prefix(mostPictures).map { place -> Markup in
      let picture = first.pictures[place]
      let id = "beside-\(number)-\(place)"
      let image = MarkedPicture.image(picture, png: runs[0].files[place], id: id)
      let truth: Markup
      if picture.truth.labels.isEmpty {
        truth = figure(picture, picture.truth, first.classes, "\(picture.name): truth", image: image)
      } else {
        // A map hides what is below it.
        let alone = figure(picture, TransferFindings.Marks(), first.classes, picture.name, image: image)
        let map = figure(picture, picture.truth, first.classes, "\(picture.name): truth", image: "")
        truth = "\(alone)\(map)"
      }
      let found = zip(runs, names).map { run, name in
        figure(
          run.findings.pictures[place], run.findings.pictures[place].found, first.classes,
          "\(picture.name): found by \(name)", image: "<use href=\"#\(id)\"/>",
          caption: "<a href=\"\(link(run.key))\">\(name)</a>")
      }
      return "<div class=beside>\(truth)\(found)</div>"
    }
    let labels = ClassColours.labels(
      runs.flatMap { $0.findings.pictures.prefix(mostPictures).flatMap { [$0.truth, $0.found] } })
    return "\(Array(rows))\(ClassColours.legend(labels, first.classes))"
  }

  /// What varies among some runs.
  private static func names(_ runs: [Shown], _ table: ReportTable) -> [String] {
    let cells = runs.compactMap { run in table.cells.first { $0.key == run.key } }
    let input = FigureInput(table)
    return zip(runs, cells).map { run, cell in
      let seed = table.results.runs.first { $0.key == run.key }?.seed ?? 0
      return "\(input.name(cell, among: cells)) seed \(seed)".replacing("\u{a0}", with: " ")
    }
  }

  private static func figure(
    _ picture: TransferFindings.Picture, _ marks: TransferFindings.Marks, _ classes: [String],
    _ label: String, image: Markup, caption: Markup? = nil
  ) -> Markup {
    """
    <figure><svg viewBox="0 0 \(picture.width) \(picture.height)" role=img aria-label="\(label)"><title>\(label)</title>\
    \(image)\(MarkedPicture.marks(marks, of: picture, classes))</svg><figcaption>\(caption ?? "\(label)")</figcaption></figure>
    """
  }
}
