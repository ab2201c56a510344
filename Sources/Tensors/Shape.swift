/// The extents of a tensor, outermost axis first; empty for a scalar.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral {
  package let dimensions: [Int]

  package init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "extents of \(dimensions)")
    self.dimensions = dimensions
  }

  package init(arrayLiteral elements: Int...) { self.init(elements) }

  /// The number of elements.
  package var count: Int { dimensions.reduce(1, *) }
  package var rank: Int { dimensions.count }
  package subscript(axis: Int) -> Int { dimensions[axis] }

  /// The number of elements of one step along `axis`.
  package func inner(of axis: Int) -> Int { dimensions[(axis + 1)...].reduce(1, *) }
  /// The number of steps over all axes outside of `axis`.
  package func outer(of axis: Int) -> Int { dimensions[..<axis].reduce(1, *) }
}

extension Shape: CustomStringConvertible {
  package var description: String { "[\(dimensions.map { "\($0)" }.joined(separator: ", "))]" }
}
