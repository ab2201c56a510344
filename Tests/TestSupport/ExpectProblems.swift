package import Specs
package import Testing

/// Compares problems with `line:column words`: the places exactly, the words as a part of the message.
package func expect(
  _ problems: [GridProblem], toBe expected: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = problems.map { "\($0.place.line):\($0.place.column) \($0.message)" }
  let isEqual =
    found.count == expected.count
    && zip(found, expected).allSatisfy { found, expected in
      let parts = expected.split(separator: " ", maxSplits: 1).map(String.init)
      return found.hasPrefix(parts[0] + " ") && found.contains(parts[1])
    }
  #expect(isEqual, "found \(found), expected \(expected)", sourceLocation: sourceLocation)
}
