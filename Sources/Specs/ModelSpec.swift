/// A network as a family and its parameters. Names of published members are aliases and stay out of keys.
package struct ModelSpec: Hashable, Sendable {
  /// The family's name, such as `cifar_resnet`.
  package var family: String
  /// All parameters of the family, defaults filled in.
  package var parameters: [String: JSONValue]

  package init(family: String, parameters: [String: JSONValue]) {
    self.family = family
    self.parameters = parameters
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

/// The size of the images that a network is shown.
package struct ImageShape: Hashable, Sendable {
  package var channels: Int
  package var height: Int
  package var width: Int

  package init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }
}

/// What a classifier of images is shown and asked.
@dynamicMemberLookup
package struct ImageTask: Hashable, Sendable {
  package var image: ImageShape
  package var classes: Int

  package init(_ image: ImageShape, classes: Int) {
    self.image = image
    self.classes = classes
  }

  package init(channels: Int, height: Int, width: Int, classes: Int) {
    self.init(ImageShape(channels: channels, height: height, width: width), classes: classes)
  }

  package subscript(dynamicMember extent: WritableKeyPath<ImageShape, Int>) -> Int {
    get { image[keyPath: extent] }
    set { image[keyPath: extent] = newValue }
  }
}
