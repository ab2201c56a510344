import Specs
import TestSupport
import Testing

@Suite struct DecimalNumberTests {
  @Test(arguments: [
    ("0.3", 3, -1), ("3e-1", 3, -1), ("0.30", 3, -1), ("300", 3, 2), ("3E+2", 3, 2), ("-0.05", -5, -2),
    ("0", 0, 0), ("-0.0", 0, 0),
    ("0e5", 0, 0), ("123456789012345678", 123_456_789_012_345_678, 0), ("1e-400", 1, -400),
    ("100000000000000000", 1, 17),
  ])
  func `a value has one form whatever its spelling`(_ text: String, _ mantissa: Int64, _ exponent: Int) throws
  {
    let number = try #require(DecimalNumber(text))
    #expect(number.mantissa == mantissa && number.exponent == exponent)
    #expect(number == DecimalNumber(mantissa: mantissa, exponent: exponent))
  }

  @Test(arguments: [
    "", "-", "1.", ".1", "01", "1e", "1e401", "1e-401", "1234567890123456789", "1.5e308e", " 1", "1 ",
    "2e308", "179769313486231581e291", "٣",
  ])
  func `anything else is no number`(_ text: String) { #expect(DecimalNumber(text) == nil) }

  @Test(arguments: [
    ("240", "240"), ("0.05", "0.05"), ("5e-2", "0.05"), ("1e-4", "0.0001"), ("1.25e-6", "0.00000125"),
    ("1e-7", "1e-7"), ("1.5e-9", "15e-10"),
    ("1e17", "100000000000000000"), ("1e18", "1e18"), ("-2.50", "-2.5"), ("1200", "1200"),
  ])
  func `the text of a value is fixed, because keys are made of it`(_ text: String, _ expected: String) throws
  {
    let number = try #require(DecimalNumber(text))
    #expect(number.description == expected)
    #expect(DecimalNumber(expected) == number)
  }

  @Test func `doubles go in and out without loss`() throws {
    for value in [
      0.1, 1.0 / 3, .leastNonzeroMagnitude, 1.7976931348623157e308, -2.5, 1e22, 123456.789, .pi, 0,
    ] {
      #expect(try #require(DecimalNumber(value)).double == value, "\(value)")
    }
    #expect(DecimalNumber(Double.nan) == nil && DecimalNumber(Double.infinity) == nil)
  }

  @Test func `order is that of the values`() throws {
    let texts = ["-1e300", "-2", "-1.5", "0", "1e-300", "0.1", "0.3", "1", "999999999999999999", "1e300"]
    let numbers = try texts.map { try #require(DecimalNumber($0)) }
    #expect(numbers == numbers.shuffled().sorted())
  }

  @Test func `integers are those that fit`() {
    #expect(DecimalNumber("12e3")?.integer == 12000)
    #expect(DecimalNumber("5.0")?.integer == 5)
    #expect(DecimalNumber("0.5")?.integer == nil)
    #expect(DecimalNumber("1e18")?.integer == 1_000_000_000_000_000_000)
    #expect(DecimalNumber("1e19")?.integer == nil)
  }
}

@Suite struct DecimalRangeTests {
  private func texts(_ kind: String, _ numbers: String...) throws -> [String] {
    try DecimalRange.values(kind, numbers.map { try #require(DecimalNumber($0)) }).get().map(\.description)
  }

  @Test func `a range counts in decimals and has both its ends`() throws {
    #expect(
      try texts("range", "0", "1", "0.1") == [
        "0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1",
      ])
    #expect(try texts("range", "-1", "1", "1") == ["-1", "0", "1"])
    #expect(try texts("range", "0.3", "0.3", "5") == ["0.3"])
  }

  @Test func `linspace divides evenly, and thirds have ten digits`() throws {
    #expect(try texts("linspace", "0", "0.3", "4") == ["0", "0.1", "0.2", "0.3"])
    #expect(try texts("linspace", "0", "1", "4") == ["0", "0.3333333333", "0.6666666667", "1"])
    #expect(try texts("linspace", "4", "0", "3") == ["4", "2", "0"])
  }

  @Test func `logspace takes end values, not exponents`() throws {
    #expect(try texts("logspace", "0.001", "1", "4") == ["0.001", "0.01", "0.1", "1"])
    #expect(try texts("logspace", "1", "8", "4") == ["1", "2", "4", "8"])
  }

  @Test(arguments: [
    ("range", ["0", "1", "0.3"]), ("range", ["0", "1", "0"]), ("range", ["1", "0", "1"]),
    ("range", ["0", "1e300", "1e-300"]),
    ("linspace", ["0", "1", "1"]), ("linspace", ["0", "1", "2.5"]),
    ("linspace", ["-1.7e308", "1.7e308", "3"]), ("linspace", ["1", "1", "3"]),
    ("logspace", ["0", "1", "3"]), ("logspace", ["-1", "1", "3"]), ("logspace", ["1e-320", "1e300", "3"]),
    ("linspace", ["0", "1", "1e9"]),
  ])
  func `what makes no list of values is refused`(_ kind: String, _ numbers: [String]) throws {
    let numbers = try numbers.map { try #require(DecimalNumber($0)) }
    #expect(throws: DecimalRange.Problem.self) { try DecimalRange.values(kind, numbers).get() }
  }
}
