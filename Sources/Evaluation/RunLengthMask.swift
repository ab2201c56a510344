/// A binary mask by its runs, column by column from the left: COCO's RLE.
///
/// Counts alternate between zeros and ones and begin with zeros, so a mask whose first
/// pixel is set begins with 0.
///
///     RunLengthMask(height: 3, width: 4, bits: …)      // ones at rows 1–2, columns 1–2
///         .counts                                      // [4, 2, 1, 2, 3]
///         .text                                        // "42102"
///
/// Source: cocodataset/cocoapi, `common/maskApi.c`; the format is described in words
/// there and in `formats.md` 7.
package struct RunLengthMask: Hashable, Sendable {
  package let height: Int
  package let width: Int
  /// Their sum is height × width.
  package let counts: [Int]

  /// A mask from runs that are known to fit.
  ///
  /// - Precondition: no count is negative, and their sum is height × width.
  init(height: Int, width: Int, counts: [Int]) {
    assert(counts.allSatisfy { $0 >= 0 } && counts.reduce(0, +) == height * width)
    self.height = height
    self.width = width
    self.counts = counts
  }

  /// Checks runs from outside.
  ///
  /// Throws where a count is negative or the runs do not cover the mask exactly.
  package init(height: Int, width: Int, checking counts: [Int]) throws(MaskError) {
    guard height >= 0, width >= 0, height <= Self.longestSide, width <= Self.longestSide else {
      throw MaskError.size(height: height, width: width)
    }
    var sum = 0
    for count in counts {
      guard count >= 0 else { throw MaskError.negativeRun }
      sum += count
      guard sum <= height * width else { break }
    }
    guard sum == height * width else {
      throw MaskError.coverage(pixels: sum, height: height, width: width)
    }
    self.init(height: height, width: width, counts: counts)
  }

  /// Runs of a mask that lies row by row from the top.
  ///
  /// - Precondition: `bits` has height × width elements.
  package init(height: Int, width: Int, bits: [Bool]) {
    precondition(bits.count == height * width, "\(bits.count) bits for a mask of \(height) × \(width)")
    var counts: [Int] = []
    var run = 0
    var value = false
    for column in 0..<width {
      for row in 0..<height {
        if bits[row * width + column] != value {
          counts.append(run)
          run = 0
          value.toggle()
        }
        run += 1
      }
    }
    counts.append(run)
    self.init(height: height, width: width, counts: counts)
  }

  /// A side that no picture of ours has; beyond it sizes from outside are refused before memory is taken.
  package static let longestSide = 65_535

  /// Row by row from the top.
  package var bits: [Bool] {
    var bits = Array(repeating: false, count: height * width)
    forEachRun { start, end in
      for place in start..<end { bits[place % height * width + place / height] = true }
    }
    return bits
  }

  /// Pixels that are set.
  package var area: Int {
    var sum = 0
    for index in stride(from: 1, to: counts.count, by: 2) { sum += counts[index] }
    return sum
  }

  /// The smallest box around the set pixels; all zeros where there are none.
  package var box: Box {
    var left = width
    var top = height
    var right = -1
    var bottom = -1
    forEachRun { start, end in
      let first = start / height
      let last = (end - 1) / height
      left = min(left, first)
      right = max(right, last)
      top = min(top, first == last ? start % height : 0)
      bottom = max(bottom, first == last ? (end - 1) % height : height - 1)
    }
    guard right >= left else { return Box(x: 0, y: 0, width: 0, height: 0) }
    return Box(
      x: Double(left), y: Double(top), width: Double(right - left + 1), height: Double(bottom - top + 1))
  }

  /// Calls `body` with the places [start, end) of every run of ones that is not empty.
  private func forEachRun(_ body: (_ start: Int, _ end: Int) -> Void) {
    var place = 0
    var value = false
    for count in counts {
      if value, count > 0 { body(place, place + count) }
      place += count
      value.toggle()
    }
  }
}

// MARK: Two masks

extension RunLengthMask {
  /// Pixels that are set in both.
  ///
  /// - Precondition: both have the same size.
  package func overlap(with other: RunLengthMask) -> Int {
    var pixels = 0
    walk(with: other) { length, first, second in if first && second { pixels += length } }
    return pixels
  }

  /// Pixels that are set in one of them or both.
  ///
  /// - Precondition: both have the same size.
  package func union(with other: RunLengthMask) -> RunLengthMask {
    combined(with: other) { $0 || $1 }
  }

  /// Pixels that are set in both, as a mask.
  ///
  /// - Precondition: both have the same size.
  package func intersection(with other: RunLengthMask) -> RunLengthMask {
    combined(with: other) { $0 && $1 }
  }

  /// Pixels that are set here and not there.
  ///
  /// - Precondition: both have the same size.
  package func subtracting(_ other: RunLengthMask) -> RunLengthMask {
    combined(with: other) { $0 && !$1 }
  }

  private func combined(
    with other: RunLengthMask, _ rule: (Bool, Bool) -> Bool
  ) -> RunLengthMask {
    var counts: [Int] = []
    var run = 0
    var value = false
    walk(with: other) { length, first, second in
      if rule(first, second) != value {
        counts.append(run)
        run = 0
        value.toggle()
      }
      run += length
    }
    counts.append(run)
    return RunLengthMask(height: height, width: width, counts: counts)
  }

  /// Calls `body` with stretches over which both masks are constant, in order.
  private func walk(
    with other: RunLengthMask, _ body: (_ length: Int, _ first: Bool, _ second: Bool) -> Void
  ) {
    precondition(
      height == other.height && width == other.width,
      "masks of \(height) × \(width) and \(other.height) × \(other.width)")
    var (i, j) = (0, 0)
    var (left, right) = (counts.first ?? 0, other.counts.first ?? 0)
    while i < counts.count, j < other.counts.count {
      let length = min(left, right)
      if length > 0 { body(length, i % 2 == 1, j % 2 == 1) }
      left -= length
      right -= length
      if left == 0 {
        i += 1
        left = i < counts.count ? counts[i] : 0
      }
      if right == 0 {
        j += 1
        right = j < other.counts.count ? other.counts[j] : 0
      }
    }
  }
}

// MARK: COCO's compressed text

extension RunLengthMask {
  /// From the fourth count on the difference to the count two places before, as groups of five bits, lowest
  /// first; each group is a character from '0' (48) to 'o' (111) whose sixth bit says that more follow.
  package var text: String {
    var characters: [UInt8] = []
    for (index, count) in counts.enumerated() {
      var rest = index > 2 ? count - counts[index - 2] : count
      while true {
        let group = UInt8(rest & 31)
        rest >>= 5
        let isLast = group & 16 == 0 ? rest == 0 : rest == -1
        characters.append(48 + (isLast ? group : group | 32))
        if isLast { break }
      }
    }
    return String(decoding: characters, as: UTF8.self)
  }

  /// Reads the compressed text of a mask of this size.
  ///
  /// Throws for a character outside the alphabet, a text that ends within a number, a negative run, and runs
  /// that do not cover the mask exactly.
  package init(height: Int, width: Int, text: String) throws(MaskError) {
    var counts: [Int] = []
    var value = 0
    var shift = 0
    for (place, character) in text.utf8.enumerated() {
      guard (48...111).contains(character) else { throw MaskError.character(character, place: place) }
      let group = Int(character) - 48
      guard shift <= 50 else { throw MaskError.negativeRun }
      value |= (group & 31) << shift
      shift += 5
      if group & 32 != 0 { continue }
      if group & 16 != 0 { value |= -1 << shift }
      if counts.count > 2 { value += counts[counts.count - 2] }
      guard value >= 0 else { throw MaskError.negativeRun }
      counts.append(value)
      value = 0
      shift = 0
    }
    guard shift == 0 else { throw MaskError.unfinished }
    try self.init(height: height, width: width, checking: counts)
  }
}

/// What is wrong with a mask from outside.
package enum MaskError: Error, Equatable, CustomStringConvertible {
  case size(height: Int, width: Int)
  case negativeRun
  case coverage(pixels: Int, height: Int, width: Int)
  case character(UInt8, place: Int)
  case unfinished
  case polygon(String)

  package var description: String {
    switch self {
    case .size(let height, let width):
      "a mask of \(height) × \(width) pixels; sides are from 0 to \(RunLengthMask.longestSide)"
    case .negativeRun: "the mask's runs are damaged: one of them is negative or too long"
    case .coverage(let pixels, let height, let width):
      "the mask's runs cover \(pixels) pixels of \(height) × \(width) = \(height * width)"
    case .character(let character, let place):
      "the mask's text holds the byte \(character) at place \(place + 1), which no run is written with"
    case .unfinished: "the mask's text ends within a number"
    case .polygon(let problem): "the polygon \(problem)"
    }
  }
}
