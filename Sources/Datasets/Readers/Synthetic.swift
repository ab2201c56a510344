package import Specs
import Tensors

/// Textured shapes on cluttered ground, drawn from a seed: what a sweep trains on where no files are.
///
/// A class is a shape together with a texture; no two classes share both, so neither alone tells all classes
/// apart. Place, size, tilt, colours, brightness, noise and a distracting patch are random and tell nothing.
/// The named size is `synthetic-CxHxW-K`: channels, height, width, classes. Image i of a split depends on
/// nothing but the task, the split and i, and belongs to class i mod K.
package struct SyntheticTask: Hashable, Sendable {
  package let task: ImageTask

  package static let standard = SyntheticTask(ImageTask(channels: 1, height: 16, width: 16, classes: 10))

  /// Images where a grid does not say how many.
  package static let trainImages = 5000
  package static let testImages = 1000
  /// Nothing ends there; a larger number is more likely to be a slip.
  static let mostImages = 1_000_000

  package init(_ task: ImageTask) { self.task = task }

  /// Reads a name; nil where it is none of this generator's. Throws where its numbers make no task.
  package init?(name: String) throws(DatasetError) {
    if name == "synthetic" {
      self = .standard
      return
    }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.first == "synthetic" else { return nil }
    let numbers = parts.dropFirst().flatMap { $0.split(separator: "x", omittingEmptySubsequences: false) }
      .map { $0.allSatisfy(\.isNumber) ? Int($0) : nil }
    guard parts.count == 3, numbers.count == 4, parts[1].split(separator: "x").count == 3,
      let channels = numbers[0], let height = numbers[1], let width = numbers[2], let classes = numbers[3]
    else {
      throw .impossible(name: name, problem: "write synthetic-CxHxW-K, such as synthetic-3x32x32-100")
    }
    guard (1...64).contains(channels), (4...512).contains(height), (4...512).contains(width) else {
      throw .impossible(name: name, problem: "images have 1 to 64 channels and sides of 4 to 512 pixels")
    }
    guard (2...1000).contains(classes) else {
      throw .impossible(name: name, problem: "there can be 2 to 1000 classes")
    }
    task = ImageTask(channels: channels, height: height, width: width, classes: classes)
  }

  /// The name in full.
  package var name: String { "synthetic-\(task.channels)x\(task.height)x\(task.width)-\(task.classes)" }

  /// Of the parameters. `revision` rises when the same parameters give other pixels.
  var digest: ContentKey {
    var hasher = ContentHasher()
    hasher.field("generator", name)
    hasher.field("revision", "1")
    return hasher.finished()
  }
}

extension SyntheticTask {
  enum Split: Int { case train, test, validation }

  func images(_ split: Split, count: Int) -> ImageSet {
    let size = task.pixelCount
    let pixels = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      for index in 0..<count {
        draw(
          split, index, into: UnsafeMutableBufferPointer(rebasing: buffer[index * size..<(index + 1) * size]))
      }
      initialized = count * size
    }
    return ImageSet(
      task: task, labels: (0..<count).map { $0 % task.classes }, pixels: pixels,
      mean: Array(repeating: 0.5, count: task.channels), std: Array(repeating: 0.25, count: task.channels))
  }

  /// Uses additions, products, quotients and square roots only, which round the same way everywhere.
  private func draw(_ split: Split, _ index: Int, into image: UnsafeMutableBufferPointer<UInt8>) {
    var stream = RandomStream(seed: 1, "synthetic", split.rawValue, index)
    let figure = Figure(of: index % task.classes, in: task, &stream)
    let patch = Patch(in: task, &stream)
    let sign: Double = stream.index(below: 2) == 0 ? -1 : 1
    for channel in 0..<task.channels {
      let ground = stream.uniform(70...185)
      let (across, along) = (stream.uniform(-40...40), stream.uniform(-40...40))
      let contrast = sign * stream.uniform(45...90)
      let patchValue = stream.uniform(20...235)
      let plane = channel * task.height * task.width
      var noise: UInt64 = 0
      for y in 0..<task.height {
        let gradient = ground + along * (Double(y) / Double(task.height) - 0.5)
        for x in 0..<task.width {
          if x & 3 == 0 { noise = stream.next() }
          var value = gradient + across * (Double(x) / Double(task.width) - 0.5)
          if patch.covers(x, y) { value = patchValue }
          value += contrast * figure.strength(x, y)
          // The sum of two bytes: a triangle from -64 to 64 around nothing.
          value += (Double(noise & 255) + Double(noise >> 8 & 255)) / 4 - 63.75
          noise >>= 16
          image[plane + y * task.width + x] = UInt8(max(0, min(255, value)))
        }
      }
    }
  }
}

/// A shape in its place, with its texture.
private struct Figure {
  private let (shape, texture, period): (Int, Int, Int)
  private let (centreX, centreY, radius, tiltX, tiltY): (Double, Double, Double, Double, Double)
  private let (phaseX, phaseY): (Int, Int)

  /// Six shapes and five textures: 30 pairs, since 6 and 5 share no divisor; then coarser textures.
  init(of label: Int, in task: ImageTask, _ stream: inout RandomStream) {
    (shape, texture, period) = (label % 6, label % 5, 3 + 2 * (label / 30))
    let side = Double(min(task.height, task.width))
    radius = stream.uniform(0.26...0.42) * side
    centreX = Double(task.width - 1) / 2 + stream.uniform(-0.16...0.16) * side
    centreY = Double(task.height - 1) / 2 + stream.uniform(-0.16...0.16) * side
    let tilt = stream.uniform(-0.25...0.25)
    let length = (1 + tilt * tilt).squareRoot()
    (tiltX, tiltY) = (1 / length, tilt / length)
    (phaseX, phaseY) = (stream.index(below: 2 * period), stream.index(below: 2 * period))
  }

  /// 0 outside; 1 inside; less on the dark parts of the texture.
  func strength(_ x: Int, _ y: Int) -> Double {
    let (dx, dy) = ((Double(x) - centreX) / radius, (Double(y) - centreY) / radius)
    let (u, v) = (dx * tiltX + dy * tiltY, dy * tiltX - dx * tiltY)
    guard isInside(u, v) else { return 0 }
    return isBright(x + phaseX, y + phaseY) ? 1 : 0.15
  }

  private func isInside(_ u: Double, _ v: Double) -> Bool {
    let (a, b) = (abs(u), abs(v))
    switch shape {
    case 0: return u * u + v * v <= 1  // disc
    case 1: return max(a, b) <= 0.85  // square
    case 2: return b <= 0.9 && a <= (v + 0.9) / 1.7  // triangle
    case 3: return min(a, b) <= 0.33 && max(a, b) <= 1  // cross
    case 4: return (0.3...1.1).contains(u * u + v * v)  // ring
    default: return a + b <= 1.15  // diamond
    }
  }

  private func isBright(_ x: Int, _ y: Int) -> Bool {
    switch texture {
    case 0: true
    case 1: y % period * 2 < period
    case 2: x % period * 2 < period
    case 3: (x * 2 / period + y * 2 / period) % 2 == 0
    default: (x + y) % (period + 1) * 2 < period + 1
    }
  }
}

/// A rectangle of another brightness, which means nothing.
private struct Patch {
  private let (left, top, width, height): (Int, Int, Int, Int)

  init(in task: ImageTask, _ stream: inout RandomStream) {
    width = 1 + stream.index(below: max(1, task.width / 4))
    height = 1 + stream.index(below: max(1, task.height / 4))
    left = stream.index(below: task.width - width + 1)
    top = stream.index(below: task.height - height + 1)
  }

  func covers(_ x: Int, _ y: Int) -> Bool {
    x >= left && x < left + width && y >= top && y < top + height
  }
}
