internal import Synchronization

/// One recorded operation: whose results it read, and how a gradient goes back to them.
///
/// `@unchecked Sendable`: changed only by `gradients()`, which consumes the graph, and by `deinit`; a graph
/// belongs to the one step that
/// builds it.
final class GradientNode: @unchecked Sendable {
  fileprivate var inputs: [GradientNode?]
  fileprivate var pullback: (@Sendable (Tensor) -> [Tensor?])?
  /// Ascending in the order of recording, so that every node comes after its inputs.
  fileprivate let serial: Int
  fileprivate let isLeaf: Bool
  /// Whether a leaf behind this node moves (`Tensor.leaf(moving:)`).
  let isMoving: Bool
  private var ownTangent: Tensor?
  fileprivate private(set) var bend: (@Sendable (Tensor) -> [Tensor?])?

  private static let counter = Atomic<Int>(0)

  init(inputs: [GradientNode?], pullback: (@Sendable (Tensor) -> [Tensor?])?) {
    self.inputs = inputs
    self.pullback = pullback
    isLeaf = pullback == nil
    isMoving = inputs.contains { $0?.isMoving ?? false }
    serial = Self.counter.add(1, ordering: .relaxed).newValue
  }

  /// A leaf that moves.
  init(leafMoving direction: Tensor) {
    inputs = []
    isLeaf = true
    isMoving = true
    ownTangent = direction
    serial = Self.counter.add(1, ordering: .relaxed).newValue
  }

  /// How fast the node's value moves; nil where it stays.
  var tangent: Tensor? {
    precondition(!isMoving || ownTangent != nil, "an operation without a forward derivative")
    return ownTangent
  }

  func move(along tangent: Tensor, bend: (@Sendable (Tensor) -> [Tensor?])?) {
    ownTangent = tangent
    self.bend = bend
  }

  /// Frees the graph behind in a loop: the release of a long chain by recursion would overflow the stack.
  deinit {
    var last = inputs
    inputs = []
    while var node = last.popLast() {
      guard node != nil, isKnownUniquelyReferenced(&node) else { continue }
      last.append(contentsOf: node!.inputs)
      node!.inputs = []
    }
  }
}

/// The gradients of an operation's results on their way to its pullback.
private final class PendingGradients: Sendable {
  let values: Mutex<[Tensor?]>

  init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }
}

/// The gradients of one scalar with respect to the leaves that led to it.
public struct Gradients {
  fileprivate var values: [ObjectIdentifier: Tensor] = [:]
  fileprivate var derivatives: [ObjectIdentifier: Tensor] = [:]
  /// Keeps the leaves alive, whose addresses are the names of their gradients.
  fileprivate var leaves: [GradientNode] = []

  /// Nil where the scalar does not depend on the leaf.
  public subscript(leaf: Tensor) -> Tensor? {
    leaf.node.flatMap { values[ObjectIdentifier($0)] }
  }

  /// How fast the gradient of a leaf changes while leaves move; nil where it does not.
  package func derivative(of leaf: Tensor) -> Tensor? {
    leaf.node.flatMap { derivatives[ObjectIdentifier($0)] }
  }
}

extension Tensor {
  /// One differentiable operation: how its result is computed, a constant, and how a gradient goes back to
  /// each
  /// input.
  ///
  /// Nothing is recorded when no input leads back to a leaf. A pullback must capture detached tensors only,
  /// so that the graph is freed node
  /// by node. It returns one gradient an input, in their order, nil for none.
  static func computed(
    from inputs: [Tensor], by compute: () -> Tensor,
    pullback: @escaping @Sendable (_ upstream: Tensor) -> [Tensor?]
  ) -> Tensor {
    let precision = inputs[0].precision
    precondition(inputs.allSatisfy { $0.precision == precision }, "operands of one precision")
    return compute().recorded(from: inputs, pullback: pullback)
  }

  /// The same values as the result of an operation on `inputs`.
  func recorded(from inputs: [Tensor], pullback: @escaping @Sendable (Tensor) -> [Tensor?]) -> Tensor {
    let nodes = inputs.map(\.node)
    if nodes.allSatisfy({ $0 == nil }) { return detached }
    return with(node: GradientNode(inputs: nodes, pullback: pullback))
  }

  /// Several results of one operation on `inputs`.
  ///
  /// - Parameter pullback: takes the gradients of all results, nil for one that nothing depended on.
  static func recorded(
    _ results: [Tensor], from inputs: [Tensor], pullback: @escaping @Sendable ([Tensor?]) -> [Tensor?]
  ) -> [Tensor] {
    let nodes = inputs.map(\.node)
    if nodes.allSatisfy({ $0 == nil }) { return results.map(\.detached) }
    let gradients = PendingGradients(results.count)
    // What reaches this node only says that a gradient came; the gradients themselves wait beside it.
    let all = GradientNode(inputs: nodes) { _ in gradients.values.withLock { pullback($0) } }
    return results.enumerated().map { index, result in
      let own = GradientNode(inputs: [all]) { dy in
        gradients.values.withLock {
          precondition($0[index] == nil, "gradients that move through an operation with several results")
          $0[index] = dy
        }
        return [Tensor.zeros([1], dy.precision)]
      }
      return result.with(node: own)
    }
  }

  /// The gradients of a scalar with respect to every leaf behind it. Consumes the record: activations are
  /// freed on the way.
  public func gradients() -> Gradients {
    precondition(count == 1, "gradients of a scalar, not of \(shape); give an upstream gradient")
    return gradients(upstream: .full(1, shape, precision))
  }

  /// The gradients of the sum of self × upstream.
  ///
  /// Contributions to one tensor are added in descending order of recording, so equal graphs give equal bits.
  public func gradients(upstream: Tensor) -> Gradients {
    precondition(upstream.shape == shape, "upstream \(upstream.shape) of \(shape)")
    var result = Gradients()
    guard let node else { return result }
    var pending = [ObjectIdentifier(node): upstream.detached]
    // Of gradients that move; stays empty where no leaf does.
    var moving: [ObjectIdentifier: Tensor] = [:]
    for node in GradientNode.reachable(from: node) {
      guard let gradient = pending.removeValue(forKey: ObjectIdentifier(node)) else { continue }
      let derivative = moving.removeValue(forKey: ObjectIdentifier(node))
      if node.isLeaf {
        result.derivatives[ObjectIdentifier(node)] = derivative
        result.values[ObjectIdentifier(node)] = gradient
        result.leaves.append(node)
        continue
      }
      guard let pullback = node.pullback else {
        preconditionFailure("the record behind this tensor was consumed by an earlier gradients()")
      }
      node.pullback = nil
      // A pullback is linear in the gradient, so it takes the gradient's derivative as well.
      for changes in [derivative.map(pullback), node.bend?(gradient)].compactMap(\.self) {
        for case let (input?, change?) in zip(node.inputs, changes) {
          let name = ObjectIdentifier(input)
          if moving[name]?.accumulate(change) == nil { moving[name] = change }
        }
      }
      for (input, contribution) in zip(node.inputs, pullback(gradient)) {
        guard let input, let contribution else { continue }
        let name = ObjectIdentifier(input)
        if pending[name]?.accumulate(contribution) == nil { pending[name] = contribution }
      }
    }
    return result
  }
}

extension GradientNode {
  /// All nodes behind `last`, itself included, latest first.
  fileprivate static func reachable(from last: GradientNode) -> [GradientNode] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(last)]
    var found = [last]
    var next = 0
    while next < found.count {
      for case let input? in found[next].inputs where seen.insert(ObjectIdentifier(input)).inserted {
        found.append(input)
      }
      next += 1
    }
    return found.sorted { $0.serial > $1.serial }
  }
}
