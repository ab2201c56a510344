public import Specs

/// Labelled images of one size, as bytes or in files, with the normalisation that networks see them through.
public struct ImageSet: Sendable {
  /// What a network sees and is asked.
  public let task: ImageTask
  /// From 0 up to `task.classes`.
  public let labels: [Int]
  /// `[count, channels, height, width]`, 0...255; empty where images are decoded when they are shown.
  public let pixels: [UInt8]
  /// The files of such images.
  package let photographs: Photographs?
  /// Of each channel, in units of 0...1: a network sees (pixel / 255 - mean) / std.
  public let mean: [Double]
  public let std: [Double]

  /// Images in memory.
  ///
  /// - Precondition: as many pixels as the labels have images, and statistics of every channel.
  public init(task: ImageTask, labels: [Int], pixels: [UInt8], mean: [Double], std: [Double]) {
    precondition(
      pixels.count == labels.count * task.pixelCount, "\(pixels.count) bytes, \(labels.count) labels")
    precondition(mean.count == task.channels && std.count == task.channels, "statistics of each channel")
    self.task = task
    self.labels = labels
    self.pixels = pixels
    self.mean = mean
    self.std = std
    photographs = nil
  }

  /// Photographs, normalised by ImageNet's statistics.
  init(task: ImageTask, labels: [Int], photographs: Photographs) {
    precondition(photographs.entries.count == labels.count, "a label for each photograph")
    precondition(task.channels == 3 && task.height == task.width, "squares of red, green and blue")
    let normalisation = InputNormalisation.imageNet
    self.task = task
    self.labels = labels
    self.photographs = photographs
    pixels = []
    mean = normalisation.mean.map(\.double)
    std = normalisation.std.map(\.double)
  }

  /// Images.
  public var count: Int { labels.count }

  /// The images at `indices`, in that order.
  public func selecting(_ indices: [Int]) -> ImageSet {
    if let photographs {
      return ImageSet(
        task: task, labels: indices.map { labels[$0] }, photographs: photographs.selecting(indices))
    }
    let size = task.pixelCount
    let chosen = [UInt8](unsafeUninitializedCapacity: indices.count * size) { target, initialized in
      pixels.withUnsafeBufferPointer { source in
        for (position, index) in indices.enumerated() {
          let image = UnsafeBufferPointer(rebasing: source[index * size..<(index + 1) * size])
          _ = UnsafeMutableBufferPointer(rebasing: target[(position * size)...]).initialize(from: image)
        }
      }
      initialized = indices.count * size
    }
    return ImageSet(task: task, labels: indices.map { labels[$0] }, pixels: chosen, mean: mean, std: std)
  }
}

/// What a run trains and is measured on.
public struct Dataset: Sendable {
  /// What runs learn from.
  public let train: ImageSet
  /// What runs are measured on.
  public let test: ImageSet
  /// Images taken out of the training set, for selecting an epoch; nil where none were asked for.
  public let validation: ImageSet?
  /// In the order of labels; empty where the files do not say.
  public var classNames: [String] = []
  /// Of the whole dataset, before subsets were taken; nil for a packed one, which does not say.
  public var facts: DatasetFacts?

  /// Sets whose subsets are taken already.
  public init(train: ImageSet, test: ImageSet, validation: ImageSet? = nil) {
    self.train = train
    self.test = test
    self.validation = validation
  }

  /// What a network sees and is asked.
  public var task: ImageTask { train.task }
}

extension ImageTask {
  /// Bytes of an image.
  public var pixelCount: Int { image.channels * image.height * image.width }
}

/// Mean and standard deviation of each channel over all pixels of a set.
enum PixelStatistics {
  /// In units of 0...1. Counted by value and summed as integers, so that no order of summation exists.
  /// A channel of one value has a std of 1 instead of 0, so that normalising it stays finite.
  static func of(_ pixels: [UInt8], task: ImageTask) -> (mean: [Double], std: [Double]) {
    var counts = [Int](repeating: 0, count: task.channels * 256)
    let plane = task.height * task.width
    pixels.withUnsafeBufferPointer { pixels in
      counts.withUnsafeMutableBufferPointer { counts in
        var position = 0
        while position < pixels.count {
          for channel in 0..<task.channels {
            for _ in 0..<plane {
              counts[channel &* 256 &+ Int(pixels[position])] &+= 1
              position &+= 1
            }
          }
        }
      }
    }
    var (mean, std): ([Double], [Double]) = ([], [])
    for channel in 0..<task.channels {
      let (count, sum, squares) = (0..<256).reduce((0, 0, 0)) { total, value in
        let n = counts[channel * 256 + value]
        return (total.0 + n, total.1 + n * value, total.2 + n * value * value)
      }
      let average = Double(sum) / Double(max(count, 1))
      let variance = Double(squares) / Double(max(count, 1)) - average * average
      mean.append(average / 255)
      std.append(variance > 0 ? variance.squareRoot() / 255 : 1)
    }
    return (mean, std)
  }
}
