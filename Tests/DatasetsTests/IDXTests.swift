import CZlib
import Specs
import Testing

@testable import Datasets

@Suite struct IDXTests {
  static func images(_ extents: [UInt8], _ pixels: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(extents.count)] + extents.flatMap { [0, 0, 0, $0] } + pixels
  }

  /// Three training and two test images of 2 × 2, labels 0, 1, 2 and 2, 0.
  static let files = [
    images([3, 2, 2], Array(0..<12)), images([3], [0, 1, 2]), images([2, 2, 2], Array(20..<28)),
    images([2], [2, 0]),
  ]

  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count + 100))
    let (room, given) = (output.count, input.count)
    output.withUnsafeMutableBufferPointer { output in
      input.withUnsafeMutableBufferPointer { input in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(given))
        (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(room))
        _ = deflate(&stream, Z_FINISH)
      }
    }
    return Array(output.prefix(room - Int(stream.avail_out)))
  }

  private func read(_ contents: [[UInt8]]) throws -> (train: ImageSet, test: ImageSet) {
    try IDX.read(zip(IDX.names, contents).map { DataFile(path: $0, bytes: $1) })
  }

  private func offset(of contents: [[UInt8]]) -> Int? {
    do {
      _ = try read(contents)
      return nil
    } catch DatasetError.malformed(_, let offset, _, _) { return offset } catch { return -1 }
  }

  @Test(arguments: [false, true])
  func `four files become two sets, compressed or not`(_ compressed: Bool) throws {
    let (train, test) = try read(compressed ? Self.files.map(Self.gzip) : Self.files)
    #expect(train.labels == [0, 1, 2] && test.labels == [2, 0])
    #expect(train.pixels == Array(0..<12) && test.pixels == Array(20..<28))
    #expect(train.task == ImageTask(channels: 1, height: 2, width: 2, classes: 3))
    // Of 0...11: mean 5.5, variance (12² - 1) / 12.
    #expect(abs(train.mean[0] * 255 - 5.5) < 1e-12)
    #expect(abs(train.std[0] * 255 - (143.0 / 12).squareRoot()) < 1e-12)
    #expect(test.mean == train.mean && test.std == train.std)
  }

  static let mistakes: [(what: String, file: Int, bytes: [UInt8], offset: Int)] = [
    ("too short for a header", 0, [0, 0, 8], 3),
    ("first byte", 0, [1, 0, 8, 3] + files[0].dropFirst(4), 0),
    ("second byte", 0, [0, 1, 8, 3] + files[0].dropFirst(4), 0),
    ("unknown type", 0, [0, 0, 7, 3] + files[0].dropFirst(4), 2),
    ("type of floats", 0, [0, 0, 13, 3] + files[0].dropFirst(4), 2),
    ("no extents", 0, [0, 0, 8, 0], 3),
    ("nine extents", 0, [0, 0, 8, 9] + [UInt8](repeating: 0, count: 36), 3),
    ("extents cut off", 0, Array(files[0].prefix(9)), 9),
    ("one byte short", 0, Array(files[0].dropLast()), 27),
    ("one byte long", 0, files[0] + [0], 28),
    ("huge extents", 0, [0, 0, 8, 3] + [UInt8](repeating: 255, count: 12), 4),
    ("labels where images should be", 0, files[1], 3),
    ("images where labels should be", 1, files[0], 3),
    ("another number of labels", 1, images([2], [0, 1]), 4),
    ("a class that training does not have", 3, images([2], [2, 3]), 9),
    ("test images of another size", 2, images([2, 1, 2], [1, 2, 3, 4]), 8),
  ]

  @Test(arguments: mistakes.indices)
  func `a wrong header or length is refused with its offset`(_ index: Int) {
    let mistake = Self.mistakes[index]
    var contents = Self.files
    contents[mistake.file] = mistake.bytes
    #expect(offset(of: contents) == mistake.offset, "\(mistake.what)")
  }

  @Test func `compressed files that are cut, altered or followed by junk are refused`() {
    let whole = Self.gzip(Self.files[0])
    for end in [2, 11, whole.count / 2, whole.count - 1] {
      #expect(offset(of: [Array(whole.prefix(end))] + Self.files.dropFirst()) != nil, "cut at \(end)")
    }
    // The last eight bytes are checksum and length.
    for place in (whole.count - 8)..<whole.count {
      var altered = whole
      altered[place] ^= 1
      #expect(offset(of: [altered] + Self.files.dropFirst()) != nil, "altered at \(place)")
    }
    let place = offset(of: [whole + [1, 2, 3]] + Self.files.dropFirst())
    #expect(place.map { (whole.count...whole.count + 3).contains($0) } == true)
  }

  @Test func `any folder with the four files can be named`() throws {
    let scratch = try Scratch()
    for (index, name) in IDX.names.enumerated() {
      try scratch.write(
        index % 2 == 0 ? Self.gzip(Self.files[index]) : Self.files[index],
        index % 2 == 0 ? "\(name).gz" : name)
    }
    let located = try DatasetCatalog.locate("idx:\(scratch.path)")
    #expect(located.spec.name == "idx" && located.spec.digest != nil)
    #expect(try DatasetCatalog.read(located.spec).train.labels == [0, 1, 2])
  }

  @Test(
    .enabled(
      if: RealData.has("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"),
      "Debian's package of Fashion-MNIST is read"))
  func `Fashion-MNIST reads from where Debian puts it`() throws {
    let located = try DatasetCatalog.locate("fashion-mnist")
    let data = try DatasetCatalog.read(located.spec)
    #expect(data.task == ImageTask(channels: 1, height: 28, width: 28, classes: 10))
    #expect(data.train.count == 60_000 && data.test.count == 10_000)
    #expect(data.train.labels.prefix(3) == [9, 0, 0])
    #expect(abs(data.train.mean[0] - 0.2860) < 5e-5 && abs(data.train.std[0] - 0.3530) < 5e-5)
  }
}
