import Evaluation
import Specs

/// One file of Pascal VOC's annotations.
///
/// Boxes are written with the numbers of their first and last pixels, which count from 1; here they count
/// from 0 and have sizes. Objects that are `difficult` are objects like others. Boxes of parts are not read.
///
/// Source: `formats.md` 5.
struct VOCAnnotation: Sendable {
  struct Object: Sendable {
    let name: String
    let box: Box
    let area: Double
    /// Whether both corners are one pixel.
    let isPoint: Bool
  }

  let size: PixelSize
  private(set) var objects: [Object] = []
  /// Boxes that reached beyond the image by a pixel at most, and were clipped.
  private(set) var clipped = 0

  init(_ file: DataFile) throws(DatasetError) {
    let root: StrictXML.Element
    do throws(StrictXML.Problem) {
      root = try StrictXML.read(file.bytes)
    } catch {
      throw Self.malformed(file, "line \(error.line)", error.expected, error.found)
    }
    guard root.name == "annotation" else {
      throw Self.malformed(file, "line \(root.line)", "an element annotation", "an element \(root.name)")
    }
    guard let size = root.child("size") else {
      throw Self.malformed(file, "line \(root.line)", "an element size in annotation", "none")
    }
    let sides = try ["height", "width"].map { name throws(DatasetError) in
      let side = try Self.number(file, name, in: size)
      guard let whole = Int(exactly: side), (1...RunLengthMask.longestSide).contains(whole) else {
        throw Self.malformed(
          file, "line \(size.line)", "a \(name) from 1 to \(RunLengthMask.longestSide)", "\(side)")
      }
      return whole
    }
    self.size = PixelSize(height: sides[0], width: sides[1])
    for object in root.children("object") { try read(object, file) }
  }

  private mutating func read(_ element: StrictXML.Element, _ file: DataFile) throws(DatasetError) {
    let record = "object of line \(element.line)"
    guard let name = element.child("name")?.text, !name.isEmpty else {
      throw Self.malformed(file, record, "a name", "none")
    }
    guard let corners = element.child("bndbox") else {
      throw Self.malformed(file, record, "an element bndbox", "none")
    }
    let left = try Self.number(file, "xmin", in: corners)
    let top = try Self.number(file, "ymin", in: corners)
    let right = try Self.number(file, "xmax", in: corners)
    let bottom = try Self.number(file, "ymax", in: corners)
    guard right >= left, bottom >= top else {
      throw Self.malformed(
        file, "bndbox of line \(corners.line)", "xmax >= xmin and ymax >= ymin",
        "\(left) to \(right) and \(top) to \(bottom)")
    }
    let width = Double(size.width)
    let height = Double(size.height)
    guard left >= 0, top >= 0, right <= width + 1, bottom <= height + 1 else {
      throw Self.malformed(
        file, "bndbox of line \(corners.line)",
        "a box within \(size.phrase), to within 1 pixel", "\(left) to \(right) and \(top) to \(bottom)")
    }
    let x = max(left - 1, 0)
    let y = max(top - 1, 0)
    if left < 1 || top < 1 || right > width || bottom > height { clipped += 1 }
    let box = Box(x: x, y: y, width: max(min(right, width) - x, 0), height: max(min(bottom, height) - y, 0))
    let area = try element.child("area") == nil ? nil : Self.number(file, "area", in: element)
    objects.append(
      Object(
        name: name, box: box, area: area ?? box.width * box.height,
        isPoint: left == right && top == bottom))
  }

  private static func number(
    _ file: DataFile, _ name: String, in element: StrictXML.Element
  ) throws(DatasetError) -> Double {
    guard let child = element.child(name) else {
      throw malformed(file, "line \(element.line)", "an element \(name) in \(element.name)", "none")
    }
    let isPlain = child.text.utf8.allSatisfy { JSONStream.isOfNumbers($0) }
    guard isPlain, child.text.utf8.count < 64, let number = Double(child.text), number.isFinite else {
      throw malformed(
        file, "line \(child.line)", "a number in \(name)", "'\(ForeignText.line(child.text, most: 40))'")
    }
    return number
  }

  private static func malformed(
    _ file: DataFile, _ record: String, _ expected: String, _ found: String
  ) -> DatasetError {
    .malformedRecord(
      file: file.path, record: record, expected: expected, found: found,
      advice: "Correct the file, or take the image out of the lists in ImageSets/Main.")
  }
}

extension JSONStream {
  /// Whether a byte can be one of a number.
  static func isOfNumbers(_ byte: UInt8) -> Bool { "0123456789+-.eE".utf8.contains(byte) }
}
