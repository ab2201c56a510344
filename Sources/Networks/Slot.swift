public import Tensors

/// A handle to one array of a model; the arrays themselves are in a `ModelState`.
public struct Slot: Hashable, Sendable {
  let index: Int
}

/// One array of a model: its path names it in checkpoints and seeds its first values.
public struct SlotDeclaration: Hashable, Sendable {
  /// What becomes of an array in training.
  public enum Role: Hashable, Sendable {
    /// Trained.
    case parameter
    /// Changed by training without a gradient, such as running statistics.
    case buffer
    /// A whole number, such as a count of batches.
    case counter
  }

  /// As in a PyTorch state dictionary: `layer1.0.conv1.weight`.
  public let path: String
  /// Extents, outermost axis first.
  public let shape: Shape
  /// What becomes of it in training.
  public let role: Role
  /// How it starts.
  public let initializer: Initializer
  /// Whether weight decay acts on it.
  public let decays: Bool
}

/// How an array starts.
public enum Initializer: Hashable, Sendable {
  case constant(Double)
  /// Uniform in ±bound.
  case uniform(Double)
  /// Normal with mean 0.
  case normal(std: Double)

  /// Uniform in ±1/√inputs, PyTorch's own choice for weights and biases.
  public static func fanIn(_ inputs: Int) -> Initializer { .uniform(1 / Double(inputs).squareRoot()) }

  /// The values under one purpose, which ends in the array's path: independent of what
  /// else the model declares.
  func values(_ shape: Shape, seed: UInt64, purpose: String, precision: Precision) -> Tensor {
    var stream = RandomStream(seed: seed, purpose)
    switch self {
    case .constant(let value): return .full(value, shape, precision)
    case .uniform(let bound):
      return Tensor((0..<shape.count).map { _ in stream.uniform(-bound...bound) }, shape, precision)
    case .normal(let std):
      return Tensor((0..<shape.count).map { _ in std * stream.normal() }, shape, precision)
    }
  }
}

/// Where a layer declares its arrays: a path and the list that all scopes of one model share.
public struct Scope {
  private final class List { var declarations: [SlotDeclaration] = [] }

  let path: String
  private let list: List

  /// The root of a new model.
  public init() { (path, list) = ("", List()) }

  private init(_ path: String, _ list: List) {
    self.path = path
    self.list = list
  }

  /// The scope of a part: `scope / "stage1"`.
  public static func / (scope: Scope, name: String) -> Scope {
    Scope(scope.path.isEmpty ? name : "\(scope.path).\(name)", scope.list)
  }

  /// The scope of the part number `index`, such as the blocks of a stage.
  public static func / (scope: Scope, index: Int) -> Scope { scope / "\(index)" }

  /// Declares an array that is trained.
  ///
  /// - Parameter decays: whether weight decay acts on it.
  /// - Precondition: no array of the model has the path yet.
  public func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer, decays: Bool = true
  ) -> Slot {
    declare(name, shape, .parameter, initializer, decays: decays)
  }

  /// Declares an array that training changes without a gradient, such as running statistics.
  public func buffer(_ name: String, _ shape: Shape, _ initializer: Initializer) -> Slot {
    declare(name, shape, .buffer, initializer)
  }

  /// Declares a whole number that starts at 0, such as a count of batches.
  public func counter(_ name: String) -> Slot { declare(name, [], .counter, .constant(0)) }

  /// In the order of declaration, which is that of a PyTorch state dictionary.
  public var declarations: [SlotDeclaration] { list.declarations }

  private func declare(
    _ name: String, _ shape: Shape, _ role: SlotDeclaration.Role, _ initializer: Initializer,
    decays: Bool = false
  ) -> Slot {
    let declaration = SlotDeclaration(
      path: (self / name).path, shape: shape, role: role, initializer: initializer, decays: decays)
    precondition(
      !list.declarations.contains { $0.path == declaration.path }, "\(declaration.path) is declared twice")
    list.declarations.append(declaration)
    return Slot(index: list.declarations.count - 1)
  }
}
