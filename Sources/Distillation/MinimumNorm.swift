/// The weights of the shortest combination of vectors, no weight above a bound.
///
///     min over a of |Σ_m a_m v_m|²    subject to    Σ a = 1,  0 ≤ a_m ≤ bound
///
/// The Gram matrix is divided by its mean diagonal, so that the scale of the vectors does not matter, and
/// 1e-9 is added to its diagonal, so that equal vectors share equally.
///
/// - Source: `methods.md` 5.4. The AE-KD release hands the raw Gram matrix to a solver whose tolerance is
///   larger than its entries.
package enum MinimumNorm {
  /// - Parameters:
  ///   - gram: v_j · v_k, row-major.
  ///   - bound: raised to 1/M where it is lower.
  /// - Returns: one weight a vector; 1/M each where all vectors vanish or are not finite.
  package static func weights(gram: [Double], bound: Double) -> [Double] {
    let count = Int(Double(gram.count).squareRoot().rounded())
    precondition(count * count == gram.count, "a square matrix, not \(gram.count) entries")
    let equal = [Double](repeating: 1 / Double(count), count: count)
    let scale = (0..<count).reduce(0) { $0 + gram[$1 * count + $1] } / Double(count)
    guard count > 1, bound * Double(count) > 1, scale > 0, gram.allSatisfy(\.isFinite) else { return equal }
    var matrix = gram.map { $0 / scale }
    for index in 0..<count { matrix[index * count + index] += 1e-9 }
    let bound = min(bound, 1)
    return count <= 6 ? enumerated(matrix, count, bound) : descended(matrix, count, bound)
  }

  // MARK: Few vectors

  /// Tries every assignment of the weights to 0, to the bound and to neither; the best
  /// feasible point is the minimum.
  private static func enumerated(_ matrix: [Double], _ count: Int, _ bound: Double) -> [Double] {
    var best = [Double](repeating: 1 / Double(count), count: count)
    var least = Double.infinity
    var weights = best
    // 0: at zero, 1: at the bound, 2: free.
    var kinds = [Int](repeating: 0, count: count)
    var free = [Int](repeating: 0, count: count)
    var system = [Double](repeating: 0, count: count * (count + 1))
    matrix.withUnsafeBufferPointer { matrix in
      while true {
        if candidate(matrix, count, bound, kinds, &free, &system, &weights) {
          let value = objective(matrix, count, weights)
          if value < least {
            least = value
            for index in 0..<count { best[index] = weights[index] }
          }
        }
        var place = 0
        while place < count, kinds[place] == 2 {
          kinds[place] = 0
          place += 1
        }
        if place == count { return }
        kinds[place] += 1
      }
    }
    return best
  }

  private static func objective(
    _ matrix: UnsafeBufferPointer<Double>, _ count: Int, _ weights: [Double]
  ) -> Double {
    var value = 0.0
    for row in 0..<count {
      var product = 0.0
      for column in 0..<count { product += matrix[row * count + column] * weights[column] }
      value += weights[row] * product
    }
    return value
  }

  /// The stationary point of one assignment: whether it is feasible.
  private static func candidate(
    _ matrix: UnsafeBufferPointer<Double>, _ count: Int, _ bound: Double, _ kinds: [Int], _ free: inout [Int],
    _ system: inout [Double], _ weights: inout [Double]
  ) -> Bool {
    var (size, rest) = (0, 1.0)
    for index in 0..<count {
      weights[index] = kinds[index] == 1 ? bound : 0
      if kinds[index] == 1 { rest -= bound }
      if kinds[index] == 2 {
        free[size] = index
        size += 1
      }
    }
    if size == 0 { return abs(rest) < 1e-12 }
    if rest < 0 { return false }
    // The last free weight is what the others leave of the sum: a system without the constraint keeps the sum
    // exact, where the one with a multiplier would miss it by more than nearly equal vectors differ.
    let last = free[size - 1]
    let unknowns = size - 1
    let width = unknowns + 1
    func fixed(_ row: Int) -> Double {
      (0..<count).reduce(0) { $0 + matrix[row * count + $1] * weights[$1] }
    }
    let base = matrix[last * count + last] * rest + fixed(last)
    for row in 0..<unknowns {
      let own = free[row] * count
      for column in 0..<unknowns {
        let other = free[column]
        system[row * width + column] =
          (matrix[own + other] - matrix[own + last])
          - (matrix[last * count + other] - matrix[last * count + last])
      }
      system[row * width + unknowns] = base - (matrix[own + last] * rest + fixed(free[row]))
    }
    guard solve(&system, unknowns) else { return false }
    var left = rest
    for index in 0..<size {
      let value = index < unknowns ? system[index * width + unknowns] : left
      left -= value
      guard value >= -1e-12, value <= bound + 1e-12 else {
        return false
      }
      weights[free[index]] = min(max(value, 0), bound)
    }
    return true
  }

  /// Gaussian elimination with partial pivoting of `[size, size + 1]`; the last column becomes the solution.
  private static func solve(_ system: inout [Double], _ size: Int) -> Bool {
    let width = size + 1
    return system.withUnsafeMutableBufferPointer { system in
      for pivot in 0..<size {
        var largest = pivot
        for row in pivot..<size
        where abs(system[row * width + pivot]) > abs(system[largest * width + pivot]) {
          largest = row
        }
        if abs(system[largest * width + pivot]) < 1e-14 { return false }
        if largest != pivot {
          for column in 0..<width { system.swapAt(pivot * width + column, largest * width + column) }
        }
        for row in 0..<size where row != pivot {
          let factor = system[row * width + pivot] / system[pivot * width + pivot]
          if factor == 0 { continue }
          for column in pivot..<width {
            system[row * width + column] -= factor * system[pivot * width + column]
          }
        }
      }
      for row in 0..<size { system[row * width + size] /= system[row * width + row] }
      return true
    }
  }

  // MARK: Many vectors

  /// Moves weight from the vector that hurts most to the one that hurts least until the two agree.
  private static func descended(_ matrix: [Double], _ count: Int, _ bound: Double) -> [Double] {
    var weights = [Double](repeating: 1 / Double(count), count: count)
    for _ in 0..<100_000 {
      let gradients = (0..<count).map { row in
        (0..<count).reduce(0) { $0 + matrix[row * count + $1] * weights[$1] }
      }
      let receivers = (0..<count).filter { weights[$0] < bound }
      let givers = (0..<count).filter { weights[$0] > 0 }
      guard let to = receivers.min(by: { gradients[$0] < gradients[$1] }),
        let from = givers.max(by: { gradients[$0] < gradients[$1] }), gradients[from] - gradients[to] > 1e-10
      else { break }
      let curvature =
        matrix[to * count + to] + matrix[from * count + from] - 2 * matrix[to * count + from]
      let step = min(bound - weights[to], weights[from], (gradients[from] - gradients[to]) / curvature)
      weights[to] += step
      weights[from] -= step
    }
    return weights
  }
}
