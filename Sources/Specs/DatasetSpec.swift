/// A dataset as a run reads it: which images, known by their digest, and how many of them.
public struct DatasetSpec: Hashable, Sendable {
  /// As a grid names it without its folder: `cifar100`, `fashion-mnist`, `synthetic-1x16x16-4`.
  public var name: String
  /// The digest of the files, or of the generator's parameters; nil while the files have not been found.
  public var digest: ContentKey?
  /// Class-balanced seeded subsets; nil for all.
  public var trainImages: Int?
  /// The same of test images.
  public var testImages: Int?
  /// Images taken out of the training set for model selection.
  public var validationImages: Int
  /// The folder a grid named; where bytes lie is no part of what they are, so it is in no key.
  public var folder: String?
  /// What its headers say, where its files have been looked at; in no key.
  public var facts: DatasetFacts?

  /// A dataset by its name; what is not given is not known or all of it.
  public init(
    name: String, digest: ContentKey? = nil, trainImages: Int? = nil, testImages: Int? = nil,
    validationImages: Int = 0, folder: String? = nil, facts: DatasetFacts? = nil
  ) {
    self.name = name
    self.digest = digest
    self.folder = folder
    self.facts = facts
    self.trainImages = trainImages
    self.testImages = testImages
    self.validationImages = validationImages
  }

  /// Names and folders are compared by their bytes.
  public static func == (a: DatasetSpec, b: DatasetSpec) -> Bool {
    guard a.name.hasBytes(of: b.name), (a.folder ?? "").hasBytes(of: b.folder ?? "") else { return false }
    return a.digest == b.digest && (a.folder == nil) == (b.folder == nil) && a.trainImages == b.trainImages
      && a.testImages == b.testImages && a.validationImages == b.validationImages && a.facts == b.facts
  }
}

extension DatasetSpec: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("digest", digest.map { .string($0.description) }, to: &bytes)
    object.member("name", .string(name), to: &bytes)
    object.member("testImages", testImages.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.member("trainImages", trainImages.map { .number(DecimalNumber($0)) }, to: &bytes)
    if validationImages > 0 { object.member("validationImages", validationImages, to: &bytes) }
    object.end(&bytes)
  }

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      name: try object.string("name"), digest: try object.optional("digest", SpecObject.key),
      trainImages: try object.optional("trainImages", SpecObject.integer),
      testImages: try object.optional("testImages", SpecObject.integer),
      validationImages: try object.optional("validationImages", SpecObject.integer) ?? 0)
  }
}
