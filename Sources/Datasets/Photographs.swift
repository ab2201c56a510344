internal import CImages
package import Specs
import Synchronization
import Tensors

/// Images that stay in their files and are decoded when they are shown.
///
/// A file is compared with its digest each time: what changed after it was indexed fails the run instead
/// of changing its numbers.
package struct Photographs: Sendable {
  /// One file: where it lies below the root, and what it held when it was indexed.
  package struct Entry: Hashable, Sendable {
    package let path: String
    package let digest: ContentKey
  }

  package let root: String
  package let entries: [Entry]
  /// How they are shown when a network is measured; nil for the usual way.
  package var resize: ResizeRule?

  package func selecting(_ indices: [Int]) -> Photographs {
    Photographs(root: root, entries: indices.map { entries[$0] }, resize: resize)
  }
}

/// An image in memory: red, green, blue, rows from the top.
struct DecodedImage: ~Copyable {
  let width: Int
  let height: Int
  /// The decoder's first complaint about bytes that it decoded nevertheless.
  let warning: String?
  private let pixels: UnsafeMutablePointer<UInt8>

  /// - Throws: a phrase that says what is wrong with the bytes.
  init(_ bytes: [UInt8]) throws(UndecodableImage) {
    var (width, height) = (0, 0)
    var pixels: UnsafeMutablePointer<UInt8>?
    var message = [CChar](repeating: 0, count: CI_MESSAGE)
    let status = bytes.withUnsafeBufferPointer {
      ci_decode($0.baseAddress, $0.count, &pixels, &width, &height, &message)
    }
    let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    guard status == 0, let pixels else {
      throw UndecodableImage(
        problem: String(decoding: text, as: UTF8.self), isForeign: status == CI_FOREIGN)
    }
    self.width = width
    self.height = height
    self.pixels = pixels
    warning = text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
  }

  deinit { ci_free(pixels) }

  /// Whether bytes begin as those of a file that can be decoded here, JPEG or PNG.
  static func isKnown(_ beginning: [UInt8]) -> Bool {
    beginning.starts(with: [0xFF, 0xD8, 0xFF])
      || beginning.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  /// All pixels.
  var bytes: [UInt8] { Array(UnsafeBufferPointer(start: pixels, count: width * height * 3)) }

  /// The whole image as it is: planes `[3, height, width]`.
  var planes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, initialized in
      ci_planes(pixels, width, 0, 0, width, height, buffer.baseAddress)
      initialized = width * height * 3
    }
  }

  /// The crop of `box` resampled to a square of `side` pixels: planes `[3, side, side]`.
  func planes(_ box: PixelBox, side: Int) -> [UInt8] {
    let whole = PixelBox(left: 0, top: 0, width: side, height: side)
    return resampled(box, width: side, height: side, window: whole, .bilinear)
  }

  /// The whole image with its shorter side resampled, then the middle square of `side` pixels: how
  /// photographs are measured.
  ///
  /// Only the middle is computed: of a strip of 60 000 pixels the rest would not fit into memory.
  func centre(
    shorter: Int, side: Int, _ interpolation: ResizeRule.Interpolation = .bilinear
  ) -> [UInt8] {
    let isWide = width >= height
    let longer = shorter * max(width, height) / min(width, height)
    let w = isWide ? longer : shorter
    let h = isWide ? shorter : longer
    // Halves to even, as the original rounds them.
    let left = Int((Double(w - side) / 2).rounded(.toNearestOrEven))
    let top = Int((Double(h - side) / 2).rounded(.toNearestOrEven))
    return resampled(
      PixelBox(left: 0, top: 0, width: width, height: height), width: w, height: h,
      window: PixelBox(left: left, top: top, width: side, height: side), interpolation)
  }

  /// Planes `[3, window.height, window.width]` of the part `box` resampled to `w` × `h` pixels.
  private func resampled(
    _ box: PixelBox, width w: Int, height h: Int, window: PixelBox,
    _ interpolation: ResizeRule.Interpolation
  ) -> [UInt8] {
    let count = window.width * window.height * 3
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let status = ci_resample(
        pixels, width, box.c, w, h, window.c, interpolation == .bicubic ? 1 : 0, buffer.baseAddress)
      precondition(status == 0, "no memory for \(window.width) × \(window.height) pixels")
      initialized = count
    }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      ci_planes(bytes, window.width, 0, 0, window.width, window.height, buffer.baseAddress)
      initialized = count
    }
  }
}

/// Part of an image, in pixels.
struct PixelBox: Hashable, Sendable {
  var left: Int
  var top: Int
  var width: Int
  var height: Int

  fileprivate var c: ci_box { ci_box(left: left, top: top, width: width, height: height) }
}

/// Bytes that are no image, or a damaged one.
struct UndecodableImage: Error, Equatable {
  /// A phrase without a full stop.
  let problem: String
  /// Whether these are bytes of another kind, and not a damaged image.
  var isForeign = false
}

/// How photographs become squares.
enum PhotoView {
  /// The shorter side that a photograph is resampled to before its middle is taken: 256 for squares of 224.
  static func shorter(for side: Int) -> Int { side * 256 / 224 }

  /// How photographs are measured where nothing else is asked for.
  static func usual(for side: Int) -> ResizeRule { ResizeRule(shorterSide: shorter(for: side)) }

  /// A random part of a photograph: 8 % to all of its area, 3:4 to 4:3 (Szegedy et al. 2015),
  /// as TorchVision draws it.
  static func randomBox(width: Int, height: Int, _ stream: inout RandomStream) -> PixelBox {
    let area = Double(width * height)
    for _ in 0..<10 {
      let target = area * stream.uniform(0.08...1)
      let ratio = Logarithms.exponential(
        stream.uniform(Logarithms.natural(0.75)...Logarithms.natural(4.0 / 3)))
      let w = Int((target * ratio).squareRoot().rounded(.toNearestOrEven))
      let h = Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
      guard w > 0, h > 0, w <= width, h <= height else { continue }
      let top = stream.index(below: height - h + 1)
      return PixelBox(left: stream.index(below: width - w + 1), top: top, width: w, height: h)
    }
    // Nothing fitted: the middle, as near to the whole as the ratios allow.
    let ratio = Double(width) / Double(height)
    var (w, h) = (width, height)
    if ratio < 0.75 {
      h = Int((Double(width) / 0.75).rounded(.toNearestOrEven))
    } else if ratio > 4.0 / 3 {
      w = Int((Double(height) * 4 / 3).rounded(.toNearestOrEven))
    }
    return PixelBox(left: (width - w) / 2, top: (height - h) / 2, width: w, height: h)
  }
}

extension PhotoView {
  /// What an enhancement changes; the order is that of TorchVision's `ColorJitter`.
  enum Enhancement: Int32, CaseIterable { case brightness, contrast, saturation }

  static func enhance(_ planes: inout [UInt8], _ what: Enhancement, by factor: Double) {
    planes.withUnsafeMutableBufferPointer {
      ci_enhance($0.baseAddress, $0.count / 3, what.rawValue, Float(factor))
    }
  }

  /// All three, in a random order, by random factors around 1.
  static func jitter(_ planes: inout [UInt8], strength: Double, _ stream: inout RandomStream) {
    for index in stream.shuffled(count: Enhancement.allCases.count) {
      let factor = stream.uniform(max(0, 1 - strength)...1 + strength)
      enhance(&planes, Enhancement.allCases[index], by: factor)
    }
  }
}

#if canImport(Glibc)
  import Glibc
#endif

private enum Logarithms {
  static func natural(_ x: Double) -> Double { log(x) }
  static func exponential(_ x: Double) -> Double { exp(x) }
}

extension Photographs {
  /// The square of one photograph, `[3, side, side]` as bytes, and whether it is to be mirrored.
  ///
  /// - Parameters:
  ///   - stream: draws the part that is shown; nil for the middle, as photographs are measured.
  ///   - jitter: how strongly colours change; 0 for not at all.
  func view(
    _ index: Int, side: Int, _ stream: inout RandomStream?, jitter: Double = 0
  ) throws(DatasetError) -> (planes: [UInt8], flipped: Bool) {
    let image = try decoded(index)
    guard var draws = stream else {
      let rule = resize ?? PhotoView.usual(for: side)
      return (image.centre(shorter: rule.shorterSide, side: side, rule.interpolation), false)
    }
    let box = PhotoView.randomBox(width: image.width, height: image.height, &draws)
    var planes = image.planes(box, side: side)
    let flipped = draws.index(below: 2) == 1
    if jitter > 0 { PhotoView.jitter(&planes, strength: jitter, &draws) }
    stream = draws
    return (planes, flipped)
  }

  /// Every file was read and decoded when it was indexed, so what fails here is a folder
  /// that changed under a run.
  func decoded(_ index: Int) throws(DatasetError) -> DecodedImage {
    let bytes = try bytes(index)
    do throws(UndecodableImage) {
      return try DecodedImage(bytes)
    } catch {
      throw .changedPhotograph(
        file: "\(root)/\(entries[index].path)",
        problem: "decoded when it was indexed and does not any more (\(error.problem))")
    }
  }

  /// The bytes of a file, the same that it had when it was indexed.
  func bytes(_ index: Int) throws(DatasetError) -> [UInt8] {
    let path = "\(root)/\(entries[index].path)"
    let file: DataFile
    do throws(DatasetError) {
      file = try DataFile(reading: path)
    } catch .unreadable(_, let reason) {
      throw .changedPhotograph(
        file: path, problem: "was read when it was indexed and cannot be any more (\(reason))")
    }
    guard ContentKey(hashing: file.bytes) == entries[index].digest else {
      throw .changedPhotograph(file: path, problem: "holds other bytes than when it was indexed")
    }
    return file.bytes
  }
}

extension Augmentation {
  /// Photographs as a network sees them, decoded now.
  ///
  /// - Parameter stream: the draws of the photograph at a position of `indices`.
  func batch(
    of set: ImageSet, _ photographs: Photographs, _ indices: [Int], stream: (Int) -> RandomStream
  ) throws(DatasetError) -> Tensor {
    let side = set.task.height
    let jitter = if case .colourJitter(let strength) = self { strength } else { 0.0 }
    var views: [(planes: [UInt8], flipped: Bool)] = []
    views.reserveCapacity(indices.count)
    for (position, index) in indices.enumerated() {
      precondition((0..<set.count).contains(index), "image \(index) of \(set.count)")
      var draws = self == .none ? nil : stream(position)
      views.append(try photographs.view(index, side: side, &draws, jitter: jitter))
    }
    return Tensor(filling: [indices.count, 3, side, side]) { out in
      for (position, (planes, flipped)) in views.enumerated() {
        planes.withUnsafeBufferPointer { planes in
          guard let to = out.baseAddress, let from = planes.baseAddress else { return }
          ImageView.write(
            from, to: to + position * set.task.pixelCount, channels: 3, height: side, width: side, down: 0,
            right: 0, flipped: flipped, mean: set.mean, std: set.std)
        }
      }
    }
  }
}
