import Specs

/// CIFAR-10 and CIFAR-100 as their authors publish them: the binary version, the Python
/// version, or either's archive.
///
/// All of them have the digest of the binary version, because they hold the same images in the same order.
struct CIFARFolder: FileDataset {
  let name: String
  let summary: String
  let folders: [String]
  let systemFolders: [String] = []
  let expected: String
  let advice: String
  private let format: CIFARBinary
  /// Names without the ending `.bin` of the binary version.
  private let train: [String]
  private let test: String
  private let archives: [String]
  private let names: [String]

  static let ten = CIFARFolder(
    "cifar10", .ten, stem: "cifar-10", binary: "cifar-10-batches-bin", python: "cifar-10-batches-py",
    train: (1...5).map { "data_batch_\($0)" }, test: "test_batch",
    expected: "data_batch_1.bin to data_batch_5.bin (or some of them) and test_batch.bin",
    names: "airplane automobile bird cat deer dog frog horse ship truck")

  static let hundred = CIFARFolder(
    "cifar100", .hundred, stem: "cifar-100", binary: "cifar-100-binary", python: "cifar-100-python",
    train: ["train"], test: "test", expected: "train.bin and test.bin", names: hundredNames)

  private init(
    _ name: String, _ format: CIFARBinary, stem: String, binary: String, python: String, train: [String],
    test: String, expected: String, names: String
  ) {
    self.name = name
    self.format = format
    self.train = train
    self.test = test
    self.names = names.split(whereSeparator: \.isWhitespace).map(String.init)
    archives = ["\(stem)-binary.tar.gz", "\(stem)-python.tar.gz"]
    folders = [binary, name, python] + archives
    summary = "60 000 photographs, 3 × 32 × 32, \(format.task.classes) classes"
    self.expected = "\(expected), or the Python version, or an archive of either"
    advice =
      "Put \(archives[0]) from https://www.cs.toronto.edu/~kriz/cifar.html there, or name another folder or "
      + "the archive in the grid: \(name):FOLDER."
  }

  func published(_ name: String) -> DatasetFacts? { facts(train: Self.all.train, test: Self.all.test) }

  /// Of either dataset.
  private static let all = DatasetFacts.Counts(train: 50_000, test: 10_000)

  private func facts(train: Int, test: Int) -> DatasetFacts {
    var facts = DatasetFacts(
      task: .classification(classes: format.task.classes), channels: 3,
      size: .fixed(height: 32, width: 32), trainImages: train, testImages: test)
    facts.published = Self.all
    return facts
  }

  func find(_ path: String) throws(DatasetError) -> FoundFiles? {
    if DataFile.exists(path) { return try found(in: DataSource(archive: path)) }
    let folder = DataSource(folder: path)
    if let found = try found(in: folder) { return found }
    for archive in archives where DataFile.exists("\(path)/\(archive)") {
      if let found = try found(in: DataSource(archive: "\(path)/\(archive)")) { return found }
    }
    return nil
  }

  private func found(in source: DataSource) throws(DatasetError) -> FoundFiles? {
    if let last = try source.file("\(test).bin") {
      var files: [DataFile] = []
      for name in train { if let file = try source.file("\(name).bin") { files.append(file) } }
      if !files.isEmpty { return FoundFiles(files: files + [last], due: train.count) }
    }
    guard let last = try source.file(test) else { return nil }
    var files: [DataFile] = []
    for name in train {
      if let file = try source.file(name) { files.append(try CIFARPython.binary(file, format)) }
    }
    if files.isEmpty { return nil }
    return FoundFiles(files: files + [try CIFARPython.binary(last, format)], due: train.count)
  }

  func facts(of found: FoundFiles) throws(DatasetError) -> DatasetFacts {
    var counts: [Int] = []
    for file in found.files { counts.append(try format.count(file)) }
    var facts = facts(train: counts.dropLast().reduce(0, +), test: counts[counts.count - 1])
    facts.files = DatasetFacts.Files(present: counts.count - 1, due: found.due ?? counts.count - 1)
    return facts
  }

  func read(_ files: [DataFile]) throws(DatasetError) -> (train: ImageSet, test: ImageSet) {
    (try format.read(Array(files.dropLast())), try format.read([files[files.count - 1]]))
  }

  func classNames(_ folder: String, classes: Int) -> [String] { names }

  private static let hundredNames = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
    crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple motorcycle mountain mouse
    mushroom oak orange orchid otter palm pear pickup_truck pine plain plate poppy porcupine possum
    rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train
    trout tulip turtle wardrobe whale willow wolf woman worm
    """
}
