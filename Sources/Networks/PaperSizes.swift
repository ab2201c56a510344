package import Specs

/// Sizes as the paper's Tables 1 to 3 print them, for a look beside our own, which are exact.
package struct PaperSizes: Sendable {
  /// Millions.
  package let parameters: DecimalNumber
  /// Millions; the paper prints thousands of millions from a thousand on.
  package let multiplyAdds: DecimalNumber

  /// Of a network by the name that the program writes; nil where no table has it.
  package static func of(_ id: String) -> PaperSizes? {
    printed.first { $0.id == id }.flatMap { row in
      guard let parameters = DecimalNumber(row.parameters), let multiplyAdds = DecimalNumber(row.multiplyAdds)
      else { return nil }
      return PaperSizes(parameters: parameters, multiplyAdds: multiplyAdds)
    }
  }

  private static let printed: [(id: String, parameters: String, multiplyAdds: String)] = [
    ("resnet56", "0.9", "125.8"),
    ("resnet32x4", "7.4", "1083.0"),
    ("wrn-28-4", "5.9", "845.6"),
    ("regnetx-200mf", "2.4", "223.4"),
    ("regnetx-400mf", "4.8", "466.2"),
    ("regnety-400mf", "5.8", "467.1"),
    ("mobilenetv2", "2.4", "22.4"),
    ("shufflenetv2", "1.4", "44.5"),
    ("resnet18", "11.7", "1800"),
    ("resnet34", "21.8", "3700"),
    ("resnet50", "25.6", "4100"),
    ("resnet101", "44.5", "7800"),
    ("wide-resnet50-2", "68.9", "11400"),
    ("resnext50-32x4d", "25.0", "4200"),
    ("deit-tiny", "5.7", "1300"),
    ("deit-small", "22.1", "4600"),
    ("deit-base", "86.6", "17500"),
    ("cait-xxs24", "12.0", "2500"),
    ("cait-s24", "46.9", "9400"),
  ]
}
