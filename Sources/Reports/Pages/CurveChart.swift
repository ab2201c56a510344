/// One metric of one run over its epochs, with the numbers that a reader wants at a glance:
/// first, last, lowest, highest.
package enum CurveChart {
  /// - Parameters:
  ///   - values: epoch by epoch; those that are no number are gaps.
  ///   - end: the epoch in which the run diverged, from 1; nil where it did not.
  package static func markup(_ name: String, _ values: [Double], divergedIn end: Int? = nil) -> Markup {
    let numbers = values.filter(\.isFinite)
    guard let low = numbers.min(), let high = numbers.max(), let last = numbers.last else { return "" }
    let windows = PageChart.windows([values], epochs: max(values.count, end ?? 0)) { range($0[0]) }
    let head: Markup = """
      <text class=name x=46 y=14>\(name)</text><text x=308 y=14 text-anchor=end>\(text(last))</text>
      """
    let chart = PageChart(
      name: name,
      label: "\(name) over epochs: last \(text(last)), lowest \(text(low)), highest \(text(high))",
      size: (320, 150), left: 46, top: 26, lines: [PageChart.Line(name: "", values: values, style: "curve")],
      ends: end.map { [Divergence(epoch: $0, value: last)] } ?? [], head: head)
    return chart.markup(windows)
  }

  private static func range(_ values: [Double]) -> ClosedRange<Double>? {
    let numbers = values.filter(\.isFinite)
    guard let low = numbers.min(), let high = numbers.max() else { return nil }
    if high > low { return low...high }
    let reach = min(max(abs(high), 1) * 0.05, 1e300)
    return low - reach...high + reach
  }

  /// Four digits.
  package static func text(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    let size = abs(value)
    if size != 0, size < 0.001 || size >= 100_000 {
      let exponent = log10Floor(size)
      let mantissa = value / power(exponent)
      return "\((mantissa * 10).rounded() / 10)e\(exponent)"
    }
    let scale: Double = size >= 1000 ? 1 : size >= 100 ? 10 : size >= 10 ? 100 : size >= 1 ? 1000 : 10000
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  private static func log10Floor(_ value: Double) -> Int {
    var (exponent, rest) = (0, value)
    while rest >= 10 { (rest, exponent) = (rest / 10, exponent + 1) }
    while rest < 1 { (rest, exponent) = (rest * 10, exponent - 1) }
    return exponent
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<abs(exponent)).reduce(1.0) { value, _ in exponent < 0 ? value / 10 : value * 10 }
  }
}
