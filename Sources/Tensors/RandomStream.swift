#if canImport(Glibc)
  internal import Glibc
#endif

/// Random numbers by name: the same numbers for the same seed, purpose and indices, whatever was drawn
/// elsewhere and on whichever worker.
///
/// The n-th number is a hash of the stream's name and n (the finalizer of SplitMix64 by Steele, Lea and
/// Flood, 2014), so there is no
/// generator state to save.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let name: UInt64
  private var counter: UInt64 = 0

  /// A stream by its name.
  ///
  /// - Parameters:
  ///   - purpose: what is drawn, such as `"stripes/train"`: streams of two purposes have nothing in common.
  ///   - indices: such as the epoch or the image.
  public init(seed: UInt64, _ purpose: String, _ indices: Int...) {
    var name = Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
    for byte in purpose.utf8 { name = Self.mixed(name ^ UInt64(byte)) }
    // A mark between text and indices: ("a", 97) and ("aa") are different streams.
    name = Self.mixed(name ^ 0x1_0000)
    for index in indices { name = Self.mixed(name ^ UInt64(bitPattern: Int64(index))) }
    self.name = name
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    counter &+= 1
    return Self.mixed(name &+ counter &* 0x9E37_79B9_7F4A_7C15)
  }

  /// The draw number `index`, from 0, of the whole stream, wherever it stands.
  package func word(_ index: Int) -> UInt64 {
    Self.mixed(name &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension RandomStream {
  /// In [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// In a range, both bounds included up to rounding.
  public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// From 0 up to, not including, `bound`; each as likely as the others to within 2^-64.
  public mutating func index(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// From the standard normal distribution, by the method of Box and Muller; two draws a number.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// 0 ..< count in random order, by the shuffle of Fisher and Yates.
  public mutating func shuffled(count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, index(below: last + 1)) }
    return order
  }
}
