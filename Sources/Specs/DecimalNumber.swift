/// A decimal number, mantissa × 10^exponent, with 18 significant digits.
///
/// `0.3`, `3e-1` and the third of a range are one value with one encoding, which
/// binary fractions cannot offer.
public struct DecimalNumber: Hashable, Sendable {
  /// Without trailing zeros in base ten; 0 for zero.
  public let mantissa: Int64
  /// 0 for zero.
  public let exponent: Int

  /// A whole number.
  public init(_ value: Int) { self.init(mantissa: Int64(value), exponent: 0) }

  /// mantissa × 10^exponent.
  public init(mantissa: Int64, exponent: Int) {
    var (mantissa, exponent) = (mantissa, exponent)
    while mantissa != 0, mantissa % 10 == 0 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    self.mantissa = mantissa
    self.exponent = mantissa == 0 ? 0 : exponent
  }

  /// Reads a JSON number, such as `-1.5e3`. Nil for anything else, for more than 18 significant digits, for
  /// an exponent beyond ±400 and for what no `Double` holds.
  package init?(_ text: some StringProtocol) { self.init(utf8: text.utf8) }

  package init?(utf8 bytes: some Collection<UInt8>) {
    var rest = bytes[...]
    func digit() -> Int64? { rest.first.flatMap { (48...57).contains($0) ? Int64($0 - 48) : nil } }
    let negative = rest.first == UInt8(ascii: "-")
    if negative { rest = rest.dropFirst() }
    var (mantissa, exponent, digits) = (Int64(0), 0, 0)
    let leadingZero = rest.first == UInt8(ascii: "0")
    while let next = digit() {
      if leadingZero, digits > 0 { return nil }
      guard mantissa < 100_000_000_000_000_000 else { return nil }
      (mantissa, digits, rest) = (mantissa * 10 + next, digits + 1, rest.dropFirst())
    }
    guard digits > 0 else { return nil }
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      guard digit() != nil else { return nil }
      while let next = digit() {
        guard mantissa < 100_000_000_000_000_000 else { return nil }
        (mantissa, exponent, rest) = (mantissa * 10 + next, exponent - 1, rest.dropFirst())
      }
    }
    if let mark = rest.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      let sign = rest.first
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
      guard digit() != nil else { return nil }
      var power = 0
      while let next = digit() {
        guard power < 400 else { return nil }
        (power, rest) = (power * 10 + Int(next), rest.dropFirst())
      }
      exponent += sign == UInt8(ascii: "-") ? -power : power
    }
    guard rest.isEmpty, abs(exponent) <= 400 else { return nil }
    self.init(mantissa: negative ? -mantissa : mantissa, exponent: exponent)
    // A mantissa of 18 digits reaches the end of Double's range from here on.
    guard exponent <= 290 || double.isFinite else { return nil }
  }

  /// The decimal nearest to a binary value: the shortest text that reads back as the same `Double`.
  /// Nil when it is not finite.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    self.init(value.description)
  }

  /// The value as an integer, where it is one that fits.
  public var integer: Int? {
    guard exponent >= 0, exponent <= 18 else { return nil }
    var value = mantissa
    for _ in 0..<exponent {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    return Int(value)
  }

  /// The nearest `Double`.
  public var double: Double {
    if let integer, abs(integer) < 1 << 53 { return Double(integer) }
    return Double("\(mantissa)e\(exponent)")!
  }

  /// self + other; nil where the sum needs more than 18 digits.
  package func adding(_ other: DecimalNumber) -> DecimalNumber? {
    let low = min(exponent, other.exponent)
    guard let a = scaled(to: low), let b = other.scaled(to: low) else { return nil }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : DecimalNumber(mantissa: sum, exponent: low)
  }

  /// self × factor; nil where the product needs more than 18 digits.
  package func multiplied(by factor: Int) -> DecimalNumber? {
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: Int64(factor))
    return overflow ? nil : DecimalNumber(mantissa: product, exponent: exponent)
  }

  private func scaled(to low: Int) -> Int64? {
    guard exponent - low <= 18 else { return mantissa == 0 ? 0 : nil }
    var value = mantissa
    for _ in low..<exponent {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    return value
  }
}

extension DecimalNumber: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(mantissa: Int64(value), exponent: 0) }
}

extension DecimalNumber: Comparable {
  public static func < (a: DecimalNumber, b: DecimalNumber) -> Bool {
    let low = min(a.exponent, b.exponent)
    if let x = a.scaled(to: low), let y = b.scaled(to: low) { return x < y }
    return a.double < b.double
  }
}

/// The one text of the value: plain digits where they are short (`0.05`, `240`), else `mantissa e exponent`.
extension DecimalNumber: CustomStringConvertible {
  public var description: String {
    if exponent == 0 { return String(mantissa) }
    let sign = mantissa < 0 ? "-" : ""
    let digits = String(mantissa.magnitude)
    if exponent > 0 {
      return exponent + digits.count <= 18
        ? sign + digits + String(repeating: "0", count: exponent) : "\(mantissa)e\(exponent)"
    }
    let point = digits.count + exponent
    if point > 0 { return sign + digits.prefix(point) + "." + digits.suffix(-exponent) }
    return point > -6
      ? sign + "0." + String(repeating: "0", count: -point) + digits : "\(mantissa)e\(exponent)"
  }
}
