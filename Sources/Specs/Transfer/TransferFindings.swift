/// What an evaluation writes down for people beside its numbers: values of single classes, some test images
/// with what was found in them, curves of precision over recall. It decides no number and stands in no key.
package struct TransferFindings: CanonicallyEncodable {
  /// Of objects, or of pixels.
  package var classes: [String] = []
  /// Of each transfer, of each class: AP of boxes or IoU in percent; nil where the class has none.
  package var values: [[Double?]] = []
  /// The same of masks; empty where there are none.
  package var maskValues: [[Double?]] = []
  /// The first test images, with what the first transfer found in them.
  package var pictures: [Picture] = []
  /// Of the first transfer.
  package var curves: [Curve] = []

  package init() {}

  /// A test image, made smaller where it is large. Its pixels are a file of their own.
  package struct Picture: CanonicallyEncodable {
    package var name: String
    package var height: Int
    package var width: Int
    package var truth = Marks()
    package var found = Marks()

    package init(name: String, height: Int, width: Int) {
      self.name = name
      self.height = height
      self.width = width
    }
  }

  /// What is drawn over a picture.
  package struct Marks: CanonicallyEncodable {
    package var objects: [Mark] = []
    /// Class and number of pixels, alternating, row by row; empty for objects.
    package var labels: [Int] = []

    package init(objects: [Mark] = [], labels: [Int] = []) {
      self.objects = objects
      self.labels = labels
    }
  }

  /// An object.
  package struct Mark: CanonicallyEncodable {
    package var label: Int
    /// x, y, width and height in pixels of the picture.
    package var box: [Double]
    /// Nil for the truth.
    package var score: Double?
    package var isCrowd = false
    /// Numbers of pixels outside and inside, alternating, row by row from outside; empty without a mask.
    package var mask: [Int] = []

    package init(label: Int, box: [Double], score: Double? = nil, isCrowd: Bool = false, mask: [Int] = []) {
      self.label = label
      self.box = box
      self.score = score
      self.isCrowd = isCrowd
      self.mask = mask
    }
  }

  /// Precision at the recalls 0, 0.01 to 1, at one overlap.
  package struct Curve: CanonicallyEncodable {
    package static let points = 101

    /// Whether masks are compared, or boxes.
    package var isOfMasks: Bool
    /// Intersection over union from which on an object counts as found.
    package var overlap: Double
    /// The mean over the classes that have objects.
    package var mean: [Double]
    /// By class; nil where it has no object. Empty where only the mean is kept.
    package var classes: [[Double]?]

    package init(isOfMasks: Bool, overlap: Double, mean: [Double], classes: [[Double]?]) {
      self.isOfMasks = isOfMasks
      self.overlap = overlap
      self.mean = mean
      self.classes = classes
    }
  }

  /// The name of the file with a picture's pixels.
  package static func file(ofPicture place: Int) -> String { "picture-\(place).png" }

  /// The mean over the transfers that have a value, by class.
  package static func means(_ values: [[Double?]], classes: Int) -> [Double?] {
    (0..<classes).map { index in
      let known = values.compactMap { $0.indices.contains(index) ? $0[index] : nil }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
  }
}

// MARK: As JSON

extension TransferFindings {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("classes", .array(classes.map { .string($0) }), to: &bytes)
    if !curves.isEmpty { object.member("curves", to: &bytes) { Self.list(curves, to: &$0) } }
    if !maskValues.isEmpty {
      object.member("maskValues", .array(maskValues.map { .array($0.map(Self.number)) }), to: &bytes)
    }
    if !pictures.isEmpty { object.member("pictures", to: &bytes) { Self.list(pictures, to: &$0) } }
    object.member("values", .array(values.map { .array($0.map(Self.number)) }), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    classes = try object.array("classes").map { $0.string ?? "" }
    values = try Self.values(object, "values")
    maskValues = object["maskValues"] == nil ? [] : try Self.values(object, "maskValues")
    pictures = try Self.list(object, "pictures")
    curves = try Self.list(object, "curves")
  }

  private static func values(_ object: SpecObject, _ name: String) throws(SpecError) -> [[Double?]] {
    try object.array(name).map { ($0.array ?? []).map { $0.number?.double } }
  }

  fileprivate static func number(_ value: Double?) -> JSONValue {
    value.flatMap { DecimalNumber($0) }.map { .number($0) } ?? .null
  }

  fileprivate static func list(_ items: [some CanonicallyEncodable], to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "["))
    for (place, item) in items.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      item.append(to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// Empty where the member is absent.
  fileprivate static func list<Item: CanonicallyEncodable>(
    _ object: SpecObject, _ name: String
  ) throws(SpecError) -> [Item] {
    guard object[name] != nil else { return [] }
    var items: [Item] = []
    for value in try object.array(name) { items.append(try Item(value, at: object.path(name))) }
    return items
  }

  fileprivate static func integers(_ numbers: [Int]) -> JSONValue {
    .array(numbers.map { .number(DecimalNumber($0)) })
  }

  fileprivate static func integers(_ object: SpecObject, _ name: String) throws(SpecError) -> [Int] {
    guard let list = object[name]?.array else { return [] }
    let numbers = list.compactMap(\.integer)
    guard numbers.count == list.count, numbers.allSatisfy({ $0 >= 0 }) else {
      throw SpecError(path: object.path(name), expected: "a list of whole numbers from 0")
    }
    return numbers
  }
}

extension TransferFindings.Picture {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("found", to: &bytes, found.append)
    object.member("height", height, to: &bytes)
    object.member("name", .string(name), to: &bytes)
    object.member("truth", to: &bytes, truth.append)
    object.member("width", width, to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    name = try object.string("name")
    height = try object.integer("height")
    width = try object.integer("width")
    guard (1...65_535).contains(height), (1...65_535).contains(width) else {
      throw SpecError(path: path, expected: "a picture with sides from 1 to 65535")
    }
    truth = try TransferFindings.Marks(object["truth"] ?? .null, at: object.path("truth"))
    found = try TransferFindings.Marks(object["found"] ?? .null, at: object.path("found"))
  }
}

extension TransferFindings.Marks {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    if !labels.isEmpty { object.member("labels", TransferFindings.integers(labels), to: &bytes) }
    object.member("objects", to: &bytes) { TransferFindings.list(objects, to: &$0) }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    labels = try TransferFindings.integers(object, "labels")
    objects = try TransferFindings.list(object, "objects")
  }
}

extension TransferFindings.Mark {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("box", .array(box.map { TransferFindings.number($0) }), to: &bytes)
    if isCrowd { object.member("crowd", .bool(true), to: &bytes) }
    object.member("label", label, to: &bytes)
    if !mask.isEmpty { object.member("mask", TransferFindings.integers(mask), to: &bytes) }
    if let score { object.member("score", TransferFindings.number(score), to: &bytes) }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    box = try object.array("box").compactMap { $0.number?.double }
    guard box.count == 4 else { throw SpecError(path: object.path("box"), expected: "four numbers") }
    label = try object.integer("label")
    score = object["score"]?.number?.double
    isCrowd = object["crowd"]?.bool ?? false
    mask = try TransferFindings.integers(object, "mask")
  }
}

extension TransferFindings.Curve {
  package func append(to bytes: inout [UInt8]) {
    func list(_ values: [Double]) -> JSONValue { .array(values.map { TransferFindings.number($0) }) }
    var object = ObjectWriter(to: &bytes)
    if !classes.isEmpty {
      object.member("classes", .array(classes.map { $0.map(list) ?? .null }), to: &bytes)
    }
    object.member("masks", .bool(isOfMasks), to: &bytes)
    object.member("mean", list(mean), to: &bytes)
    object.member("overlap", TransferFindings.number(overlap), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    let wrong = SpecError(path: path, expected: "curves of \(Self.points) numbers")
    func list(_ value: JSONValue) throws(SpecError) -> [Double] {
      let values = (value.array ?? []).compactMap { $0.number?.double }
      guard values.count == Self.points else { throw wrong }
      return values
    }
    mean = try list(object["mean"] ?? .null)
    isOfMasks = try object.bool("masks")
    overlap = try object.number("overlap").double
    classes = []
    for value in object["classes"]?.array ?? [] {
      classes.append(value == .null ? nil : try list(value))
    }
  }
}
