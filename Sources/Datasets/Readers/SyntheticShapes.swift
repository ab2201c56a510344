package import Evaluation
import Specs
import Tensors

/// Generated pictures of coloured shapes, with boxes, masks, crowds and semantic maps:
/// `synthetic-shapes-HxW-K[-hJ]`.
///
/// Image i of a split depends on split and i alone. All arithmetic is on integers or on doubles that are
/// rounded once, so all machines agree. Classes in order: disc, square, triangle, ring, cross, bar.
///
///     try SyntheticShapes(name: "synthetic-shapes-96x96-3")!.picture(split: 0, 7).objects
///
/// Source: `downstream.md` 3.
package struct SyntheticShapes: Hashable, Sendable {
  package let height: Int
  package let width: Int
  /// K, 1 to 6.
  package let classes: Int
  /// 0: plain grounds; 1: blobs that are no objects; 2: noise, and grounds in the objects' colours.
  package let hardness: Int

  static let prefix = "synthetic-shapes"
  /// What the prefix alone stands for.
  static let standard = "synthetic-shapes-96x96-3"
  /// Images where a grid does not say how many.
  package static let trainImages = 1000
  package static let testImages = 200

  package static let classNames = ["disc", "square", "triangle", "ring", "cross", "bar"]

  /// Nil where the name is not one of generated shapes.
  ///
  /// Throws for one that makes no pictures.
  package init?(name: String) throws(DatasetError) {
    guard name.hasPrefix(Self.prefix) else { return nil }
    let name = name == Self.prefix ? Self.standard : name
    func impossible(_ problem: String) -> DatasetError { .impossible(name: name, problem: problem) }
    let parts = name.dropFirst(Self.prefix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    let form = "expected synthetic-shapes-HEIGHTxWIDTH-CLASSES, perhaps followed by -h0, -h1 or -h2"
    guard parts.count == 3 || parts.count == 4, parts[0].isEmpty else { throw impossible(form) }
    let sides = parts[1].split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let height = sides[0], let width = sides[1], let classes = Int(parts[2]) else {
      throw impossible(form)
    }
    let hardness = parts.count == 4 ? ["h0": 0, "h1": 1, "h2": 2][parts[3]] : 1
    guard let hardness else { throw impossible(form) }
    guard (32...1024).contains(height), (32...1024).contains(width) else {
      throw impossible("sides are from 32 to 1024 pixels")
    }
    guard (1...6).contains(classes) else { throw impossible("there are 1 to 6 classes") }
    self.height = height
    self.width = width
    self.classes = classes
    self.hardness = hardness
  }

  /// As it is written most shortly; equal pictures have one name.
  package var name: String {
    "\(Self.prefix)-\(height)x\(width)-\(classes)" + (hardness == 1 ? "" : "-h\(hardness)")
  }

  /// Of the classes that there are.
  package var classNames: [String] { Array(Self.classNames.prefix(classes)) }

  /// Of the parameters. `revision` rises when the same parameters give other pixels.
  var digest: ContentKey {
    var hasher = ContentHasher()
    hasher.field("generator", name)
    hasher.field("revision", "1")
    return hasher.finished()
  }

  /// One generated picture.
  package struct Picture: Hashable, Sendable {
    /// `[3, height, width]`.
    package let pixels: [UInt8]
    package let objects: [Object]
    /// `[height, width]`: 0 for the ground, 1 + class for objects, 255 where nobody is to judge.
    package let semantics: [UInt8]
  }

  package struct Object: Hashable, Sendable {
    /// From 0.
    package let label: Int
    /// Its visible pixels.
    package let mask: RunLengthMask
    package let isCrowd: Bool

    /// Tight around the visible pixels.
    package var box: Box { mask.box }
    package var area: Int { mask.area }
  }

  /// - Parameter split: 0 for training, 1 for the test.
  package func picture(split: Int, _ image: Int) -> Picture {
    var painter = ShapePainter(self, RandomStream(seed: 1, "shapes", split, image))
    painter.paintGround()
    painter.paintObjects()
    if image % 20 == 19 { painter.paintCrowd() }
    if hardness == 2 { painter.addNoise() }
    return painter.picture()
  }
}

private typealias Colour = [Int]

/// Paints one picture, drawing from one stream in a fixed order.
private struct ShapePainter {
  let task: SyntheticShapes
  var stream: RandomStream
  private var pixels: [Int]
  /// Of each pixel, the place of the shape that covers it among `shapes`; -1 for the ground.
  private var owners: [Int]
  private var shapes: [(label: Int, covered: Int, crowd: Bool)] = []

  init(_ task: SyntheticShapes, _ stream: RandomStream) {
    self.task = task
    self.stream = stream
    pixels = Array(repeating: 0, count: 3 * task.height * task.width)
    owners = Array(repeating: -1, count: task.height * task.width)
  }

  private var area: Int { task.height * task.width }
  private var shorter: Int { min(task.height, task.width) }

  private mutating func draw(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + stream.index(below: range.upperBound - range.lowerBound + 1)
  }

  private mutating func drawColour() -> Colour { (0..<3).map { _ in draw(0...255) } }

  /// Within so many levels of a colour, channel by channel.
  private mutating func drawColour(near colour: Colour, within levels: Int) -> Colour {
    colour.map { channel in min(max(channel + draw(-levels...levels), 0), 255) }
  }

  private func colour(at pixel: Int) -> Colour { (0..<3).map { pixels[$0 * area + pixel] } }

  private mutating func set(_ pixel: Int, _ colour: Colour) {
    for channel in 0..<3 { pixels[channel * area + pixel] = colour[channel] }
  }
}

// MARK: Ground

extension ShapePainter {
  mutating func paintGround() {
    let first = drawColour()
    let second = drawColour(near: first, within: 40)
    let texture = draw(0...3)
    let cell = draw(4...16)
    let isUpright = draw(0...1) == 1
    var lattice: [Int] = []
    if texture == 3 {
      lattice = (0..<(task.height / 8 + 2) * (task.width / 8 + 2)).map { _ in draw(0...255) }
    }
    for y in 0..<task.height {
      for x in 0..<task.width {
        // The second colour's share, in 255ths.
        let share: Int
        switch texture {
        case 0: share = 0
        case 1: share = ((isUpright ? x : y) / cell) % 2 * 255
        case 2: share = (x / cell + y / cell) % 2 * 255
        default: share = Self.value(of: lattice, columns: task.width / 8 + 2, x, y)
        }
        set(y * task.width + x, zip(first, second).map { $0 + ($1 - $0) * share / 255 })
      }
    }
    guard task.hardness >= 1 else { return }
    for _ in 0..<draw(0...3) { paintBlob() }
  }

  /// Between the four corners of a cell of 8 × 8 pixels.
  private static func value(of lattice: [Int], columns: Int, _ x: Int, _ y: Int) -> Int {
    let place = y / 8 * columns + x / 8
    let (right, down) = (x % 8, y % 8)
    let upper = (8 - right) * lattice[place] + right * lattice[place + 1]
    let lower = (8 - right) * lattice[place + columns] + right * lattice[place + columns + 1]
    return ((8 - down) * upper + down * lower) / 64
  }

  /// A disc that is no object and hardly differs from what it covers.
  private mutating func paintBlob() {
    let size = draw(shorter / 10...shorter / 2)
    let (cx, cy) = (draw(0...task.width - 1), draw(0...task.height - 1))
    let colour = drawColour(near: colour(at: cy * task.width + cx), within: 25)
    for y in 0..<task.height {
      for x in 0..<task.width where 4 * ((x - cx) * (x - cx) + (y - cy) * (y - cy)) <= size * size {
        set(y * task.width + x, colour)
      }
    }
  }
}

// MARK: Objects

extension ShapePainter {
  mutating func paintObjects() {
    for _ in 0..<draw(1...5) {
      let label = draw(0...task.classes - 1)
      let side = draw((15 * shorter + 99) / 100...shorter / 2)
      let (cx, cy) = (draw(0...task.width - 1), draw(0...task.height - 1))
      let turn = draw(0...23)
      paint(
        label, side: side, cx, cy, turn: turn, colour: drawColour(unlike: colour(at: cy * task.width + cx)))
    }
  }

  /// Six to nine small shapes of one class that touch each other; one region.
  mutating func paintCrowd() {
    let label = draw(0...task.classes - 1)
    var centre = (
      x: draw(task.width / 4...3 * task.width / 4), y: draw(task.height / 4...3 * task.height / 4)
    )
    let colour = drawColour(unlike: colour(at: centre.y * task.width + centre.x))
    let region = shapes.count
    let smallest = (8 * shorter + 99) / 100
    shapes.append((label, 0, true))
    for number in 0..<draw(6...9) {
      let side = draw(smallest...max(12 * shorter / 100, smallest))
      let turn = draw(0...23)
      let direction = draw(0...3)
      if number > 0 {
        centre = place(beside: region, label, side: side, turn: turn, from: centre, towards: direction)
      }
      paint(label, side: side, centre.x, centre.y, turn: turn, colour: colour, region: region)
    }
  }

  /// Where a shape touches a region without covering it, looked for from a point in one
  /// direction, then in the next.
  private func place(
    beside region: Int, _ label: Int, side: Int, turn: Int, from start: (x: Int, y: Int),
    towards first: Int
  ) -> (x: Int, y: Int) {
    for turned in 0..<4 {
      let (right, down) = [(1, 0), (-1, 0), (0, 1), (0, -1)][(first + turned) % 4]
      var centre = start
      var wasInside = false
      while (0..<task.width).contains(centre.x), (0..<task.height).contains(centre.y) {
        var isInside = false
        Self.forEachPixel(of: task, label, side: side, centre.x, centre.y, turn: turn) {
          isInside = isInside || owners[$0] == region
        }
        if wasInside, !isInside { return centre }
        wasInside = isInside
        centre = (centre.x + right, centre.y + down)
      }
    }
    return start
  }

  /// At least 60 levels away, summed over the channels.
  private mutating func drawColour(unlike ground: Colour) -> Colour {
    if task.hardness == 2 {
      // A colour that the picture's ground has elsewhere, where one is far enough away.
      for _ in 0..<8 {
        let pixel = draw(0...area - 1)
        if Self.distance(colour(at: pixel), ground) >= 60 { return colour(at: pixel) }
      }
    }
    while true {
      let colour = drawColour()
      if Self.distance(colour, ground) >= 60 { return colour }
    }
  }

  private static func distance(_ a: Colour, _ b: Colour) -> Int {
    zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) }
  }

  private mutating func paint(
    _ label: Int, side: Int, _ cx: Int, _ cy: Int, turn: Int, colour: Colour, region: Int? = nil
  ) {
    let place = region ?? shapes.count
    if region == nil { shapes.append((label, 0, false)) }
    Self.forEachPixel(of: task, label, side: side, cx, cy, turn: turn) { pixel in
      if owners[pixel] != place { shapes[place].covered += 1 }
      owners[pixel] = place
      set(pixel, colour)
    }
  }

  /// Calls `body` with the pixels of a shape, row by row.
  private static func forEachPixel(
    of task: SyntheticShapes, _ label: Int, side: Int, _ cx: Int, _ cy: Int, turn: Int,
    _ body: (_ pixel: Int) -> Void
  ) {
    let radius = Double(side) / 2
    let cosine = cosines[turn]
    let sine = cosines[(turn + 18) % 24]
    for y in max(cy - side, 0)...min(cy + side, task.height - 1) {
      for x in max(cx - side, 0)...min(cx + side, task.width - 1) {
        let dx = Double(x - cx)
        let dy = Double(y - cy)
        if covers(label, cosine * dx + sine * dy, cosine * dy - sine * dx, radius) {
          body(y * task.width + x)
        }
      }
    }
  }

  /// Whether a shape of this radius around (0, 0) holds a point.
  private static func covers(_ label: Int, _ u: Double, _ v: Double, _ r: Double) -> Bool {
    let square = u * u + v * v
    func bar(_ u: Double, _ v: Double) -> Bool { abs(u) <= 0.3 * r && abs(v) <= r }
    switch label {
    case 0: return square <= r * r
    case 1: return abs(u) <= r && abs(v) <= r
    case 2: return abs(v) <= r && abs(u) <= (v + r) / 2
    case 3: return square <= r * r && square > 0.3025 * r * r
    case 4: return bar(u, v) || bar(v, u)
    default: return bar(u, v)
    }
  }

  /// cos(15° k), k = 0 … 23, correctly rounded.
  private static let cosines: [Double] = [
    1, 0.9659258262890683, 0.8660254037844387, 0.7071067811865476, 0.5, 0.25881904510252074, 0,
    -0.25881904510252074, -0.5, -0.7071067811865476, -0.8660254037844387, -0.9659258262890683, -1,
    -0.9659258262890683, -0.8660254037844387, -0.7071067811865476, -0.5, -0.25881904510252074, 0,
    0.25881904510252074, 0.5, 0.7071067811865476, 0.8660254037844387, 0.9659258262890683,
  ]
}

// MARK: Result

extension ShapePainter {
  mutating func addNoise() {
    for index in pixels.indices { pixels[index] = min(max(pixels[index] + draw(-24...24), 0), 255) }
  }

  /// Shapes of which fewer than 16 pixels or less than a quarter are visible are nobody's: nothing to find,
  /// and not judged. A crowd is painted last and always there.
  func picture() -> SyntheticShapes.Picture {
    var visible = Array(repeating: 0, count: shapes.count)
    for owner in owners where owner >= 0 { visible[owner] += 1 }
    let isKept = shapes.indices.map {
      shapes[$0].crowd || visible[$0] >= 16 && 4 * visible[$0] >= shapes[$0].covered
    }
    var semantics = owners.map { owner -> UInt8 in
      owner < 0 ? 0 : isKept[owner] ? UInt8(1 + shapes[owner].label) : 255
    }
    for pixel in owners.indices where owners[pixel] >= 0 && isEdge(pixel) { semantics[pixel] = 255 }
    let objects = shapes.indices.filter { isKept[$0] }.map { place in
      SyntheticShapes.Object(
        label: shapes[place].label,
        mask: RunLengthMask(height: task.height, width: task.width, bits: owners.map { $0 == place }),
        isCrowd: shapes[place].crowd)
    }
    return SyntheticShapes.Picture(
      pixels: pixels.map { UInt8($0) }, objects: objects, semantics: semantics)
  }

  /// Whether a neighbour belongs to something else, or lies outside of the picture.
  private func isEdge(_ pixel: Int) -> Bool {
    let (x, y) = (pixel % task.width, pixel / task.width)
    guard x > 0, y > 0, x < task.width - 1, y < task.height - 1 else { return true }
    return [pixel - 1, pixel + 1, pixel - task.width, pixel + task.width].contains {
      owners[$0] != owners[pixel]
    }
  }
}
