internal import Specs

/// What tables in LaTeX share: escaping, and how wide the usual fonts set a text.
enum LaTeXText {
  /// Inches of a column of the usual two-column pages, and of both with what is between them.
  static let (column, page) = (3.3, 6.9)

  static func escaped(_ text: String) -> String {
    ForeignText.safe(ForeignText.bounded(text), for: .latex)
  }

  /// A remark on characters that LaTeX's usual fonts do not have and that stand as `?`;
  /// nil where there are none.
  static func lost(_ texts: [String]) -> String? {
    var scalars: Set<Unicode.Scalar> = []
    for scalar in texts.joined().unicodeScalars where !scalar.isASCII {
      if ForeignText.safe(String(scalar), for: .latex) == "?" { scalars.insert(scalar) }
    }
    guard !scalars.isEmpty else { return nil }
    let names = scalars.sorted().prefix(20).map { "U+\(String($0.value, radix: 16, uppercase: true))" }
    return "% Shown as ?, because LaTeX's usual fonts lack them: \(names.joined(separator: ", "))"
      + (scalars.count > 20 ? " and \(scalars.count - 20) more." : ".")
  }

  /// Says whether a table of so many inches fits a column, or by how much it does not.
  static func fit(_ width: Double) -> String {
    func inches(_ value: Double) -> String { NumberFormat.fixed(value, 2) }
    let size = "% About \(inches(width)) in wide at \\small: "
    if width <= column { return "\(size)fits a column of \(column) in." }
    if width <= page {
      return
        "\(size)\(inches(width - column)) in more than a column of \(column) in, so it spans both; "
        + "fewer --columns, or --where, make it fit."
    }
    return
      "\(size)\(inches(width - page)) in more than both columns of a page, \(page) in: it runs over "
      + "the margin until fewer --columns, or --where, make it fit."
  }

  /// The environment for a table of so many inches: over both columns where one is too narrow.
  static func environment(_ width: Double) -> String { width > column ? "table*" : "table" }

  /// Inches of a table: texts of its columns in points, with the usual gaps.
  static func inches(_ columns: [Double]) -> Double {
    columns.reduce(0) { $0 + $1 + 12 } / 72.27
  }

  // MARK: Computer Modern at nine points, which is \small of a text at ten

  /// Points of a text.
  static func width(_ text: some StringProtocol, isBold: Bool = false) -> Double {
    text.unicodeScalars.reduce(0) { $0 + thousandths($1) } / 1000 * 9.25 * (isBold ? 1.156 : 1)
  }

  /// Points of `$41.3_{\pm 0.8}$`, as measured: digits and points on the line and below it.
  static func width(mean: String, spread: String?, isBold: Bool) -> Double {
    func sum(_ text: String, digit: Double, point: Double, sign: Double) -> Double {
      text.reduce(0) { $0 + ($1.isNumber ? digit : $1 == "." ? point : $1 == " " ? 0 : sign) }
    }
    let line = sum(mean, digit: isBold ? 5.325 : 4.625, point: 2.569, sign: 7.194)
    guard let spread else { return line }
    return line + sum("±" + spread, digit: 3.667, point: 2.278, sign: 5.778) + 0.5
  }

  private static let lower: [Double] = [
    500, 556, 444, 556, 444, 306, 500, 556, 278, 306, 528, 278, 833, 556, 500, 556, 528, 392, 394, 389, 556,
    528,
    722, 528, 528, 444,
  ]
  private static let upper: [Double] = [
    750, 708, 722, 764, 681, 653, 785, 750, 361, 514, 778, 625, 917, 750, 778, 681, 778, 736, 556, 722, 750,
    750,
    1028, 750, 750, 611,
  ]

  /// Of the font's size.
  private static func thousandths(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "a"..."z": lower[Int(scalar.value - 97)]
    case "A"..."Z": upper[Int(scalar.value - 65)]
    case ".", ",", ":", ";", "'", "!", "|", "[", "]": 278
    case "-", " ": 333
    case "_": 360
    case "(", ")": 389
    case "=", "+", "<", ">", "±", "−", "≈", "×", "&": 778
    case "%", "#": 833
    case "→", "«", "»": 1000
    // An accent takes no room of its own.
    default: scalar.properties.isUppercase ? 740 : 500
    }
  }
}
