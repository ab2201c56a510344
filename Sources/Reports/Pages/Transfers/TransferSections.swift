package import Specs

/// What a transfer's page shows: test images with truth and prediction, values of classes, curves.
package struct TransferSections: Sendable {
  private let findings: TransferFindings
  private let pictures: [[UInt8]]
  private let course: [(step: Int, metrics: Metrics)]

  /// - Parameters:
  ///   - pictures: PNG files, as many as the findings have pictures.
  ///   - course: steps with the metrics after them, the result last.
  package init(
    _ findings: TransferFindings, pictures: [[UInt8]], course: [(step: Int, metrics: Metrics)]
  ) {
    precondition(
      findings.pictures.count == pictures.count,
      "\(pictures.count) files of \(findings.pictures.count) pictures")
    self.findings = findings
    self.pictures = pictures
    self.course = course
  }

  /// Those that have something in them.
  package var sections: [SweepPage.Section] {
    [
      ("images", "Test images", images), ("classes", "Class by class", table),
      ("precision", "Precision and recall", precision), ("steps", "Over the steps", steps),
    ].compactMap { id, title, body in body == "" ? nil : SweepPage.Section(id: id, title: title, body: body) }
  }

  /// All of them below each other, for a page that fetches them at once.
  package var markup: Markup {
    sections.reduce(into: "" as Markup) { markup, section in
      markup += "<h3 id=\"\(section.id)\">\(section.title)</h3>\(section.body)"
    }
  }

  private var transfers: String {
    findings.values.count > 1 ? " of the first of \(findings.values.count) transfers" : ""
  }

  private var images: Markup {
    guard !findings.pictures.isEmpty else { return "" }
    let isOfPixels = findings.pictures.contains { !$0.truth.labels.isEmpty || !$0.found.labels.isEmpty }
    let figures = findings.pictures.indices.map { place in
      MarkedPicture.markup(
        findings.pictures[place], png: pictures[place], classes: findings.classes, place: place)
    }
    let sentence =
      isOfPixels
      ? "image, true classes, classes found\(transfers). Black pixels are not judged."
      : "truth on the left, what was found\(transfers) on the right with its score. Scores below "
        + "\(NumberFormat.fixed(MarkedPicture.sureScore, 1)) are dashed, and shown only up to the number of "
        + "true objects; a dashed box of the truth is a crowd, which is no miss."
    return """
      <p class="soft small">The first \(counted(figures.count, "test image")): \(sentence)</p>\
      <div class=figures>\(figures)</div>\(ClassColours.legend(labels, findings.classes))
      """
  }

  private var labels: [Int] { ClassColours.labels(findings.pictures.flatMap { [$0.truth, $0.found] }) }

  private var table: Markup {
    guard !findings.classes.isEmpty, !findings.values.isEmpty else { return "" }
    let isDetection = course.last?.metrics[TransferMetrics.meanIntersection] == nil
    var columns: [(title: String, values: [[Double?]])] = [
      (isDetection ? "box AP, %" : "IoU, %", findings.values)
    ]
    if !findings.maskValues.isEmpty { columns.append(("mask AP, %", findings.maskValues)) }
    let means = columns.map { TransferFindings.means($0.values, classes: findings.classes.count) }
    let head = (["class"] + columns.map(\.title)).map { name -> Markup in
      let kind: Markup = name == "class" ? " class=text" : ""
      return "<th scope=col\(kind)><button type=button>\(name)</button></th>"
    }
    let rows = findings.classes.enumerated().map { index, name -> Markup in
      let cells = means.map { means -> Markup in
        means[index].map { "<td data-v=\"\($0.description)\">\(NumberFormat.fixed($0, 2))</td>" }
          ?? "<td data-v=\"\">n/a</td>"
      }
      return "<tr><td class=text>\(name)</td>\(cells)</tr>\n"
    }
    let measured = isDetection ? "AP at IoU 0.50 to 0.95" : "Intersection over union over all test pixels"
    let over =
      findings.values.count > 1 ? " Means over \(findings.values.count) transfers." : ""
    return """
      <div class="scroll tall" tabindex=0 role=group aria-label="Classes"><table class=sortable><thead><tr>\(head)</tr></thead><tbody>
      \(rows)</tbody></table></div><p class="soft small">\(measured); \
      n/a: the test images have nothing of this class.\(over)</p>
      """
  }

  private var precision: Markup {
    Self.figures(
      [false, true].compactMap { ofMasks in
        PrecisionFigure.draw(findings, ofMasks: ofMasks).map {
          ($0, "What was found\(transfers), \(ofMasks ? "masks" : "boxes") compared.")
        }
      })
  }

  private var steps: Markup {
    if let svg = StepsFigure.draw(course) { return Self.figures([(svg, "The mean over its transfers.")]) }
    guard let last = course.last else { return "" }
    return """
      <p class="soft small">Measured once, after step \(last.step): a recipe with "evalEvery" measures while \
      it trains, too.</p>
      """
  }

  private static func figures(_ figures: [(svg: SVG, caption: String)]) -> Markup {
    if figures.isEmpty { return "" }
    let items = figures.map { figure -> Markup in
      "<figure>\(Markup(trusted: figure.svg.text))<figcaption>\(figure.caption)</figcaption></figure>"
    }
    return "<div class=figures>\(items)</div>"
  }
}
