import Networks
import Specs
import Tensors
import Testing

/// Products with the Hessian of whole networks: what methods that look ahead differentiate through (MMKD).
@Suite struct HessianProductTests {
  /// The smallest member of a family, on images as small as it takes.
  private struct Subject {
    let network: BuiltNetwork
    let images: Tensor
    let labels = [3, 1, 7, 3]

    init(_ family: String) throws {
      let members = NetworkNames.all.filter { $0.spec.family == family }
      let built = try members.map { id, _, spec in
        let usual = NetworkNames.usualTask(id, spec)
        let small = ImageTask(channels: 3, height: 64, width: 64, classes: 10)
        let fits = usual.height <= 64 ? usual : (try? BuiltNetwork(spec, small)).map { _ in small } ?? usual
        return try BuiltNetwork(spec, fits)
      }
      network = built.min { NetworkCost($0).parameters < NetworkCost($1).parameters }!
      let task = network.task
      let shape: Shape = [4, task.channels, task.height, task.width]
      var stream = RandomStream(seed: 6, "images")
      images = Tensor((0..<shape.count).map { _ in stream.normal() }, shape, .double)
    }

    func loss(_ pass: Pass, _ precision: Precision = .double) -> Tensor {
      let activations = network.network(images.converted(to: precision), pass)
      let classes = activations.logits.shape[1]
      return activations.logits.crossEntropy(labels: labels.map { $0 % classes }).mean()
        + activations.map.square().mean() * 0.1
    }

    func gradients(_ state: ModelState) -> [Tensor?] {
      let pass = Pass(state, .training)
      return pass.gradients(of: loss(pass))
    }
  }

  @Test(arguments: Catalog.networkFamilies.entries.map { $0.name })
  func `a family's gradients change along a direction as their differences say`(_ family: String) throws {
    let subject = try Subject(family)
    let state = subject.network.state(seed: 3, precision: .double)
    var direction: [Tensor?] = zip(state.slots, state.declarations).map { slot, declaration -> Tensor? in
      guard declaration.role == .parameter else { return nil }
      var stream = RandomStream(seed: 8, state.path(of: slot))
      let shape = state[slot].shape
      return Tensor((0..<shape.count).map { _ in stream.normal() }, shape, .double)
    }
    let squares: Double = direction.reduce(0) { $0 + ($1.map { $0.l2Norm * $0.l2Norm } ?? 0) }
    let length = squares.squareRoot()
    direction = direction.map { part in part.map { $0 / length } }
    let pass = Pass(state, .training, along: direction)
    let products = pass.collectDerivatives(subject.loss(pass).gradients())

    // Short enough that hardly any ReLU changes sides.
    let step = 1e-7
    func moved(_ factor: Double) -> ModelState {
      var moved = state
      for (slot, e) in zip(state.slots, direction) { if let e { moved[slot] = state[slot] + e * factor } }
      return moved
    }
    let (ahead, behind) = (subject.gradients(moved(step)), subject.gradients(moved(-step)))
    var (error, size) = (0.0, 0.0)
    for (slot, product) in products.enumerated() {
      guard let a = ahead[slot], let b = behind[slot] else { continue }
      let difference = (a - b) / (2 * step)
      let miss = (product ?? .zeros(difference.shape, .double)) - difference
      error += miss.l2Norm * miss.l2Norm
      size += difference.l2Norm * difference.l2Norm
    }
    #expect(size > 0)
    #expect((error / size).squareRoot() < 1e-4)

    // In single precision, by the fast kernels, up to rounding.
    let single = state.converted(to: .single)
    let fast = Pass(single, .training, along: direction.map { $0?.converted(to: .single) })
    let rounded = fast.collectDerivatives(subject.loss(fast, .single).gradients())
    var (dot, first, second) = (0.0, 0.0, 0.0)
    for (a, b) in zip(products, rounded) {
      guard let a, let b = b?.converted(to: .double) else { continue }
      dot += (a * b).sum().scalar
      first += a.square().sum().scalar
      second += b.square().sum().scalar
    }
    #expect(dot / (first * second).squareRoot() > 0.999)
    #expect(abs(first.squareRoot() / second.squareRoot() - 1) < 0.05)
  }
}
