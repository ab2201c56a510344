/// What a dataset holds, as its headers, file sizes and listings say, before any image is decoded.
///
///     let facts = DatasetFacts(
///       task: .classification(classes: 10), channels: 1, size: .fixed(height: 28, width: 28),
///       trainImages: 60_000, testImages: 10_000)
///
/// Facts are what is known of a dataset, not what it is: they are in no key.
public struct DatasetFacts: Sendable {
  /// What a network is asked about an image.
  public enum Task: Hashable, Sendable {
    case classification(classes: Int)
    case detection(classes: Int)
    case segmentation(classes: Int)

    /// How many classes the task tells apart.
    public var classes: Int {
      switch self {
      case .classification(let classes), .detection(let classes), .segmentation(let classes): classes
      }
    }
  }

  /// How large images are when a network sees them, in pixels.
  public enum Size: Hashable, Sendable {
    case fixed(height: Int, width: Int)
    case variable
  }

  /// Entries of one kind that are not among the images.
  public struct LeftOut: Hashable, Sendable {
    /// A phrase that names the reason, such as `not an image`.
    public let reason: String
    /// How many they are.
    public let count: Int
    /// Path of the first one.
    public let example: String

    /// So many entries that were left out for one reason, the first of them as the example.
    public init(reason: String, count: Int, example: String) {
      self.reason = reason
      self.count = count
      self.example = example
    }
  }

  /// What a network is asked about its images.
  public var task: Task
  /// Of an image.
  public var channels: Int
  /// Of an image, in pixels.
  public var size: Size
  /// All of the training set.
  public var trainImages: Int
  /// All of the test set.
  public var testImages: Int
  /// The most training images that a subset may have, validation included: all, unless more can be made.
  public var mostTrainImages: Int
  /// The same of test images.
  public var mostTestImages: Int
  /// How many images the published dataset has; nil where no such number exists.
  public var published: Counts?
  /// How many of the published files are there; nil where no such number exists.
  public var files: Files?
  /// What lies among the files and is no image of the set.
  public var leftOut: [LeftOut] = []
  /// Images whose file is, byte for byte, both among the training and the test images.
  package var imagesInBothSets = 0
  /// Whether every object has a mask; nil where that is not asked.
  package var hasMasks: Bool?
  /// Images that decode although their decoder complained; the first complaint with its path.
  package var warned: LeftOut?

  /// Numbers of training and test images.
  public struct Counts: Hashable, Sendable {
    /// Training images.
    public let train: Int
    /// Test images.
    public let test: Int

    /// Numbers of images of the two sets.
    public init(train: Int, test: Int) {
      self.train = train
      self.test = test
    }
  }

  /// Numbers of files.
  public struct Files: Hashable, Sendable {
    /// Files that are there.
    public let present: Int
    /// Files that the published dataset has.
    public let due: Int

    /// Numbers of files that are there and of those that were published.
    public init(present: Int, due: Int) {
      self.present = present
      self.due = due
    }
  }

  /// Facts of a dataset of which nothing else is known.
  public init(task: Task, channels: Int, size: Size, trainImages: Int, testImages: Int) {
    self.task = task
    self.channels = channels
    self.size = size
    self.trainImages = trainImages
    self.testImages = testImages
    mostTrainImages = trainImages
    mostTestImages = testImages
  }
}

extension DatasetFacts: Hashable {
  /// One number, because grids with a million runs hash their dataset often.
  public func hash(into hasher: inout Hasher) { hasher.combine(trainImages) }
}

extension DatasetFacts {
  /// What a classifier sees; nil for other tasks and for images of variable size.
  package var imageTask: ImageTask? {
    guard case .classification(let classes) = task, case .fixed(let height, let width) = size else {
      return nil
    }
    return ImageTask(channels: channels, height: height, width: width, classes: classes)
  }

  /// Whether training images of the published dataset are missing.
  package var lacksTrainImages: Bool { published.map { trainImages < $0.train } ?? false }
  package var lacksTestImages: Bool { published.map { testImages < $0.test } ?? false }

  /// Whether there is something that a reader of a table should know.
  package var isRemarkable: Bool {
    !leftOut.isEmpty || imagesInBothSets > 0 || warned != nil || lacksTrainImages || lacksTestImages
      || files.map { $0.present < $0.due } ?? false
  }

  /// One phrase, such as `2 classes, 6 + 4 images, 1 left out (names), 3 of 5 files, 12 in both sets`.
  package var summary: String {
    var parts = [
      "\(task.classes) \(task.classes == 1 ? "class" : "classes")",
      "\(trainImages) + \(testImages) images",
    ]
    if let published, lacksTrainImages || lacksTestImages {
      parts[1] += " of \(published.train) + \(published.test)"
    }
    parts += leftOut.map { "\($0.count) left out (\($0.reason))" }
    if let files, files.present < files.due { parts.append("\(files.present) of \(files.due) files") }
    if imagesInBothSets > 0 { parts.append("\(imagesInBothSets) in both sets") }
    if let warned { parts.append("\(warned.count) decoded with a warning") }
    return parts.joined(separator: ", ")
  }
}
