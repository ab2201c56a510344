package import Networks
package import Tensors

/// The network that turns states into weights: hidden width 128, ReLU, no bias in the first
/// layer (`methods.md` 2.2).
package struct PolicyNetwork: Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    /// One network a teacher, of its own state: two scores each.
    case perTeacher
    /// One network of all states with a head of M scores for each loss.
    case joint
  }

  package enum Normaliser: String, CaseIterable, Sendable {
    case softmaxTeachers
    /// Independent weights in (0, 1).
    case sigmoid
  }

  private let kind: Kind
  private let normaliser: Normaliser
  private let first: [Linear]
  /// perTeacher: one a teacher, two scores; joint: logit and feature head.
  private let heads: [Linear]
  private let logitMix: Slot?
  private let featureMix: Slot?
  package let declarations: [SlotDeclaration]

  /// - Parameters:
  ///   - widths: of each teacher's state.
  ///   - mixes: number of mixing factors to train for each loss; 0 for a static mix.
  package init(
    _ kind: Kind, normaliser: Normaliser = .softmaxTeachers, widths: [Int], mixes: Int = 0,
    hidden: Int = 128
  ) {
    let scope = Scope()
    let policy = scope / "policy"
    self.kind = kind
    self.normaliser = normaliser
    switch kind {
    case .perTeacher:
      var (first, heads): ([Linear], [Linear]) = ([], [])
      for (index, width) in widths.enumerated() {
        first.append(Linear(policy / index / "fc1", inputs: width, outputs: hidden, hasBias: false))
        heads.append(Linear(policy / index / "fc2", inputs: hidden, outputs: 2))
      }
      self.first = first
      self.heads = heads
    case .joint:
      first = [Linear(policy / "fc1", inputs: widths.reduce(0, +), outputs: hidden, hasBias: false)]
      heads = ["head_l", "head_f"].map { Linear(policy / $0, inputs: hidden, outputs: widths.count) }
    }
    logitMix = mixes > 0 ? policy.parameter("rho_l", [mixes], .constant(1)) : nil
    featureMix = mixes > 0 ? policy.parameter("rho_f", [mixes], .constant(1)) : nil
    declarations = scope.declarations
  }

  /// Weights of the logit and the feature loss, `[batch, teachers]` each.
  ///
  /// - Parameter states: of each teacher, `[batch, width]`.
  package func weights(_ states: [Tensor], _ pass: Pass) -> (logit: Tensor, feature: Tensor) {
    let (logit, feature) = scores(states, pass)
    return (normalised(logit), normalised(feature))
  }

  /// h_l and h_f before they are normalised.
  package func scores(_ states: [Tensor], _ pass: Pass) -> (logit: Tensor, feature: Tensor) {
    switch kind {
    case .perTeacher:
      let scores = states.indices.map { heads[$0](first[$0](states[$0], pass).relu(), pass) }
      return (
        Tensor.concatenated(scores.map { $0.sliced(axis: 1, from: 0, to: 1) }, axis: 1),
        Tensor.concatenated(scores.map { $0.sliced(axis: 1, from: 1, to: 2) }, axis: 1)
      )
    case .joint:
      let hidden = first[0](Tensor.concatenated(states, axis: 1), pass).relu()
      return (heads[0](hidden, pass), heads[1](hidden, pass))
    }
  }

  package func normalised(_ scores: Tensor) -> Tensor {
    normaliser == .softmaxTeachers ? scores.softmax() : scores.sigmoid()
  }

  /// rho of both losses; nil for a static mix.
  package func factors(_ pass: Pass) -> (logit: Tensor?, feature: Tensor?) {
    (logitMix.map { pass[$0] }, featureMix.map { pass[$0] })
  }
}
