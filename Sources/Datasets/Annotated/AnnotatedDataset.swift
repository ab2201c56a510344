package import Evaluation
package import Specs

/// Images with objects, or with a class for every pixel.
package struct AnnotatedDataset: Sendable {
  /// Of objects, by their label; empty where there are none.
  package let classNames: [String]
  /// The numbers of the classes in COCO's files, by label; label + 1 where the files give none, because
  /// evaluators take 0 for none.
  package let categoryIDs: [Int]
  /// Outputs of a segmentation network by name; empty where there are no maps.
  package let semanticNames: [String]
  /// Whether every object that is trained on has a mask.
  package let hasMasks: Bool
  package let train: AnnotatedSplit
  package let test: AnnotatedSplit
  /// Images taken out of the training set, for selecting an epoch; nil where none were asked for.
  package let validation: AnnotatedSplit?
}

/// Some images of a dataset, in the order of its files.
package struct AnnotatedSplit: Sendable {
  /// How messages call it, such as `the training set of coco2017`.
  package let title: String
  package let source: any AnnotatedSource
  /// Places in the source's order, ascending: what random streams number images by.
  package let places: [Int]

  package init(_ title: String, _ source: any AnnotatedSource, places: [Int]) {
    self.title = title
    self.source = source
    self.places = places
  }

  package var count: Int { places.count }

  /// What the annotations say of the image at an index, without reading it.
  package func entry(_ index: Int) -> AnnotatedEntry { source.entry(places[index]) }

  /// Reads the image at an index.
  ///
  /// - Throws: `DatasetError` for files that are no longer what they were when the dataset was opened.
  package func image(_ index: Int, _ parts: AnnotatedParts) throws(DatasetError) -> AnnotatedImage {
    try source.image(places[index], parts)
  }

  /// The outputs that the label map of the image at an index has, without decoding the image;
  /// nil where nobody can tell.
  ///
  /// - Throws: as `image`.
  package func outputs(_ index: Int) throws(DatasetError) -> Set<UInt8>? {
    try source.outputs(places[index])
  }

  /// The images at some indices, in that order.
  package func selecting(_ indices: [Int]) -> AnnotatedSplit {
    AnnotatedSplit(title, source, places: indices.map { places[$0] })
  }
}

/// Where images of a split come from: files, or a generator.
package protocol AnnotatedSource: Sendable {
  var count: Int { get }
  func entry(_ place: Int) -> AnnotatedEntry
  func image(_ place: Int, _ parts: AnnotatedParts) throws(DatasetError) -> AnnotatedImage
  /// The outputs in the label map of an image, those that are judged; nil where nobody
  /// can tell. By default nil.
  func outputs(_ place: Int) throws(DatasetError) -> Set<UInt8>?
}

extension AnnotatedSource {
  package func outputs(_ place: Int) throws(DatasetError) -> Set<UInt8>? { nil }
}

/// What is to be read of an image.
package struct AnnotatedParts: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  package static let pixels = AnnotatedParts(rawValue: 1)
  /// Objects with class, box and area, without masks.
  package static let objects = AnnotatedParts(rawValue: 2)
  /// Objects with their masks.
  package static let masks = AnnotatedParts(rawValue: 4)
  /// A class for every pixel.
  package static let semantics = AnnotatedParts(rawValue: 8)
}

/// An image as its annotations name it.
package struct AnnotatedEntry: Hashable, Sendable {
  /// COCO's id; the place among the images where files give none.
  package let id: Int
  /// The file, or another name for people.
  package let name: String
  /// In pixels.
  package let height: Int
  package let width: Int

  package init(id: Int, name: String, height: Int, width: Int) {
    self.id = id
    self.name = name
    self.height = height
    self.width = width
  }
}

/// An image with what was asked for; what was not is empty.
package struct AnnotatedImage: Sendable {
  package let entry: AnnotatedEntry
  /// `[3, height, width]`: red, green, blue, 0...255.
  package var pixels: [UInt8] = []
  /// All of them, in the order of the file; evaluation reads these.
  package var objects: [AnnotatedObject] = []
  /// `[height, width]`: an output's number, or 255 for a pixel that is not judged.
  package var semantics: [UInt8] = []

  package static let ignored: UInt8 = 255

  package init(_ entry: AnnotatedEntry) { self.entry = entry }

  package var height: Int { entry.height }
  package var width: Int { entry.width }
}

/// One object, as its file tells of it.
package struct AnnotatedObject: Hashable, Sendable {
  /// Different from all others of the split.
  package let id: Int
  /// From 0.
  package let label: Int
  /// Left upper corner and size in pixels, from 0, without a + 1.
  package let box: Box
  /// In pixels, as annotated: the mask's, also where boxes are compared.
  package let area: Double
  /// A region of many objects: not trained on, and ignored where it is matched.
  package let isCrowd: Bool
  /// Whether both corners of the file's box are one pixel: a slip of the annotator.
  package var isPoint = false
  package var mask: ObjectMask?

  package init(id: Int, label: Int, box: Box, area: Double, isCrowd: Bool) {
    self.id = id
    self.label = label
    self.box = box
    self.area = area
    self.isCrowd = isCrowd
  }
}

/// The pixels of an object, as a file writes them.
package enum ObjectMask: Hashable, Sendable {
  case runs(RunLengthMask)
  /// Each `[x1, y1, x2, y2, …]` in pixels; united.
  case polygons([[Double]])

  /// Drawn at the size of the image.
  ///
  /// Throws for polygons that enclose nothing; readers have refused those.
  package func runs(height: Int, width: Int) throws(MaskError) -> RunLengthMask {
    switch self {
    case .runs(let mask): mask
    case .polygons(let polygons): try RunLengthMask(height: height, width: width, polygons: polygons)
    }
  }
}

extension AnnotatedDataset {
  /// Takes the images that a specification names out of all that there are.
  ///
  /// - Parameter name: for messages.
  /// - Throws: `DatasetError.tooFew`.
  package init(
    _ spec: DatasetSpec, classNames: [String], categoryIDs: [Int]? = nil, semanticNames: [String] = [],
    hasMasks: Bool, train: any AnnotatedSource, test: any AnnotatedSource
  ) throws(DatasetError) {
    let (trained, held) = try TransferSubset.train(spec, of: train.count)
    let tested = try TransferSubset.test(spec, of: test.count)
    self.classNames = classNames
    self.categoryIDs = categoryIDs ?? classNames.indices.map { $0 + 1 }
    self.semanticNames = semanticNames
    self.hasMasks = hasMasks
    self.train = AnnotatedSplit("the training set of \(spec.name)", train, places: trained)
    self.test = AnnotatedSplit("the test set of \(spec.name)", test, places: tested)
    validation = held.map { AnnotatedSplit("the validation set of \(spec.name)", train, places: $0) }
  }
}
