/// A curve as small as a word: its shape, without axes.
package enum Sparkline {
  static let (width, height) = (120, 28)
  private static let points = 48

  /// - Parameters:
  ///   - values: epoch by epoch; those that are no number are gaps.
  ///   - range: what the height stands for, the same for all curves that are compared.
  /// - Returns: empty markup for fewer than two numbers.
  package static func markup(_ values: [Double], in range: ClosedRange<Double>, label: String) -> Markup {
    guard values.count(where: \.isFinite) > 1 else { return "" }
    let span = CurveSpan(range)
    let count = min(points, values.count)
    var path = ""
    var isPenDown = false
    for index in 0..<count {
      let place = count == 1 ? 0 : index * (values.count - 1) / (count - 1)
      guard values[place].isFinite else {
        isPenDown = false
        continue
      }
      let share = span.share(values[place])
      let x = 2 + index * (width - 4) / max(1, count - 1)
      let y = height - 3 - Int((share * Double(height - 6)).rounded())
      path += "\(isPenDown ? "L" : "M")\(x) \(y)"
      isPenDown = true
    }
    return """
      <svg class=spark viewBox="0 0 \(width) \(height)" width=\(width) height=\(height) role=img aria-label="\(label)">\
      <path d="\(path)"/></svg>
      """
  }
}

/// What the height of a curve stands for.
struct CurveSpan {
  private let low: Double
  private let high: Double

  init(_ range: ClosedRange<Double>) {
    low = range.lowerBound
    high = range.upperBound
  }

  /// In [0, 1], also where the difference of the ends is larger than a number can be.
  func share(_ value: Double) -> Double {
    let spread = max(high / 2 - low / 2, 5e-13)
    return min(1, max(0, (value / 2 - low / 2) / spread))
  }
}
