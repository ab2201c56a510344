internal import Specs

/// A drawing in scalable vector graphics, made of a few shapes: lines first, texts last, no identifiers, so
/// that several may stand in one page.
///
/// Colours are classes: a style sheet inside gives them values for light and for dark surroundings.
package struct SVG: Sendable {
  package let width: Double
  package private(set) var height: Double
  private let title: String
  private let description: String
  private var body: [String] = []

  package init(width: Double, height: Double, title: String, description: String) {
    self.width = width
    self.height = height
    self.title = title
    self.description = description
  }

  /// The file's text.
  package var text: String { text(FigureOptions()) }

  /// The file's text as a paper wants it: so wide, in a font, without the words at its head.
  ///
  /// - Parameter attributes: more of the outer element, for a page that draws it.
  package func text(_ options: FigureOptions, attributes: String = "") -> String {
    let top = options.hasTitle ? 0 : Self.titleHeight
    let (scale, tall) = (options.width.map { $0 / width } ?? 1, height - top)
    let box = "0 \(Self.number(top)) \(Self.number(width)) \(Self.number(tall))"
    let size = "width=\"\(Self.number(width * scale))\" height=\"\(Self.number(tall * scale))\""
    let head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mf\" viewBox=\"\(box)\" \(size) role=\"img\"\(attributes)>"
    let font = options.font.map { ".mf{font-family:'\($0)',sans-serif}" } ?? ""
    let lines = [
      head, "<title>\(HTMLSheet.escaped(title))</title>", "<desc>\(HTMLSheet.escaped(description))</desc>",
      "<style>\(FigureStyle.sheet)\(font)</style>",
      "<rect class=\"ground\" width=\"\(Self.number(width))\" height=\"\(Self.number(height))\"/>",
    ]
    let body = options.hasTitle ? body : body.filter { !$0.hasPrefix("<text class=\"title\"") }
    return (lines + body + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// What the title takes of every kind.
  private static let titleHeight = 28.0

  /// At most two digits after the point: pixels.
  static func number(_ value: Double) -> String {
    let text = NumberFormat.fixed(value, 2)
    guard text.contains(".") else { return text }
    return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
  }

  mutating func line(_ from: Point, _ to: Point, _ style: String, dash: String? = nil) {
    body.append(
      "<line class=\"\(style)\" x1=\"\(Self.number(from.x))\" y1=\"\(Self.number(from.y))\" x2=\"\(Self.number(to.x))\" y2=\"\(Self.number(to.y))\"\(Self.dash(dash))/>"
    )
  }

  mutating func rectangle(
    _ corner: Point, width: Double, height: Double, _ style: String, fill: String? = nil, hint: String? = nil
  ) {
    let paint = fill.map { " fill=\"\($0)\"" } ?? ""
    let shape =
      "<rect class=\"\(style)\" x=\"\(Self.number(corner.x))\" y=\"\(Self.number(corner.y))\" width=\"\(Self.number(width))\" height=\"\(Self.number(height))\"\(paint)"
    body.append(Self.closed(shape, "rect", hint))
  }

  /// Straight lines through points; closed and filled where the style fills.
  mutating func path(_ points: [Point], _ style: String, dash: String? = nil, isClosed: Bool = false) {
    guard let first = points.first else { return }
    let rest = points.dropFirst().map { "L\(Self.number($0.x)) \(Self.number($0.y))" }.joined()
    body.append(
      "<path class=\"\(style)\" d=\"M\(Self.number(first.x)) \(Self.number(first.y))\(rest)\(isClosed ? "Z" : "")\"\(Self.dash(dash))/>"
    )
  }

  /// What belongs together for a page's script; as it is where there are no attributes.
  mutating func group(_ attributes: String?, _ draw: (inout SVG) -> Void) {
    if let attributes { body.append("<g \(attributes)>") }
    draw(&self)
    if attributes != nil { body.append("</g>") }
  }

  /// Where a page's script reads values by their place.
  mutating func pick(_ index: Int, _ frame: Frame) {
    let (x, y) = (Self.number(frame.left), Self.number(frame.top))
    body.append(
      "<rect class=\"pick\" data-plot=\"\(index)\" x=\"\(x)\" y=\"\(y)\" width=\"\(Self.number(frame.width))\""
        + " height=\"\(Self.number(frame.height))\" fill=\"none\" pointer-events=\"all\"/>")
  }

  /// The area between two lines, whose edges have the dash of its series: bands over each
  /// other stay apart in grey.
  mutating func band(_ index: Int, upper: [Point], lower: [Point]) {
    path(upper + lower.reversed(), "band f\(index % FigureStyle.count)", isClosed: true)
    for edge in [upper, lower] {
      path(edge, "thin faint c\(index % FigureStyle.count)", dash: FigureStyle.dash(index))
    }
  }

  /// One of the six shapes that tell series apart without colour.
  mutating func marker(_ shape: Int, _ at: Point, radius r: Double, _ style: String, hint: String? = nil) {
    let (x, y) = (at.x, at.y)
    func points(_ offsets: [(Double, Double)]) -> String {
      let text = offsets.map { "\(Self.number(x + $0.0 * r)) \(Self.number(y + $0.1 * r))" }
      return "<path class=\"\(style)\" d=\"M\(text.joined(separator: "L"))Z\""
    }
    let element: (String, String) =
      switch shape % 6 {
      case 0:
        (
          "<circle class=\"\(style)\" cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(r))\"",
          "circle"
        )
      case 1: (points([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]), "path")
      case 2: (points([(0, -1.2), (1.1, 0.8), (-1.1, 0.8)]), "path")
      case 3: (points([(0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)]), "path")
      case 4: (points([(0, 1.2), (1.1, -0.8), (-1.1, -0.8)]), "path")
      default:
        (
          points([
            (-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4), (0.4, 1.1),
            (-0.4, 1.1),
            (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4),
          ]), "path"
        )
      }
    body.append(Self.closed(element.0, element.1, hint))
  }

  /// What diverged.
  mutating func cross(_ at: Point, radius: Double = 5) {
    for side in [-radius, radius] {
      line(Point(at.x - radius, at.y - side), Point(at.x + radius, at.y + side), "edge diverged")
    }
  }

  /// An upright interval with its ends.
  mutating func bar(_ x: Double, from low: Double, to high: Double, _ style: String) {
    let ends: [(Double, Double)] = [(-3, low), (3, low), (0, low), (0, high), (-3, high), (3, high)]
    path(ends.map { Point(x + $0.0, $0.1) }, style)
  }

  /// Strokes over an area that tell it in grey from others of its lightness; none for the first two areas.
  mutating func hatch(_ index: Int, over corner: Point, width: Double, height: Double) {
    guard let (step, dash) = FigureStyle.hatch(index) else { return }
    for y in stride(from: corner.y + step / 2, to: corner.y + height - 0.5, by: step) {
      line(Point(corner.x, y), Point(corner.x + width, y), "hatch", dash: dash)
    }
  }

  /// Between a text and the edge of the picture.
  static let margin = 4.0

  /// A line of text; what would leave the picture loses its middle and shows the whole as a hint.
  ///
  /// - Parameters:
  ///   - anchor: `start`, `middle` or `end`.
  ///   - room: pixels that it may take besides; as many as there are to the picture's
  ///     edge where nothing is said.
  mutating func text(
    _ whole: String, _ at: Point, _ style: String = "label", anchor: String = "start", turned: Bool = false,
    room: Double = .infinity, hint: String? = nil
  ) {
    let (before, behind) = turned ? (height - at.y, at.y) : (at.x, width - at.x)
    let inside =
      switch anchor {
      case "middle": 2 * min(before, behind) - 2 * Self.margin
      case "end": before - Self.margin
      default: behind - Self.margin
      }
    let text = TextFit.shortened(whole, style, to: min(room, inside))
    let hint = hint ?? (text == whole ? nil : whole)
    let turn = turned ? " transform=\"rotate(-90 \(Self.number(at.x)) \(Self.number(at.y)))\"" : ""
    let inner = (hint.map { "<title>\(HTMLSheet.escaped($0))</title>" } ?? "") + HTMLSheet.escaped(text)
    body.append(
      "<text class=\"\(style)\" x=\"\(Self.number(at.x))\" y=\"\(Self.number(at.y))\" text-anchor=\"\(anchor)\"\(turn)>\(inner)</text>"
    )
  }

  /// The sentence at the foot of the picture, in as many lines as it needs: the picture grows with them.
  mutating func note(_ sentence: String) {
    let lines = TextFit.lines(sentence, "note", to: width - 32 - Self.margin)
    for (row, line) in lines.enumerated() {
      if row > 0 { height += 15 }
      text(line, Point(16, height - 14), "note")
    }
  }

  private static func dash(_ dash: String?) -> String { dash.map { " stroke-dasharray=\"\($0)\"" } ?? "" }

  private static func closed(_ start: String, _ name: String, _ hint: String?) -> String {
    hint.map { "\(start)><title>\(HTMLSheet.escaped($0))</title></\(name)>" } ?? "\(start)/>"
  }
}

/// Pixels from the upper left corner.
struct Point: Equatable, Sendable {
  var x: Double
  var y: Double

  init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// Colours, dashes and the style sheet of all figures.
///
/// The eight colours are those of Okabe and Ito, which people of every colour vision tell apart, in
/// an order of alternating lightness; each comes with a marker and a dash of its own, so that nothing
/// is said by colour alone.
enum FigureStyle {
  static let light = ["#0072b2", "#d55e00", "#008a63", "#b3478c", "#9a6a00", "#3d8fc4", "#555555", "#7a7200"]
  static let dark = ["#5ab4ef", "#ff9a5c", "#43d1a5", "#eba6cf", "#f0bc4e", "#9fd7fa", "#cfcfcf", "#e5dc63"]
  private static let dashes: [String?] = [nil, "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2", "9 3 2 3 2 3"]

  static var count: Int { light.count }
  static func dash(_ index: Int) -> String? { dashes[index % dashes.count] }
  /// Of level lines; none is the dash of another one beside it.
  static func referenceDash(_ index: Int) -> String { ["5 4", "1 3", "10 4", "10 3 1 3"][index % 4] }
  static func stroke(_ index: Int) -> String { "line c\(index % count)" }
  static func fill(_ index: Int) -> String { "fill f\(index % count)" }
  /// An area beside others of its kind: every other one is pale, so that neighbours differ in grey too.
  static func ribbon(_ index: Int) -> String { "ribbon f\(index % count)\(index % 2 == 1 ? " pale" : "")" }
  /// An upright interval.
  static func bar(_ index: Int) -> String { "bar c\(index % count)" }
  /// Pixels between the strokes over an area, and their dash: with the two lightnesses,
  /// eight areas differ in grey.
  static func hatch(_ index: Int) -> (step: Double, dash: String?)? {
    [nil, (7, nil), (3.5, nil), (7, "5 4")][index % count / 2]
  }
  /// Text on such an area.
  static func ink(onRibbon index: Int) -> String {
    // Over strokes a text needs ground of its own.
    hatch(index) != nil ? "label halo" : index % 2 == 1 ? "label" : "label on-fill"
  }

  static let sheet: String = {
    func colours(_ colours: [String], _ scope: String) -> String {
      colours.enumerated().map {
        "\(scope) .c\($0.offset){stroke:\($0.element)}\(scope) .f\($0.offset){fill:\($0.element)}"
      }.joined()
    }
    let fixed = """
      .mf{font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif}\
      .mf .label{font-size:12px}.mf .title{font-size:15px;font-weight:600}.mf .strong{font-weight:600}.mf .note{font-size:11px}.mf .small{font-size:10.5px}\
      .mf .line{fill:none;stroke-width:1.8}.mf .thin{fill:none;stroke-width:1}.mf .grid{stroke-width:1;fill:none}\
      .mf .axis{stroke-width:1.2;fill:none}.mf .band{fill-opacity:.16;stroke:none}.mf .dot{fill-opacity:.55;stroke:none}\
      .mf .fill{stroke:none}.mf .ribbon{stroke-width:.8}.mf .pale{fill-opacity:.5}.mf .faint{stroke-opacity:.5}.mf .edge{fill:none;stroke-width:1.4}.mf .bar{fill:none;stroke-width:1.1}.mf .strip{fill-opacity:.16;stroke:none}
      """
    func surroundings(
      _ scope: String, _ ground: String, _ ink: String, _ soft: String, _ grid: String, _ onFill: String
    ) -> String {
      """
      \(scope) .ground{fill:\(ground)}\(scope) .label,\(scope) .title,\(scope) .small{fill:\(ink)}\(scope) .note,\(scope) .strip{fill:\(soft)}\
      \(scope) .grid{stroke:\(grid)}\(scope) .axis,\(scope) .edge{stroke:\(ink)}\(scope) .ribbon{stroke:\(ground)}\
      \(scope) .reference{stroke:\(soft);fill:none;stroke-width:1.2}\
      \(scope) .halo{paint-order:stroke;stroke:\(ground);stroke-width:3px;stroke-linejoin:round}\
      \(scope) .hatch{stroke:\(ground);stroke-width:1.4}\
      \(scope) .on-dark{fill:#fff}\(scope) .on-light{fill:#111}\(scope) .on-fill{fill:\(onFill)}
      """
    }
    func lit(_ scope: String) -> String {
      surroundings(scope, "#ffffff", "#1a1a1a", "#555555", "#e2e2e2", "#ffffff") + colours(light, scope)
    }
    func shaded(_ scope: String) -> String {
      surroundings(scope, "#15181c", "#eceff1", "#aab2b9", "#333a41", "#111111") + colours(dark, scope)
    }
    // A page may be told to be light or dark, whatever its surroundings are; paper is light.
    return fixed + lit(".mf") + "@media screen and (prefers-color-scheme:dark){" + shaded(".mf")
      + lit(":root[data-theme=light] .mf") + "}@media screen{" + shaded(":root[data-theme=dark] .mf") + "}"
  }()

  /// From dark blue over grey to yellow, its lightness rising evenly (after cividis), so that it reads
  /// in grey and to every eye.
  ///
  /// - Parameter share: in [0, 1].
  static func heat(_ share: Double) -> (colour: String, isDark: Bool) {
    let stops: [(Double, Double, Double)] = [
      (0, 34, 78), (53, 69, 108), (102, 105, 112), (148, 142, 119), (200, 184, 102), (254, 232, 56),
    ]
    let place = min(1, max(0, share)) * Double(stops.count - 1)
    let index = min(stops.count - 2, Int(place))
    let rest = place - Double(index)
    func mix(_ a: Double, _ b: Double) -> Int { Int((a + rest * (b - a)).rounded()) }
    let (a, b) = (stops[index], stops[index + 1])
    let (red, green, blue) = (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    return ("rgb(\(red),\(green),\(blue))", share < 0.55)
  }
}
