import Evaluation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

@Suite struct ConfusionMatrixTests {
  @Test func `the example of the specification`() throws {
    var matrix = ConfusionMatrix(classes: 3)
    // n = [[3, 1, 0], [2, 4, 0], [0, 0, 0]], over two pictures, with a pixel that is not judged.
    try matrix.add(labels: [0, 0, 0, 0, 1, 255], predictions: [0, 0, 0, 1, 0, 2])
    try matrix.add(labels: [1, 1, 1, 1, 1], predictions: [0, 1, 1, 1, 1])
    #expect(matrix.counts == [3, 1, 0, 2, 4, 0, 0, 0, 0])
    #expect(matrix.intersectionOverUnion == [0.5, 4.0 / 7, nil])
    #expect(abs(matrix.meanOverPresent! - 0.5357142857142857) < 1e-15)
    #expect(abs(matrix.meanOverAll - 0.35714285714285715) < 1e-15)
    #expect(matrix.pixelAccuracy == 0.7 && matrix.present == 2)
  }

  @Test func `a class that is only ever predicted, and wrongly, counts in both means`() throws {
    var matrix = ConfusionMatrix(classes: 2)
    try matrix.add(labels: [0, 0], predictions: [0, 1])
    #expect(matrix.intersectionOverUnion == [0.5, 0] && matrix.meanOverPresent == 0.25)
  }

  @Test func `nothing judged is no number`() throws {
    var matrix = ConfusionMatrix(classes: 2)
    try matrix.add(labels: [255], predictions: [1])
    #expect(matrix.meanOverPresent == nil && matrix.pixelAccuracy == nil && matrix.meanOverAll == 0)
  }

  @Test func `a label without a class is named, and the matrix stays as it was`() throws {
    var matrix = ConfusionMatrix(classes: 2)
    let error = #expect(throws: LabelError.self) {
      try matrix.add(labels: [0, 254], predictions: [0, 0])
    }
    #expect(error?.description.contains("254") == true)
    #expect(matrix.counts == [0, 0, 0, 0])
  }

  @Test(.enabled(if: Fixtures.has("downstream/miou.safetensors"), "the downstream fixtures are not here"))
  func `matrices and both averages are those recorded`() throws {
    let file = try Safetensors(decoding: Fixtures.bytes("downstream/miou.safetensors"))
    let cases = try Value(JSONReader.read(Array(file.metadata["cases"]!.utf8)).value).list
    let covered = cases.filter { $0["op"].json.string == "miou" }
    #expect(!covered.isEmpty)
    for entry in covered {
      let id = entry["id"].json.string!
      func numbers(_ name: String) throws -> [Double] {
        try #require(file["\(id)/\(name)"]?.numbers, "\(id)/\(name)")
      }
      var matrix = ConfusionMatrix(classes: entry["attrs"]["classes"].int)
      try matrix.add(
        labels: numbers("labels").map { Int($0) }, predictions: numbers("predictions").map { Int($0) })
      #expect(matrix.counts == (try numbers("matrix").map { Int($0) }), "\(id)")
      let found = matrix.intersectionOverUnion.map { $0 ?? -1 }
      for (value, expected) in zip(found, try numbers("iou")) {
        #expect(abs(value - expected) <= 1e-12, "\(id)")
      }
      #expect(abs((matrix.meanOverPresent ?? -1) - (try numbers("present")[0])) <= 1e-12, "\(id)")
      #expect(abs(matrix.meanOverAll - (try numbers("all")[0])) <= 1e-12, "\(id)")
      #expect(abs((matrix.pixelAccuracy ?? -1) - (try numbers("pixel_accuracy")[0])) <= 1e-12, "\(id)")
      #expect([matrix.present, matrix.classes] == (try numbers("averaged").map { Int($0) }), "\(id)")
    }
  }
}

extension Safetensors.Entry {
  /// Integers or floats; nil for neither.
  fileprivate var numbers: [Double]? { integers?.map { Double($0) } ?? tensor?.doubles }
}
