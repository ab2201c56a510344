/// A network as a family and its parameters. Names of published members are aliases and stay out of keys.
public struct ModelSpec: Hashable, Sendable {
  /// The family's name, such as `cifar_resnet`.
  public var family: String
  /// All parameters of the family, defaults filled in.
  public var parameters: [String: JSONValue]

  /// - Parameter parameters: all of the family, as its `json` has them.
  public init(family: String, parameters: [String: JSONValue]) {
    self.family = family
    self.parameters = parameters
  }
}

extension ModelSpec: CanonicallyEncodable {
  public func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("family", .string(family), to: &bytes)
    object.member("parameters", .object(parameters), to: &bytes)
    object.end(&bytes)
  }

  public init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    guard let parameters = object["parameters"]?.object else {
      throw SpecError(path: object.path("parameters"), expected: "an object")
    }
    self.init(family: try object.string("family"), parameters: parameters)
  }
}

/// The size of the images that a network is shown.
public struct ImageShape: Hashable, Sendable {
  /// 1 for grey images, 3 for colours.
  public var channels: Int
  /// In pixels.
  public var height: Int
  /// In pixels.
  public var width: Int

  /// An image of so many channels and pixels.
  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }
}

/// What a classifier of images is shown and asked.
@dynamicMemberLookup
public struct ImageTask: Hashable, Sendable {
  /// The images.
  public var image: ImageShape
  /// How many classes are told apart.
  public var classes: Int

  /// Images of one size in so many classes.
  public init(_ image: ImageShape, classes: Int) {
    self.image = image
    self.classes = classes
  }

  /// Images of so many channels and pixels in so many classes.
  public init(channels: Int, height: Int, width: Int, classes: Int) {
    self.init(ImageShape(channels: channels, height: height, width: width), classes: classes)
  }

  /// `task.channels`, `task.height` and `task.width` are those of its images.
  public subscript(dynamicMember extent: WritableKeyPath<ImageShape, Int>) -> Int {
    get { image[keyPath: extent] }
    set { image[keyPath: extent] = newValue }
  }
}
