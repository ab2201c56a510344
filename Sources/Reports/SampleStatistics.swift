/// Mean and spread of a few values.
package struct SampleStatistics: Equatable, Sendable {
  package let count: Int
  package let mean: Double
  /// The sample standard deviation, with n - 1; nil for a single value.
  package let deviation: Double?

  /// Nil for no values. Two passes, so that accuracies near each other do not cancel.
  package init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    (count, self.mean) = (values.count, mean)
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
  }
}
