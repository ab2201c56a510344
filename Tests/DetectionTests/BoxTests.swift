import Detection
import Tensors
import Testing

@Suite struct BoxTests {
  @Test func `the coding of the specification's example`() {
    let coding = BoxCoding(stds: [0.1, 0.1, 0.2, 0.2], rules: .mmdet)
    let box = Corners(10, 10, 50, 50)
    let deltas = coding.encoded(Corners(12, 14, 52, 44), from: box)
    for (found, expected) in zip(deltas, [0.5, -0.25, 0, -1.4384104]) {
      #expect(abs(found - expected) < 1e-7)
    }
    let back = coding.decoded(deltas, from: box)
    for (found, expected) in zip([back.x1, back.y1, back.x2, back.y2], [12.0, 14, 52, 44]) {
      #expect(abs(found - expected) < 1e-12)
    }
  }

  @Test func `the first anchors are those that the specification prints`() {
    let retina = Anchors.retinaNet().cell(level: 0, rules: .mmdet)[0]
    #expect(abs(retina.x1 + 22.6274) < 1e-4 && abs(retina.y1 + 11.3137) < 1e-4)
    #expect(Anchors.retinaNet().cell(level: 0, rules: .tv)[0] == Corners(-23, -11, 23, 11))
  }

  @Test func `an image of 800 by 1216 has as many anchors as measured`() {
    let maps = [(200, 304), (100, 152), (50, 76), (25, 38), (13, 19), (7, 10)].map {
      (height: $0.0, width: $0.1)
    }
    let padded = (height: 800, width: 1216)
    let rpn = Anchors.rpn().boxes(rules: .mmdet, maps: Array(maps[0..<5]), padded: padded)
    let retina = Anchors.retinaNet().boxes(rules: .mmdet, maps: Array(maps[1...]), padded: padded)
    #expect(rpn.count == 242_991 && retina.count == 182_403)
  }

  @Test func `a score that is not a number is an error, not an order`() {
    let boxes = [Corners(0, 0, 1, 1), Corners(0, 0, 2, 2)]
    #expect(throws: ScoreError(place: 1)) {
      try Suppression.kept(boxes, scores: [0.5, .nan], threshold: 0.5)
    }
  }

  @Test func `boxes without an area overlap nothing, and both stay`() throws {
    let point = Corners(3, 3, 3, 3)
    #expect(point.overlap(with: point) == 0)
    #expect(try Suppression.kept([point, point], scores: [1, 1], threshold: 0) == [0, 1])
  }

  @Test func `an object that touches no box makes none positive`() {
    let matcher = BoxMatcher(rules: .tv, positive: 0.7, negative: 0.3, lowQuality: 0)
    #expect(matcher.matches([0, 0, 0], boxes: 3) == [.negative, .negative, .negative])
    #expect(matcher.matches([], boxes: 2) == [.negative, .negative])
    #expect(matcher.matches([], boxes: 0) == [])
  }

  @Test func `a sample does not depend on what other candidates there are`() {
    let sampler = BoxSampler(number: 8, share: 0.25)
    func word(_ index: Int) -> UInt64 {
      var stream = RandomStream(seed: 3, "transfer/sample", 5, 7, 0)
      for _ in 0..<index { _ = stream.next() }
      return stream.next()
    }
    var matches: [BoxMatch] = (0..<40).map { $0 % 5 == 0 ? .object($0) : .negative }
    let (positive, negative) = sampler.sample(matches, word: word)
    #expect(positive.count == 2 && negative.count == 6)
    #expect(positive == positive.sorted() && negative == negative.sorted())
    #expect(positive.allSatisfy { $0 % 5 == 0 } && negative.allSatisfy { $0 % 5 != 0 })
    // Ignoring a candidate that was not chosen changes nothing.
    let other = (0..<40).first { $0 % 5 != 0 && !negative.contains($0) }!
    matches[other] = .ignored
    let again = sampler.sample(matches, word: word)
    #expect(again.positive == positive && again.negative == negative)
  }

  @Test func `few positives leave their places to negatives`() {
    let sampler = BoxSampler(number: 6, share: 0.5)
    let matches: [BoxMatch] = [.object(0)] + Array(repeating: .negative, count: 20)
    let (positive, negative) = sampler.sample(matches) { UInt64($0) }
    #expect(positive == [0] && negative == [1, 2, 3, 4, 5])
    let all = sampler.sample([.object(0), .ignored, .negative]) { UInt64($0) }
    #expect(all.positive == [0] && all.negative == [2])
  }

  @Test func `the largest values come first, and ties keep their order`() {
    #expect(Suppression.largest([1, 3, 2, 3], 3) == [1, 3, 2])
    #expect(Suppression.largest([], 3) == [])
  }
}
