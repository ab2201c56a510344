package import Datasets
package import Specs

/// How images become what a network sees: what a file of exported weights says, so that its accuracy is the
/// same wherever it is read.
package struct Preprocessing: Hashable, Sendable {
  package var task: ImageTask
  package var normalisation: InputNormalisation
  /// Nil where images are shown in the size that they have.
  package var resize: ResizeRule?

  package init(task: ImageTask, normalisation: InputNormalisation, resize: ResizeRule? = nil) {
    self.task = task
    self.normalisation = normalisation
    self.resize = resize
  }

  /// As a dataset's test images are shown, normalised in another way where `normalisation` says so.
  init(_ images: ImageSet, _ normalisation: InputNormalisation? = nil) {
    task = images.task
    resize = images.resize
    self.normalisation = normalisation ?? InputNormalisation(images)
  }
}

extension InputNormalisation {
  /// The statistics that images of a set are normalised by.
  init(_ images: ImageSet) {
    // Both are finite: they are means of bytes, or were checked when the set was unpacked.
    self.init(
      mean: images.mean.compactMap { DecimalNumber($0) }, std: images.std.compactMap { DecimalNumber($0) })
  }
}

extension Preprocessing {
  /// A list of steps, each with the name and the arguments of a class of `torchvision.transforms`.
  package var steps: JSONValue {
    var steps: [JSONValue] = []
    if task.channels == 1 { steps.append(["transform": "Grayscale", "num_output_channels": 1]) }
    if let resize {
      steps.append([
        "transform": "Resize", "size": .number(DecimalNumber(resize.shorterSide)),
        "interpolation": .string(resize.interpolation.rawValue),
      ])
      steps.append(["transform": "CenterCrop", "size": .number(DecimalNumber(task.height))])
    }
    steps.append(["transform": "ToTensor"])
    steps.append([
      "transform": "Normalize", "mean": .array(normalisation.mean.map { .number($0) }),
      "std": .array(normalisation.std.map { .number($0) }),
    ])
    return .array(steps)
  }

  package var json: JSONValue {
    var members: [String: JSONValue] = [
      "channels": .number(DecimalNumber(task.channels)), "height": .number(DecimalNumber(task.height)),
      "width": .number(DecimalNumber(task.width)),
      "steps": steps,
    ]
    if let resize { members["resize"] = resize.json }
    return .object(members)
  }

  /// Reads what `json` wrote. Nil where it is something else.
  package init?(_ value: JSONValue, classes: Int) {
    guard let members = value.object, let channels = members["channels"]?.integer,
      let height = members["height"]?.integer, let width = members["width"]?.integer,
      let steps = members["steps"]?.array, (1...64).contains(channels), (1...65536).contains(height),
      (1...65536).contains(width),
      let normalise = steps.last?.object,
      let normalisation = try? InputNormalisation(
        .object(["mean": normalise["mean"] ?? .null, "std": normalise["std"] ?? .null]), at: "steps"),
      normalisation.fits(channels: channels)
    else { return nil }
    task = ImageTask(channels: channels, height: height, width: width, classes: classes)
    self.normalisation = normalisation
    resize = members["resize"].flatMap { ResizeRule($0) }
  }

  /// One phrase a part, for people.
  package var summary: String {
    let numbers = { (list: [DecimalNumber]) in list.map(\.description).joined(separator: ", ") }
    let size = "\(task.channels) × \(task.height) × \(task.width)"
    let shown = resize.map { "\($0.sentence(side: task.height)), \(size)" } ?? "\(size), not resized"
    return "\(shown); mean \(numbers(normalisation.mean)); std \(numbers(normalisation.std))"
  }
}
