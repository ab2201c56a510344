/// Mean and spread of a few values.
package struct SampleStatistics: Equatable, Sendable {
  package let count: Int
  package let mean: Double
  /// The sample standard deviation, with n - 1; nil for a single value.
  package let std: Double?
  /// The middle value, or the mean of the two in the middle.
  package let median: Double
  /// In the order in which they were given.
  package let values: [Double]

  /// Nil for no values, and where one is not finite. Two passes, so that accuracies near each other do not
  /// cancel. Values whose sum or squares no number holds are divided by their largest first.
  package init?(_ values: [Double]) {
    guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
    let largest = values.reduce(0) { max($0, abs($1)) }
    let unit = largest > 1e150 ? largest : 1
    let scaled = unit == 1 ? values : values.map { $0 / unit }
    let mean = scaled.reduce(0, +) / Double(values.count)
    let squares = scaled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    count = values.count
    self.mean = mean * unit
    self.values = values
    let spread = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() * unit : nil
    std = spread.flatMap { $0.isFinite ? $0 : nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2
  }

  package var moments: Moments { Moments(count: count, mean: mean, std: std) }
}

/// What a published table gives of a sample: enough for a t interval and for Welch's test.
package struct Moments: Equatable, Sendable {
  package let count: Int
  package let mean: Double
  /// With n - 1; nil where it is not known.
  package let std: Double?

  package init(count: Int, mean: Double, std: Double?) {
    self.count = count
    self.mean = mean
    self.std = std
  }

  /// mean ± t · s / √n with the quantile of Student's t for n - 1 degrees of freedom; nil without a std.
  package func interval(confidence: Double = 0.95) -> Interval? {
    guard let std, count > 1 else { return nil }
    let quantile = StudentT(freedom: Double(count - 1)).quantile(twoSided: 1 - confidence)
    return Interval(around: mean, quantile * std / Double(count).squareRoot())
  }
}

/// From low to high, both included.
package struct Interval: Equatable, Sendable {
  package let low: Double
  package let high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  init(around middle: Double, _ reach: Double) { self.init(low: middle - reach, high: middle + reach) }

  package func contains(_ value: Double) -> Bool { low <= value && value <= high }
}
