import Networks
import Specs
import Synchronization
import Tensors
import Testing

/// A pass computes where it was told to, whatever others in the process do at the same time.
struct DeviceTests {
  private final class Seen: Sendable {
    let devices = Mutex<[Device]>([])
  }

  /// Says on which device it is evaluated.
  private struct Spy: Backbone {
    let inner: any Backbone
    let seen: Seen

    var taps: [Tap] { inner.taps }
    var classifier: LinearHead.Plan { inner.classifier }
    func features(of images: Tensor, _ pass: Pass) -> Features {
      seen.devices.withLock { $0.append(Device.current) }
      return inner.features(of: images, pass)
    }
  }

  private static let task = ImageTask(channels: 3, height: 16, width: 16, classes: 10)

  private static func built() throws -> BuiltNetwork {
    try BuiltNetwork(NetworkNames.spec(.string("mini-resnet8")), task)
  }

  private static let images = Tensor.full(0.5, [2, 3, 16, 16])

  @Test func `a pass is evaluated on its device, and so are its gradients`() throws {
    let built = try Self.built()
    let seen = Seen()
    let network = HeadedNetwork(Spy(inner: built.network.backbone, seen: seen), built.network.head)
    let state = built.state(seed: 1)
    let ambient = BufferPool()
    let own = BufferPool()
    Device(pool: ambient).run {
      let pass = Pass(state, .training, on: Device(level: .basic, threads: 2, pool: own))
      let loss = network(Self.images, pass).logits.crossEntropy(labels: [1, 2]).mean()
      let device = seen.devices.withLock { $0[0] }
      #expect(device.level == .basic && device.threads == 2 && device.pool === own)
      let outside = ambient.allocations
      let inside = own.allocations
      #expect(inside > 20)
      _ = pass.gradients(of: loss)
      #expect(own.allocations > inside)
      #expect(ambient.allocations == outside)
      #expect(Device.current.pool === ambient && Device.current.threads == 1)
    }
  }

  @Test func `passes on different devices run at the same time, and their bits are the same`() async throws {
    let built = try Self.built()
    let state = built.state(seed: 1)
    let devices = [1, 2].flatMap { threads in
      Device.Level.allCases.filter { $0 <= .best }.map { Device(level: $0, threads: threads) }
    }
    let results = await withTaskGroup(of: [[Float]].self) { group in
      for device in devices {
        group.addTask {
          device.run {
            (0..<20).map { _ in
              let pass = Pass(state, .training)
              let loss = built.network(Self.images, pass).logits.crossEntropy(labels: [1, 2]).mean()
              guard pass.device.level == device.level, pass.device.threads == device.threads else {
                return []
              }
              return pass.gradients(of: loss).compactMap(\.self).flatMap(\.floats)
            }
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(results.count == devices.count * 20)
    #expect(results[0].contains { $0 != 0 })
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
