import Specs

/// The files of the MNIST family: a big-endian header, then unsigned bytes in row-major
/// order; perhaps compressed.
enum IDX {
  /// What the four files of a dataset are called, each perhaps with `.gz` behind it.
  static let names = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
  ]

  /// - Parameter files: training images, training labels, test images, test labels.
  static func read(_ files: [DataFile]) throws(DatasetError) -> (train: ImageSet, test: ImageSet) {
    precondition(files.count == 4, "\(files.count) files")
    let contents = [
      try Gzip.content(of: files[0]), try Gzip.content(of: files[1]), try Gzip.content(of: files[2]),
      try Gzip.content(of: files[3]),
    ]
    let train = try images(contents[0])
    let trainLabels = try labels(contents[1], count: train.count)
    let test = try images(contents[2])
    guard test.height == train.height, test.width == train.width else {
      throw contents[2].malformed(
        8, expected: "images of \(train.height) × \(train.width), as for training",
        found: "\(test.height) × \(test.width)")
    }
    let classes = Int(trainLabels.max() ?? 0) + 1
    let testLabels = try labels(contents[3], count: test.count)
    if let index = testLabels.firstIndex(where: { Int($0) >= classes }) {
      throw contents[3].malformed(
        8 + index, expected: "a label from 0 to \(classes - 1), as for training",
        found: "\(testLabels[index])")
    }
    let task = ImageTask(channels: 1, height: train.height, width: train.width, classes: classes)
    let (mean, std) = PixelStatistics.of(train.pixels, task: task)
    return (
      ImageSet(task: task, labels: trainLabels.map { Int($0) }, pixels: train.pixels, mean: mean, std: std),
      ImageSet(task: task, labels: testLabels.map { Int($0) }, pixels: test.pixels, mean: mean, std: std)
    )
  }

  /// What the headers of the four files say, and how many classes there are.
  struct Headers: Sendable {
    let train: Int
    let test: Int
    let height: Int
    let width: Int
    let classes: Int
  }

  /// Reads headers and labels, and no pixel. Lengths are compared with the headers.
  ///
  /// - Parameter files: training images, training labels, test images, test labels.
  static func headers(_ files: [DataFile]) throws(DatasetError) -> Headers {
    precondition(files.count == 4, "\(files.count) files")
    let train = try imageExtents(files[0])
    let test = try imageExtents(files[2])
    guard test[1...] == train[1...] else {
      throw files[2].malformed(
        8, expected: "images of \(train[1]) × \(train[2]), as for training", found: "\(test[1]) × \(test[2])")
    }
    let labels = try labels(try Gzip.content(of: files[1]), count: train[0])
    _ = try self.labels(try Gzip.content(of: files[3]), count: test[0])
    let classes = Int(labels.max() ?? 0) + 1
    guard classes > 1 else {
      throw files[1].malformed(8, expected: "labels of two classes or more", found: "the label 0 alone")
    }
    return Headers(train: train[0], test: test[0], height: train[1], width: train[2], classes: classes)
  }

  private static func imageExtents(_ file: DataFile) throws(DatasetError) -> [Int] {
    let (extents, header) = try extents(Gzip.beginning(of: file, count: 36))
    try check(extents, of: file)
    let size = try size(extents, file)
    // A gzip file ends with the length of what its last member holds; several members are rare,
    // and then all is unpacked.
    if let length = try Gzip.length(of: file), length != header + size {
      _ = try array(Gzip.content(of: file))
    }
    return extents
  }

  private static func check(_ extents: [Int], of file: DataFile) throws(DatasetError) {
    guard extents.count == 3, extents.allSatisfy({ $0 > 0 }) else {
      throw file.malformed(3, expected: "three extents: images, rows, columns", found: "\(extents)")
    }
  }

  private static func images(
    _ file: DataFile
  ) throws(DatasetError) -> (count: Int, height: Int, width: Int, pixels: [UInt8]) {
    let (extents, data) = try array(file)
    try check(extents, of: file)
    return (extents[0], extents[1], extents[2], data)
  }

  private static func labels(_ file: DataFile, count: Int) throws(DatasetError) -> [UInt8] {
    let (extents, data) = try array(file)
    guard extents.count == 1 else {
      throw file.malformed(3, expected: "one extent: labels", found: "\(extents)")
    }
    guard extents[0] == count else {
      throw file.malformed(4, expected: "\(count) labels, as many as images", found: "\(extents[0])")
    }
    return data
  }

  /// Any array of unsigned bytes: its extents, outermost first, and its elements.
  static func array(_ file: DataFile) throws(DatasetError) -> (extents: [Int], data: [UInt8]) {
    let bytes = file.bytes
    let (extents, header) = try extents(file)
    let size = try size(extents, file)
    guard bytes.count - header == size else {
      throw file.malformed(
        min(bytes.count, header + size),
        expected: "\(size) elements after the header, for extents \(extents)",
        found: "\(bytes.count - header)")
    }
    return (extents, Array(bytes[header...]))
  }

  /// The extents that a header names, and its length in bytes.
  private static func extents(_ file: DataFile) throws(DatasetError) -> (extents: [Int], header: Int) {
    let bytes = file.bytes
    guard bytes.count >= 4 else {
      throw file.malformed(bytes.count, expected: "a header of 4 bytes", found: "the end of the file")
    }
    guard bytes[0] == 0, bytes[1] == 0 else {
      throw file.malformed(0, expected: "two bytes 0", found: "\(bytes[0]) and \(bytes[1])")
    }
    guard bytes[2] == 8 else {
      let known = [9, 11, 12, 13, 14].contains(bytes[2])
      let found = known ? "type \(bytes[2]), which holds no pixels of 8 bits" : "the unknown type \(bytes[2])"
      throw file.malformed(2, expected: "type 8, unsigned bytes", found: found)
    }
    guard (1...8).contains(bytes[3]) else {
      throw file.malformed(3, expected: "1 to 8 extents", found: "\(bytes[3])")
    }
    let header = 4 + 4 * Int(bytes[3])
    guard bytes.count >= header else {
      throw file.malformed(
        bytes.count, expected: "\(bytes[3]) extents of 4 bytes", found: "the end of the file")
    }
    let extents = stride(from: 4, to: header, by: 4).map { start in
      bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    return (extents, header)
  }

  private static func size(_ extents: [Int], _ file: DataFile) throws(DatasetError) -> Int {
    var size = 1
    for extent in extents {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw file.malformed(4, expected: "extents whose product is a size", found: "\(extents)")
      }
      size = product
    }
    return size
  }
}
