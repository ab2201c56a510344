internal import Specs

/// Lines over the epochs in a small frame, as pages show them: to be read as they are; with scripts values
/// follow the pointer and the arrow keys, and a button shows the last third of the epochs by itself.
struct PageChart {
  struct Line {
    let name: String
    /// Epoch by epoch; those that are no number are gaps.
    let values: [Double]
    /// A class of the page's sheet.
    let style: String
  }

  /// Which epochs are shown, counted from 1, and what the frame's height stands for.
  struct Window {
    let epochs: ClosedRange<Int>
    let range: ClosedRange<Double>
  }

  /// What the chart is called among those of a page, and in a sentence.
  let name: String
  let label: String
  let size: (width: Int, height: Int)
  let left: Int
  let top: Int
  let lines: [Line]
  let ends: [Divergence]
  /// Above the frame.
  var head: Markup = ""
  private static let (right, bottom) = (12, 20)
  /// Epochs of a path: more points than pixels show nothing more.
  private static let points = 200

  /// - Parameter windows: all epochs, then the last third where it can be shown by itself.
  func markup(_ windows: [Window], caption: Markup = "") -> Markup {
    let drawings = windows.enumerated().map { drawing($1, isHidden: $0 > 0) }
    let course = CourseData(name: name, plots: [("", lines.map { ($0.name, $0.values) })])
    return "<figure class=chart data-course=\"\(course.text)\">\(caption)\(drawings)</figure>"
  }

  /// All epochs, and the last third of at least six.
  static func windows(
    _ values: [[Double]], epochs: Int, _ range: ([[Double]]) -> ClosedRange<Double>?
  ) -> [Window] {
    guard let whole = range(values) else { return [] }
    let all = Window(epochs: 1...max(1, epochs), range: whole)
    guard let first = LastThird.first(of: epochs),
      let late = range(values.map { Array($0.dropFirst(first - 1)) })
    else { return [all] }
    return [all, Window(epochs: first...epochs, range: late)]
  }

  private func drawing(_ window: Window, isHidden: Bool) -> Markup {
    let (width, height) = size
    let (right, foot) = (width - Self.right, height - Self.bottom)
    let (low, high) = (window.range.lowerBound, window.range.upperBound)
    let (first, last) = (window.epochs.lowerBound, window.epochs.upperBound)
    let paths = lines.map { line -> Markup in
      let known = line.values.enumerated().last { $1.isFinite && window.epochs.contains($0 + 1) }
      let dot: Markup =
        line.style == "curve"
        ? known.map { "<circle cx=\(x($0 + 1, window)) cy=\(y($1, window)) r=3 />" } ?? "" : ""
      return "<path class=\(line.style) d=\"\(path(line.values, window))\"/>\(dot)"
    }
    return """
      <svg viewBox="0 0 \(width) \(height)" role=img aria-label="\(label)" data-first=\(first) data-last=\(last)\(isHidden ? " hidden" : "" as Markup)>\
      \(head)<line class=axis x1=\(left) x2=\(right) y1=\(foot) y2=\(foot) />\
      <text x=\(left - 5) y=\(y(high, window) + 4) text-anchor=end>\(CurveChart.text(high))</text>\
      \(high > low ? "<text x=\(left - 5) y=\(y(low, window) + 4) text-anchor=end>\(CurveChart.text(low))</text>" : "" as Markup)\
      <text x=\(left) y=\(height - 5)>\(first)</text><text x=\(right) y=\(height - 5) text-anchor=end>epoch \(last)</text>\
      \(paths)\(crosses(window))<rect class=pick data-plot=0 x=\(left) y=\(top) width=\(right - left) height=\(foot - top) fill=none pointer-events=all />\
      </svg>
      """
  }

  private func x(_ epoch: Int, _ window: Window) -> Int {
    let (first, last) = (window.epochs.lowerBound, window.epochs.upperBound)
    let room = size.width - left - Self.right
    return last > first ? left + (epoch - first) * room / (last - first) : left + room / 2
  }

  private func y(_ value: Double, _ window: Window) -> Int {
    let room = Double(size.height - Self.bottom - top)
    return size.height - Self.bottom - Int((CurveSpan(window.range).share(value) * room).rounded())
  }

  private func path(_ values: [Double], _ window: Window) -> String {
    let epochs = Array(values.indices.filter { window.epochs.contains($0 + 1) })
    let count = min(Self.points, epochs.count)
    var path = ""
    var isPenDown = false
    for point in 0..<count {
      let epoch = epochs[count > 1 ? point * (epochs.count - 1) / (count - 1) : 0]
      guard values[epoch].isFinite else {
        isPenDown = false
        continue
      }
      path += "\(isPenDown ? "L" : "M")\(x(epoch + 1, window)) \(y(values[epoch], window))"
      isPenDown = true
    }
    return path
  }

  /// Where runs diverged; the first epoch of them is written down.
  private func crosses(_ window: Window) -> Markup {
    let shown = ends.filter { window.epochs.contains($0.epoch) }.sorted { $0.epoch < $1.epoch }
    guard let first = shown.first else { return "" }
    let marks = shown.map { end -> Markup in
      let (x, y) = (x(end.epoch, window), y(end.value ?? window.range.lowerBound, window))
      return "<path class=cross d=\"M\(x - 4) \(y - 4)l8 8M\(x - 4) \(y + 4)l8 -8\"/>"
    }
    let place = x(first.epoch, window)
    let isLeft = place < size.width / 2
    let count = shown.count { $0.epoch == first.epoch }
    let level = max(top + 10, y(first.value ?? window.range.lowerBound, window) - 8)
    return """
      \(marks)<text class=name x=\(place + (isLeft ? 7 : -7)) y=\(level)\(isLeft ? "" : " text-anchor=end" as Markup)>\
      \(count > 1 ? "\(count) runs " : "")diverged in epoch \(first.epoch)</text>
      """
  }
}

/// The epochs that a chart shows by themselves.
enum LastThird {
  /// The first of them, from 1; nil where there are too few.
  static func first(of epochs: Int) -> Int? { epochs >= 6 ? epochs - epochs / 3 + 1 : nil }
}

/// What the script of a page reads of a chart: the values of its lines, panel by panel.
struct CourseData {
  let name: String
  let plots: [(title: String, lines: [(name: String, values: [Double])])]
  /// Values of a line at most; of longer ones every second, third …
  private static let most = 600

  var text: String {
    let length = plots.flatMap { $0.lines.map(\.values.count) }.max() ?? 0
    let step = max(1, (length + Self.most - 1) / Self.most)
    let panels = plots.map { plot -> JSONValue in
      let lines = plot.lines.map { line -> JSONValue in
        let values = stride(from: 0, to: line.values.count, by: step).map { place in
          line.values[place].isFinite ? CurveChart.text(line.values[place]) : ""
        }
        return ["name": .string(line.name), "values": .string(values.joined(separator: ","))]
      }
      return ["title": .string(plot.title), "lines": .array(lines)]
    }
    return CanonicalJSON.text(of: [
      "name": .string(name), "step": .number(DecimalNumber(step)), "plots": .array(panels),
    ])
  }
}
