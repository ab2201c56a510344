import Evaluation
import Specs

/// `voc-xml:FOLDER`: images with boxes in Pascal VOC's XML; trained on `train` and `val`, measured on `test`.
/// `-skip` leaves bad images out.
struct VOCKind: AnnotatedKind {
  let name = "voc-xml"
  let summary =
    "objects with boxes: voc-xml:FOLDER, with Annotations/*.xml, JPEGImages/ and ImageSets/Main/"
    + "train.txt, val.txt and test.txt"
  let tasks: [AnnotatedTask] = [.detection]
  let knowsMasks = false

  func answers(to name: String) -> Bool { name == self.name || name == "\(self.name)-skip" }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    guard let root = root(place) else {
      return LocatedDataset(
        spec: DatasetSpec(name: place.name, folder: place.folder), missing: missing(place))
    }
    let found = try VOCFiles(root, place)
    return LocatedDataset(
      spec: DatasetSpec(name: place.name, digest: found.digest, folder: root, facts: found.facts))
  }

  func open(
    _ spec: DatasetSpec, _ place: DatasetPlace, _ reading: AnnotatedReading
  ) throws -> AnnotatedDataset {
    guard let root = root(place) else { throw DatasetError.missing(missing(place)) }
    let found = try VOCFiles(root, place)
    guard spec.digest == nil || spec.digest == found.digest else {
      throw DatasetError.changed(name: spec.name, folder: root)
    }
    for note in found.notes { place.index.say(note) }
    return try AnnotatedDataset(
      spec, classNames: found.classNames, hasMasks: false, train: found.train, test: found.test)
  }

  private func root(_ place: DatasetPlace) -> String? {
    place.folders(named: name).first {
      FileListing.isFolder("\($0)/Annotations") && FileListing.isFolder("\($0)/ImageSets/Main")
    }
  }

  private func missing(_ place: DatasetPlace) -> MissingDataset {
    MissingDataset(
      name: place.name, folders: place.folders(named: name),
      files: "the folders Annotations, JPEGImages and ImageSets/Main",
      advice: "Name their folder in the grid: \(name):FOLDER.")
  }
}

/// A dataset in Pascal VOC's layout, checked.
private struct VOCFiles {
  let train: VOCSource
  let test: VOCSource
  let classNames: [String]
  private(set) var facts: DatasetFacts
  private(set) var notes: [String] = []

  init(_ root: String, _ place: DatasetPlace) throws(DatasetError) {
    // Classes are those of all files, whether a list names them or not, so that lists change no labels.
    var annotations: [String: VOCAnnotation] = [:]
    var digests: [String: ContentKey] = [:]
    var clipped = 0
    for entry in try FileListing.entries("\(root)/Annotations") where !entry.isHidden {
      guard let name = entry.text, name.hasSuffix(".xml") else { continue }
      let id = String(name.dropLast(4))
      let file = try DataFile(reading: "\(root)/Annotations/\(name)")
      let annotation = try VOCAnnotation(file)
      annotations[id] = annotation
      digests[id] = ContentKey(hashing: file.bytes)
      clipped += annotation.clipped
    }
    let names = Set(annotations.values.flatMap { $0.objects.map(\.name) })
    classNames = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let labels = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, $0) })
    guard !classNames.isEmpty else {
      throw .unusable(folder: "\(root)/Annotations", problem: "has no object in any of its .xml files")
    }
    if clipped > 0 {
      notes.append(
        "\(root): \(counted(clipped, "box", "boxes")) beyond an image by a pixel at most, clipped to it")
    }
    let images = try Self.images(root)
    var sources: [VOCSource] = []
    var leftOut: [DatasetFacts.LeftOut] = []
    for lists in [["train", "val"], ["test"]] {
      var wanted: [AnnotatedFiles.Wanted] = []
      var ids: [String] = []
      for list in lists {
        for image in try Self.wanted("\(root)/ImageSets/Main/\(list).txt", root, annotations, images) {
          ids.append(image.id)
          wanted.append(image.file)
        }
      }
      let files = try AnnotatedFiles(
        wanted, below: root, place, skips: place.name.hasSuffix("-skip"), skipName: "voc-xml-skip")
      leftOut += files.leftOut
      let kept = ids.indices.filter { files.found[$0] != nil }
      sources.append(
        VOCSource(
          photographs: Photographs(root: root, entries: files.found.compactMap { $0?.entry }),
          annotations: kept.compactMap { annotations[ids[$0]] }, labels: labels,
          digests: kept.compactMap { digests[ids[$0]] }))
    }
    train = sources[0]
    test = sources[1]
    facts = DatasetFacts(
      task: .detection(classes: classNames.count), channels: 3, size: .variable, trainImages: train.count,
      testImages: test.count)
    facts.leftOut = leftOut
    let known = Set(train.photographs.entries.map(\.digest))
    facts.imagesInBothSets = test.photographs.entries.count { known.contains($0.digest) }
  }

  /// The images of a list, with what their annotations say of their size.
  private static func wanted(
    _ list: String, _ root: String, _ annotations: [String: VOCAnnotation], _ images: [String: String]
  ) throws(DatasetError) -> [(id: String, file: AnnotatedFiles.Wanted)] {
    var wanted: [(id: String, file: AnnotatedFiles.Wanted)] = []
    for (id, line) in try ids(list) {
      let record = "image \(id) (line \(line))"
      guard let annotation = annotations[id] else {
        throw .malformedRecord(
          file: list, record: record, expected: "the file Annotations/\(id).xml", found: "no such file",
          advice: "Put it there, or take the image out of the list.")
      }
      let file = AnnotatedFiles.Wanted(
        path: "JPEGImages/\(images[id] ?? "\(id).jpg")", size: annotation.size,
        file: "\(root)/Annotations/\(id).xml", record: record)
      wanted.append((id, file))
    }
    return wanted
  }

  /// Files of images by their names without endings.
  private static func images(_ root: String) throws(DatasetError) -> [String: String] {
    var images: [String: String] = [:]
    for entry in try FileListing.entries("\(root)/JPEGImages") where entry.looksLikePhotograph {
      guard let name = entry.text, let dot = name.lastIndex(of: ".") else { continue }
      let id = String(name[..<dot])
      if let other = images.updateValue(name, forKey: id) {
        throw .unusable(folder: "\(root)/JPEGImages", problem: "has two images '\(id)': \(other) and \(name)")
      }
    }
    return images
  }

  /// Lines of a list: one identifier each.
  private static func ids(_ path: String) throws(DatasetError) -> [(id: String, line: Int)] {
    let file = try DataFile(reading: path)
    func malformed(_ line: Int, _ expected: String, _ found: String) -> DatasetError {
      .malformedRecord(
        file: path, record: "line \(line)", expected: expected, found: found, advice: "Correct the list.")
    }
    var ids: [(id: String, line: Int)] = []
    var seen: [String: Int] = [:]
    let lines = file.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0D].contains($0) }
      let bytes = Array(line.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
      if bytes.isEmpty { continue }
      guard let id = String(validating: bytes, as: UTF8.self), !bytes.contains(where: isSpace),
        !id.contains("/"), id != "..", !id.contains("\0")
      else {
        throw malformed(
          index + 1, "one identifier of an image",
          "'\(ForeignText.line(String(decoding: bytes, as: UTF8.self), most: 60))'")
      }
      if let other = seen.updateValue(index + 1, forKey: id) {
        throw malformed(index + 1, "an image that is not in the list yet", "'\(id)', which line \(other) has")
      }
      ids.append((id, index + 1))
    }
    return ids
  }

  var digest: ContentKey {
    var hasher = ContentHasher()
    for name in classNames { hasher.field("class", name) }
    for (name, source) in [("train", train), ("test", test)] {
      hasher.field("split", name)
      for (entry, annotation) in zip(source.photographs.entries, source.digests) {
        hasher.field("path", entry.path)
        hasher.field("content", entry.digest)
        hasher.field("annotation", annotation)
      }
    }
    return hasher.finished()
  }
}

private struct VOCSource: AnnotatedSource {
  let photographs: Photographs
  let annotations: [VOCAnnotation]
  let digests: [ContentKey]
  private let labels: [String: Int]
  /// Objects of the images before.
  private let objectsBefore: [Int]

  init(
    photographs: Photographs, annotations: [VOCAnnotation], labels: [String: Int], digests: [ContentKey]
  ) {
    self.photographs = photographs
    self.annotations = annotations
    self.digests = digests
    self.labels = labels
    var objects = 0
    objectsBefore = annotations.map { annotation in
      defer { objects += annotation.objects.count }
      return objects
    }
  }

  var count: Int { annotations.count }

  func entry(_ place: Int) -> AnnotatedEntry {
    let size = annotations[place].size
    return AnnotatedEntry(
      id: place, name: photographs.entries[place].path, height: size.height, width: size.width)
  }

  func image(_ place: Int, _ parts: AnnotatedParts) throws(DatasetError) -> AnnotatedImage {
    var image = AnnotatedImage(entry(place))
    if parts.contains(.pixels) { image.pixels = try photographs.decoded(place).planes }
    guard !parts.isDisjoint(with: [.objects, .masks]) else { return image }
    image.objects = annotations[place].objects.enumerated().map { number, object in
      var made = AnnotatedObject(
        id: objectsBefore[place] + number + 1, label: labels[object.name] ?? 0, box: object.box,
        area: object.area,
        isCrowd: false)
      made.isPoint = object.isPoint
      return made
    }
    return image
  }
}
