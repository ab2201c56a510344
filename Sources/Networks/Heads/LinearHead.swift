public import Specs
public import Tensors

/// Classification's head: one linear layer from the embedding to a logit a class.
public struct LinearHead: Head {
  /// How a network's authors name the layer and start it; weights files keep these names.
  public struct Plan: Sendable {
    /// Below the root of the network: `["fc"]`, `["classifier", "1"]`.
    let path: [String]
    /// Width of the embedding.
    public let inputs: Int
    let weight: Initializer?
    let bias: Initializer?
    /// Applied to the embedding in training: the place that its draws are named by, and the rate.
    let dropout: (path: [String], rate: Double)?

    /// A layer under its authors' name.
    ///
    ///     LinearHead.Plan("fc", inputs: 64)
    ///
    /// - Parameters:
    ///   - path: below the root of the network, from the outside in.
    ///   - inputs: width of the embedding.
    ///   - weight, bias: how the arrays start (default: uniform in ±1/√inputs).
    ///   - dropout: of the embedding in training: the place that its draws are named by, and the rate
    ///     (default: none).
    public init(
      _ path: String..., inputs: Int, weight: Initializer? = nil, bias: Initializer? = nil,
      dropout: (path: [String], rate: Double)? = nil
    ) {
      self.path = path
      self.inputs = inputs
      self.weight = weight
      self.bias = bias
      self.dropout = dropout
    }
  }

  /// Logits an image.
  public let outputs: Int
  private let linear: Linear
  private let dropout: Dropout?

  /// Declares the layer behind the arrays of the backbone.
  ///
  /// - Parameter outputs: classes.
  public init(_ scope: Scope, _ plan: Plan, outputs: Int) {
    self.outputs = outputs
    dropout = plan.dropout.map { Dropout($0.path.reduce(scope, /), rate: $0.rate) }
    linear = Linear(
      plan.path.reduce(scope, /), inputs: plan.inputs, outputs: outputs, weight: plan.weight, bias: plan.bias)
  }

  public func callAsFunction(_ features: Features, _ pass: Pass) -> Tensor { self(features.embedding, pass) }

  /// - Parameter embedding: `[batch, width]`.
  /// - Returns: logits, `[batch, classes]`.
  public func callAsFunction(_ embedding: Tensor, _ pass: Pass) -> Tensor {
    linear(dropout?(embedding, pass) ?? embedding, pass)
  }
}

extension LinearHead.Plan {
  /// As vision transformers start it: weights normal with std 0.02, biases 0.
  static func transformer(_ path: String, inputs: Int) -> Self {
    Self(path, inputs: inputs, weight: .transformer, bias: .constant(0))
  }
}

extension BuiltNetwork {
  /// A classifier of the task's images.
  ///
  /// - Parameter extras: declares further arrays after the network's own, such as the
  ///   regressors of a feature loss.
  /// - Throws: `InvalidNetwork` for parameters or images that the network does not take.
  public init(_ spec: ModelSpec, _ task: ImageTask, extras: (Scope) throws -> Void = { _ in }) throws {
    try self.init(spec, task.image, extras: extras) {
      LinearHead($0, $1.classifier, outputs: task.classes)
    }
  }

  /// What it classifies.
  public var task: ImageTask { ImageTask(image, classes: network.head.outputs) }
}
