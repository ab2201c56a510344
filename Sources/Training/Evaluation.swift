package import Datasets
package import Networks
internal import Tensors

/// How a network does on the images that measure it.
package struct Evaluation: Hashable, Sendable {
  package let count: Int
  /// Images whose label has the largest logit; of equal logits the lowest label counts.
  package let correct: Int
  /// Mean cross-entropy in nats.
  package let loss: Double

  /// Percent of images classified right.
  package var accuracy: Double { 100 * Double(correct) / Double(count) }

  /// Evaluates with running statistics; nothing changes.
  package init(_ network: any Network, _ state: ModelState, on source: some BatchSource)
    throws(DatasetError)
  {
    try self.init(on: source) { .stacked(network.parts(of: $0, state).map(\.logits)) }
  }

  /// Evaluates a teacher, whose images may be normalised in another way.
  package init(_ teacher: Teacher, on source: some BatchSource) throws(DatasetError) {
    try self.init(on: source) { teacher($0).logits }
  }

  private init(on source: some BatchSource, _ logits: (Tensor) -> Tensor) throws(DatasetError) {
    var (count, correct, total) = (0, 0, 0.0)
    for positions in source.evaluationOrder {
      let (images, labels) = try source.evaluationBatch(positions)
      let logits = logits(images)
      correct += zip(logits.largestPerRow(), labels).count { $0 == $1 }
      total += logits.crossEntropy(labels: labels).doubles.reduce(0, +)
      count += labels.count
    }
    (self.count, self.correct, loss) = (count, correct, count > 0 ? total / Double(count) : .nan)
  }
}
