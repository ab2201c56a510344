public import Tensors

/// All that something needs to go on elsewhere: named arrays and numbers, with one encoding.
public struct Snapshot: Sendable {
  private var file = Safetensors()

  /// An empty one.
  public init() {}

  /// Reads what `encoded` wrote.
  ///
  /// - Throws: `SafetensorsError`.
  public init(decoding bytes: [UInt8]) throws { file = try Safetensors(decoding: bytes) }

  /// Equal snapshots are equal bytes.
  public func encoded() -> [UInt8] { file.encoded() }

  /// Adds an array under a name that is not used yet.
  public mutating func put(_ name: String, _ tensor: Tensor) { file.append(name, tensor) }
  /// Adds a list of whole numbers.
  public mutating func put(_ name: String, _ integers: [Int]) {
    file.append(name, integers: integers.map(Int64.init), [integers.count])
  }
  /// Adds a whole number.
  public mutating func put(_ name: String, _ integer: Int) { put(name, [integer]) }
  /// Adds a list of numbers, bit for bit.
  public mutating func put(_ name: String, _ doubles: [Double]) {
    put(name, Tensor(doubles, [doubles.count], .double))
  }
  /// Adds a text.
  public mutating func put(_ name: String, text: String) { file.metadata[name] = text }

  /// Whether there is an array of this name.
  public func has(_ name: String) -> Bool { file[name] != nil }
  /// Of all arrays.
  public var names: [String] { file.entries.map(\.name) }

  /// - Parameter shape: what it must have; nil where any will do.
  public func tensor(_ name: String, _ shape: Shape? = nil) throws(SnapshotError) -> Tensor {
    guard let entry = file[name] else { throw SnapshotError.missing(name) }
    guard let tensor = entry.tensor, shape == nil || shape == entry.shape else {
      throw SnapshotError.unexpected(
        name, found: "\(entry.type.rawValue) \(entry.shape)", expected: "\(shape ?? [])")
    }
    return tensor
  }

  /// A list of whole numbers.
  public func integers(_ name: String) throws(SnapshotError) -> [Int] {
    guard let entry = file[name] else { throw SnapshotError.missing(name) }
    guard let integers = entry.integers else {
      throw SnapshotError.unexpected(name, found: entry.type.rawValue, expected: "integers")
    }
    return integers.map { Int($0) }
  }

  /// A whole number.
  public func integer(_ name: String) throws(SnapshotError) -> Int {
    let integers = try integers(name)
    guard integers.count == 1 else {
      throw SnapshotError.unexpected(name, found: "\(integers.count) integers", expected: "one")
    }
    return integers[0]
  }

  /// A list of numbers.
  public func doubles(_ name: String) throws(SnapshotError) -> [Double] { try tensor(name).doubles }

  /// A text.
  public func text(_ name: String) throws(SnapshotError) -> String {
    guard let text = file.metadata[name] else { throw SnapshotError.missing(name) }
    return text
  }
}

/// A snapshot of something else than what is being restored.
public enum SnapshotError: Error, Equatable, CustomStringConvertible {
  case missing(String)
  case unexpected(String, found: String, expected: String)

  public var description: String {
    switch self {
    case .missing(let name): "The snapshot holds no '\(name)': it belongs to another run or program."
    case .unexpected(let name, let found, let expected):
      "The snapshot holds \(found) as '\(name)' where \(expected) is due: it belongs to another "
        + "run or program."
    }
  }
}

/// State that goes into a snapshot and comes back bit for bit.
public protocol Snapshotting {
  /// Adds everything under names that start with `prefix`.
  func save(to snapshot: inout Snapshot, under prefix: String)
  mutating func restore(from snapshot: Snapshot, under prefix: String) throws
}
