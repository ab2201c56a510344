package import Datasets

/// Images that were read once and are kept: decoding or generating them at every step would be
/// most of a small step's work.
package struct KeptImages: AnnotatedSource {
  private let source: any AnnotatedSource
  private let images: [Int: AnnotatedImage]

  /// Bytes of pixels that are kept at most; larger sets are read anew each time.
  package static let limit = 512 << 20

  package var count: Int { source.count }
  package func entry(_ place: Int) -> AnnotatedEntry { source.entry(place) }

  package func image(_ place: Int, _ parts: AnnotatedParts) throws(DatasetError) -> AnnotatedImage {
    if let image = images[place] { return image }
    return try source.image(place, parts)
  }

  fileprivate init(_ split: AnnotatedSplit, _ parts: AnnotatedParts) throws(DatasetError) {
    source = split.source
    var images: [Int: AnnotatedImage] = [:]
    for index in 0..<split.count { images[split.places[index]] = try split.image(index, parts) }
    self.images = images
  }
}

extension AnnotatedSplit {
  /// The same images, kept in memory where they fit. Which of the two decides no bit.
  package func kept(_ parts: AnnotatedParts, limit: Int = KeptImages.limit) throws(DatasetError)
    -> AnnotatedSplit
  {
    var bytes = 0
    for index in 0..<count {
      let entry = entry(index)
      bytes += 3 * entry.height * entry.width
      guard bytes <= limit else { return self }
    }
    return AnnotatedSplit(title, try KeptImages(self, parts), places: places)
  }
}
