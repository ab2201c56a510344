import Specs

/// The binary versions of CIFAR-10 and CIFAR-100 (A. Krizhevsky): records of one or two labels and
/// 3 × 32 × 32 bytes, without a header.
///
/// The size of a file cannot tell the two apart, so the name of the dataset decides.
struct CIFARBinary: Sendable {
  /// Labels before the pixels: 1 (class) or 2 (coarse, then fine).
  let labelCount: Int
  let task: ImageTask
  let mean: [Double]
  let std: [Double]

  static let ten = CIFARBinary(
    labelCount: 1, task: ImageTask(channels: 3, height: 32, width: 32, classes: 10),
    // Of the 50 000 training images, to four digits.
    mean: [0.4914, 0.4822, 0.4465], std: [0.2470, 0.2435, 0.2616])

  static let hundred = CIFARBinary(
    labelCount: 2, task: ImageTask(channels: 3, height: 32, width: 32, classes: 100),
    // The constants of the paper's released code.
    mean: [0.5071, 0.4867, 0.4408], std: [0.2675, 0.2565, 0.2761])

  var recordSize: Int { labelCount + task.pixelCount }

  /// How many images a file holds, by its size.
  func count(_ file: DataFile) throws(DatasetError) -> Int {
    let count = file.bytes.count / recordSize
    guard count > 0, count * recordSize == file.bytes.count else {
      throw file.malformed(
        count * recordSize, expected: "a whole number of records of \(recordSize) bytes, at least one",
        found: "\(file.bytes.count - count * recordSize) bytes up to the end of the file")
    }
    return count
  }

  /// The images of some files, one after the other.
  func read(_ files: [DataFile]) throws(DatasetError) -> ImageSet {
    var labels: [Int] = []
    var pixels: [UInt8] = []
    pixels.reserveCapacity(files.reduce(0) { $0 + $1.bytes.count })
    for file in files {
      let count = try count(file)
      for record in 0..<count {
        let start = record * recordSize
        labels.append(try label(in: file, at: start))
        pixels.append(contentsOf: file.bytes[(start + labelCount)..<(start + recordSize)])
      }
    }
    return ImageSet(task: task, labels: labels, pixels: pixels, mean: mean, std: std)
  }

  private func label(in file: DataFile, at start: Int) throws(DatasetError) -> Int {
    let label = Int(file.bytes[start + labelCount - 1])
    guard label < task.classes else {
      throw file.malformed(
        start + labelCount - 1, expected: "a label from 0 to \(task.classes - 1)", found: "\(label)")
    }
    if labelCount == 2 {
      let coarse = Int(file.bytes[start])
      guard coarse == Self.coarse[label] else {
        throw file.malformed(
          start, expected: "coarse label \(Self.coarse[label]), to which fine label \(label) belongs",
          found: "\(coarse)")
      }
    }
    return label
  }

  /// The coarse label of each fine label of CIFAR-100.
  private static let coarse = [
    4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7, 6, 13, 15, 3, 15,
    0, 11, 1, 10, 12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4, 17, 4, 2, 0, 17, 4, 18,
    17,
    10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13, 15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19,
    18, 1, 2, 15, 6, 0, 17, 8, 14, 13,
  ]
}
