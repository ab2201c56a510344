import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Pictures that decoders complain of: the files and Pillow's answers are in Tests/Fixtures/images/odd.
@Suite struct OddPictureTests {
  private static let folder = Fixtures.committed.appending(path: "images")

  private static func recorded(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: folder.appending(path: name)))
  }

  static let names = [
    "sos.jpg", "before-marker.jpg", "before-end.jpg", "restarts.jpg", "after-end.jpg", "no-end.jpg",
    "cut.jpg",
    "zeros.jpg", "unmarked.jpg", "no-iend.png", "cut.png", "idat-sum.png", "after-end.png",
  ]

  @Test(arguments: names)
  func `what Pillow decodes is decoded to its bytes, and what it refuses is refused`(_ name: String) throws {
    let truth = try Self.recorded("odd/\(name).rgb")
    let bytes = try Self.recorded("odd/\(name)")
    guard !truth.isEmpty else {
      #expect(throws: UndecodableImage.self) { _ = try DecodedImage(bytes) }
      return
    }
    let image = try DecodedImage(bytes)
    #expect(image.width == Int(truth[0]) && image.height == Int(truth[1]))
    let pixels = image.bytes
    #expect(pixels == Array(truth[2...]))
  }

  @Test(arguments: [
    "restarts.jpg", "zeros.jpg", "no-iend.png", "idat-sum.png", "text-sum.png",
  ])
  func `a complaint of the decoder is kept as a warning`(_ name: String) throws {
    let image = try DecodedImage(Self.recorded("odd/\(name)"))
    let warning = image.warning
    #expect(warning?.isEmpty == false)
  }

  @Test(arguments: ["photo.jpg", "palette.png"])
  func `bicubic resampling gives Pillow's bytes`(_ name: String) throws {
    let image = try DecodedImage(Self.recorded(name))
    let planes = image.centre(shorter: 20, side: 16, .bicubic)
    let pixels = (0..<256).flatMap { pixel in (0..<3).map { planes[$0 * 256 + pixel] } }
    #expect(try pixels == Self.recorded("\(name).bicubic"))
  }

  @Test(arguments: [(60_000, 1), (1, 60_000)])
  func `a strip of a picture takes no more memory than its middle`(_ width: Int, _ height: Int) throws {
    let pixels = (0..<width * height * 3).map { UInt8(($0 / 3 / 7) & 255) }
    let image = try DecodedImage(JPEG.encoded(pixels, width: width, height: height, quality: 100))
    // Resampled whole, the first would have 256 × 15 360 000 pixels: 11 GiB.
    let middle = image.centre(shorter: 256, side: 224)
    #expect(middle.count == 3 * 224 * 224)
    // The strip is stretched 256 times or more, so the middle shows a pixel or two.
    let centre = Int(pixels[(width * height / 2) * 3])
    #expect(middle.prefix(224 * 224).allSatisfy { abs(Int($0) - centre) <= 40 })
  }
}
