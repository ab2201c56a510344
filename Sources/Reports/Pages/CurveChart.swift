/// One metric of one run over its epochs, with the numbers that a reader wants at a glance: first, last, lowest, highest.
package enum CurveChart {
  private static let (width, height) = (320, 150)
  private static let (left, right, top, bottom) = (46, 12, 26, 22)

  /// - Parameter values: epoch by epoch; those that are no number are gaps.
  package static func markup(_ name: String, _ values: [Double]) -> Markup {
    let numbers = values.filter(\.isFinite)
    guard let low = numbers.min(), let high = numbers.max() else { return "" }
    let reach = min(max(abs(high), 1) * 0.05, 1e300)
    let span = CurveSpan(high > low ? low...high : low - reach...high + reach)
    func x(_ index: Int) -> Int {
      left
        + (values.count > 1
          ? index * (width - left - right) / (values.count - 1) : (width - left - right) / 2)
    }
    func y(_ value: Double) -> Int {
      height - bottom - Int((span.share(value) * Double(height - top - bottom)).rounded())
    }
    var path = ""
    var isPenDown = false
    // More points than pixels show nothing more.
    let stride = max(1, values.count / 600)
    for index in Swift.stride(from: 0, to: values.count, by: stride) {
      guard values[index].isFinite else {
        isPenDown = false
        continue
      }
      path += "\(isPenDown ? "L" : "M")\(x(index)) \(y(values[index]))"
      isPenDown = true
    }
    let last = values.lastIndex(where: \.isFinite)!
    let dot: Markup = "<circle cx=\(x(last)) cy=\(y(values[last])) r=3 />"
    return """
      <figure class=chart><svg viewBox="0 0 \(width) \(height)" role=img aria-label="\(name) over epochs: last \(text(values[last])), lowest \(text(low)), highest \(text(high))">\
      <text class=name x=\(left) y=14>\(name)</text><text x=\(width - right) y=14 text-anchor=end>\(text(values[last]))</text>\
      <line class=axis x1=\(left) x2=\(width - right) y1=\(height - bottom) y2=\(height - bottom) />\
      <text x=\(left - 6) y=\(y(high) + 4) text-anchor=end>\(text(high))</text>\(high > low ? "<text x=\(left - 6) y=\(y(low) + 4) text-anchor=end>\(text(low))</text>" : "" as Markup)\
      <text x=\(left) y=\(height - 6)>1</text><text x=\(width - right) y=\(height - 6) text-anchor=end>epoch \(values.count)</text>\
      <path class=curve d="\(path)"/>\(dot)</svg></figure>
      """
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
