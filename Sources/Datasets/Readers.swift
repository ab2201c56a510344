package import Specs

/// A kind of dataset that a grid can name.
package struct DatasetKind: Sendable {
  /// As a grid names it.
  package let name: String
  /// One line for a listing.
  package let summary: String
  /// Where its files lie and how they read; nil for one that is generated.
  let layout: FileLayout?
}

/// How the files of a dataset are found and read.
struct FileLayout: Sendable {
  /// What its folder is called inside a folder of datasets, the archive's own name first.
  let folders: [String]
  /// Where a package of the system puts it.
  var systemFolders: [String] = []
  /// The files to read, in order, with the numbers of images they hold in full; nil where a folder lacks some.
  let files: @Sendable (_ folder: String) -> [String]?
  /// What has to be there, as a phrase.
  let expected: String
  /// How to get it: a sentence.
  let advice: String
  let read: @Sendable ([DataFile]) throws(DatasetError) -> (train: ImageSet, test: ImageSet)
}

extension Catalog where Entry == DatasetKind {
  package static let datasets = Catalog(
    "dataset",
    [
      DatasetKind(
        name: "synthetic",
        summary: "textured shapes drawn from a seed, 1 × 16 × 16, 10 classes; synthetic-CxHxW-K for others",
        layout: nil),
      DatasetKind(
        name: "fashion-mnist", summary: "70 000 pictures of clothes, 1 × 28 × 28, 10 classes",
        layout: FileLayout(
          folders: ["fashion-mnist", "FashionMNIST"], systemFolders: ["/usr/share/datasets/fashion-mnist"],
          files: FileLayout.idx, expected: FileLayout.idxNames,
          advice: "Install it with `apt-get install dataset-fashion-mnist`, or name a folder in the grid: "
            + "fashion-mnist:FOLDER.",
          read: IDX.read)),
      DatasetKind(
        name: "cifar10", summary: "60 000 photographs, 3 × 32 × 32, 10 classes",
        layout: .cifar(
          "cifar10", .ten, archive: "cifar-10-batches-bin", download: "cifar-10-binary.tar.gz",
          train: (1...5).map { "data_batch_\($0).bin" }, test: "test_batch.bin",
          expected: "data_batch_1.bin to data_batch_5.bin (or some of them) and test_batch.bin")),
      DatasetKind(
        name: "cifar100", summary: "60 000 photographs, 3 × 32 × 32, 100 classes",
        layout: .cifar(
          "cifar100", .hundred, archive: "cifar-100-binary", download: "cifar-100-binary.tar.gz",
          train: ["train.bin"], test: "test.bin", expected: "train.bin and test.bin")),
      DatasetKind(
        name: "imagefolder",
        summary:
          "photographs in folders of their classes: imagefolder-SIDE:FOLDER, with FOLDER/train/CLASS and FOLDER/val/CLASS",
        layout: nil),
      DatasetKind(
        name: "imagenet", summary: "1.28 million photographs, 3 × 224 × 224, 1000 classes: imagenet:FOLDER",
        layout: nil),
      DatasetKind(
        name: "idx", summary: "any folder with four files of the MNIST family: idx:FOLDER",
        layout: FileLayout(
          folders: [], files: FileLayout.idx, expected: FileLayout.idxNames,
          advice: "Name their folder in the grid: idx:FOLDER.", read: IDX.read)),
    ]
  ) { $0.name }
}

extension FileLayout {
  static let idxNames = IDX.names.joined(separator: ", ") + " (each perhaps .gz)"

  @Sendable static func idx(_ folder: String) -> [String]? {
    let found = IDX.names.compactMap { name in
      ["\(folder)/\(name)", "\(folder)/\(name).gz"].first(where: DataFile.exists)
    }
    return found.count == IDX.names.count ? found : nil
  }

  static func cifar(
    _ name: String, _ format: CIFARBinary, archive: String, download: String, train: [String], test: String,
    expected: String
  ) -> FileLayout {
    FileLayout(
      folders: [archive, name],
      files: { folder in
        let batches = train.map { "\(folder)/\($0)" }.filter(DataFile.exists)
        let last = "\(folder)/\(test)"
        return batches.isEmpty || !DataFile.exists(last) ? nil : batches + [last]
      },
      expected: expected,
      advice: "Unpack \(download) from https://www.cs.toronto.edu/~kriz/cifar.html there, or name another "
        + "folder in the grid: \(name):FOLDER.",
      read: { files throws(DatasetError) in
        (try format.read(Array(files.dropLast())), try format.read([files[files.count - 1]]))
      })
  }
}
