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

  /// - Parameter scale: the factors (default: 1).
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

/// What happens to each value of a blocked map before it is stored: ReLU(scale × value + shift + added), each
/// part
/// where it is asked for.
struct Finish: Sendable {
  let vectors: BlockVectors
  let added: TensorStorage?
  let relu: Bool

  /// Valid as long as this value lives.
  var kernel: kb_finish {
    kb_finish(scale: vectors.scale, shift: vectors.shift, added: added.map { $0.floats }, relu: relu ? 1 : 0)
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
  fileprivate var blocks: Int { Layout.blocks(channels) }
  fileprivate var pixels: Int { shape.inner(of: 1) }

  /// Normalises by the statistics of the batch.
  ///
  /// - Parameter moments: of the images, as the kernels leave them.
  init(_ shape: Shape, moments: TensorStorage, weight: Tensor, bias: Tensor, epsilon: Double) {
    precondition(shape[0] * shape.inner(of: 1) > 1, "batch statistics of one value a channel: \(shape)")
    self.init(
      shape, .unfilled([shape[1]], .single), .unfilled([shape[1]], .single), weight, epsilon, isOfBatch: true)
    kb_norm_statistics(
      Device.current.kernels, moments.floats, batch, channels, pixels, weight.storage.floats,
      bias.storage.floats, epsilon,
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
    self.shape = shape
    self.mean = mean
    self.variance = variance
    self.weight = weight.detached
    self.epsilon = epsilon
    self.isOfBatch = isOfBatch
    vectors = BlockVectors(channels: shape[1])
  }

  /// Room for the statistics of images.
  static func moments(_ shape: Shape) -> TensorStorage {
    TensorStorage(floats: shape[0] * Layout.blocks(shape[1]) * KB_MOMENT_FLOATS)
  }

  func finish(adding added: Tensor?, relu: Bool) -> Finish {
    Finish(vectors: vectors, added: added?.blocks, relu: relu)
  }

  /// z from y.
  func forward(_ y: Tensor, adding added: Tensor?, relu: Bool) -> Tensor {
    let device = Device.current
    let finish = finish(adding: added, relu: relu)
    let from = y.blocks
    return Tensor(shape, .single, .blocked) { z in
      withUnsafePointer(to: finish.kernel) { finish in
        device.forEachRange(batch) {
          device.kernels.pointee.finish(from.floats, finish, z.floats, blocks, pixels, $0, $1)
        }
      }
    }
  }

  /// The gradients of what a norm reads. That of its input is written when it is asked for.
  struct Gradients: Sendable {
    let weight: Tensor
    let bias: Tensor
    /// Of what was added.
    let added: Tensor?
    fileprivate let upstream: Upstream
    /// What is subtracted; nil where statistics are constants.
    fileprivate let constants: BlockVectors?

    /// Writes the gradients of some images' maps.
    func write(_ images: Range<Int>, to dy: UnsafeMutablePointer<Float>, _ kernels: UnsafePointer<kb_kernels>)
    {
      let start = images.lowerBound * upstream.imageFloats
      withUnsafePointer(to: upstream.mask(from: start)) { mask in
        kernels.pointee.norm_gradient(
          upstream.dz.floats + start, upstream.y.floats + start, mask, constants?.scale, constants?.shift, dy,
          upstream.blocks, upstream.pixels, 0, images.count)
      }
    }

    /// Of all images.
    var y: Tensor {
      let device = Device.current
      return Tensor(upstream.shape, .single, .blocked) { dy in
        device.forEachRange(upstream.shape[0]) {
          write($0..<$1, to: dy.floats + $0 * upstream.imageFloats, device.kernels)
        }
      }
    }
  }

  /// A gradient that comes back to a norm, and what says where it passes the ReLU.
  fileprivate struct Upstream: Sendable {
    let dz: TensorStorage
    let y: TensorStorage
    /// The result, where something was added before a ReLU.
    let z: TensorStorage?
    let relu: Bool
    let vectors: BlockVectors
    let shape: Shape

    var blocks: Int { Layout.blocks(shape[1]) }
    var pixels: Int { shape.inner(of: 1) }
    var imageFloats: Int { blocks * pixels * Layout.lanes }

    /// For maps from this place on; valid as long as this value lives.
    func mask(from start: Int = 0) -> kb_mask {
      kb_mask(
        mean: vectors.mean, scale: vectors.scale, shift: vectors.shift, output: z.map { $0.floats + start },
        relu: relu ? 1 : 0)
    }
  }

  /// - Parameters:
  ///   - y: what was normalised.
  ///   - z: the result, where something was added before a ReLU: only it says what passed.
  func backward(_ dz: Tensor, y: Tensor, z: Tensor?, relu: Bool, wantsAdded: Bool) -> Gradients {
    let device = Device.current
    let upstream = Upstream(
      dz: dz.blocks, y: y.blocks, z: z?.blocks, relu: relu, vectors: vectors, shape: shape)
    let added = wantsAdded && relu ? Tensor.unfilled(shape, .single, .blocked) : nil
    let sums = TensorStorage(floats: batch * blocks * 2 * Layout.lanes)
    let constants = BlockVectors(channels: channels)
    let gradients = Gradients(
      weight: .unfilled([channels], .single), bias: .unfilled([channels], .single),
      added: wantsAdded ? added ?? dz : nil, upstream: upstream, constants: isOfBatch ? constants : nil)
    withUnsafePointer(to: upstream.mask()) { mask in
      device.forEachRange(batch) {
        device.kernels.pointee.norm_sums(
          upstream.dz.floats, upstream.y.floats, mask, added?.blocks.floats, sums.floats, blocks, pixels, $0,
          $1)
      }
    }
    kb_norm_gradients(
      device.kernels, sums.floats, batch, channels, pixels, variance.storage.floats, epsilon,
      gradients.weight.storage.floats, gradients.bias.storage.floats, constants.scale, constants.shift)
    return gradients
  }

  /// The statistics of blocked images, as the kernels leave them.
  static func moments(of maps: Tensor) -> TensorStorage {
    let device = Device.current
    let shape = maps.shape
    let moments = Self.moments(shape)
    let x = maps.blocks
    device.forEachRange(shape[0]) {
      device.kernels.pointee.moments(
        x.floats, moments.floats, Layout.blocks(shape[1]), shape.inner(of: 1), $0, $1)
    }
    return moments
  }
}

/// A norm, perhaps with a ReLU, that maps have yet to pass: who reads them applies it
/// to few images at a time.
struct PendingNorm: Sendable {
  private let finish: Finish
  private let norm: FastNorm
  private let relu: Bool

  init(_ norm: FastNorm, relu: Bool) {
    self.norm = norm
    self.relu = relu
    finish = norm.finish(adding: nil, relu: relu)
  }

  /// All maps behind it.
  func callAsFunction(_ y: Tensor) -> Tensor { norm.forward(y, adding: nil, relu: relu) }

  /// Writes so many images' maps.
  ///
  /// - Parameter y: the first one's.
  func write(
    _ y: UnsafePointer<Float>, _ count: Int, to z: UnsafeMutablePointer<Float>,
    _ kernels: UnsafePointer<kb_kernels>
  ) {
    withUnsafePointer(to: finish.kernel) {
      kernels.pointee.finish(y, $0, z, norm.blocks, norm.pixels, 0, count)
    }
  }
}
