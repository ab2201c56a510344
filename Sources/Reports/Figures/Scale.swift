internal import Specs

/// Where values stand along an axis.
struct Scale: Sendable {
  let low: Double
  let high: Double
  /// Values with their texts.
  let ticks: [(value: Double, text: String)]
  /// Whether the texts are names rather than numbers.
  var isNames = false

  /// Round numbers around the values, about `count` ticks.
  init(covering values: [Double], count: Int = 6, from zero: Bool = false) {
    let finite = values.filter(\.isFinite)
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    if zero { (low, high) = (min(0, low), max(0, high)) }
    // No step of a scale is as large as numbers can be.
    low = max(low, -Self.most)
    high = min(high, Self.most)
    if high - low < 1e-9 * max(1, abs(high)) {
      let reach = max(0.5, 0.01 * abs(high))
      (low, high) = (zero && low == 0 ? 0 : low - reach, high + reach)
    }
    let step = Self.step((high - low) / Double(max(1, count - 1)))
    // A mean of weights that sum to 1 may be a hair above it.
    let (first, last) = ((low / step.size + 1e-6).rounded(.down), (high / step.size - 1e-6).rounded(.up))
    // Not multiplied up from the first: 0.1 + 0.1 + 0.1 is not 0.3.
    ticks = (Int(first)...Int(last)).map { index in
      let value = Double(index) * step.size
      return (value, NumberFormat.fixed(value, step.places))
    }
    self.low = ticks.first!.value
    self.high = ticks.last!.value
  }

  private static let most = 1e300

  /// Exactly from low to high, with ticks at some places.
  init(low: Double, high: Double, ticks: [(value: Double, text: String)]) {
    self.low = low
    self.high = high
    self.ticks = ticks
  }

  /// Names side by side, at 0, 1, 2 …
  init(names: [String]) {
    self.init(
      low: -0.5, high: Double(names.count) - 0.5,
      ticks: names.enumerated().map { (Double($0.offset), $0.element) })
    isNames = true
  }

  /// Epochs counted from 1, whole ones only.
  init(epochs: Int) {
    let step = max(1, Self.step(Double(max(1, epochs)) / 7).size.rounded())
    let ticks = stride(from: step, through: Double(epochs), by: step).map { ($0, NumberFormat.fixed($0, 0)) }
    self.init(
      low: epochs > 1 ? 1 : 0.5, high: epochs > 1 ? Double(epochs) : 1.5,
      ticks: step > 1 ? [(1, "1")] + ticks : ticks)
  }

  /// Some epochs, counted from 1; at least two.
  init(epochs: ClosedRange<Int>) {
    let step = max(1, Self.step(Double(epochs.count) / 7).size.rounded())
    let first = (Double(epochs.lowerBound) / step).rounded(.up) * step
    self.init(
      low: Double(epochs.lowerBound), high: Double(epochs.upperBound),
      ticks: stride(from: first, through: Double(epochs.upperBound), by: step).map {
        ($0, NumberFormat.fixed($0, 0))
      })
  }

  /// Whether a value lies between the ends.
  func contains(_ value: Double) -> Bool { value >= low && value <= high }

  /// In [0, 1] for values between the ends.
  func share(_ value: Double) -> Double {
    (min(Self.most, max(-Self.most, value)) - low) / (high - low)
  }

  /// 1, 2 or 5 times a power of ten, not below `width`, and the digits that it needs after the point.
  private static func step(_ width: Double) -> (size: Double, places: Int) {
    var (power, places) = (1.0, 0)
    while power > width, places < 12 { (power, places) = (power / 10, places + 1) }
    while power * 10 <= width { (power, places) = (power * 10, places - 1) }
    // Powers of ten below 1 are not exact: divide instead.
    let unit = places > 0 ? 1 / (0..<places).reduce(1.0) { product, _ in product * 10 } : power
    let factor = [1.0, 2, 5].first { $0 * unit >= width * (1 - 1e-9) } ?? 10
    return (factor * unit, max(0, factor == 10 ? places - 1 : places))
  }
}

/// The area between two axes.
struct Frame: Sendable {
  var x: Scale
  var y: Scale
  var left: Double
  var top: Double
  var width: Double
  var height: Double

  func at(_ x: Double, _ y: Double) -> Point {
    Point(left + self.x.share(x) * width, top + (1 - self.y.share(y)) * height)
  }

  var bottom: Double { top + height }
  var right: Double { left + width }

  /// Grid, axes, ticks and titles.
  func draw(on svg: inout SVG, x titleX: String, y titleY: String, vertical: Bool = false) {
    for tick in y.ticks {
      let y = at(x.low, tick.value).y
      svg.line(Point(left, y), Point(right, y), "grid")
      svg.text(tick.text, Point(left - 7, y + 4), anchor: "end")
    }
    let slot = width / Double(max(1, x.ticks.count))
    // Names that do not fit beside each other take turns in two rows.
    let rows =
      x.isNames && x.ticks.contains { TextFit.width($0.text) > slot - 8 } && x.ticks.count > 1 ? 2 : 1
    for (place, tick) in x.ticks.enumerated() {
      let x = at(tick.value, y.low).x
      if vertical { svg.line(Point(x, top), Point(x, bottom), "grid") }
      svg.line(Point(x, bottom), Point(x, bottom + 4), "axis")
      svg.text(
        tick.text, Point(x, bottom + 18 + 14 * Double(place % rows)), anchor: "middle",
        room: self.x.isNames ? Double(rows) * slot - 8 : .infinity)
    }
    svg.line(Point(left, bottom), Point(right, bottom), "axis")
    svg.line(Point(left, top), Point(left, bottom), "axis")
    if !titleX.isEmpty {
      svg.text(titleX, Point(left + width / 2, bottom + 37 + 12 * Double(rows - 1)), anchor: "middle")
    }
    if !titleY.isEmpty {
      svg.text(titleY, Point(left - 46, top + height / 2), anchor: "middle", turned: true)
    }
  }
}
