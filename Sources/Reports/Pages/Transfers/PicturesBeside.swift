package import Specs

/// Test images of a sweep's transfers: the truth, and beside it what one run of each cell found.
package enum PicturesBeside {
  /// Cells beside each other, and images below each other.
  private static let (mostCells, mostPictures) = (5, 3)

  /// One run of a cell.
  package struct Shown: Sendable {
    let name: String
    let link: String
    let findings: TransferFindings
    let files: [[UInt8]]

    /// - Parameters:
    ///   - name: of the run in its sweep.
    ///   - link: to its page.
    ///   - files: PNG files, as many as the findings have pictures.
    package init(name: String, link: String, findings: TransferFindings, files: [[UInt8]]) {
      precondition(findings.pictures.count == files.count)
      (self.name, self.link, self.findings, self.files) = (name, link, findings, files)
    }
  }

  /// The runs to look at: the first finished one of each cell, the best and the compared cells where there are many.
  package static func runs(of table: ReportTable) -> [(key: ContentKey, name: String)] {
    let input = FigureInput(table)
    let cells = input.kept(table.cells.filter { $0.key != nil }, most: 2 * mostCells) { [$0] }
    let pools = ReportTable.poolNames(table.results)
    return cells.map { cell in
      let run = table.results.runs.first { $0.key == cell.key }
      let words = ReportTable.words(cell.labels, table.results.columns, pools)
      return (cell.key!, "\(words) seed \(run?.seed ?? 0)")
    }
  }

  /// - Returns: empty where nothing has pictures.
  package static func markup(_ shown: [Shown], of cells: Int) -> Markup {
    let groups = groups(shown.filter { !$0.findings.pictures.isEmpty })
    guard !groups.isEmpty else { return "" }
    let parts = groups.enumerated().map { place, group in
      part(Array(group.prefix(mostCells)), place)
    }
    let drawn = groups.reduce(0) { $0 + min(mostCells, $1.count) }
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

  private static func part(_ runs: [Shown], _ number: Int) -> Markup {
    let first = runs[0].findings
    let rows = first.pictures.indices.prefix(mostPictures).map { place -> Markup in
      let picture = first.pictures[place]
      let id = "beside-\(number)-\(place)"
      let truth = figure(
        picture, picture.truth, first.classes, "\(picture.name): truth",
        image: MarkedPicture.image(picture, png: runs[0].files[place], id: id),
        caption: "\(picture.name): truth")
      let found = runs.map { run in
        figure(
          run.findings.pictures[place], run.findings.pictures[place].found, first.classes,
          "\(picture.name): found by \(run.name)", image: "<use href=\"#\(id)\"/>",
          caption: "<a href=\"\(run.link)\">\(run.name)</a>")
      }
      return "<div class=beside>\(truth)\(found)</div>"
    }
    let labels = ClassColours.labels(
      runs.flatMap { $0.findings.pictures.prefix(mostPictures).flatMap { [$0.truth, $0.found] } })
    return "\(Array(rows))\(ClassColours.legend(labels, first.classes))"
  }

  private static func figure(
    _ picture: TransferFindings.Picture, _ marks: TransferFindings.Marks, _ classes: [String],
    _ label: String, image: Markup, caption: Markup
  ) -> Markup {
    """
    <figure><svg viewBox="0 0 \(picture.width) \(picture.height)" role=img aria-label="\(label)"><title>\(label)</title>\
    \(image)\(MarkedPicture.marks(marks, of: picture, classes))</svg><figcaption>\(caption)</figcaption></figure>
    """
  }
}
