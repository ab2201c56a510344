package import Tensors

/// Dropout of maps in a transfer: in training element i (row by row), or each whole channel, is left out
/// where draw i is below a probability, and divided by that of staying otherwise. The identity in inference
/// and where the pass has no noise.
///
/// - Input and output: `[batch, channels, height, width]`.
package struct MapDropout: Layer {
  private let path: String
  private let rate: Double
  private let dropsChannels: Bool

  package init(_ scope: Scope, rate: Double, dropsChannels: Bool) {
    path = scope.path
    self.rate = rate
    self.dropsChannels = dropsChannels
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    guard let noise = pass.noise, rate > 0 else { return input }
    var stream = noise.stream(path)
    let stays = 1 / (1 - rate)
    let area = input.shape[2] * input.shape[3]
    let draws = dropsChannels ? input.count / max(area, 1) : input.count
    let drawn = (0..<draws).map { _ in Float(stream.uniform() < rate ? 0 : stays) }
    let factors = dropsChannels ? drawn.flatMap { Array(repeating: $0, count: area) } : drawn
    return input * Tensor(factors, input.shape).converted(to: input.precision)
  }
}
