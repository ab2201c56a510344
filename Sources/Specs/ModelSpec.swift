/// A network as a family and its parameters. Names of published members are aliases and stay out of keys.
package struct ModelSpec: Hashable, Sendable {
  /// The family's name, such as `cifar_resnet`.
  package var family: String
  /// All parameters of the family, defaults filled in.
  package var parameters: [String: JSONValue]

  package init(family: String, parameters: [String: JSONValue]) {
    (self.family, self.parameters) = (family, parameters)
  }
}

extension ModelSpec: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("family", .string(family), to: &bytes)
    object.member("parameters", .object(parameters), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    guard let parameters = object["parameters"]?.object else {
      throw SpecError(path: object.path("parameters"), expected: "an object")
    }
    self.init(family: try object.string("family"), parameters: parameters)
  }
}

/// What a classifier of images is shown and asked.
package struct ImageTask: Hashable, Sendable {
  package var channels: Int
  package var height: Int
  package var width: Int
  package var classes: Int

  package init(channels: Int, height: Int, width: Int, classes: Int) {
    (self.channels, self.height, self.width, self.classes) = (channels, height, width, classes)
  }
}
