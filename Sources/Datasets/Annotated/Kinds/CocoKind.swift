import Evaluation
import Specs
import Synchronization

/// `coco2017:FOLDER` and `coco-json:FOLDER`: images with objects in COCO's JSON; `-skip` leaves bad images
/// out.
struct CocoKind: AnnotatedKind {
  let name: String
  /// `train2017`, or `train`.
  private let trainName: String
  private let testName: String
  private let counts: DatasetFacts.Counts?

  static let of2017 = CocoKind(
    name: "coco2017", trainName: "train2017", testName: "val2017",
    counts: DatasetFacts.Counts(train: 118_287, test: 5_000))
  static let any = CocoKind(name: "coco-json", trainName: "train", testName: "val", counts: nil)

  var summary: String {
    "objects with boxes and masks\(counts == nil ? "" : ", 80 classes, 118 287 + 5 000 images"): "
      + "\(name):FOLDER, with FOLDER/annotations/instances_\(trainName).json, \(trainName)/ and the same "
      + "of \(testName)"
  }

  let tasks: [AnnotatedTask] = [.detection]

  func answers(to name: String) -> Bool { name == self.name || name == "\(self.name)-skip" }

  func published(_ name: String) -> DatasetFacts? {
    counts.map {
      DatasetFacts(
        task: .detection(classes: 80), channels: 3, size: .variable, trainImages: $0.train,
        testImages: $0.test)
    }
  }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    guard let root = root(place) else {
      return LocatedDataset(
        spec: DatasetSpec(name: place.name, folder: place.folder), missing: missing(place))
    }
    let found = try CocoFiles(self, root, place)
    return LocatedDataset(
      spec: DatasetSpec(name: place.name, digest: found.digest, folder: root, facts: found.facts))
  }

  func open(
    _ spec: DatasetSpec, _ place: DatasetPlace, _ reading: AnnotatedReading
  ) throws -> AnnotatedDataset {
    guard let root = root(place) else { throw DatasetError.missing(missing(place)) }
    let found = try CocoFiles(self, root, place)
    guard spec.digest == nil || spec.digest == found.digest else {
      throw DatasetError.changed(name: spec.name, folder: root)
    }
    for note in found.notes { place.index.say(note) }
    return try AnnotatedDataset(
      spec, classNames: found.classNames, categoryIDs: found.train.index.categories.map(\.id),
      hasMasks: found.train.index.hasMasks && found.test.index.hasMasks, train: found.train, test: found.test)
  }

  private func root(_ place: DatasetPlace) -> String? {
    place.folders(named: name).first { root in
      [trainName, testName].contains { DataFile.exists(Self.annotations(root, $0)) }
    }
  }

  private func missing(_ place: DatasetPlace) -> MissingDataset {
    MissingDataset(
      name: place.name, folders: place.folders(named: name),
      files:
        "annotations/instances_\(trainName).json and instances_\(testName).json with the folders of images "
        + "\(trainName) and \(testName)",
      advice: "Name their folder in the grid: \(name):FOLDER.")
  }

  fileprivate static func annotations(_ root: String, _ split: String) -> String {
    "\(root)/annotations/instances_\(split).json"
  }

  fileprivate func split(_ isTest: Bool) -> String { isTest ? testName : trainName }
  fileprivate var published: DatasetFacts.Counts? { counts }
}

/// Both splits of a dataset in COCO's JSON, checked.
private struct CocoFiles {
  let train: CocoSource
  let test: CocoSource
  let classNames: [String]
  let facts: DatasetFacts
  let notes: [String]

  init(_ kind: CocoKind, _ root: String, _ place: DatasetPlace) throws(DatasetError) {
    let skips = place.name.hasSuffix("-skip")
    var sources: [CocoSource] = []
    var leftOut: [DatasetFacts.LeftOut] = []
    var notes: [String] = []
    for isTest in [false, true] {
      let split = kind.split(isTest)
      let index = try CocoIndexes.index(CocoKind.annotations(root, split))
      let files = try AnnotatedFiles(
        index.images.map {
          .init(path: "\(split)/\($0.name)", size: $0.size, file: index.path, record: "image \($0.id)")
        }, below: root, place, skips: skips, skipName: "\(kind.name)-skip")
      sources.append(CocoSource(index: index, root: root, files: files))
      leftOut += files.leftOut
      if index.oddPolygons > 0 {
        notes.append(
          "\(index.path): \(counted(index.oddPolygons, "polygon")) with an odd number of coordinates or "
            + "fewer than 3 corners left out")
      }
    }
    train = sources[0]
    test = sources[1]
    for (here, there, other) in [(train, test, "val"), (test, train, "train")] {
      let known = Set(there.index.categories)
      guard let lone = here.index.categories.first(where: { !known.contains($0) }) else { continue }
      throw .malformedRecord(
        file: here.index.path, record: "category \(lone.id) '\(lone.name)'",
        expected: "a category that the file of \(other) has too, with this id and name", found: "none",
        advice: "Give both files the same categories; classes without objects do no harm.")
    }
    guard !train.index.categories.isEmpty else {
      throw .malformedRecord(
        file: train.index.path, record: "categories", expected: "a category", found: "none",
        advice: "Get the file again from its source.")
    }
    classNames = train.index.categories.map(\.name)
    var facts = DatasetFacts(
      task: .detection(classes: classNames.count), channels: 3, size: .variable, trainImages: train.count,
      testImages: test.count)
    facts.published = kind.published
    facts.hasMasks = train.index.hasMasks && test.index.hasMasks
    facts.leftOut = leftOut
    let known = Set(train.photographs.entries.map(\.digest))
    facts.imagesInBothSets = test.photographs.entries.count { known.contains($0.digest) }
    self.facts = facts
    self.notes = notes
  }

  var digest: ContentKey {
    var hasher = ContentHasher()
    for (name, source) in [("train", train), ("test", test)] {
      hasher.field("split", name)
      hasher.field("annotations", source.index.digest)
      for entry in source.photographs.entries {
        hasher.field("path", entry.path)
        hasher.field("content", entry.digest)
      }
    }
    return hasher.finished()
  }
}

/// Indexes that this process has read: a file is gone through once, and again when it has changed.
private enum CocoIndexes {
  private struct Known {
    let size: Int
    let time: Int
    let index: CocoIndex
  }

  private static let memory = Mutex<[String: Known]>([:])

  static func index(_ path: String) throws(DatasetError) -> CocoIndex {
    guard let stamp = DataFile.stamp(path) else {
      throw .unreadable(file: path, reason: "there is no such file; the other split of this dataset is there")
    }
    if let known = memory.withLock({ $0[path] }), known.size == stamp.size, known.time == stamp.time {
      return known.index
    }
    let index = try CocoIndex(DataFile(reading: path))
    memory.withLock { $0[path] = Known(size: stamp.size, time: stamp.time, index: index) }
    return index
  }
}

/// The images of one split that are there.
private struct CocoSource: AnnotatedSource {
  let index: CocoIndex
  let photographs: Photographs
  /// Of each image its place in the index.
  private let places: [Int]

  init(index: CocoIndex, root: String, files: AnnotatedFiles) {
    self.index = index
    places = files.found.indices.filter { files.found[$0] != nil }
    photographs = Photographs(root: root, entries: files.found.compactMap { $0?.entry })
  }

  var count: Int { places.count }

  func entry(_ place: Int) -> AnnotatedEntry {
    let image = index.images[places[place]]
    return AnnotatedEntry(
      id: image.id, name: image.name, height: image.size.height, width: image.size.width)
  }

  func image(_ place: Int, _ parts: AnnotatedParts) throws(DatasetError) -> AnnotatedImage {
    var image = AnnotatedImage(entry(place))
    if parts.contains(.pixels) { image.pixels = try photographs.decoded(place).planes }
    guard !parts.isDisjoint(with: [.objects, .masks]) else { return image }
    for annotation in index.objects(of: places[place]) {
      var object = AnnotatedObject(
        id: annotation.id, label: annotation.category, box: annotation.box, area: annotation.area,
        isCrowd: annotation.isCrowd)
      if parts.contains(.masks), annotation.maskLength > 0 { object.mask = try mask(annotation) }
      image.objects.append(object)
    }
    return image
  }

  private func mask(_ annotation: CocoIndex.Annotation) throws(DatasetError) -> ObjectMask {
    let bytes = try DataFile.piece(
      of: index.path, at: annotation.maskStart, count: annotation.maskLength)
    do throws(UndecodableImage) {
      return try CocoMask.read(bytes)
    } catch {
      throw .changedPhotograph(
        file: index.path,
        problem: "held the mask of annotation \(annotation.id) when it was indexed and does not any more")
    }
  }
}
