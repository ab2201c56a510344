import Specs

/// Image files that annotations name, looked at once: whether they are there, decode, and have the size that
/// they should.
struct AnnotatedFiles {
  /// An image that annotations name.
  struct Wanted {
    /// Below the root.
    let path: String
    /// The size that the annotations say; nil where they say none.
    let size: PixelSize?
    /// The file that names the image, and where in it, for messages.
    let file: String
    let record: String
  }

  struct Found {
    let entry: Photographs.Entry
    let size: PixelSize
  }

  /// In the order of what was wanted; nil for an image that is left out.
  private(set) var found: [Found?] = []
  private(set) var leftOut: [DatasetFacts.LeftOut] = []
  private(set) var warned: DatasetFacts.LeftOut?

  /// - Parameters:
  ///   - skips: whether images with problems are left out and counted, instead of being refused.
  ///   - advice: what the dataset is called where its problems are left out.
  /// - Throws: `DatasetError.malformedRecord` for an image that is absent, damaged or of another size.
  init(
    _ wanted: [Wanted], below root: String, _ place: DatasetPlace, skips: Bool, skipName: String
  ) throws(DatasetError) {
    var problems: [(reason: String, expected: String, found: String)?] = []
    for image in wanted {
      let isThere = DataFile.exists("\(root)/\(image.path)")
      problems.append(isThere ? nil : ("missing", "the image \(image.path)", "no such file"))
    }
    let present = wanted.indices.filter { problems[$0] == nil }
    let outcomes = try PhotoCache.look(
      at: present.map { wanted[$0].path }, below: root,
      cache: place.index.file(for: root, purpose: "annotated images of "),
      progress: place.index.progress(for: root), purpose: "annotated images of ", Self.look)
    found = Array(repeating: nil, count: wanted.count)
    var warnings: (count: Int, first: String) = (0, "")
    for (index, outcome) in zip(present, outcomes) {
      let image = wanted[index]
      let expected = "a picture in \(image.path)"
      switch outcome {
      case .photograph(let digest, let size, let warning):
        if let due = image.size, due != size {
          problems[index] = ("another size", "\(expected) of \(due.phrase)", "one of \(size.phrase)")
          continue
        }
        found[index] = Found(entry: .init(path: image.path, digest: digest), size: size)
        guard let warning else { continue }
        if warnings.count == 0 { warnings.first = "\(image.path): \(warning)" }
        warnings.count += 1
      case .damaged(let problem): problems[index] = ("damaged", expected, "a damaged file: \(problem)")
      case .foreign(let problem): problems[index] = ("damaged", expected, problem)
      }
    }
    if warnings.count > 0 {
      warned = DatasetFacts.LeftOut(
        reason: "decoded with a warning", count: warnings.count, example: warnings.first)
    }
    let bad = wanted.indices.filter { problems[$0] != nil }
    guard let first = bad.first, let problem = problems[first] else { return }
    guard skips else {
      let rest = bad.count > 1 ? " So it is with \(counted(bad.count - 1, "more image"))." : ""
      throw .malformedRecord(
        file: wanted[first].file, record: wanted[first].record, expected: problem.expected,
        found: problem.found,
        advice: "Put the right file there, or leave such images out by writing \(skipName).\(rest)")
    }
    for reason in ["missing", "another size", "damaged"] {
      let those = bad.filter { problems[$0]?.reason == reason }
      guard let example = those.first else { continue }
      leftOut.append(
        DatasetFacts.LeftOut(reason: reason, count: those.count, example: wanted[example].path))
    }
  }

  /// What is named by annotations is an image or a mistake, whatever its name looks like.
  @Sendable private static func look(_ path: String) throws(DatasetError) -> PhotoCache.Outcome {
    let file = try DataFile(reading: path)
    do throws(UndecodableImage) {
      let image = try DecodedImage(file.bytes)
      let size = PixelSize(height: image.height, width: image.width)
      return .photograph(ContentKey(hashing: file.bytes), size, note: image.warning)
    } catch {
      return .damaged(error.problem)
    }
  }
}

extension DatasetPlace {
  /// Folders to look in, absolute, because a worker has another current directory.
  ///
  /// - Parameter name: what a dataset's own folder is called among folders of datasets.
  func folders(named name: String) -> [String] {
    (folder.map { [$0] } ?? searching.map { "\($0)/\(name)" }).map(FileListing.absolute)
  }
}
