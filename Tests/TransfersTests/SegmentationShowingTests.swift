import Datasets
import Networks
import Specs
import Tensors
import Testing

@testable import Transfers

/// How segmentors are shown images under mmseg's rules.
@Suite struct SegmentationShowingTests {
  /// Of OpenCV 4.10.0, `cv2.cvtColor` of rows of 64 equal pixels: red, green, blue; hue,
  /// saturation, value; and back.
  private static let colours: [(rgb: [UInt8], hsv: [UInt8], back: [UInt8])] = [
    ([0, 0, 0], [0, 0, 0], [0, 0, 0]),
    ([255, 255, 255], [0, 0, 255], [255, 255, 255]),
    ([255, 0, 0], [0, 255, 255], [255, 0, 0]),
    ([0, 255, 0], [60, 255, 255], [0, 255, 0]),
    ([0, 0, 255], [120, 255, 255], [0, 0, 255]),
    ([200, 100, 50], [10, 191, 200], [200, 100, 50]),
    ([17, 230, 99], [72, 236, 230], [17, 230, 102]),
    ([12, 13, 200], [120, 240, 200], [11, 11, 200]),
    ([250, 10, 249], [150, 245, 250], [250, 9, 249]),
    ([90, 90, 91], [120, 3, 91], [89, 89, 91]),
    ([128, 64, 64], [0, 128, 128], [128, 63, 63]),
    ([1, 2, 3], [105, 170, 3], [1, 1, 3]),
  ]

  @Test func `hue, saturation and value are OpenCV's in 8 bits, forth and back`() {
    for (rgb, hsv, back) in Self.colours {
      let colour = HueColour(red: rgb[0], green: rgb[1], blue: rgb[2])
      #expect([colour.hue, colour.saturation, colour.value] == hsv, "\(rgb)")
      let found = HueColour(hue: hsv[0], saturation: hsv[1], value: hsv[2]).rgb
      #expect([found.0, found.1, found.2] == back, "\(hsv)")
    }
  }

  @Test
  func `a distortion keeps bytes, hangs on its stream, and does nothing half of the times a coin says so`() {
    let grey = [UInt8](repeating: 100, count: 3 * 16)
    var (same, greys) = (0, 0)
    for step in 0..<200 {
      var stream = RandomStream(seed: 1, "transfer/colour", step, 0)
      var again = stream
      var (first, second) = (PhotometricDistortion(grey), PhotometricDistortion(grey))
      first.apply(&stream)
      second.apply(&again)
      #expect(first.pixels == second.pixels)
      if first.pixels == grey { same += 1 }
      // Grey has no hue, and no saturation to change.
      if Set(first.pixels).count == 1 { greys += 1 }
    }
    // Neither brightness nor contrast: a quarter of 200, by more than 3 stds on either side.
    #expect((30...71).contains(same) && greys == 200, "\(same) \(greys)")
  }

  @Test func `a crop is good when no class has three quarters of what is judged`() {
    func isMixed(_ counts: [(Float, Int)]) -> Bool {
      SegmentationShower.isMixed(counts.flatMap { Array(repeating: $0.0, count: $0.1) })
    }
    #expect(isMixed([(0, 74), (1, 26)]))
    #expect(!isMixed([(0, 75), (1, 25)]))
    #expect(isMixed([(0, 74), (1, 26), (255, 1000)]))
    #expect(!isMixed([(3, 10), (255, 90)]) && !isMixed([(255, 4)]))
  }

  private static func shower(_ given: [String: JSONValue]) throws -> SegmentationShower {
    let recipe = TransferRecipes.recipe("mmseg")!
    let spec = TransferSpec(
      task: .segmentation, head: "pspnet", dataset: DatasetSpec(name: "synthetic-shapes-64x96-3"),
      fields: TransferRecipes.resolved(
        recipe, head: "pspnet", dataset: "synthetic-shapes-64x96-3",
        given: ["cropHeight": 48, "cropWidth": 48, "frameLong": 96, "frameShort": 64].merging(given) { $1 }))
    return try SegmentationShower(spec, .imageNet, seed: 3)
  }

  private static func image() throws -> AnnotatedImage {
    let dataset = try AnnotatedCatalog.open(
      DatasetSpec(name: "synthetic-shapes-64x96-3", trainImages: 1, testImages: 1))
    return try dataset.train.image(0, [.pixels, .semantics])
  }

  @Test func `pictures of half to twice the frame come as crops of one size, with labels of pixels`() throws {
    let (shower, image) = (try Self.shower([:]), try Self.image())
    var padded = 0
    for step in 0..<40 {
      let shown = shower.shown(image, place: 0, epoch: 0, step: step, slot: 0)
      #expect((shown.height, shown.width) == (48, 48) && shown.values.count == 3 * 48 * 48)
      #expect(shown.labels.allSatisfy { (0...3).contains($0) || $0 == 255 })
      // A picture below 48 rows leaves a border that is not judged.
      if shown.labels.suffix(48).allSatisfy({ $0 == 255 }) { padded += 1 }
    }
    // Factors below 48 / 64 are a sixth of those from 0.5 to 2.
    #expect((1...20).contains(padded), "\(padded)")
  }

  @Test func `a test image is looked at within the frame, and each pixel of its own size gets a class`()
    throws
  {
    let image = try Self.image()
    let shown = try Self.shower(["frameLong": 48, "frameShort": 48]).values(image)
    #expect((shown.height, shown.width) == (32, 48) && shown.values.count == 3 * 32 * 48)
    var spec = TransferRunTests.spec("pspnet", ["steps": 1])
    spec.fields.merge(["frameLong": 48, "frameShort": 40]) { $1 }
    var run = try TransferRunTests.run(spec)
    _ = try run.step()
    guard case .labels(let labels) = try run.prediction(0) else { Issue.record("no labels"); return }
    #expect(labels.count == 32 * 32)
    // One window that holds the whole image is the whole image.
    spec.fields.merge(["test": "slide", "cropHeight": 64, "cropWidth": 64, "slideStride": 32]) { $1 }
    var sliding = try TransferRunTests.run(spec)
    #expect(try sliding.prediction(0) != .labels([]))
    _ = try sliding.step()
  }

  @Test func `every recipe of segmentation trains, and resolves to what it says`() throws {
    let fields = TransferRecipes.resolved(
      TransferRecipes.recipe("mmseg")!, head: "deeplabv3", dataset: "cityscapes", given: [:])
    #expect(fields["frameLong"] == 2048 && fields["frameShort"] == 1024 && fields["scale"] == "ratio")
    #expect(TransferRecipes.unsupported(fields, head: "deeplabv3") == nil)
    let mini = TransferRecipes.resolved(
      TransferRecipes.recipe("mini-seg")!, head: "pspnet", dataset: "x", given: [:])
    #expect(mini["frameLong"] == nil, "what is the default stands in no key")
    var spec = TransferRunTests.spec("pspnet")
    spec.fields = TransferRecipes.resolved(
      TransferRecipes.recipe("mmseg")!, head: "pspnet", dataset: spec.dataset.name,
      given: [
        "steps": 2, "batchSize": 2, "lossGroup": 2, "cropHeight": 32, "cropWidth": 32, "frameLong": 40,
        "frameShort": 32, "width": 8, "poolWidth": 8, "test": "slide", "slideStride": 16,
      ])
    var run = try TransferRunTests.run(spec)
    while try run.step() != nil {}
    guard case .labels(let labels) = try run.prediction(1) else { Issue.record("no labels"); return }
    #expect(labels.count == 32 * 32)
  }
}
