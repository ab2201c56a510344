/// Numbers as people read them, whatever the locale.
package enum NumberFormat {
  /// So many digits after the point, rounded half away from zero.
  package static func fixed(_ value: Double, _ places: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    let scale = (0..<max(0, places)).reduce(1.0) { product, _ in product * 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e15 else { return value.description }
    let (whole, unit) = (Int(scaled), Int(scale))
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard places > 0 else { return sign + "\(whole)" }
    let tail = String(whole % unit)
    return "\(sign)\(whole / unit).\(String(repeating: "0", count: places - tail.count))\(tail)"
  }

  /// Whether a number shows no digit but 0.
  package static func readsZero(_ value: Double, _ places: Int) -> Bool {
    fixed(value, places).allSatisfy { "0.-".contains($0) }
  }

  /// One in the last place: `0.01` for two.
  package static func unit(_ places: Int) -> String {
    places > 0 ? "0.\(String(repeating: "0", count: places - 1))1" : "1"
  }

  /// `+0.30`, `-0.07`; what reads as 0 has no sign.
  package static func signed(_ value: Double, _ places: Int) -> String {
    let text = fixed(value, places)
    return text.hasPrefix("-") || readsZero(value, places) ? text : "+" + text
  }

  /// A p value: two digits from 0.1 on, three below, `<0.001`.
  package static func p(_ value: Double?) -> String {
    guard let value else { return "-" }
    if value < 0.0005 { return "<0.001" }
    return fixed(value, value < 0.0995 ? 3 : 2)
  }

  /// In a sentence: `p = 0.38`, `p < 0.001`.
  package static func pEquals(_ value: Double) -> String {
    let text = p(value)
    return text.hasPrefix("<") ? "p < \(text.dropFirst())" : "p = \(text)"
  }

  /// Digits after the point that a standard deviation deserves: two significant ones where it begins with 1,
  /// 2 or 3 up to 354, else one, as the Particle Data Group rounds.
  package static func places(forSpread spread: Double) -> Int? {
    guard spread > 0, spread.isFinite else { return nil }
    var (value, exponent) = (spread, 0)
    while value < 1, exponent < 8 { (value, exponent) = (value * 10, exponent + 1) }
    while value >= 10 { (value, exponent) = (value / 10, exponent - 1) }
    let significant = value < 3.545 || value >= 9.495 ? 2 : 1
    let carried = value >= 9.495 ? exponent - 1 : exponent
    return min(6, max(0, carried + significant - 1))
  }
}
