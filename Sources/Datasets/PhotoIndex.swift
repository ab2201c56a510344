import Specs

/// All photographs below a folder: their classes, their digests, and all that lies
/// there and is not among them.
///
///     ROOT/train/CLASS/…/file.jpg        a class is a folder; its number is its place among their names, byte by byte
///     ROOT/val/CLASS/…/file.jpg          the same classes; `test` is taken too
///
/// `val` may be flat where a list says the class of each file; see `ValidationList`.
struct PhotoIndex: Sendable {
  struct Split: Sendable {
    var labels: [Int] = []
    var entries: [Photographs.Entry] = []
  }

  /// A file that cannot be decoded although its name says that it is a photograph.
  struct Damaged: Hashable, Sendable {
    let path: String
    let problem: String
  }

  let root: String
  private(set) var classes: [String] = []
  private(set) var train = Split()
  private(set) var test = Split()
  private(set) var damaged: [Damaged] = []
  private(set) var leftOut: [DatasetFacts.LeftOut] = []
  /// Photographs that decode although their decoder complained.
  private(set) var warned: DatasetFacts.LeftOut?

  /// - Parameters:
  ///   - root: the folder with `train` and `val`.
  ///   - cache: a file that remembers digests of files whose size and time have not changed; nil for none.
  ///   - progress: told now and then how many of how many files have been looked at.
  init(
    _ root: String, cache: String?, progress: (@Sendable (Int, Int) -> Void)? = nil
  ) throws(DatasetError) {
    self.root = root
    guard let (trainFolder, testFolder) = Self.find(root) else {
      throw .unusable(folder: root, problem: "has no folders train and val")
    }
    var collector = PhotoCollector(root: root)
    classes = try collector.classes(of: trainFolder)
    try Self.check(classes, in: trainFolder)
    var found: [(split: Int, label: Int, path: String)] = []
    for (label, name) in classes.enumerated() {
      for path in try collector.files(of: "\(trainFolder)/\(name)") { found.append((0, label, path)) }
    }
    // In a flat folder files outside of the classes' folders are what is wanted.
    var others = collector
    let testClasses = try others.classes(of: testFolder)
    if testClasses.isEmpty, let list = try ValidationList(for: testFolder, below: root, classes: classes) {
      for (path, label) in try list.files(of: testFolder, below: root) { found.append((1, label, path)) }
    } else {
      try compare(testClasses, with: testFolder)
      collector = others
      collector.beginSplit()
      for (label, name) in classes.enumerated() {
        for path in try collector.files(of: "\(testFolder)/\(name)") { found.append((1, label, path)) }
      }
    }
    let looked = try PhotoCache.look(at: found.map(\.path), below: root, cache: cache, progress: progress)
    for (file, outcome) in zip(found, looked) { take(file, outcome, &collector) }
    for (split, folder) in [(train, trainFolder), (test, testFolder)] {
      let present = Set(split.labels)
      if let empty = classes.indices.first(where: { !present.contains($0) }) {
        throw .unusable(
          folder: "\(folder)/\(classes[empty])",
          problem: "has no photograph that can be decoded"
            + collector.reason(below: "\(folder)/\(classes[empty])"))
      }
    }
    leftOut = collector.leftOut
  }

  private mutating func take(
    _ file: (split: Int, label: Int, path: String), _ outcome: PhotoCache.Outcome,
    _ collector: inout PhotoCollector
  ) {
    switch outcome {
    case .photograph(let digest, _, let warning):
      let entry = Photographs.Entry(path: file.path, digest: digest)
      if file.split == 0 {
        train.labels.append(file.label)
        train.entries.append(entry)
      } else {
        test.labels.append(file.label)
        test.entries.append(entry)
      }
      guard let warning else { return }
      warned = DatasetFacts.LeftOut(
        reason: "decoded with a warning", count: (warned?.count ?? 0) + 1,
        example: warned?.example ?? "\(file.path): \(warning)")
    case .foreign: collector.leaveOut("not a picture", file.path)
    case .damaged(let problem): damaged.append(Damaged(path: file.path, problem: problem))
    }
  }

  private static func check(_ classes: [String], in folder: String) throws(DatasetError) {
    if classes.isEmpty { throw .unusable(folder: folder, problem: "has no folders of classes") }
    guard classes.count > 1 else {
      throw .unusable(
        folder: folder,
        problem:
          "has one class, '\(classes[0])', and a classifier needs two or more. Put the photographs of each "
          + "class into a folder of their own")
    }
  }

  private func compare(_ others: [String], with folder: String) throws(DatasetError) {
    if others.isEmpty { throw .unusable(folder: folder, problem: ValidationList.advice(root: root)) }
    guard others.map({ Array($0.utf8) }) != classes.map({ Array($0.utf8) }) else { return }
    let missing = classes.filter { !others.contains($0) }
    let extra = others.filter { !classes.contains($0) }
    let name = folder.split(separator: "/").last.map(String.init) ?? folder
    let lone = (missing + extra).min() ?? ""
    throw .unusable(
      folder: root,
      problem: "has other classes in train than in \(name): '\(lone)' is in one alone"
        + (missing.count + extra.count > 1 ? ", and so are \(missing.count + extra.count - 1) more" : ""))
  }

  /// Photographs of the test set whose file is also one of the training set, byte for byte.
  var imagesInBothSets: Int {
    let known = Set(train.entries.lazy.map(\.digest))
    return test.entries.count { known.contains($0.digest) }
  }

  /// Classes, paths and contents, in their order.
  var digest: ContentKey {
    var hasher = ContentHasher()
    for name in classes { hasher.field("class", name) }
    for (name, split) in [("train", train), ("test", test)] {
      hasher.field("split", name)
      for (label, entry) in zip(split.labels, split.entries) {
        hasher.field("label", "\(label)")
        hasher.field("path", entry.path)
        hasher.field("content", entry.digest)
      }
    }
    return hasher.finished()
  }

  /// The two folders; nil where they are not there.
  static func find(_ root: String) -> (train: String, test: String)? {
    guard FileListing.isFolder("\(root)/train") else { return nil }
    return ["val", "test"].map { "\(root)/\($0)" }.first(where: FileListing.isFolder).map {
      ("\(root)/train", $0)
    }
  }
}
