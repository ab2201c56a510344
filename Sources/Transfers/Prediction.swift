package import Evaluation
package import Specs

/// What a transfer says of one test image, in the coordinates of the image as its dataset has it.
package enum Prediction: Hashable, Sendable {
  /// By falling score.
  case objects([PredictedObject])
  /// A class for every pixel, row by row.
  case labels([UInt8])
}

package struct PredictedObject: Hashable, Sendable {
  package let box: Box
  package let label: Int
  package let score: Double
  package let mask: RunLengthMask?

  package init(box: Box, label: Int, score: Double, mask: RunLengthMask? = nil) {
    self.box = box
    self.label = label
    self.score = score
    self.mask = mask
  }
}

extension Prediction: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    switch self {
    case .objects(let objects):
      func number(_ value: Double) -> JSONValue { DecimalNumber(value).map { .number($0) } ?? .null }
      let boxes = objects.map { object -> JSONValue in
        .array([object.box.x, object.box.y, object.box.width, object.box.height].map(number))
      }
      object.member("boxes", .array(boxes), to: &bytes)
      // Members stand in ascending order.
      if let mask = objects.first?.mask { object.member("height", mask.height, to: &bytes) }
      object.member("labels", .array(objects.map { .number(DecimalNumber($0.label)) }), to: &bytes)
      if objects.first?.mask != nil {
        let runs = objects.map { object -> JSONValue in
          .array((object.mask?.counts ?? []).map { .number(DecimalNumber($0)) })
        }
        object.member("masks", .array(runs), to: &bytes)
      }
      object.member("scores", .array(objects.map { number($0.score) }), to: &bytes)
      if let mask = objects.first?.mask { object.member("width", mask.width, to: &bytes) }
    case .labels(let labels):
      object.member("pixels", .array(Self.runs(labels)), to: &bytes)
    }
    object.end(&bytes)
  }

  /// Label and length, alternating.
  private static func runs(_ labels: [UInt8]) -> [JSONValue] {
    var runs: [JSONValue] = []
    var first = 0
    for place in labels.indices where place + 1 == labels.count || labels[place + 1] != labels[first] {
      runs.append(.number(DecimalNumber(Int(labels[first]))))
      runs.append(.number(DecimalNumber(place + 1 - first)))
      first = place + 1
    }
    return runs
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    if object["pixels"] != nil {
      var labels: [UInt8] = []
      let runs = try object.array("pixels").map(\.integer)
      for index in stride(from: 0, to: runs.count - 1, by: 2) {
        guard let label = runs[index], (0...255).contains(label), let length = runs[index + 1], length > 0,
          labels.count + length <= 1 << 28
        else { throw SpecError(path: object.path("pixels"), expected: "labels and lengths of runs") }
        labels += Array(repeating: UInt8(label), count: length)
      }
      self = .labels(labels)
      return
    }
    let wrong = SpecError(path: path, expected: "as many boxes, labels and scores as masks")
    let labels = try object.array("labels").map(\.integer)
    let scores = try object.array("scores").map(\.number)
    let boxes = try object.array("boxes").map { $0.array?.compactMap { $0.number?.double } ?? [] }
    let masks = object["masks"]?.array
    guard labels.count == scores.count, boxes.count == scores.count, boxes.allSatisfy({ $0.count == 4 }),
      masks == nil || masks?.count == scores.count
    else { throw wrong }
    var objects: [PredictedObject] = []
    for index in labels.indices {
      guard let label = labels[index], let score = scores[index] else { throw wrong }
      var mask: RunLengthMask?
      if let runs = masks?[index].array {
        mask = try? RunLengthMask(
          height: object.integer("height"), width: object.integer("width"),
          checking: runs.map { $0.integer ?? -1 })
        guard mask != nil else { throw wrong }
      }
      let box = boxes[index]
      objects.append(
        PredictedObject(
          box: Box(x: box[0], y: box[1], width: box[2], height: box[3]), label: label, score: score.double,
          mask: mask))
    }
    self = .objects(objects)
  }
}
