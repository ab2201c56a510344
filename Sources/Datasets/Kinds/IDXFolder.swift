import Specs

/// Four files of the MNIST family in any folder (`idx:FOLDER`), and Fashion-MNIST by its name.
struct IDXFolder: FileDataset {
  let name: String
  let summary: String
  let folders: [String]
  let systemFolders: [String]
  let expected = IDX.names.joined(separator: ", ") + " (each perhaps .gz)"
  let advice: String
  private let all: DatasetFacts.Counts?
  private let names: [String]

  static let fashionMNIST = IDXFolder(
    name: "fashion-mnist", summary: "70 000 pictures of clothes, 1 × 28 × 28, 10 classes",
    folders: ["fashion-mnist", "FashionMNIST", "FashionMNIST/raw"],
    systemFolders: ["/usr/share/datasets/fashion-mnist"],
    advice: "Install it with `apt-get install dataset-fashion-mnist`, or name a folder in the grid: "
      + "fashion-mnist:FOLDER.",
    all: DatasetFacts.Counts(train: 60_000, test: 10_000),
    names: [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
      "Ankle boot",
    ])

  static let any = IDXFolder(
    name: "idx", summary: "any folder with four files of the MNIST family: idx:FOLDER", folders: [],
    systemFolders: [], advice: "Name their folder in the grid: idx:FOLDER.", all: nil, names: [])

  private init(
    name: String, summary: String, folders: [String], systemFolders: [String], advice: String,
    all: DatasetFacts.Counts?, names: [String]
  ) {
    self.name = name
    self.summary = summary
    self.folders = folders
    self.systemFolders = systemFolders
    self.advice = advice
    self.all = all
    self.names = names
  }

  func published(_ name: String) -> DatasetFacts? {
    guard let all else { return nil }
    var facts = DatasetFacts(
      task: .classification(classes: names.count), channels: 1, size: .fixed(height: 28, width: 28),
      trainImages: all.train, testImages: all.test)
    facts.published = all
    return facts
  }

  /// Looks in the folder itself and where TorchVision puts such files inside of it.
  func find(_ path: String) throws(DatasetError) -> FoundFiles? {
    if DataFile.exists(path) {
      let archive = try DataSource(archive: path)
      return try IDXNames.choose(archive.names, in: path)?.found(in: archive)
    }
    for folder in ["", "/raw", "/MNIST/raw", "/FashionMNIST/raw"].map({ path + $0 }) {
      let source = DataSource(folder: folder)
      if let chosen = try IDXNames.choose(source.names, in: folder) { return try chosen.found(in: source) }
      for name in try source.names where IDXNames.isArchive(name) {
        let archive = try DataSource(archive: "\(folder)/\(name)")
        if let chosen = try IDXNames.choose(archive.names, in: archive.path) {
          return try chosen.found(in: archive)
        }
      }
    }
    return nil
  }

  func facts(of found: FoundFiles) throws(DatasetError) -> DatasetFacts {
    let headers = try IDX.headers(found.files)
    var facts = DatasetFacts(
      task: .classification(classes: headers.classes), channels: 1,
      size: .fixed(height: headers.height, width: headers.width), trainImages: headers.train,
      testImages: headers.test)
    facts.published = all
    return facts
  }

  func read(_ files: [DataFile]) throws(DatasetError) -> (train: ImageSet, test: ImageSet) {
    try IDX.read(files)
  }

  func classNames(_ folder: String, classes: Int) -> [String] { classes == names.count ? names : [] }
}

/// Which four of some files are a dataset of the MNIST family.
///
/// Read are the published names and what people make of them: `train-images.idx3-ubyte`,
/// `emnist-letters-test-labels-idx1-ubyte.gz`, a folder round each file with the file's name.
struct IDXNames {
  /// Names in a source, in the order of `IDX.names`.
  let names: [String]

  /// - Parameter path: what a complaint calls the source.
  /// - Returns: nil where no four files belong together.
  /// - Throws: where several datasets lie there.
  static func choose(_ names: [String], in path: String) throws(DatasetError) -> IDXNames? {
    var groups: [String: [[String]]] = [:]
    for name in names {
      guard let (role, group) = role(of: name) else { continue }
      groups[group, default: [[], [], [], []]][role].append(name)
    }
    let whole = groups.filter { $0.value.allSatisfy { !$0.isEmpty } }
    guard let roles = whole.count == 1 ? whole.first?.value : whole[""] else {
      if whole.isEmpty { return nil }
      throw .unusable(
        folder: path,
        problem: "holds several datasets (\(whole.keys.sorted().map { "\($0)…" }.joined(separator: ", "))): "
          + "put the four files of one of them into a folder of their own and name that folder")
    }
    return IDXNames(names: zip(IDX.names, roles).map { best(of: $1, published: $0) })
  }

  /// The published name first, then any other; uncompressed before compressed.
  private static func best(of names: [String], published: String) -> String {
    func rank(_ name: String) -> Int {
      let file = last(name)
      let isPublished = file == published || file == "\(published).gz"
      return (isPublished ? 0 : 2) + (file.hasSuffix(".gz") ? 1 : 0)
    }
    return names.min { (rank($0), $0) < (rank($1), $1) }!
  }

  private static func last(_ name: String) -> String {
    name.split(separator: "/").last.map(String.init) ?? name
  }

  /// Which of the four a file is by its name, and what stands before that in the name.
  static func role(of name: String) -> (role: Int, group: String)? {
    var text = last(name).lowercased()
    if text.hasSuffix(".gz") { text.removeLast(3) }
    text = String(text.map { "._ ".contains($0) ? "-" : $0 })
    for (kind, ending) in ["images-idx3-ubyte", "labels-idx1-ubyte"].enumerated() where text.hasSuffix(ending)
    {
      let stem = text.dropLast(ending.count)
      for (split, words) in [["train-", "training-"], ["t10k-", "test-", "val-"]].enumerated() {
        for word in words where stem.hasSuffix(word) {
          return (2 * split + kind, String(stem.dropLast(word.count)))
        }
      }
    }
    return nil
  }

  static func isArchive(_ name: String) -> Bool {
    [".tar", ".tar.gz", ".tgz"].contains { name.lowercased().hasSuffix($0) }
  }

  /// The files, under their published names.
  func found(in source: DataSource) throws(DatasetError) -> FoundFiles? {
    var files: [DataFile] = []
    for (name, published) in zip(names, IDX.names) {
      guard let file = try source.file(name) else { return nil }
      files.append(file.named(file.name.hasSuffix(".gz") ? "\(published).gz" : published))
    }
    return FoundFiles(files: files)
  }
}
