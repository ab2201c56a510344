import Foundation
import Specs
import Synchronization
import TestSupport
import Tensors
import Testing

@testable import Datasets

@Suite struct PhotographTests {
  static let kinds = [
    "photo.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "colour.png", "palette.png", "alpha.png",
    "gray.png",
  ]

  private static func recorded(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: Fixtures.committed.appending(path: "images/\(name)")))
  }

  @Test(arguments: kinds)
  func `an image is decoded and resampled to the bytes of the Python imaging library`(_ name: String) throws {
    let image = try DecodedImage(Self.recorded(name))
    let truth = try Self.recorded("\(name).rgb")
    #expect(image.width == Int(truth[0]) && image.height == Int(truth[1]))
    let bytes = image.bytes
    #expect(bytes == Array(truth[2...]))
    func interleaved(_ planes: [UInt8], _ side: Int) -> [UInt8] {
      (0..<side * side).flatMap { pixel in (0..<3).map { planes[$0 * side * side + pixel] } }
    }
    let centre = interleaved(image.centre(shorter: 20, side: 16), 16)
    #expect(try centre == Self.recorded("\(name).centre"))
    let crop = interleaved(image.planes(PixelBox(left: 3, top: 2, width: 17, height: 11), side: 8), 8)
    #expect(try crop == Self.recorded("\(name).crop"))
  }

  @Test func `files that are cut, empty, of another kind or of a lie about their size are refused`() throws {
    func problem(_ bytes: [UInt8]) -> String {
      do throws(UndecodableImage) {
        _ = try DecodedImage(bytes)
        return "decoded"
      } catch {
        return error.problem
      }
    }
    let photo = try Self.recorded("photo.jpg")
    let picture = try Self.recorded("colour.png")
    #expect(problem(Array(photo.dropLast(200))) == "Premature end of JPEG file")
    #expect(problem(Array(photo.prefix(300))) != "decoded")
    #expect(problem(Array(picture.dropLast(100))) == "the file ends early")
    #expect(problem([]) == "an empty file")
    #expect(problem(Array("GIF89a".utf8) + [0, 0]).contains("GIF"))
    #expect(problem(Array("no image".utf8)) == "no image that is known")
    var wide = photo
    let marker = try #require(wide.indices.dropLast().first { wide[$0] == 0xFF && wide[$0 + 1] == 0xC0 })
    for (place, value) in zip(5...8, [0xF0, 0, 0xF0, 0] as [UInt8]) { wide[marker + place] = value }
    #expect(problem(wide).contains("61440 x 61440"))
    // Damage of single bytes never does more than fail.
    var stream = RandomStream(seed: 2, "photo damage")
    for sound in [photo, picture] {
      for _ in 0..<300 {
        var bytes = sound
        for _ in 0..<3 { bytes[stream.index(below: bytes.count)] = UInt8(stream.index(below: 256)) }
        _ = problem(bytes)
      }
    }
  }

  @Test func `a random part has 8 to 100 % of the area and a ratio of 3 to 4 at most`() {
    var areas: [Double] = []
    for index in 0..<2000 {
      var stream = RandomStream(seed: 1, "box", index)
      let box = PhotoView.randomBox(width: 500, height: 375, &stream)
      #expect(box.left >= 0 && box.left + box.width <= 500 && box.top >= 0 && box.top + box.height <= 375)
      let ratio = Double(box.width) / Double(box.height)
      #expect(ratio > 0.73 && ratio < 1.37)
      areas.append(Double(box.width * box.height) / (500 * 375))
    }
    #expect(areas.min()! > 0.07 && areas.max()! <= 1)
    // Areas are uniform, and large ones fit less often.
    let mean = areas.reduce(0, +) / 2000
    #expect(mean > 0.40 && mean < 0.54, "\(mean)")
    // Nothing fits into a strip: its middle is taken.
    var stream = RandomStream(seed: 1, "box")
    let strip = PhotoView.randomBox(width: 400, height: 10, &stream)
    #expect(strip == PixelBox(left: 193, top: 0, width: 13, height: 10))
  }

  @Test func `brightness, contrast and saturation give the bytes of the Python imaging library`() throws {
    let crop = try DecodedImage(Self.recorded("photo.jpg")).planes(
      PixelBox(left: 3, top: 2, width: 17, height: 11), side: 8)
    let truth = try Self.recorded("photo.jpg.enhanced")
    let singles = PhotoView.Enhancement.allCases.flatMap { [[($0, 0.6)], [($0, 1.7)]] }
    let cases = singles + [Array(zip(PhotoView.Enhancement.allCases, [1.2, 0.7, 1.4]))]
    try #require(truth.count == cases.count * 192)
    for (number, steps) in cases.enumerated() {
      var planes = crop
      for (what, factor) in steps { PhotoView.enhance(&planes, what, by: factor) }
      let bytes = (0..<64).flatMap { pixel in (0..<3).map { planes[$0 * 64 + pixel] } }
      #expect(bytes == Array(truth[number * 192..<(number + 1) * 192]), "case \(number)")
    }
  }

  @Test func `colours change by factors that depend on seed, epoch and place, between the bounds`() throws {
    let scratch = try Scratch()
    try Self.fill(scratch)
    let set = try DatasetCatalog.read(DatasetCatalog.locate("imagefolder-16:\(scratch.path)").spec).train
    func shown(_ augmentation: Augmentation, _ indices: [Int] = [0, 1], epoch: Int = 0) throws -> [Double] {
      try augmentation.batch(of: set, indices: indices, seed: 4, epoch: epoch).doubles
    }
    let jittered = try shown(.colourJitter(strength: 0.4))
    #expect(try jittered != shown(.standard))
    #expect(try Array(jittered[(3 * 16 * 16)...]) == shown(.colourJitter(strength: 0.4), [1]))
    #expect(try jittered != shown(.colourJitter(strength: 0.4), epoch: 1))
    // The part that is shown is the same: what does not change a colour changes nothing.
    let faint = try zip(shown(.colourJitter(strength: 0.001)), shown(.standard)).map { abs($0 - $1) }
    #expect(faint.max()! < 3.0 / 255 / 0.2)

    // Of a gray square, brightness alone is left: contrast and saturation keep it. 2000 draws
    // span their range evenly.
    var levels: [Double] = []
    for index in 0..<2000 {
      var planes = [UInt8](repeating: 100, count: 3 * 4)
      var stream = RandomStream(seed: 1, "gray", index)
      PhotoView.jitter(&planes, strength: 0.4, &stream)
      #expect(Set(planes).count == 1)
      levels.append(Double(planes[0]))
    }
    #expect(levels.min()! >= 59 && levels.min()! < 62 && levels.max()! <= 140 && levels.max()! > 137)
    let mean = levels.reduce(0, +) / 2000
    // Bytes are cut off, so half a level is missing in the mean; 100 ± 40 uniform has a std of 23.
    #expect(abs(mean - 99.5) < 4 * 23.1 / 2000.0.squareRoot(), "\(mean)")
  }

  /// A folder of photographs: two classes, three for training and two for measuring each.
  private static func fill(_ scratch: borrowing Scratch) throws {
    for (split, count) in [("train", 3), ("val", 2)] {
      for (label, name) in ["ant", "bee"].enumerated() {
        let folder = "\(scratch.path)/\(split)/\(name)/deep"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for index in 0..<count {
          let pixels = (0..<24 * 20 * 3).map { UInt8(($0 * (3 + label) + index * 40) & 255) }
          try Data(JPEG.encoded(pixels, width: 24, height: 20)).write(
            to: URL(filePath: "\(folder)/\(index).JPEG"))
        }
      }
    }
  }

  @Test func `a folder is found, counted and digested, wherever it lies`() throws {
    let one = try Scratch()
    let two = try Scratch()
    try Self.fill(one)
    try Self.fill(two)
    let located = try DatasetCatalog.locate("imagefolder-16:\(one.path)")
    #expect(located.spec.name == "imagefolder-16-2" && located.missing == nil)
    #expect(try DatasetCatalog.locate("imagefolder-16:\(two.path)").spec.digest == located.spec.digest)
    #expect(located.spec.facts?.imageTask?.classes == 2)
    let dataset = try DatasetCatalog.read(located.spec)
    #expect(dataset.train.labels == [0, 0, 0, 1, 1, 1] && dataset.test.labels == [0, 0, 1, 1])
    #expect(dataset.task == ImageTask(channels: 3, height: 16, width: 16, classes: 2))
    // A packed dataset says the same.
    let again = try Dataset(packed: dataset.packed, name: "packed")
    #expect(again.train.photographs?.entries == dataset.train.photographs?.entries)
    #expect(again.test.labels == dataset.test.labels && again.train.mean == [0.485, 0.456, 0.406])
    // One photograph changed is another dataset, and the old one is not to be had any more.
    try Data(JPEG.encoded(Array(repeating: 9, count: 24 * 20 * 3), width: 24, height: 20)).write(
      to: URL(filePath: "\(one.path)/train/ant/deep/0.JPEG"))
    #expect(try DatasetCatalog.locate("imagefolder-16:\(one.path)").spec.digest != located.spec.digest)
    #expect(throws: DatasetError.self) { try DatasetCatalog.read(located.spec) }
  }

  @Test func `views depend on seed, epoch and place, and not on the batch`() throws {
    let scratch = try Scratch()
    try Self.fill(scratch)
    let set = try DatasetCatalog.read(DatasetCatalog.locate("imagefolder-16:\(scratch.path)").spec).train
    func views(_ indices: [Int], epoch: Int, seed: Int = 1) throws -> [Double] {
      try Augmentation.standard.batch(of: set, indices: indices, seed: seed, epoch: epoch).doubles
    }
    let size = 3 * 16 * 16
    let all = try views([0, 1, 2, 3, 4, 5], epoch: 0)
    #expect(try views([4], epoch: 0) == Array(all[4 * size..<5 * size]))
    #expect(try views([4], epoch: 1) != views([4], epoch: 0))
    #expect(try views([4], epoch: 0, seed: 2) != views([4], epoch: 0))
    let plain = try Augmentation.none.batch(of: set, indices: [0])
    #expect(plain.shape == [1, 3, 16, 16])
    #expect(plain.doubles.allSatisfy { $0 > -2.2 && $0 < 2.7 })
  }

  @Test func `damaged files are counted and named, or left out where the name says so`() throws {
    let scratch = try Scratch()
    try Self.fill(scratch)
    let photo = try Data(contentsOf: URL(filePath: "\(scratch.path)/train/bee/deep/1.JPEG"))
    try photo.dropLast(120).write(to: URL(filePath: "\(scratch.path)/train/bee/deep/1.JPEG"))
    try Data("text".utf8).write(to: URL(filePath: "\(scratch.path)/val/ant/deep/0.JPEG"))
    let error = #expect(throws: DatasetError.self) {
      try DatasetCatalog.locate("imagefolder-16:\(scratch.path)")
    }
    let text = error?.description ?? ""
    #expect(text.contains("2 files") && text.contains("train/bee/deep/1.JPEG: Premature end"), "\(text)")
    #expect(text.contains("val/ant/deep/0.JPEG: no image") && text.contains("-skip"), "\(text)")
    let located = try DatasetCatalog.locate("imagefolder-16-skip:\(scratch.path)")
    #expect(located.spec.name == "imagefolder-16-2-skip")
    let dataset = try DatasetCatalog.read(located.spec)
    #expect(dataset.train.labels == [0, 0, 0, 1, 1] && dataset.test.labels == [0, 1, 1])
  }

  @Test func `folders that are no dataset are refused with the reason`() throws {
    let scratch = try Scratch()
    try Self.fill(scratch)
    func problem(_ name: String = "imagefolder-16") -> String {
      do {
        _ = try DatasetCatalog.locate("\(name):\(scratch.path)")
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(problem("imagenet").contains("2 classes; expected 1000"))
    #expect(problem("imagefolder-16-3").contains("2 classes; expected 3"))
    #expect(problem("imagefolder-4").contains("8 to 1024"))
    #expect(problem("imagefolder-x").contains("imagefolder-SIDE"))
    let link = "\(scratch.path)/train/ant/out.jpg"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/hostname")
    #expect(problem().contains("link out of"))
    try FileManager.default.removeItem(atPath: link)
    let lone = "\(scratch.path)/val/cat"
    try FileManager.default.createDirectory(atPath: lone, withIntermediateDirectories: true)
    #expect(problem().contains("'cat' is in one alone"))
    let other = "\(scratch.path)/train/cat"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    #expect(problem().contains("has no photographs"))
    let absent = try DatasetCatalog.locate("imagefolder-16:\(scratch.path)/absent")
    #expect(absent.spec.digest == nil && absent.missing?.description.contains("train and val") == true)
  }

  @Test func `an index remembers what has not changed`() throws {
    let scratch = try Scratch()
    let memory = try Scratch()
    try Self.fill(scratch)
    let cache = "\(memory.path)/index.tsv"
    let looked = Mutex<[Int]>([])
    func index() throws -> PhotoIndex {
      try PhotoIndex(scratch.path, cache: cache) { _, all in looked.withLock { $0.append(all) } }
    }
    let digest = try index().digest
    #expect(looked.withLock { $0 } == [10])
    #expect(try index().digest == digest && looked.withLock { $0 } == [10])
    let text = try String(contentsOfFile: cache, encoding: .utf8)
    #expect(text.split(separator: "\n").count == 11)
    // A changed file is looked at again, alone.
    let pixels = [UInt8](repeating: 200, count: 30 * 30 * 3)
    try Data(JPEG.encoded(pixels, width: 30, height: 30)).write(
      to: URL(filePath: "\(scratch.path)/val/bee/deep/1.JPEG"))
    #expect(try index().digest != digest && looked.withLock { $0 } == [10, 1])
  }
}
