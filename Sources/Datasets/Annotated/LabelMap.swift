internal import CImages
import Specs

/// The values of a PNG of labels, as they are written.
struct LabelMap: Sendable {
  let size: PixelSize
  /// `[height, width]`.
  let values: [UInt8]

  /// - Throws: a phrase that says what is wrong with the bytes. `isForeign`: another
  ///   kind of file or of pixels.
  init(_ bytes: [UInt8]) throws(UndecodableImage) {
    var width = 0
    var height = 0
    var values: UnsafeMutablePointer<UInt8>?
    var message = [CChar](repeating: 0, count: CI_MESSAGE)
    let status = bytes.withUnsafeBufferPointer {
      ci_values($0.baseAddress, $0.count, &values, &width, &height, &message)
    }
    guard status == 0, let values else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw UndecodableImage(problem: String(decoding: text, as: UTF8.self), isForeign: status == CI_FOREIGN)
    }
    defer { ci_free(values) }
    size = PixelSize(height: height, width: width)
    self.values = Array(UnsafeBufferPointer(start: values, count: width * height))
  }
}

/// PNG files.
package enum PNGFile {
  /// - Parameters:
  ///   - pixels: `[height, width, channels]`, rows from the top.
  ///   - channels: 1 for gray, 3 for colours.
  static func encoded(_ pixels: [UInt8], height: Int, width: Int, channels: Int) -> [UInt8] {
    precondition(pixels.count == height * width * channels && (channels == 1 || channels == 3))
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    var message = [CChar](repeating: 0, count: CI_MESSAGE)
    let status = pixels.withUnsafeBufferPointer {
      ci_encode($0.baseAddress, width, height, channels, &bytes, &count, &message)
    }
    guard status == 0, let bytes else { preconditionFailure("no memory for a PNG") }
    defer { ci_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// Planes `[3, height, width]` as a PNG of colours.
  package static func encoded(planes: [UInt8], height: Int, width: Int) -> [UInt8] {
    let area = height * width
    var pixels = [UInt8](repeating: 0, count: 3 * area)
    for pixel in 0..<area {
      for channel in 0..<3 { pixels[3 * pixel + channel] = planes[channel * area + pixel] }
    }
    return encoded(pixels, height: height, width: width, channels: 3)
  }
}
