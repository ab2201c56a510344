package import Networks
package import Specs
internal import Tensors

/// A trained network without its classifier, with the statistics that its images were normalised by.
///
/// Encoded as a safetensors file under the network's own names, whose metadata say the
/// network and the statistics.
package struct Trunk: Sendable {
  package let network: ModelSpec
  package let normalisation: InputNormalisation
  /// By the names of the network's state dictionary.
  package let arrays: Safetensors

  /// The part of a state dictionary that is the trunk's.
  ///
  /// Throws where an array is missing or has another shape.
  package init(_ network: ModelSpec, _ normalisation: InputNormalisation, from state: Safetensors) throws {
    let scope = Scope()
    _ = try NetworkNames.trunk(network, scope)
    var arrays = Safetensors()
    for declaration in scope.declarations {
      guard let entry = state[declaration.path] else {
        if declaration.role == .counter { continue }
        throw StateError(name: declaration.path, problem: "is missing")
      }
      guard entry.shape == declaration.shape else {
        throw StateError(
          name: declaration.path, problem: "has shape \(entry.shape) where \(declaration.shape) is due")
      }
      arrays.append(entry)
    }
    arrays.metadata["network"] = String(decoding: network.canonicalBytes, as: UTF8.self)
    arrays.metadata["normalisation"] = String(decoding: normalisation.canonicalBytes, as: UTF8.self)
    self.network = network
    self.normalisation = normalisation
    self.arrays = arrays
  }

  /// The network's own initialisation.
  package init(random network: ModelSpec, seed: Int) throws {
    let scope = Scope()
    _ = try NetworkNames.trunk(network, scope)
    let state = ModelState(scope.declarations, seed: UInt64(bitPattern: Int64(seed)))
    try self.init(network, .imageNet, from: state.stateDictionary)
  }

  package var encoded: [UInt8] { arrays.encoded() }

  package init(decoding bytes: [UInt8]) throws {
    let file = try Safetensors(decoding: bytes)
    func member(_ name: String) throws -> JSONValue {
      try JSONReader.read(Array((file.metadata[name] ?? "null").utf8)).value
    }
    try self.init(
      ModelSpec(member("network"), at: "network"),
      InputNormalisation(member("normalisation"), at: "normalisation"), from: file)
  }

  /// Puts the arrays into a model that declares them behind a prefix.
  package func fill(_ state: inout ModelState, behind prefix: String) {
    for (slot, declaration) in zip(state.slots, state.declarations) {
      guard declaration.path.hasPrefix(prefix),
        let entry = arrays[String(declaration.path.dropFirst(prefix.count))]
      else { continue }
      if declaration.role == .counter {
        state[slot] = Tensor([Double(entry.integers?.first ?? 0)], [], .double)
      } else if let tensor = entry.tensor {
        state[slot] = tensor
      }
    }
  }
}

/// What of a trunk is trained in a transfer.
package enum TrunkNorm: String, CaseIterable, Sendable {
  /// Statistics and scales are fixed.
  case frozen
  /// Statistics are fixed, scales are trained.
  case affine
  /// Statistics are those of the batch.
  case trained
}

/// Which arrays of a model behind `prefix` stay as they are.
struct FrozenArrays {
  let slots: Set<Slot>

  /// - Parameter stages: so many stages, and with the first of them the stem; 0 for nothing.
  init(_ state: ModelState, behind prefix: String, stages: Int, norm: TrunkNorm) {
    let names = stages == 0 ? [] : ["conv1.", "bn1."] + (1...stages).map { "layer\($0)." }
    var slots: Set<Slot> = []
    for (slot, declaration) in zip(state.slots, state.declarations)
    where declaration.role == .parameter && declaration.path.hasPrefix(prefix) {
      let name = declaration.path.dropFirst(prefix.count)
      // Of a trunk, only norms have vectors.
      let isNorm = declaration.shape.rank == 1
      if names.contains(where: { name.hasPrefix($0) }) || (isNorm && norm == .frozen) { slots.insert(slot) }
    }
    self.slots = slots
  }
}
