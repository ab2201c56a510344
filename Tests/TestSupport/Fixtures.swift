internal import CTestSupport
package import Foundation
package import Tensors

/// Where reference values and real images are.
package enum Fixtures {
  private static let repository = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  /// `MTKD_FIXTURES`, else the specification's folder beside the repository, else the
  /// small copy in Tests/Fixtures.
  package static let folder: URL = {
    if let named = ProcessInfo.processInfo.environment["MTKD_FIXTURES"] { return URL(filePath: named) }
    let shared = repository.appending(path: "../shared/spec/fixtures").standardizedFileURL
    return FileManager.default.fileExists(atPath: shared.path) ? shared : committed
  }()

  /// What the repository holds itself.
  package static let committed = repository.appending(path: "Tests/Fixtures")

  /// `MTKD_DATA`, else the images beside the repository; nil where there are none.
  package static let images: URL? = {
    let named = ProcessInfo.processInfo.environment["MTKD_DATA"].map { URL(filePath: $0) }
    let folder = named ?? repository.appending(path: "../shared/data").standardizedFileURL
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  package static func bytes(_ path: String) throws -> [UInt8] {
    try Array(Data(contentsOf: folder.appending(path: path)))
  }

  package static func has(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: path).path)
  }
}

/// The rule by which fixtures fill tensors: splitmix64 over the FNV-1a hash of a text.
package enum FillRule {
  package static func word(_ key: String, _ index: Int) -> UInt64 { word(fnv(key), index) }

  /// A value in (-1, 1), exact also as a float.
  package static func unit(_ key: String, _ index: Int) -> Double { unit(fnv(key), index) }

  private static func fnv(_ key: String) -> UInt64 {
    key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private static func word(_ hash: UInt64, _ index: Int) -> UInt64 {
    var z = hash &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private static func unit(_ hash: UInt64, _ index: Int) -> Double { fill_unit(hash, index) }

  /// The values of one array, rounded to 32 bits and widened again.
  package static func values(seed: Int, name: String, _ shape: Shape) -> [Double] {
    let (scale, offset) = range(name, shape)
    return [Double](unsafeUninitializedCapacity: shape.count) { buffer, initialized in
      fill_values(fnv("\(seed):\(name)"), offset, scale, buffer.baseAddress, shape.count)
      initialized = shape.count
    }
  }

  /// The values of one array in double precision, before they are rounded.
  package static func unrounded(seed: Int, name: String, _ shape: Shape) -> [Double] {
    let (scale, offset) = range(name, shape)
    let key = fnv("\(seed):\(name)")
    return (0..<shape.count).map { offset + scale * unit(key, $0) }
  }

  /// How wide an array's values spread, and around what.
  private static func range(_ name: String, _ shape: Shape) -> (scale: Double, offset: Double) {
    let fanIn = shape.rank > 1 ? shape.inner(of: 0) : 1
    switch name.split(separator: ".").last.map(String.init) ?? name {
    case "weight": return shape.rank > 1 ? ((6 / Double(fanIn)).squareRoot(), 0) : (0.25, 1)
    case "bias", "running_mean": return (0.1, 0)
    case "running_var": return (0.5, 1.5)
    case "num_batches_tracked": return (0, 0)
    default: return (0.5, 0)
    }
  }

  /// Images `[count, channels, height, width]`.
  package static func images(seed: Int, _ shape: Shape) -> [Double] {
    let (count, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
    let keys = (fnv("\(seed):input"), fnv("\(seed):input.coarse"), fnv("\(seed):input.level"))
    let (rows, columns) = ((height + 3) / 4, (width + 3) / 4)
    var values: [Double] = []
    values.reserveCapacity(shape.count)
    for plane in 0..<(count * channels) {
      for y in 0..<height {
        for x in 0..<width {
          let fine = 0.5 * unit(keys.0, (plane * height + y) * width + x)
          let coarse = unit(keys.1, (plane * rows + y / 4) * columns + x / 4)
          values.append(Double(Float(fine + coarse + unit(keys.2, plane))))
        }
      }
    }
    return values
  }

  package static func labels(seed: Int, count: Int, classes: Int) -> [Int] {
    (0..<count).map { Int(word("\(seed):labels", $0) % UInt64(classes)) }
  }

  /// Sum, l2 norm and probe of a tensor: three numbers that notice any permutation.
  package static func triple(_ values: [Double], probe name: String) -> [Double] {
    var triple = [0.0, 0, 0]
    fill_triple(fnv("probe:\(name)"), values, &triple, values.count)
    return [triple[0], triple[1].squareRoot(), triple[2]]
  }
}

/// Photographs that a test writes.
package enum JPEG {
  /// Encodes red, green, blue pixels, rows from the top.
  package static func encoded(_ pixels: [UInt8], width: Int, height: Int, quality: Int = 90) -> [UInt8] {
    precondition(pixels.count == width * height * 3)
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    jpeg_encode(pixels, width, height, Int32(quality), &bytes, &count)
    defer { jpeg_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
