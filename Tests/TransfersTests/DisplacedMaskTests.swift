import Datasets
import Evaluation
import Specs
import TestSupport
import Testing
import Transfers

/// Masks and boxes that are nearly where they should be, against pycocotools 2.0.11: the numbers that
/// `Tests/Fixtures/mask-ap/make.py` recorded.
@Suite struct DisplacedMaskTests {
  /// With nothing coming in from outside.
  private static func moved(_ mask: RunLengthMask, across: Int, down: Int) -> RunLengthMask {
    let (bits, height, width) = (mask.bits, mask.height, mask.width)
    var result = Array(repeating: false, count: bits.count)
    for row in max(down, 0)..<min(height, height + down) {
      for column in max(across, 0)..<min(width, width + across) {
        result[row * width + column] = bits[(row - down) * width + column - across]
      }
    }
    return RunLengthMask(height: height, width: width, bits: result)
  }

  /// As the script makes them.
  private static func prediction(_ image: AnnotatedImage, place: Int) throws -> Prediction {
    var found: [PredictedObject] = []
    for (number, object) in image.objects.enumerated() {
      let n = 7 * place + 3 * number
      var moves = n % 5 == 4 ? [] : [(across: n % 4 - 1, down: n / 2 % 3 - 1, divisor: 1.0)]
      if n % 3 == 0 { moves.append((8, 0, 2)) }
      let label = n % 11 == 0 ? (object.label + 1) % 3 : object.label
      let whole = try #require(try object.mask?.runs(height: image.height, width: image.width))
      for move in moves {
        let mask = moved(whole, across: move.across, down: move.down)
        guard mask.area > 0 else { continue }
        let score = Double(37 * n % 101) / 101 / move.divisor
        found.append(PredictedObject(box: mask.box, label: label, score: score, mask: mask))
      }
    }
    let order = found.indices.sorted { (-found[$0].score, $0) < (-found[$1].score, $1) }
    return .objects(order.map { found[$0] })
  }

  @Test func `masks and boxes that are nearly right have the numbers of pycocotools`() throws {
    let recorded = try Value(
      JSONReader.read(Array(RepositoryFile.text("Tests/Fixtures/mask-ap/numbers.json").utf8)).value)
    var spec = try AnnotatedCatalog.locate("synthetic-shapes-64x64-3").spec
    spec.trainImages = 1
    spec.testImages = recorded["images"].int
    let dataset = try AnnotatedCatalog.open(spec)
    let images = try (0..<dataset.test.count).map { try dataset.test.image($0, .masks) }
    let predictions = try images.enumerated().map { try Self.prediction($1, place: $0) }
    let evaluation = try TransferEvaluation(predictions, of: images, in: dataset, task: .detection)
    for (kind, classes) in [
      ("mask", evaluation.perClassOfMasks), ("box", evaluation.perClass.map(\.value)),
    ] {
      let expected = recorded[kind]
      #expect(expected["stats"].doubles[0] > 0.2, "something is found")
      for (name, value) in zip(AveragePrecision.names, expected["stats"].doubles) {
        let found = evaluation.metrics[TransferMetrics.precision(name, mask: kind == "mask")]
        // -1 is what has no value.
        #expect(abs((found ?? -100) / 100 - value) <= 1e-12, "\(kind) \(name): \(found ?? -1), not \(value)")
      }
      for (found, value) in zip(classes, expected["perCategory"].doubles) {
        #expect(abs((found ?? -100) / 100 - value) <= 1e-12, "\(kind): \(found ?? -1), not \(value)")
      }
    }
  }
}
