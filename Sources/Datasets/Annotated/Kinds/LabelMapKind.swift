import Specs

/// Images with a PNG of labels beside each: `cityscapes`, `ade20k`, `coco-stuff-164k`; `-skip` leaves bad
/// images out.
struct LabelMapKind: AnnotatedKind {
  /// An image and its labels, below the folder.
  struct Pair {
    let image: String
    let labels: String
  }

  let name: String
  let summary: String
  let tasks: [AnnotatedTask] = [.segmentation]
  let counts: DatasetFacts.Counts
  /// The files, for a message where they are missing.
  let files: String
  /// Which values a label can have, as a phrase.
  let values: String
  /// Whether a folder holds the dataset.
  let isAt: @Sendable (_ root: String) -> Bool
  /// Images and labels of a split in the order of their names, byte by byte.
  let pairs: @Sendable (_ root: String, _ isTest: Bool) throws(DatasetError) -> [Pair]
  /// Output of each value of a label: 255 for one that is not judged, nil for one that no label has.
  let outputs: @Sendable (AnnotatedReading) -> [UInt8?]
  /// Of outputs, where no file has better ones.
  let outputNames: @Sendable (AnnotatedReading) -> [String]
  /// What may lie beside the images and has names; nil for none.
  var nameFile: ClassNameFile?

  func answers(to name: String) -> Bool { name == self.name || name == "\(self.name)-skip" }

  func published(_ name: String) -> DatasetFacts? {
    DatasetFacts(
      task: .segmentation(classes: outputNames(AnnotatedReading()).count), channels: 3, size: .variable,
      trainImages: counts.train, testImages: counts.test)
  }

  func semanticNames(_ name: String, _ reading: AnnotatedReading) -> [String]? { outputNames(reading) }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    guard let root = root(place) else {
      return LocatedDataset(
        spec: DatasetSpec(name: place.name, folder: place.folder), missing: missing(place))
    }
    let found = try LabelledFiles(self, root, place, AnnotatedReading())
    _ = try names(root, AnnotatedReading())
    return LocatedDataset(
      spec: DatasetSpec(name: place.name, digest: found.digest, folder: root, facts: found.facts))
  }

  func open(
    _ spec: DatasetSpec, _ place: DatasetPlace, _ reading: AnnotatedReading
  ) throws -> AnnotatedDataset {
    guard let root = root(place) else { throw DatasetError.missing(missing(place)) }
    let found = try LabelledFiles(self, root, place, reading)
    guard spec.digest == nil || spec.digest == found.digest else {
      throw DatasetError.changed(name: spec.name, folder: root)
    }
    return try AnnotatedDataset(
      spec, classNames: [], semanticNames: names(root, reading), hasMasks: false, train: found.train,
      test: found.test)
  }

  /// For people: no key and no digest has them.
  private func names(_ root: String, _ reading: AnnotatedReading) throws(DatasetError) -> [String] {
    let standard = outputNames(reading)
    return try nameFile?.names(root, standard, outputs: outputs(reading)) ?? standard
  }

  private func root(_ place: DatasetPlace) -> String? { place.folders(named: name).first(where: isAt) }

  private func missing(_ place: DatasetPlace) -> MissingDataset {
    MissingDataset(
      name: place.name, folders: place.folders(named: name), files: files,
      advice: "Name their folder in the grid: \(name):FOLDER.")
  }

  /// Files of a folder whose names have an ending, in the order of their bytes.
  static func names(_ folder: String, endingIn endings: [String]) throws(DatasetError) -> [String] {
    try FileListing.entries(folder).filter { !$0.isHidden }.compactMap(\.text).filter { name in
      endings.contains { name.lowercased().hasSuffix($0) }
    }
  }

  /// Images of a folder with the labels that have the same name in another one; then labels without an image,
  /// which are told of as images that are missing.
  ///
  /// - Parameter images: the folder, below the root.
  static func pairs(
    _ root: String, images: String, labels: String
  ) throws(DatasetError) -> [Pair] {
    var pairs: [Pair] = []
    var stems: Set<Substring> = []
    for name in try names("\(root)/\(images)", endingIn: [".jpg", ".jpeg", ".png"]) {
      let stem = name[..<(name.lastIndex(of: ".") ?? name.endIndex)]
      guard stems.insert(stem).inserted else {
        throw .unusable(folder: "\(root)/\(images)", problem: "has two images '\(stem)'")
      }
      pairs.append(Pair(image: "\(images)/\(name)", labels: "\(labels)/\(stem).png"))
    }
    guard FileListing.isFolder("\(root)/\(labels)") else { return pairs }
    for name in try names("\(root)/\(labels)", endingIn: [".png"]) where !stems.contains(name.dropLast(4)) {
      pairs.append(Pair(image: "\(images)/\(name.dropLast(4)).jpg", labels: "\(labels)/\(name)"))
    }
    return pairs
  }
}

/// Images with labels of both splits, checked.
private struct LabelledFiles {
  let train: LabelledSource
  let test: LabelledSource
  private(set) var facts: DatasetFacts

  init(
    _ kind: LabelMapKind, _ root: String, _ place: DatasetPlace, _ reading: AnnotatedReading
  ) throws(DatasetError) {
    let outputs = kind.outputs(reading)
    var sources: [LabelledSource] = []
    var leftOut: [DatasetFacts.LeftOut] = []
    var warned: DatasetFacts.LeftOut?
    for isTest in [false, true] {
      let pairs = try kind.pairs(root, isTest)
      let labels = try Self.labels(pairs, kind, outputs, root, place)
      let wanted = zip(pairs, labels).map { pair, label in
        AnnotatedFiles.Wanted(
          path: pair.image, size: label.size, file: "\(root)/\(pair.labels)",
          record: "labels of \(pair.image)")
      }
      let images = try AnnotatedFiles(
        wanted, below: root, place, skips: place.name.hasSuffix("-skip"), skipName: "\(kind.name)-skip")
      leftOut += images.leftOut
      warned = warned ?? images.warned
      var source = LabelledSource(root: root, outputs: outputs)
      for (found, label) in zip(images.found, labels) {
        guard let found else { continue }
        guard min(found.size.height, found.size.width) >= AnnotatedImage.shortestSide else {
          throw .malformedRecord(
            file: "\(root)/\(found.entry.path)", record: "the image",
            expected: "sides of at least \(AnnotatedImage.shortestSide) pixels",
            found: found.size.phrase, advice: "Segmentation needs larger images; take this one out.")
        }
        source.append(found.entry, label, found.size)
      }
      guard source.count > 0 else {
        throw .unusable(
          folder: root, problem: "has no image with labels for \(isTest ? "the test" : "training")")
      }
      sources.append(source)
    }
    train = sources[0]
    test = sources[1]
    facts = DatasetFacts(
      task: .segmentation(classes: kind.outputNames(reading).count), channels: 3, size: .variable,
      trainImages: train.count, testImages: test.count)
    facts.published = kind.counts
    facts.leftOut = leftOut
    facts.warned = warned
    let known = Set(train.images.lazy.map(\.digest))
    facts.imagesInBothSets = test.images.count { known.contains($0.digest) }
  }

  /// Labels are looked at pixel by pixel once, and remembered by size and time of the file.
  private static func labels(
    _ pairs: [LabelMapKind.Pair], _ kind: LabelMapKind, _ outputs: [UInt8?], _ root: String,
    _ place: DatasetPlace
  ) throws(DatasetError) -> [LabelledSource.Label] {
    for pair in pairs where !DataFile.exists("\(root)/\(pair.labels)") {
      throw .malformedRecord(
        file: "\(root)/\(pair.labels)", record: "labels of \(pair.image)", expected: "a PNG of labels",
        found: "no such file", advice: "Put it there, or take the image out.")
    }
    let purpose = "labels with their values for \(kind.name) of "
    let allowed = outputs.map { $0 != nil }
    let looked = try PhotoCache.look(
      at: pairs.map(\.labels), below: root, cache: place.index.file(for: root, purpose: purpose),
      progress: place.index.progress(for: root), purpose: purpose
    ) { (path) throws(DatasetError) in
      let file = try DataFile(reading: path)
      do throws(UndecodableImage) {
        let map = try LabelMap(file.bytes)
        if let bad = map.values.firstIndex(where: { !allowed[Int($0)] }) {
          let x = bad % map.size.width
          let y = bad / map.size.width
          return .damaged("the value \(map.values[bad]) at column \(x), row \(y), both from 0")
        }
        // What is remembered beside digest and size: which values there are.
        let values = Set(map.values).sorted().map(String.init).joined(separator: ",")
        return .photograph(ContentKey(hashing: file.bytes), map.size, note: values)
      } catch {
        return .damaged(error.problem)
      }
    }
    return try zip(pairs, looked).map { (pair, outcome) throws(DatasetError) in
      switch outcome {
      case .photograph(let digest, let size, let note):
        let values = note.map { $0.split(separator: ",").compactMap { UInt8($0) } }
        return LabelledSource.Label(
          entry: .init(path: pair.labels, digest: digest), size: size,
          outputs: values.map {
            Set($0.compactMap { outputs[Int($0)] }).subtracting([AnnotatedImage.ignored])
          })
      case .damaged(let problem), .foreign(let problem):
        throw .malformedRecord(
          file: "\(root)/\(pair.labels)", record: "labels of \(pair.image)",
          expected: "a PNG of 8 bits or fewer, gray or palette, with \(kind.values)", found: problem,
          advice: "Get the file again from its source, or point the grid at another folder.")
      }
    }
  }

  var digest: ContentKey {
    var hasher = ContentHasher()
    for (name, source) in [("train", train), ("test", test)] {
      hasher.field("split", name)
      for (image, label) in zip(source.images, source.labels) {
        hasher.field("path", image.path)
        hasher.field("content", image.digest)
        hasher.field("labels", label.digest)
      }
    }
    return hasher.finished()
  }
}

private struct LabelledSource: AnnotatedSource {
  /// A file of labels.
  struct Label {
    let entry: Photographs.Entry
    let size: PixelSize
    /// Those that are judged; nil where nobody noted them.
    let outputs: Set<UInt8>?
  }

  let root: String
  private let outputs: [UInt8]
  private(set) var images: [Photographs.Entry] = []
  private(set) var labels: [Photographs.Entry] = []
  private var found: [Set<UInt8>?] = []
  private var sizes: [PixelSize] = []

  init(root: String, outputs: [UInt8?]) {
    self.root = root
    self.outputs = outputs.map { $0 ?? AnnotatedImage.ignored }
  }

  mutating func append(_ image: Photographs.Entry, _ label: Label, _ size: PixelSize) {
    images.append(image)
    labels.append(label.entry)
    found.append(label.outputs)
    sizes.append(size)
  }

  func outputs(_ place: Int) -> Set<UInt8>? { found[place] }

  var count: Int { images.count }

  func entry(_ place: Int) -> AnnotatedEntry {
    AnnotatedEntry(
      id: place, name: images[place].path, height: sizes[place].height, width: sizes[place].width)
  }

  func image(_ place: Int, _ parts: AnnotatedParts) throws(DatasetError) -> AnnotatedImage {
    var image = AnnotatedImage(entry(place))
    if parts.contains(.pixels) {
      image.pixels = try Photographs(root: root, entries: [images[place]]).decoded(0).planes
    }
    if parts.contains(.semantics) {
      let bytes = try Photographs(root: root, entries: [labels[place]]).bytes(0)
      do throws(UndecodableImage) {
        image.semantics = try LabelMap(bytes).values.map { outputs[Int($0)] }
      } catch {
        throw .changedPhotograph(
          file: "\(root)/\(labels[place].path)", problem: "cannot be read any more (\(error.problem))")
      }
    }
    return image
  }
}
