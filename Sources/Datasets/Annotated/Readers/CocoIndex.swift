import Evaluation
import Specs

/// A file of COCO's instances, gone through once: images, categories, and all objects with their boxes. Of
/// masks only the places in the file are kept.
///
/// Source: `formats.md` 6; cocodataset/cocoapi.
struct CocoIndex: Sendable {
  struct Image: Sendable {
    let id: Int
    let name: String
    let size: PixelSize
  }

  struct Category: Hashable, Sendable {
    let id: Int
    let name: String
  }

  struct Annotation: Sendable {
    var id = 0
    var image = 0
    var category = 0
    var box = Box(x: 0, y: 0, width: 0, height: 0)
    var area = 0.0
    var isCrowd = false
    /// Bytes of the file; 0 where there is no mask.
    var maskStart = 0
    var maskLength = 0
  }

  /// By rising id.
  private(set) var images: [Image] = []
  private(set) var categories: [Category] = []
  /// By image, in the order of the file within an image.
  private(set) var annotations: [Annotation] = []
  /// Of image i those from `first[i]` up to `first[i + 1]`.
  private(set) var first: [Int] = []
  /// Polygons that are left out, with an odd number of coordinates or fewer than three corners.
  private(set) var oddPolygons = 0
  /// The digest of the file.
  let digest: ContentKey
  let path: String

  /// - Throws: `DatasetError` for what is no such file, and for records that contradict each other.
  init(_ file: DataFile) throws(DatasetError) {
    path = file.path
    digest = ContentKey(hashing: file.bytes)
    var builder = CocoBuilder(path: file.path)
    let outcome = file.bytes.withUnsafeBufferPointer { bytes -> Result<Void, DatasetError> in
      do throws(DatasetError) { return .success(try builder.read(bytes)) } catch { return .failure(error) }
    }
    try outcome.get()
    try finish(&builder)
  }

  /// Joins what was read: images and categories by id, annotations by image.
  private mutating func finish(_ builder: inout CocoBuilder) throws(DatasetError) {
    images = builder.images.sorted { $0.id < $1.id }
    for (a, b) in zip(images, images.dropFirst()) where a.id == b.id {
      throw builder.malformed("image \(a.id)", "one image of this id", "a second one, \(b.name)")
    }
    categories = builder.categories.sorted { $0.id < $1.id }
    for (a, b) in zip(categories, categories.dropFirst()) where a.id == b.id {
      throw builder.malformed(
        "category \(a.id)", "one category of this id", "two, '\(a.name)' and '\(b.name)'")
    }
    oddPolygons = builder.oddPolygons
    let ids = builder.annotations.indices.sorted { builder.annotations[$0].id < builder.annotations[$1].id }
    for (a, b) in zip(ids, ids.dropFirst()) where builder.annotations[a].id == builder.annotations[b].id {
      throw builder.malformed(
        "annotation \(builder.annotations[a].id)", "one annotation of this id",
        "a second one, of image \(builder.annotations[b].image)")
    }
    let places = Dictionary(uniqueKeysWithValues: images.enumerated().map { ($1.id, $0) })
    let labels = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1.id, $0) })
    var counts = [Int](repeating: 0, count: images.count + 1)
    for index in builder.annotations.indices {
      let annotation = builder.annotations[index]
      guard let place = places[annotation.image] else {
        throw builder.malformed(
          "annotation \(annotation.id)", "the id of an image",
          "image_id \(annotation.image), which no image has")
      }
      guard let label = labels[annotation.category] else {
        throw builder.malformed(
          "annotation \(annotation.id)", "the id of a category",
          "category_id \(annotation.category), which no category has")
      }
      try builder.checkMask(of: index, in: images[place])
      builder.annotations[index].image = place
      builder.annotations[index].category = label
      counts[place + 1] += 1
    }
    for place in images.indices { counts[place + 1] += counts[place] }
    first = counts
    var order = [Int](repeating: 0, count: builder.annotations.count)
    for (index, annotation) in builder.annotations.enumerated() {
      order[counts[annotation.image]] = index
      counts[annotation.image] += 1
    }
    annotations = order.map { builder.annotations[$0] }
  }

  /// Whether every object that is no crowd has a mask; false where there is none.
  var hasMasks: Bool {
    !annotations.isEmpty && annotations.allSatisfy { $0.isCrowd || $0.maskLength > 0 }
  }

  func objects(of place: Int) -> ArraySlice<Annotation> { annotations[first[place]..<first[place + 1]] }
}

// MARK: Reading

/// Collects records of a file in its order, which is free.
private struct CocoBuilder {
  let path: String
  var images: [CocoIndex.Image] = []
  var categories: [CocoIndex.Category] = []
  var annotations: [CocoIndex.Annotation] = []
  var oddPolygons = 0
  /// Of annotations with an RLE, by their index: its size and what its runs cover.
  private var runs: [Int: (size: PixelSize, text: String?, sum: Int)] = [:]

  init(path: String) { self.path = path }

  func malformed(_ record: String, _ expected: String, _ found: String) -> DatasetError {
    .malformedRecord(
      file: path, record: record, expected: expected, found: found,
      advice: "Get the file again from its source, or correct the record.")
  }

  mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) {
    var failure: DatasetError?
    do throws(JSONStream.Problem) {
      var stream = JSONStream(bytes)
      var seen: Set<String> = []
      try stream.object { (stream, name) throws(JSONStream.Problem) in
        let name = String(decoding: name, as: UTF8.self)
        guard seen.insert(name).inserted else {
          throw stream.problem("one member \"\(name)\" of the file, and not a second one")
        }
        switch name {
        case "images":
          try stream.array { (stream, index) throws(JSONStream.Problem) in
            try self.image(&stream, index, &failure)
          }
        case "annotations":
          try stream.array { (stream, index) throws(JSONStream.Problem) in
            try self.annotation(&stream, index, bytes, &failure)
          }
        case "categories":
          try stream.array { (stream, index) throws(JSONStream.Problem) in
            try self.category(&stream, index, &failure)
          }
        default: try stream.skip(depth: 1)
        }
      }
      try stream.end()
      for name in ["images", "annotations", "categories"] where !seen.contains(name) {
        throw stream.problem("a member \"\(name)\" before the end", at: bytes.count)
      }
    } catch {
      throw failure
        ?? .malformed(
          file: path, offset: error.offset, expected: error.expected,
          found: JSONStream.shown(bytes, at: error.offset))
    }
  }

  /// Ends reading with an error about a record.
  private func stop(
    _ stream: JSONStream, _ failure: inout DatasetError?, _ record: String, _ expected: String,
    _ found: String
  ) -> JSONStream.Problem {
    failure = malformed(record, expected, found)
    return stream.problem(expected)
  }

  private mutating func image(
    _ stream: inout JSONStream, _ index: Int, _ failure: inout DatasetError?
  ) throws(JSONStream.Problem) {
    var id: Int?
    var name: String?
    var height: Int?
    var width: Int?
    try stream.object { (stream, member) throws(JSONStream.Problem) in
      if member.elementsEqual("id".utf8) {
        id = try stream.integer()
      } else if member.elementsEqual("file_name".utf8) {
        name = try self.text(&stream)
      } else if member.elementsEqual("height".utf8) {
        height = try stream.integer()
      } else if member.elementsEqual("width".utf8) {
        width = try stream.integer()
      } else {
        try stream.skip(depth: 3)
      }
    }
    guard let id else { throw stop(stream, &failure, "image \(index + 1) of the list", "an id", "none") }
    guard let name, !name.isEmpty else {
      throw stop(stream, &failure, "image \(id)", "a file_name", "none")
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.contains(""), !parts.contains("."), !parts.contains(".."), !name.contains("\0") else {
      throw stop(
        stream, &failure, "image \(id)", "a file_name below the folder of images",
        "'\(ForeignText.line(name, most: 80))'")
    }
    let sides = 1...RunLengthMask.longestSide
    guard let height, let width, sides.contains(height), sides.contains(width) else {
      let found = "\(width.map(String.init) ?? "none") and \(height.map(String.init) ?? "none")"
      throw stop(
        stream, &failure, "image \(id)", "a width and a height from 1 to \(RunLengthMask.longestSide)", found)
    }
    images.append(CocoIndex.Image(id: id, name: name, size: PixelSize(height: height, width: width)))
  }

  private mutating func category(
    _ stream: inout JSONStream, _ index: Int, _ failure: inout DatasetError?
  ) throws(JSONStream.Problem) {
    var id: Int?
    var name: String?
    try stream.object { (stream, member) throws(JSONStream.Problem) in
      if member.elementsEqual("id".utf8) {
        id = try stream.integer()
      } else if member.elementsEqual("name".utf8) {
        name = try self.text(&stream)
      } else {
        try stream.skip(depth: 3)
      }
    }
    guard let id else { throw stop(stream, &failure, "category \(index + 1) of the list", "an id", "none") }
    guard let name, !name.isEmpty else {
      throw stop(stream, &failure, "category \(id)", "a name", "none")
    }
    categories.append(CocoIndex.Category(id: id, name: name))
  }

  /// A string with its escapes read.
  private func text(_ stream: inout JSONStream) throws(JSONStream.Problem) -> String {
    let start = stream.at
    let raw = try stream.stringBytes()
    guard raw.contains(UInt8(ascii: "\\")) || raw.contains(where: { $0 >= 0x80 }) else {
      return String(decoding: raw, as: UTF8.self)
    }
    let quoted = [UInt8(ascii: "\"")] + Array(raw) + [UInt8(ascii: "\"")]
    guard let node = try? JSONReader.read(quoted), case .string(let text) = node.kind else {
      throw stream.problem("a string of UTF-8 with sound escapes", at: start)
    }
    return text
  }
}

// MARK: Annotations

/// What an annotation says, before any of it is judged.
private struct AnnotationMembers {
  private(set) var id: Int?
  private(set) var image: Int?
  private(set) var category: Int?
  private(set) var box = SIMD4<Double>(repeating: .nan)
  /// Numbers of the box.
  private(set) var count: Int?
  private(set) var area: Double?
  private(set) var crowd = 0
  /// Where the mask's text is.
  private(set) var mask: (start: Int, end: Int)?

  init(_ stream: inout JSONStream) throws(JSONStream.Problem) {
    try stream.object { (stream, member) throws(JSONStream.Problem) in
      if member.elementsEqual("segmentation".utf8) {
        _ = stream.peek()
        let start = stream.at
        try stream.skip(depth: 3)
        mask = (start, stream.at)
      } else if member.elementsEqual("bbox".utf8) {
        count = try stream.array { (stream, place) throws(JSONStream.Problem) in
          let number = try stream.number()
          if place < 4 { box[place] = number }
        }
      } else if member.elementsEqual("id".utf8) {
        id = try stream.integer()
      } else if member.elementsEqual("image_id".utf8) {
        image = try stream.integer()
      } else if member.elementsEqual("category_id".utf8) {
        category = try stream.integer()
      } else if member.elementsEqual("area".utf8) {
        area = try stream.number()
      } else if member.elementsEqual("iscrowd".utf8) {
        crowd = try stream.integer()
      } else {
        try stream.skip(depth: 3)
      }
    }
  }
}

extension CocoBuilder {
  fileprivate mutating func annotation(
    _ stream: inout JSONStream, _ index: Int, _ bytes: UnsafeBufferPointer<UInt8>,
    _ failure: inout DatasetError?
  ) throws(JSONStream.Problem) {
    let read = try AnnotationMembers(&stream)
    guard let id = read.id else {
      throw stop(stream, &failure, "annotation \(index + 1) of the list", "an id", "none")
    }
    let record = "annotation \(id)"
    guard let image = read.image, let category = read.category else {
      throw stop(
        stream, &failure, record, "an image_id and a category_id",
        read.image == nil ? "no image_id" : "no category_id")
    }
    let place = "\(record) of image \(image)"
    let numbers = read.box
    guard read.count == 4, numbers.indices.allSatisfy({ numbers[$0].isFinite }) else {
      let shown = read.count.map {
        $0 == 4 ? "\(numbers.indices.map { numbers[$0] })" : counted($0, "number")
      }
      throw stop(stream, &failure, place, "a bbox of 4 finite numbers", shown ?? "none")
    }
    guard numbers[2] >= 0, numbers[3] >= 0 else {
      throw stop(
        stream, &failure, place, "a bbox [x, y, width, height] of no negative size",
        "a width of \(numbers[2]) and a height of \(numbers[3])")
    }
    guard read.crowd == 0 || read.crowd == 1 else {
      throw stop(stream, &failure, place, "an iscrowd of 0 or 1", "\(read.crowd)")
    }
    var found = CocoIndex.Annotation()
    found.box = Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
    // Files without areas mean those of the boxes.
    found.area = read.area ?? numbers[2] * numbers[3]
    guard found.area.isFinite else {
      throw stop(stream, &failure, place, "a finite area", "\(found.area)")
    }
    found.id = id
    found.image = image
    found.category = category
    found.isCrowd = read.crowd == 1
    if let mask = read.mask { try self.mask(mask, bytes, &found, place, &failure) }
    annotations.append(found)
  }

  /// Looks at a mask without drawing it.
  private mutating func mask(
    _ range: (start: Int, end: Int), _ bytes: UnsafeBufferPointer<UInt8>,
    _ annotation: inout CocoIndex.Annotation, _ record: String, _ failure: inout DatasetError?
  ) throws(JSONStream.Problem) {
    var stream = JSONStream(bytes, at: range.start)
    switch stream.peek() {
    case UInt8(ascii: "["):
      let polygons: (drawn: Int, odd: Int) = try CocoMask.polygons(&stream) { _ in }
      oddPolygons += polygons.odd
      guard polygons.drawn > 0 else { return }
    case UInt8(ascii: "{"):
      let mask = try CocoMask.runs(&stream)
      guard let size = mask.size, mask.text != nil || mask.counts != nil else {
        throw stop(stream, &failure, record, "an RLE with size and counts", "one without")
      }
      runs[annotations.count] = (size, mask.text, mask.counts ?? 0)
    case UInt8(ascii: "n"): return
    default:
      throw stop(
        stream, &failure, record, "a segmentation of polygons or an RLE",
        JSONStream.shown(bytes, at: range.start))
    }
    annotation.maskStart = range.start
    annotation.maskLength = range.end - range.start
  }

  /// Whether the mask of an annotation fits its image.
  fileprivate func checkMask(of index: Int, in image: CocoIndex.Image) throws(DatasetError) {
    guard let mask = runs[index] else { return }
    let record = "annotation \(annotations[index].id) of image \(image.id)"
    guard mask.size == image.size else {
      throw malformed(
        record, "a segmentation of \(image.size.phrase)", "one of \(mask.size.phrase)")
    }
    do throws(MaskError) {
      if let text = mask.text {
        _ = try RunLengthMask(height: image.size.height, width: image.size.width, text: text)
      } else if mask.sum != image.size.height * image.size.width {
        throw mask.sum < 0
          ? .negativeRun
          : .coverage(pixels: mask.sum, height: image.size.height, width: image.size.width)
      }
    } catch {
      throw malformed(record, "an RLE whose runs sum to height × width", "\(error)")
    }
  }
}
