internal import CKernels

/// Vectors of one value a channel, padded with zeros to whole blocks.
struct BlockVectors: Sendable {
  private let storage: TensorStorage
  private let width: Int

  /// The factors and what is added after them.
  var scale: UnsafeMutablePointer<Float> { storage.floats }
  var shift: UnsafeMutablePointer<Float> { storage.floats + width }
  /// Of a norm: what is subtracted first in its gradient.
  var mean: UnsafeMutablePointer<Float> { storage.floats + 2 * width }

  init(channels: Int) {
    width = Layout.blocks(channels) * Layout.lanes
    storage = TensorStorage(floats: 3 * width)
  }

  /// Factors of 1 where nothing is said.
  static func affine(scale: Tensor?, shift: Tensor) -> BlockVectors {
    let vectors = BlockVectors(channels: shift.count)
    for (vector, values) in [(vectors.scale, scale), (vectors.shift, shift)] {
      vector.update(repeating: 0, count: vectors.width)
      if let values {
        vector.update(from: values.storage.floats, count: shift.count)
      } else {
        vector.update(repeating: 1, count: shift.count)
      }
    }
    return vectors
  }
}

/// Batch normalisation of blocked maps, perhaps with a sum and a ReLU behind it: z = ReLU(norm(y) + added).
struct FastNorm: Sendable {
  /// Of the batch, or as they were given, `[channels]`.
  let mean: Tensor
  let variance: Tensor
  private let shape: Shape
  private let weight: Tensor
  private let epsilon: Double
  /// Whether gradients flow through the statistics.
  private let isOfBatch: Bool
  private let vectors: BlockVectors

  private var batch: Int { shape[0] }
  private var channels: Int { shape[1] }
  private var blocks: Int { Layout.blocks(channels) }
  private var pixels: Int { shape.inner(of: 1) }

  /// Normalises by the statistics of the batch.
  ///
  /// - Parameter moments: of the images, as the kernels leave them.
  init(_ shape: Shape, moments: TensorStorage, weight: Tensor, bias: Tensor, epsilon: Double) {
    precondition(shape[0] * shape.inner(of: 1) > 1, "batch statistics of one value a channel: \(shape)")
    self.init(
      shape, .unfilled([shape[1]], .single), .unfilled([shape[1]], .single), weight, epsilon, isOfBatch: true)
    kb_norm_statistics(
      moments.floats, batch, channels, pixels, weight.storage.floats, bias.storage.floats, epsilon,
      mean.storage.floats, variance.storage.floats, vectors.mean, vectors.scale, vectors.shift)
  }

  /// Normalises by given statistics.
  init(_ shape: Shape, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, epsilon: Double) {
    self.init(shape, mean.detached, variance.detached, weight, epsilon, isOfBatch: false)
    kb_norm_constants(
      mean.storage.floats, variance.storage.floats, channels, weight.storage.floats, bias.storage.floats,
      epsilon, vectors.mean, vectors.scale, vectors.shift)
  }

  private init(
    _ shape: Shape, _ mean: Tensor, _ variance: Tensor, _ weight: Tensor, _ epsilon: Double, isOfBatch: Bool
  ) {
    (self.shape, self.mean, self.variance, self.weight) = (shape, mean, variance, weight.detached)
    (self.epsilon, self.isOfBatch, vectors) = (epsilon, isOfBatch, BlockVectors(channels: shape[1]))
  }

  static func moments(_ shape: Shape) -> TensorStorage {
    TensorStorage(floats: shape[0] * Layout.blocks(shape[1]) * KB_MOMENT_FLOATS)
  }

  func finish(adding added: TensorStorage?, relu: Bool) -> kb_finish {
    kb_finish(scale: vectors.scale, shift: vectors.shift, added: added.map { $0.floats }, relu: relu ? 1 : 0)
  }

  /// z from y.
  func forward(
    _ y: TensorStorage, adding added: TensorStorage?, relu: Bool, to z: UnsafeMutableRawPointer
  ) {
    withUnsafePointer(to: finish(adding: added, relu: relu)) { finish in
      FastKernels.forEachRange(batch) {
        FastKernels.current.finish(y.floats, finish, z.floats, blocks, pixels, $0, $1)
      }
    }
  }

  struct Slopes {
    var y: TensorStorage
    var weight: Tensor
    var bias: Tensor
    /// Of what was added.
    var added: Tensor?
  }

  /// - Parameters:
  ///   - y: what was normalised.
  ///   - z: the result, where something was added before a ReLU: only it says what passed.
  func backward(_ dz: Tensor, y: TensorStorage, z: Tensor?, relu: Bool, wantsAdded: Bool) -> Slopes {
    let output = z?.blocks
    let mask = kb_mask(
      mean: vectors.mean, scale: vectors.scale, shift: vectors.shift, output: output.map { $0.floats },
      relu: relu ? 1 : 0)
    let added = wantsAdded && relu ? Tensor.unfilled(shape, .single, .blocked) : nil
    let upstream = dz.blocks
    let sums = TensorStorage(floats: batch * blocks * 2 * Layout.lanes)
    let constants = BlockVectors(channels: channels)
    let slopes = Slopes(
      y: TensorStorage(floats: Layout.blocked.count(shape)), weight: .unfilled([channels], .single),
      bias: .unfilled([channels], .single), added: wantsAdded ? added ?? dz : nil)
    withUnsafePointer(to: mask) { mask in
      FastKernels.forEachRange(batch) {
        FastKernels.current.norm_sums(
          upstream.floats, y.floats, mask, added?.blocks.floats, sums.floats, blocks, pixels, $0, $1)
      }
      kb_norm_gradients(
        sums.floats, batch, channels, pixels, variance.storage.floats, epsilon, slopes.weight.storage.floats,
        slopes.bias.storage.floats, constants.scale, constants.shift)
      FastKernels.forEachRange(batch) {
        FastKernels.current.norm_slope(
          upstream.floats, y.floats, mask, isOfBatch ? constants.scale : nil,
          isOfBatch ? constants.shift : nil, slopes.y.floats, blocks, pixels, $0, $1)
      }
    }
    return slopes
  }
}

extension Tensor {
  /// ReLU(norm(self) + added), each part where it is asked for.
  func normalizedBlocks(_ norm: FastNorm, bias: Tensor, weight: Tensor, adding added: Tensor?, relu: Bool)
    -> Tensor
  {
    let output = Tensor(shape, .single, .blocked) {
      norm.forward(blocks, adding: added?.blocks, relu: relu, to: $0)
    }
    let inputs = [self, weight, bias] + (added.map { [$0] } ?? [])
    let wantsAdded = added?.node != nil
    return output.recorded(from: inputs) { [y = detached, z = added != nil && relu ? output : nil] dz in
      let slopes = norm.backward(dz, y: y.blocks, z: z, relu: relu, wantsAdded: wantsAdded)
      let slope = Tensor(
        shape: dz.shape, precision: .single, layout: .blocked, storage: slopes.y, node: nil)
      return [slope, slopes.weight, slopes.bias] + (inputs.count > 3 ? [slopes.added] : [])
    }
  }

  /// The statistics of blocked images.
  func moments() -> TensorStorage {
    let moments = FastNorm.moments(shape)
    let x = blocks
    FastKernels.forEachRange(shape[0]) {
      FastKernels.current.moments(
        x.floats, moments.floats, Layout.blocks(shape[1]), shape.inner(of: 1), $0, $1)
    }
    return moments
  }
}
