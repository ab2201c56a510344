import Evaluation

/// Reads COCO's segmentations: lists of polygons, and RLEs with counts as numbers or as text.
enum CocoMask {
  /// Far outside any picture; also what the drawing of polygons takes.
  private static let bound = 4 * Double(RunLengthMask.longestSide)

  /// Calls `body` with every polygon that encloses something.
  ///
  /// - Returns: how many those were, and how many others, which have an odd number of coordinates or
  ///   fewer than three corners.
  static func polygons(
    _ stream: inout JSONStream, _ body: ([Double]) -> Void
  ) throws(JSONStream.Problem) -> (drawn: Int, odd: Int) {
    var drawn = 0
    var odd = 0
    var polygon: [Double] = []
    try stream.array { (stream, _) throws(JSONStream.Problem) in
      polygon.removeAll(keepingCapacity: true)
      try stream.array { (stream, _) throws(JSONStream.Problem) in
        let start = stream.at
        let number = try stream.number()
        guard abs(number) <= bound else {
          throw stream.problem("a coordinate that is finite and within ±\(Int(bound)) pixels", at: start)
        }
        polygon.append(number)
      }
      if polygon.count % 2 == 0, polygon.count >= 6 {
        drawn += 1
        body(polygon)
      } else {
        odd += 1
      }
    }
    return (drawn, odd)
  }

  /// - Returns: the size; the text of compressed counts, or the sum of uncompressed
  ///   ones, -1 for a negative one.
  static func runs(
    _ stream: inout JSONStream, _ body: (Int) -> Void = { _ in }
  ) throws(JSONStream.Problem) -> (size: PixelSize?, text: String?, counts: Int?) {
    var sides: [Int] = []
    var text: String?
    var sum: Int?
    try stream.object { (stream, name) throws(JSONStream.Problem) in
      if name.elementsEqual("size".utf8) {
        sides = []
        try stream.array { (stream, _) throws(JSONStream.Problem) in
          let side = try stream.integer()
          if sides.count < 3 { sides.append(side) }
        }
      } else if name.elementsEqual("counts".utf8) {
        if stream.peek() == UInt8(ascii: "\"") {
          let raw = try stream.stringBytes()
          // A backslash is one of the alphabet's characters, and JSON writes it as two.
          var bytes: [UInt8] = []
          var isEscaped = false
          for byte in raw {
            if byte == UInt8(ascii: "\\"), !isEscaped {
              isEscaped = true
            } else {
              bytes.append(byte)
              isEscaped = false
            }
          }
          text = String(decoding: bytes, as: UTF8.self)
        } else {
          var total = 0
          try stream.array { (stream, _) throws(JSONStream.Problem) in
            let count = try stream.integer()
            body(count)
            if total >= 0 { total = count < 0 || total > 1 << 52 ? -1 : total + count }
          }
          sum = total
        }
      } else {
        try stream.skip(depth: 5)
      }
    }
    let isPair = sides.count == 2
    return (isPair ? PixelSize(height: sides[0], width: sides[1]) : nil, text, sum)
  }

  /// The mask that some bytes of an annotation file are.
  ///
  /// - Throws: a phrase where these bytes are none; they were one when the file was indexed.
  static func read(_ bytes: [UInt8]) throws(UndecodableImage) -> ObjectMask {
    let outcome = bytes.withUnsafeBufferPointer { buffer -> Result<ObjectMask, UndecodableImage> in
      do {
        var stream = JSONStream(buffer)
        if stream.peek() == UInt8(ascii: "[") {
          var polygons: [[Double]] = []
          _ = try Self.polygons(&stream) { polygons.append($0) }
          try stream.end()
          return .success(.polygons(polygons))
        }
        var counts: [Int] = []
        let mask = try runs(&stream) { counts.append($0) }
        try stream.end()
        guard let size = mask.size else { throw UndecodableImage(problem: "no size") }
        let height = size.height
        let width = size.width
        return .success(
          .runs(
            try mask.text.map { try RunLengthMask(height: height, width: width, text: $0) }
              ?? RunLengthMask(height: height, width: width, checking: counts)))
      } catch let problem as JSONStream.Problem {
        return .failure(UndecodableImage(problem: "no \(problem.expected)"))
      } catch {
        return .failure(UndecodableImage(problem: "\(error)"))
      }
    }
    return try outcome.get()
  }
}
