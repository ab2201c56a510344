import Specs

/// Photographs in folders of their classes, shown as squares: `imagefolder-SIDE` for any folder, `imagenet`
/// for the thousand classes of the ILSVRC at 224 pixels. With `-skip` behind the name, files that cannot be
/// decoded are left out instead of refused.
///
/// `-bicubic` and `-cropSHARE` behind the name say how photographs are shown when a network is measured, as
/// timm's `interpolation` and `crop_pct` do: `imagenet-bicubic-crop0.9`. Without them the shorter side is
/// resampled bilinearly to 256 for squares of 224, which is a crop of 0.875.
///
/// The full name of a located folder counts its classes: `imagefolder-SIDE-CLASSES`. Images are normalised
/// by ImageNet's statistics.
struct PhotoFolder: Hashable, Sendable {
  let side: Int
  /// Nil where the folder says.
  let classes: Int?
  let skips: Bool
  let isImageNet: Bool
  let interpolation: ResizeRule.Interpolation
  /// The square's share of the shorter side; nil for 0.875.
  let crop: DecimalNumber?

  /// Reads a name; nil where it is none of this reader's. Throws where its numbers make no task.
  init?(name: String) throws(DatasetError) {
    var parts = name.split(separator: "-", omittingEmptySubsequences: false)
    skips = parts.count > 1 && parts.last == "skip"
    if skips { parts.removeLast() }
    var crop: DecimalNumber?
    if let last = parts.last, last.hasPrefix("crop") {
      guard let share = DecimalNumber(last.dropFirst("crop".count)), share.double >= 0.1, share.double <= 1
      else {
        throw .impossible(name: name, problem: "a crop is a share from 0.1 to 1, such as crop0.9")
      }
      crop = share.double == Self.usualCrop ? nil : share
      parts.removeLast()
    }
    self.crop = crop
    interpolation = parts.last == "bicubic" ? .bicubic : .bilinear
    if interpolation == .bicubic { parts.removeLast() }
    if parts == ["imagenet"] {
      (side, classes, isImageNet) = (224, 1000, true)
      return
    }
    guard parts.first == "imagefolder" else { return nil }
    let numbers = parts.dropFirst().map { $0.allSatisfy(\.isNumber) ? Int($0) : nil }
    guard numbers.count <= 2, !numbers.contains(nil) else {
      throw .impossible(
        name: name, problem: "write imagefolder-SIDE:FOLDER, such as imagefolder-224:photographs")
    }
    guard let side = numbers.isEmpty ? 224 : numbers[0], (8...1024).contains(side) else {
      throw .impossible(name: name, problem: "sides have 8 to 1024 pixels")
    }
    let classes = numbers.count == 2 ? numbers[1] : nil
    if let classes, !(2...65536).contains(classes) {
      throw .impossible(name: name, problem: "there can be 2 to 65536 classes")
    }
    self.side = side
    self.classes = classes
    isImageNet = false
  }

  private static let usualCrop = 0.875

  func name(classes: Int) -> String {
    (isImageNet ? "imagenet" : "imagefolder-\(side)-\(classes)")
      + (interpolation == .bicubic ? "-bicubic" : "") + (crop.map { "-crop\($0)" } ?? "")
      + (skips ? "-skip" : "")
  }

  /// How photographs are measured; nil for the usual way.
  private var resize: ResizeRule? {
    guard crop != nil || interpolation != .bilinear else { return nil }
    let shorter = crop.map { Int(Double(side) / $0.double) } ?? PhotoView.shorter(for: side)
    return ResizeRule(shorterSide: shorter, interpolation: interpolation)
  }

  static let imageNetCounts = DatasetFacts.Counts(train: 1_281_167, test: 50_000)

  func facts(classes: Int, train: Int, test: Int) -> DatasetFacts {
    DatasetFacts(
      task: .classification(classes: classes), channels: 3, size: .fixed(height: side, width: side),
      trainImages: train, testImages: test)
  }

  func facts(of index: PhotoIndex) -> DatasetFacts {
    var facts = facts(
      classes: index.classes.count, train: index.train.entries.count, test: index.test.entries.count)
    facts.leftOut = index.leftOut
    if !index.damaged.isEmpty {
      facts.leftOut.append(
        DatasetFacts.LeftOut(
          reason: "damaged", count: index.damaged.count,
          example: "\(index.damaged[0].path): \(index.damaged[0].problem)"))
    }
    facts.imagesInBothSets = index.imagesInBothSets
    facts.warned = index.warned
    if isImageNet { facts.published = Self.imageNetCounts }
    return facts
  }

  /// Indexes a folder and refuses what must not be trained on.
  func index(
    _ root: String, cache: String?, progress: (@Sendable (Int, Int) -> Void)? = nil
  ) throws(DatasetError) -> PhotoIndex {
    let index = try PhotoIndex(root, cache: cache, progress: progress)
    if let classes, classes != index.classes.count {
      let advice = isImageNet ? ". Write imagefolder-224:FOLDER for another set of photographs" : ""
      throw .unusable(
        folder: root, problem: "has \(index.classes.count) classes; expected \(classes)\(advice)")
    }
    guard skips || index.damaged.isEmpty else {
      let shown = index.damaged.prefix(5).map { "\($0.path): \($0.problem)" }.joined(separator: "; ")
      let rest = index.damaged.count > 5 ? "; and \(index.damaged.count - 5) more" : ""
      let name = name(classes: index.classes.count)
      throw .unusable(
        folder: root,
        problem:
          "has \(index.damaged.count) \(index.damaged.count == 1 ? "file" : "files") that cannot be "
          + "decoded: \(shown)\(rest). Mend or remove them, or leave them out by writing \(name)-skip"
      )
    }
    return index
  }

  func dataset(_ index: PhotoIndex) -> (train: ImageSet, test: ImageSet) {
    let task = ImageTask(channels: 3, height: side, width: side, classes: index.classes.count)
    func set(_ split: PhotoIndex.Split) -> ImageSet {
      ImageSet(
        task: task, labels: split.labels,
        photographs: Photographs(root: index.root, entries: split.entries, resize: resize))
    }
    return (set(index.train), set(index.test))
  }
}
