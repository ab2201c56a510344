import Specs

/// A dataset as one run of bytes, which workers read in milliseconds: little-endian words that describe
/// it, then labels and pixels.
///
///     "mtkdset1"
///     channels height width classes train test validation    7 × u64; validation is 0 where there is none
///     mean std                                               2 × channels × f64
///     labels pixels                                          of train, test, validation: u16 each, then bytes
///
/// Photographs stay where they are; packed are the places, labels and digests of their files:
///
///     "mtkdphot1"
///     side classes train test validation                     5 × u64
///     root                                                   u64 length, bytes
///     of each file of train, test, validation                label u64, digest 32 bytes, path as root
///
/// There is no checksum: the file lies in a stage's output, whose manifest has the digest of each file.
extension Dataset {
  private static let magic = Array("mtkdset1".utf8)
  private static let photographMagic = Array("mtkdphot1".utf8)

  package var packed: [UInt8] {
    if let photographs = train.photographs { return packed(photographs) }
    var bytes = Self.magic
    let sets = [train, test] + (validation.map { [$0] } ?? [])
    let extents = [task.channels, task.height, task.width, task.classes]
    let counts = [train.count, test.count, validation?.count ?? 0]
    for value in extents + counts { Self.append(UInt64(value), to: &bytes) }
    for value in train.mean + train.std { Self.append(value.bitPattern, to: &bytes) }
    bytes.reserveCapacity(bytes.count + sets.reduce(0) { $0 + $1.pixels.count + 2 * $1.count })
    for set in sets {
      for label in set.labels {
        bytes.append(UInt8(label & 255))
        bytes.append(UInt8(label >> 8))
      }
      bytes.append(contentsOf: set.pixels)
    }
    return bytes
  }

  /// - Parameter name: what a complaint calls the bytes: the path of their file.
  package init(packed bytes: [UInt8], name: String) throws(DatasetError) {
    var reader = PackedReader(file: DataFile(path: name, bytes: bytes))
    if bytes.starts(with: Self.photographMagic) {
      reader.offset = Self.photographMagic.count
      self = try Self.photographs(&reader)
      return
    }
    guard bytes.starts(with: Self.magic) else {
      throw reader.file.malformed(0, expected: "the mark of a packed dataset", found: "something else")
    }
    reader.offset = Self.magic.count
    let task = ImageTask(
      channels: try reader.extent("channels", 1...65536), height: try reader.extent("rows", 1...65536),
      width: try reader.extent("columns", 1...65536), classes: try reader.extent("classes", 1...65536))
    let most = bytes.count
    let counts = [
      try reader.extent("training images", 0...most), try reader.extent("test images", 0...most),
      try reader.extent("validation images", 0...most),
    ]
    var (mean, std): ([Double], [Double]) = ([], [])
    for _ in 0..<task.channels { mean.append(try reader.double()) }
    for _ in 0..<task.channels { std.append(try reader.double()) }
    var sets: [ImageSet] = []
    for count in counts {
      let labels = try reader.labels(count, classes: task.classes)
      let pixels = try reader.bytes(count, of: task.pixelCount)
      sets.append(ImageSet(task: task, labels: labels, pixels: pixels, mean: mean, std: std))
    }
    guard reader.offset == bytes.count else {
      throw reader.file.malformed(
        reader.offset, expected: "the end of the file", found: "\(bytes.count - reader.offset) more bytes")
    }
    self.init(train: sets[0], test: sets[1], validation: sets[2].count > 0 ? sets[2] : nil)
  }

  private func packed(_ photographs: Photographs) -> [UInt8] {
    let sets = [train, test] + (validation.map { [$0] } ?? [])
    var bytes = Self.photographMagic
    for value in [task.height, task.classes, train.count, test.count, validation?.count ?? 0] {
      Self.append(UInt64(value), to: &bytes)
    }
    func append(_ text: String) {
      Self.append(UInt64(text.utf8.count), to: &bytes)
      bytes.append(contentsOf: text.utf8)
    }
    append(photographs.root)
    for set in sets {
      for (label, entry) in zip(set.labels, set.photographs?.entries ?? []) {
        Self.append(UInt64(label), to: &bytes)
        bytes.append(contentsOf: entry.digest.digest)
        append(entry.path)
      }
    }
    if let resize = photographs.resize {
      Self.append(UInt64(resize.shorterSide), to: &bytes)
      Self.append(resize.interpolation == .bicubic ? 1 : 0, to: &bytes)
    }
    return bytes
  }

  private static func photographs(_ reader: inout PackedReader) throws(DatasetError) -> Dataset {
    let side = try reader.extent("pixels a side", 1...65536)
    let task = ImageTask(
      channels: 3, height: side, width: side, classes: try reader.extent("classes", 1...65536))
    let most = reader.file.bytes.count
    let counts = [
      try reader.extent("training images", 0...most), try reader.extent("test images", 0...most),
      try reader.extent("validation images", 0...most),
    ]
    let root = try reader.text()
    var splits: [(labels: [Int], entries: [Photographs.Entry])] = []
    for count in counts {
      var (labels, entries): ([Int], [Photographs.Entry]) = ([], [])
      for _ in 0..<count {
        labels.append(try reader.extent("label", 0...(task.classes - 1)))
        let digest = try reader.bytes(32, of: 1)
        entries.append(
          Photographs.Entry(path: try reader.text(), digest: ContentKey(digest: digest)!))
      }
      splits.append((labels, entries))
    }
    var resize: ResizeRule?
    if reader.offset < most {
      resize = ResizeRule(
        shorterSide: try reader.extent("pixels of the shorter side", side...655_360),
        interpolation: try reader.extent("way of resampling", 0...1) == 1 ? .bicubic : .bilinear)
    }
    let sets = splits.map { labels, entries in
      ImageSet(
        task: task, labels: labels, photographs: Photographs(root: root, entries: entries, resize: resize))
    }
    guard reader.offset == most else {
      throw reader.file.malformed(
        reader.offset, expected: "the end of the file", found: "\(most - reader.offset) more bytes")
    }
    return Dataset(train: sets[0], test: sets[1], validation: sets[2].count > 0 ? sets[2] : nil)
  }

  private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}

/// Reads forwards, never past the end.
private struct PackedReader {
  let file: DataFile
  var offset = 0

  init(file: DataFile) { self.file = file }

  mutating func bytes(_ count: Int, of size: Int) throws(DatasetError) -> [UInt8] {
    let (total, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow, total <= file.bytes.count - offset else {
      throw file.malformed(
        offset, expected: "\(count) × \(size) bytes",
        found: "\(file.bytes.count - offset) up to the end of the file")
    }
    defer { offset += total }
    return Array(file.bytes[offset..<offset + total])
  }

  private mutating func word() throws(DatasetError) -> UInt64 {
    try bytes(8, of: 1).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func extent(_ what: String, _ range: ClosedRange<Int>) throws(DatasetError) -> Int {
    let value = try word()
    guard let number = Int(exactly: value), range.contains(number) else {
      throw file.malformed(
        offset - 8, expected: "\(range.lowerBound) to \(range.upperBound) \(what)", found: "\(value)")
    }
    return number
  }

  mutating func text() throws(DatasetError) -> String {
    let start = offset
    let count = try extent("bytes of text", 0...file.bytes.count)
    let bytes = try bytes(count, of: 1)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw file.malformed(start, expected: "a text in UTF-8", found: "other bytes")
    }
    return text
  }

  mutating func double() throws(DatasetError) -> Double {
    let value = Double(bitPattern: try word())
    guard value.isFinite else {
      throw file.malformed(offset - 8, expected: "a finite number", found: "\(value)")
    }
    return value
  }

  mutating func labels(_ count: Int, classes: Int) throws(DatasetError) -> [Int] {
    let start = offset
    let bytes = try bytes(count, of: 2)
    var labels = [Int](repeating: 0, count: count)
    for index in 0..<count { labels[index] = Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8 }
    if let index = labels.firstIndex(where: { $0 >= classes }) {
      throw file.malformed(
        start + 2 * index, expected: "a label from 0 to \(classes - 1)", found: "\(labels[index])")
    }
    return labels
  }
}
