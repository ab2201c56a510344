public import Tensors

/// The arrays of a model as one value.
public struct ModelState: Sendable {
  /// Of every array, in the order of declaration.
  public let declarations: [SlotDeclaration]
  /// How the model's convolutions are computed. Belongs to the run that the arrays belong to,
  /// because it decides bits.
  package var convolution = ConvolutionChoice.auto
  /// Counters are doubles, exact up to 2^53.
  private var values: [Tensor]

  /// First values, each seeded by its own path.
  ///
  /// - Parameter purpose: what the names of the random streams begin with.
  public init(
    _ declarations: [SlotDeclaration], seed: UInt64, precision: Precision = .single, purpose: String = "init"
  ) {
    self.declarations = declarations
    values = declarations.map {
      $0.initializer.values(
        $0.shape, seed: seed, purpose: "\(purpose)/\($0.path)",
        precision: $0.role == .counter ? .double : precision)
    }
  }

  /// Arrays of the right shapes with unspecified contents: for what is about to be filled, and for passes
  /// over no images, which only look at shapes. Memory that is never touched costs nothing.
  package init(unfilled declarations: [SlotDeclaration], precision: Precision = .single) {
    self.declarations = declarations
    values = declarations.map {
      $0.role == .counter ? .zeros([], .double) : Tensor.unfilled($0.shape, precision)
    }
  }

  /// The array of a slot.
  public subscript(slot: Slot) -> Tensor {
    get { values[slot.index] }
    _modify { yield &values[slot.index] }
  }

  /// Handles to all arrays, in the order of declaration.
  public var slots: [Slot] { declarations.indices.map(Slot.init) }

  /// The slots of trained arrays, in the optimiser's order.
  public var parameters: [Slot] { slots.filter { declarations[$0.index].role == .parameter } }

  /// The name of an array in checkpoints, such as `stage1.conv.weight`.
  public func path(of slot: Slot) -> String { declarations[slot.index].path }

  /// The same arrays in another precision; counters stay as they are.
  public func converted(to precision: Precision) -> ModelState {
    var copy = self
    for slot in slots where declarations[slot.index].role != .counter {
      copy.values[slot.index] = values[slot.index].converted(to: precision)
    }
    return copy
  }
}

extension ModelState {
  /// The arrays under the names of a PyTorch state dictionary, counters as 64-bit integers.
  public var stateDictionary: Safetensors {
    var file = Safetensors()
    for (declaration, value) in zip(declarations, values) {
      if declaration.role == .counter {
        file.append(declaration.path, integers: [Int64(value.scalar)], [])
      } else {
        file.append(declaration.path, value)
      }
    }
    return file
  }

  /// Takes all arrays from a state dictionary. Counters may be missing, as they are in old
  /// checkpoints, and count as 0.
  public mutating func load(_ file: Safetensors, under prefix: String = "") throws(StateError) {
    var loaded = values
    var known: Set<String> = []
    for (index, declaration) in declarations.enumerated() {
      let name = prefix + declaration.path
      known.insert(name)
      guard let entry = file[name] else {
        if declaration.role == .counter {
          loaded[index] = .zeros([], .double)
          continue
        }
        throw StateError(name: name, problem: "is missing")
      }
      guard entry.shape == declaration.shape else {
        throw StateError(name: name, problem: "has shape \(entry.shape) where \(declaration.shape) is due")
      }
      if declaration.role == .counter, let count = entry.integers?.first {
        loaded[index] = Tensor([Double(count)], [], .double)
      } else if let tensor = entry.tensor {
        loaded[index] = tensor.converted(to: values[index].precision)
      } else {
        throw StateError(name: name, problem: "holds \(entry.type.rawValue) where floats are due")
      }
    }
    if let extra = file.entries.first(where: { $0.name.hasPrefix(prefix) && !known.contains($0.name) }) {
      throw StateError(name: extra.name, problem: "is no array of this network")
    }
    values = loaded
  }
}

/// A state dictionary of another network.
public struct StateError: Error, Equatable, CustomStringConvertible {
  /// The name of an array in the state dictionary.
  public let name: String
  /// What is wrong with it, as a phrase.
  public let problem: String

  /// An array by its name, and a phrase about it that follows "The array 'NAME'".
  public init(name: String, problem: String) {
    self.name = name
    self.problem = problem
  }

  public var description: String {
    "The array '\(name)' \(problem): these weights belong to another network."
  }
}

extension ModelState: Snapshotting {
  public func save(to snapshot: inout Snapshot, under prefix: String) {
    for (declaration, value) in zip(declarations, values) { snapshot.put(prefix + declaration.path, value) }
  }

  public mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    for (index, declaration) in declarations.enumerated() {
      values[index] = try snapshot.tensor(prefix + declaration.path, declaration.shape)
    }
  }
}
