/// Chooses some of the matched boxes to learn from, so that the many wrong ones do not
/// drown the few right ones.
///
/// k+ = min(positives, ⌊number · share⌋) and k- = min(negatives, number - k+) are drawn uniformly without
/// replacement: the candidates of a kind with the smallest random words, of which each candidate has its own.
/// So the choice depends on no other candidate's place, on no thread and on no grouping of images.
package struct BoxSampler: Hashable, Sendable {
  package var number: Int
  /// Of positives, at most.
  package var share: Double

  package init(number: Int, share: Double) {
    self.number = number
    self.share = share
  }

  /// - Parameter word: of candidate i; the i-th word of
  ///   `RandomStream(T, "transfer/sample", step, image, head)`.
  /// - Returns: places in ascending order, positives first.
  package func sample(_ matches: [BoxMatch], word: (Int) -> UInt64) -> (positive: [Int], negative: [Int]) {
    let right = matches.indices.filter { if case .object = matches[$0] { true } else { false } }
    let wrong = matches.indices.filter { matches[$0] == .negative }
    let positives = min(right.count, Int(Double(number) * share))
    let negatives = min(wrong.count, number - positives)
    func chosen(_ candidates: [Int], _ count: Int) -> [Int] {
      guard count < candidates.count else { return candidates }
      return candidates.map { (word($0), $0) }.sorted { $0 < $1 }.prefix(count).map(\.1).sorted()
    }
    return (chosen(right, positives), chosen(wrong, negatives))
  }
}
