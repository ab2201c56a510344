internal import Foundation
internal import Specs

/// A test image twice: with what is true, and with what was found. One drawing, the pixels in it once.
enum MarkedPicture {
  /// Detections below this score are dashed, and only as many as make up the number of true objects.
  static let sureScore = 0.3

  /// - Parameters:
  ///   - png: the file of its pixels.
  ///   - place: among the pictures of the page.
  static func markup(
    _ picture: TransferFindings.Picture, png: [UInt8], classes: [String], place: Int
  ) -> Markup {
    let (width, height) = (picture.width, picture.height)
    let gap = max(2, width / 20)
    let isOfPixels = !picture.truth.labels.isEmpty || !picture.found.labels.isEmpty
    // Maps hide what is below them.
    let panels = isOfPixels ? 3 : 2
    func x(_ panel: Int) -> Int { panel * (width + gap) }
    var body = image(picture, png: png, id: "picture-\(place)")
    for panel in 1..<panels {
      body += "<use href=\"#picture-\(place)\" x=\"\(x(panel))\"/>"
    }
    for (panel, marks) in [(panels - 2, picture.truth), (panels - 1, picture.found)] {
      body += "<g transform=\"translate(\(x(panel)) 0)\">\(self.marks(marks, of: picture, classes))</g>"
    }
    let label =
      isOfPixels
      ? "\(picture.name): the image, the true classes of its pixels, those found"
      : "\(picture.name): \(text(picture))"
    let caption = isOfPixels ? "image, truth, prediction" : "truth, prediction"
    return """
      <figure><svg viewBox="0 0 \(x(panels) - gap) \(height)" role=img aria-label="\(label)">\
      <title>\(label)</title>\(body)</svg><figcaption>\(picture.name): \(caption)</figcaption></figure>

      """
  }

  /// The pixels, for others to use by their name.
  static func image(_ picture: TransferFindings.Picture, png: [UInt8], id: String) -> Markup {
    let data = Data(png).base64EncodedString()
    return """
      <image id="\(id)" width="\(picture.width)" height="\(picture.height)" href="data:image/png;base64,\(data)"/>
      """
  }

  /// Objects, or a map that hides what is below it.
  static func marks(
    _ marks: TransferFindings.Marks, of picture: TransferFindings.Picture, _ classes: [String]
  ) -> Markup {
    marks.labels.isEmpty
      ? objects(seen(marks.objects, of: picture), picture, classes)
      : areas(marks.labels, width: picture.width)
  }

  private static func text(_ picture: TransferFindings.Picture) -> String {
    let (there, found) = (picture.truth.objects.count, seen(picture.found.objects, of: picture).count)
    return "\(counted(there, "object")) of the truth, \(found) of those found"
  }

  /// The sure ones, and others up to the number of true objects.
  private static func seen(
    _ objects: [TransferFindings.Mark], of picture: TransferFindings.Picture
  ) -> [TransferFindings.Mark] {
    let sure = objects.count { ($0.score ?? 1) >= sureScore }
    return Array(objects.prefix(max(sure, picture.truth.objects.count)))
  }

  // MARK: Objects

  private static func objects(
    _ objects: [TransferFindings.Mark], _ picture: TransferFindings.Picture, _ classes: [String]
  ) -> Markup {
    let size = Double(max(picture.width, picture.height)) / 24
    // The surest one lies on top.
    return objects.reversed().reduce(into: "" as Markup) { markup, object in
      let colour = ClassColours.colour(object.label)
      let isDashed = object.isCrowd || (object.score ?? 1) < sureScore
      let dash: Markup = isDashed ? " stroke-dasharray=\"4 3\"" : ""
      let box = object.box
      let (x, y) = (SVG.number(box[0]), SVG.number(box[1]))
      let (wide, high) = (SVG.number(box[2]), SVG.number(box[3]))
      if !object.mask.isEmpty {
        let path = RunPath.paths(mask: object.mask, width: picture.width)
        markup += "<path d=\"\(path)\" fill=\"\(colour)\" fill-opacity=\".4\"/>"
      }
      markup += """
        <rect x="\(x)" y="\(y)" width="\(wide)" height="\(high)" fill="none" \
        stroke="\(colour)" stroke-width="2"\(dash) vector-effect="non-scaling-stroke"/>
        """
      let name = classes.indices.contains(object.label) ? classes[object.label] : "\(object.label)"
      let words =
        object.isCrowd
        ? "\(name), crowd" : object.score.map { "\(name) \(NumberFormat.fixed($0, 2))" } ?? name
      let low = min(max(box[1] + size * 0.85, size * 0.85), Double(picture.height) - size * 0.2)
      markup += """
        <text x="\(SVG.number(max(0, box[0]) + size * 0.2))" y="\(SVG.number(low))" \
        font-size="\(SVG.number(size))" font-family="sans-serif" fill="#fff" stroke="#000" \
        stroke-width="\(SVG.number(size / 6))" paint-order="stroke" stroke-linejoin="round">\(words)</text>
        """
    }
  }

  // MARK: Maps

  private static func areas(_ labels: [Int], width: Int) -> Markup {
    let paths = RunPath.paths(labels: labels, width: width)
    return paths.sorted { $0.key < $1.key }.reduce(into: "" as Markup) { markup, entry in
      let colour = ClassColours.colour(entry.key)
      markup += """
        <path d="\(entry.value)" fill="\(colour)" shape-rendering="crispEdges"/>
        """
    }
  }
}

/// Runs of pixels as outlines of rectangles.
enum RunPath {
  /// By class.
  static func paths(labels: [Int], width: Int) -> [Int: String] {
    var spans: [Int: [Span]] = [:]
    var place = 0
    for index in stride(from: 0, to: labels.count - 1, by: 2) {
      spans[labels[index], default: []] += Self.spans(place, labels[index + 1], width)
      place += labels[index + 1]
    }
    return spans.mapValues(path)
  }

  /// - Parameter mask: numbers of pixels outside and inside, alternating.
  static func paths(mask: [Int], width: Int) -> String {
    var spans: [Span] = []
    var place = 0
    for (index, length) in mask.enumerated() {
      if index % 2 == 1 { spans += Self.spans(place, length, width) }
      place += length
    }
    return path(spans)
  }

  private struct Span: Hashable {
    let row: Int
    let column: Int
    let length: Int
  }

  private struct Sides: Hashable {
    let column: Int
    let length: Int
  }

  /// A run may go over the end of a row.
  private static func spans(_ place: Int, _ length: Int, _ width: Int) -> [Span] {
    var spans: [Span] = []
    var (start, end) = (place, place + length)
    while start < end {
      let stop = min(end, (start / width + 1) * width)
      spans.append(Span(row: start / width, column: start % width, length: stop - start))
      start = stop
    }
    return spans
  }

  /// Equal spans below each other are one rectangle.
  private static func path(_ spans: [Span]) -> String {
    var open: [Sides: (first: Int, last: Int)] = [:]
    var text = ""
    func close(_ sides: Sides, _ rows: (first: Int, last: Int)) {
      text += "M\(sides.column) \(rows.first)h\(sides.length)v\(rows.last - rows.first + 1)h-\(sides.length)z"
    }
    for span in spans {
      let sides = Sides(column: span.column, length: span.length)
      if let rows = open[sides] {
        if rows.last == span.row - 1 {
          open[sides]?.last = span.row
          continue
        }
        close(sides, rows)
      }
      open[sides] = (span.row, span.row)
    }
    let rest = open.sorted { ($0.value.first, $0.key.column) < ($1.value.first, $1.key.column) }
    for (sides, rows) in rest { close(sides, rows) }
    return text
  }
}

/// A colour for each class, on photographs: the same on light and on dark pages.
enum ClassColours {
  static let ignored = 255

  static func colour(_ label: Int) -> String {
    if label == ignored { return "#000" }
    if label < FigureStyle.light.count { return FigureStyle.light[label] }
    // Neighbours lie far from each other on the circle of hues.
    return "hsl(\(label * 137 % 360),\(55 + label * 13 % 40)%,\(35 + label * 7 % 30)%)"
  }

  /// Classes that are drawn somewhere, ascending.
  static func labels(_ marks: [TransferFindings.Marks]) -> [Int] {
    var labels: Set<Int> = []
    for marks in marks {
      labels.formUnion(marks.objects.map(\.label))
      for place in stride(from: 0, to: marks.labels.count, by: 2) { labels.insert(marks.labels[place]) }
    }
    return labels.sorted()
  }

  /// What the colours of some classes mean.
  static func legend(_ labels: [Int], _ classes: [String]) -> Markup {
    let items = labels.map { label -> Markup in
      let name =
        label == ignored
        ? "not judged" : classes.indices.contains(label) ? classes[label] : "\(label)"
      return """
        <li><svg width="12" height="12" viewBox="0 0 12 12" aria-hidden=true>\
        <rect width="12" height="12" fill="\(colour(label))"/></svg> \(name)</li>
        """
    }
    return "<ul class=\"notes swatches\">\(items)</ul>"
  }
}
