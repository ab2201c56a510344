internal import Specs

/// What a paper asks of a figure that a screen does not.
package struct FigureOptions: Sendable {
  /// Pixels, 96 to the inch; as wide as the kind likes where nil.
  package var width: Double?
  /// A family's name, before sans-serif.
  package var font: String?
  package var hasTitle = true
  /// The ends of the metric's axis.
  package var limits: ClosedRange<Double>?
  package var order = CellOrder.mean
  /// Whether a page's script finds the lines, the legend and the frames.
  var isForPage = false

  /// In which order cells stand below each other.
  package enum CellOrder: String, CaseIterable, Sendable { case mean, grid, name }

  package init() {}

  /// How wide a frame may be beside names and numbers.
  func frameWidth(beside rest: Double, usual: Double) -> Double { width.map { max(120, $0 - rest) } ?? usual }

  /// Whether a font's name is one: letters, digits, spaces and hyphens.
  package static func isFont(_ name: String) -> Bool {
    !name.isEmpty && name.count <= 60
      && name.allSatisfy { $0 == " " || $0 == "-" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
  }

  /// A length such as `3.3in`, `84mm`, `8.4cm`, `240pt` or `317px` in pixels, from 1 to 40 inches; nil for
  /// anything else.
  package static func pixels(_ text: String) -> Double? {
    let units = [("in", 96.0), ("mm", 96 / 25.4), ("cm", 96 / 2.54), ("pt", 96 / 72.0), ("px", 1.0)]
    guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }),
      let number = Double(text.dropLast(unit.count)), (96...3840).contains(number * factor)
    else { return nil }
    return number * factor
  }
}

extension FigureInput {
  /// An axis of the metric between the ends that were asked for.
  ///
  /// - Throws: `NoFigure` where they would cut something off.
  func limited(_ scale: Scale, _ values: [Double], kind: String) throws(NoFigure) -> Scale {
    guard let limits = options.limits else { return scale }
    let finite = values.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
    guard limits.contains(low), limits.contains(high) else {
      throw NoFigure(
        kind: kind,
        reason:
          "--ylim would cut it off: it needs \(NumberFormat.fixed(low, 2)) to \(NumberFormat.fixed(high, 2))."
      )
    }
    let ticks = Scale(covering: [limits.lowerBound, limits.upperBound]).ticks.filter {
      limits.contains($0.value)
    }
    return Scale(low: limits.lowerBound, high: limits.upperBound, ticks: ticks)
  }

  /// Cells in the order that was asked for; by their means the best one first.
  func ordered(_ cells: [Cell], _ sign: Double) -> [Cell] {
    switch options.order {
    case .grid: return cells
    case .mean: return cells.sorted { sign * $0.headline!.mean > sign * $1.headline!.mean }
    case .name:
      let named = cells.map { (cell: $0, name: name($0, among: cells)) }
      return named.sorted { $0.name < $1.name }.map(\.cell)
    }
  }
}

/// A frame with a legend at its right, or below it where a narrow picture leaves no room.
struct LegendLayout {
  let width: Double
  let height: Double
  let corner: Point
  private let size: (width: Double, height: Double)
  private static let (left, top) = (66.0, 46.0)

  init(_ names: [String], _ options: FigureOptions) {
    let rows = Double(names.count) * Legend.rowHeight
    let beside = (options.width ?? 560 + Legend.width(names)) - Self.left - 24 - Legend.width(names)
    if beside >= 190 {
      size = (
        options.width == nil ? 470 : beside, options.width == nil ? 300 : min(300, max(170, 0.64 * beside))
      )
      width = Self.left + size.width + 24 + Legend.width(names)
      corner = Point(Self.left + size.width + 20, Self.top)
      height = max(130 + size.height, 70 + rows + 40)
    } else {
      let whole = max(150, (options.width ?? 0) - Self.left - 16)
      size = (whole, max(170, 0.64 * whole))
      width = Self.left + whole + 16
      corner = Point(16, Self.top + size.height + 56)
      height = corner.y + rows + 34
    }
  }

  func frame(_ x: Scale, _ y: Scale) -> Frame {
    Frame(x: x, y: y, left: Self.left, top: Self.top, width: size.width, height: size.height)
  }
}
