internal import Specs

/// Precision over recall of what a detector has found.
enum PrecisionFigure {
  /// - Returns: nil where there are no curves of the kind.
  static func draw(_ findings: TransferFindings, ofMasks: Bool) -> SVG? {
    let curves = findings.curves.filter { $0.isOfMasks == ofMasks }
    guard !curves.isEmpty else { return nil }
    var lines: [(name: String, values: [Double])] = curves.map {
      ("mean, IoU \(NumberFormat.fixed($0.overlap, 2))", $0.mean)
    }
    let classes = curves.first { !$0.classes.isEmpty }
    let known = (classes?.classes ?? []).enumerated().compactMap { index, values in
      values.map { (index: index, values: $0) }
    }
    // Of one class alone the mean is the curve.
    let shown = known.count > 1 ? known.prefix(FigureStyle.count - lines.count) : []
    lines += shown.map { (findings.classes[$0.index], $0.values) }
    let what = ofMasks ? "masks" : "boxes"
    let overlap = NumberFormat.fixed(classes?.overlap ?? 0.5, 2)
    let left = known.count > 1 ? known.count - shown.count : 0
    let note =
      "Interpolated at 101 recalls as COCO does; classes at IoU \(overlap)"
      + (left > 0 ? ", the first \(shown.count) of \(known.count)." : ".")
    let width = 560 + Legend.width(lines.map(\.name))
    var svg = SVG(
      width: width, height: 430, title: "Precision over recall of \(what)", description: note)
    svg.text("Precision over recall of \(what)", Point(66, 26), "title")
    let frame = Frame(x: share, y: share, left: 66, top: 46, width: 470, height: 300)
    frame.draw(on: &svg, x: "recall", y: "precision")
    for (index, line) in lines.enumerated() {
      let points = line.values.enumerated().map { place, value in
        frame.at(Double(place) / Double(line.values.count - 1), value)
      }
      let style = index < curves.count ? FigureStyle.stroke(index) : "thin c\(index % FigureStyle.count)"
      svg.path(points, style, dash: FigureStyle.dash(index))
      // Now and then, shifted from line to line.
      for place in stride(from: 3 * index % 20, to: points.count, by: 20) {
        svg.marker(index, points[place], radius: 3, FigureStyle.fill(index))
      }
    }
    Legend.draw(
      lines.indices.map { (lines[$0].name, Legend.Mark.line($0)) }, on: &svg, at: Point(556, 46))
    svg.note(note)
    return svg
  }

  private static let share = Scale(
    low: 0, high: 1, ticks: (0...5).map { (Double($0) / 5, NumberFormat.fixed(Double($0) / 5, 1)) })
}

/// What a transfer's numbers were while it was trained.
enum StepsFigure {
  /// Of detection or of segmentation.
  static let metrics =
    [false, true].flatMap { mask in
      ["AP", "AP50", "AP75"].map { TransferMetrics.precision($0, mask: mask) }
    } + [
      TransferMetrics.meanIntersection, TransferMetrics.meanIntersectionOfPresent,
      TransferMetrics.pixelAccuracy,
    ]

  /// - Parameter course: steps with the metrics after them.
  /// - Returns: nil where no metric was measured twice.
  static func draw(_ course: [(step: Int, metrics: Metrics)]) -> SVG? {
    let lines = metrics.compactMap { name -> (name: String, points: [(x: Double, y: Double)])? in
      let points = course.compactMap { record in
        record.metrics[name].map { (x: Double(record.step), y: $0) }
      }
      return points.count > 1 ? (name, points) : nil
    }
    guard !lines.isEmpty else { return nil }
    let values = lines.flatMap { $0.points.map(\.y) }
    let steps = lines.flatMap { $0.points.map(\.x) }
    let width = 560 + Legend.width(lines.map(\.name))
    let note = "On the test images, as often as \"evalEvery\" says; the last one is the result."
    var svg = SVG(width: width, height: 430, title: "Test metrics over the steps", description: note)
    svg.text("Test metrics over the steps", Point(66, 26), "title")
    let frame = Frame(
      x: Scale(covering: steps, from: true), y: Scale(covering: values, from: true), left: 66, top: 46,
      width: 470, height: 300)
    frame.draw(on: &svg, x: "step", y: "%")
    for (index, line) in lines.enumerated() {
      let points = line.points.map { frame.at($0.x, $0.y) }
      svg.path(points, FigureStyle.stroke(index), dash: FigureStyle.dash(index))
      for point in points { svg.marker(index, point, radius: 3.6, FigureStyle.fill(index)) }
    }
    Legend.draw(
      lines.indices.map { (lines[$0].name, Legend.Mark.line($0)) }, on: &svg, at: Point(556, 46))
    svg.note(note)
    return svg
  }
}
