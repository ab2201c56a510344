/// The extents of a tensor, outermost axis first; empty for a scalar.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral {
  /// Outermost axis first.
  public let dimensions: [Int]

  /// - Precondition: no extent is negative.
  public init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "extents of \(dimensions)")
    self.dimensions = dimensions
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// The number of elements.
  public var count: Int { dimensions.reduce(1, *) }
  /// The number of axes.
  public var rank: Int { dimensions.count }
  /// The extent of an axis, from 0.
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// The number of elements of one step along `axis`.
  public func inner(of axis: Int) -> Int { dimensions[(axis + 1)...].reduce(1, *) }
  /// The number of steps over all axes outside of `axis`.
  public func outer(of axis: Int) -> Int { dimensions[..<axis].reduce(1, *) }
}

extension Shape: CustomStringConvertible {
  public var description: String { "[\(dimensions.map { "\($0)" }.joined(separator: ", "))]" }
}
