package import Specs

/// How a photograph is shown when a network is measured: its shorter side resampled, then
/// the middle square taken.
package struct ResizeRule: Hashable, Sendable {
  package enum Interpolation: String, CaseIterable, Sendable {
    case bilinear, bicubic
  }

  /// In pixels; 256 for squares of 224 by default.
  package var shorterSide: Int
  package var interpolation: Interpolation

  package init(shorterSide: Int, interpolation: Interpolation = .bilinear) {
    self.shorterSide = shorterSide
    self.interpolation = interpolation
  }

  package var json: JSONValue {
    ["shorterSide": .number(DecimalNumber(shorterSide)), "interpolation": .string(interpolation.rawValue)]
  }

  package init?(_ json: JSONValue) {
    guard let members = json.object, let side = members["shorterSide"]?.integer, (1...65536).contains(side),
      let interpolation = members["interpolation"]?.string.flatMap(Interpolation.init(rawValue:))
    else { return nil }
    shorterSide = side
    self.interpolation = interpolation
  }

  package func sentence(side: Int) -> String {
    "shorter side to \(shorterSide) (\(interpolation.rawValue)), middle \(side) × \(side)"
  }
}

extension ImageSet {
  /// How photographs are shown for measuring; nil for images that have the right size already.
  package var resize: ResizeRule? {
    photographs.map { $0.resize ?? PhotoView.usual(for: task.height) }
  }
}
