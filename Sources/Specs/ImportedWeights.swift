/// Weights that were trained elsewhere: the digest of their file says which.
public struct ImportedWeights: Hashable, Sendable {
  /// Of the file as it was published, byte for byte.
  package var digest: ContentKey
  /// How these weights expect their images; nil where as the dataset's are.
  package var normalisation: InputNormalisation?
  /// Where a grid named the file; where bytes lie is no part of what they are, so it is in no key.
  package var path: String?
  /// Why there is no such file, in a sentence that says where to put it; nil where it was read. Its digest is
  /// then one of its name, for plans alone.
  package private(set) var absence: String?

  package init(digest: ContentKey, normalisation: InputNormalisation? = nil, path: String? = nil) {
    self.digest = digest
    self.normalisation = normalisation
    self.path = path
  }

  /// Weights that a grid names and nobody has put in place.
  ///
  /// - Parameter name: as the grid names them.
  package init(absent name: JSONValue, _ sentence: String) {
    self.init(digest: ContentKey(hashing: Array("absent \(name)".utf8)))
    absence = sentence
  }
}

extension ImportedWeights {
  /// What they are, wherever they lie.
  package var withoutPath: ImportedWeights {
    ImportedWeights(digest: digest, normalisation: normalisation)
  }
}

/// Mean and std of each channel, in units of 0...1: a network sees (pixel / 255 - mean) / std.
package struct InputNormalisation: Hashable, Sendable {
  package var mean: [DecimalNumber]
  package var std: [DecimalNumber]

  package init(mean: [DecimalNumber], std: [DecimalNumber]) {
    self.mean = mean
    self.std = std
  }

  /// Of ImageNet's photographs, as TorchVision and timm use them.
  package static let imageNet = InputNormalisation(
    mean: [485, 456, 406].map { DecimalNumber(mantissa: $0, exponent: -3) },
    std: [229, 224, 225].map { DecimalNumber(mantissa: $0, exponent: -3) })

  /// Whether these can be the statistics of images with so many channels: as many numbers, stds above 0.
  package func fits(channels: Int) -> Bool {
    mean.count == channels && std.count == channels && std.allSatisfy { $0 > DecimalNumber(0) }
  }
}

extension ImportedWeights: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("digest", .string(digest.description), to: &bytes)
    if let normalisation { object.member("normalisation", to: &bytes, normalisation.append) }
    object.end(&bytes)
  }

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(digest: try object.key("digest"))
    if let value = object["normalisation"] {
      normalisation = try InputNormalisation(value, at: object.path("normalisation"))
    }
  }
}

extension InputNormalisation: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("mean", .array(mean.map { .number($0) }), to: &bytes)
    object.member("std", .array(std.map { .number($0) }), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    func numbers(_ name: String) throws(SpecError) -> [DecimalNumber] {
      let numbers = try object.array(name).map(\.number)
      guard !numbers.isEmpty, !numbers.contains(nil) else {
        throw SpecError(path: object.path(name), expected: "a list of numbers, one a channel")
      }
      return numbers.compactMap(\.self)
    }
    self.init(mean: try numbers("mean"), std: try numbers("std"))
  }
}
