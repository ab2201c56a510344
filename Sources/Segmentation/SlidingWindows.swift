package import Tensors

/// An image looked at in windows of one size that overlap; what they say of a pixel is averaged.
///
/// Source: `slide_inference` of open-mmlab/mmsegmentation `mmseg/models/segmentors/encoder_decoder.py`.
package struct SlidingWindows: Sendable {
  /// Rows and columns from `top`, `left` to below `bottom`, `right`.
  package struct Window: Equatable, Sendable {
    package let top: Int
    package let left: Int
    package let bottom: Int
    package let right: Int
  }

  package let height: Int
  package let width: Int
  package let windows: [Window]

  /// - Parameters:
  ///   - crop: a window's size; it is cut where the image is smaller.
  ///   - stride: between windows. The last of an axis is shifted back into the image.
  package init(
    height: Int, width: Int, crop: (height: Int, width: Int), stride: (height: Int, width: Int)
  ) {
    self.height = height
    self.width = width
    func starts(_ side: Int, _ crop: Int, _ stride: Int) -> [Int] {
      let count = (max(side - crop, 0) + stride - 1) / stride + 1
      return (0..<count).map { max(min($0 * stride + crop, side) - crop, 0) }
    }
    let columns = starts(width, crop.width, stride.width)
    windows = starts(height, crop.height, stride.height).flatMap { top in
      columns.map { left in
        Window(
          top: top, left: left, bottom: min(top + crop.height, height),
          right: min(left + crop.width, width))
      }
    }
  }

  /// The mean logits of an image.
  ///
  /// - Parameters:
  ///   - image: `[1, channels, height, width]`.
  ///   - network: gives the logits of a window at the window's size.
  /// - Returns: `[1, classes, height, width]`, in the image's precision.
  package func logits(of image: Tensor, _ network: (Tensor) -> Tensor) -> Tensor {
    if image.precision == .double {
      let (mean, classes) = mean(image, network, \.doubles)
      return Tensor(mean, [1, classes, height, width], .double)
    }
    let (mean, classes) = mean(image, network, \.floats)
    return Tensor(mean, [1, classes, height, width])
  }

  private func mean<Value: BinaryFloatingPoint>(
    _ image: Tensor, _ network: (Tensor) -> Tensor, _ values: (Tensor) -> [Value]
  ) -> (mean: [Value], classes: Int) {
    let area = height * width
    var counts = [Value](repeating: 0, count: area)
    var sums: [Value] = []
    for window in windows {
      let part = network(
        image.sliced(axis: 2, from: window.top, to: window.bottom)
          .sliced(axis: 3, from: window.left, to: window.right))
      let classes = part.shape[1]
      if sums.isEmpty { sums = [Value](repeating: 0, count: classes * area) }
      let found = values(part)
      let side = window.right - window.left
      for row in window.top..<window.bottom {
        let to = row * width + window.left
        for column in 0..<side { counts[to + column] += 1 }
        for label in 0..<classes {
          let from = (label * (window.bottom - window.top) + row - window.top) * side
          for column in 0..<side { sums[label * area + to + column] += found[from + column] }
        }
      }
    }
    for index in sums.indices { sums[index] /= counts[index % area] }
    return (sums, sums.count / area)
  }
}
