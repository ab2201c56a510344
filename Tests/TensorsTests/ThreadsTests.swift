import Foundation
import Synchronization
import Tensors
import Testing

/// Work that several threads share: all of it is done, once, whoever asks beside whom.
struct ThreadsTests {
  private final class Count: Sendable {
    let places = Atomic(0)
  }

  /// How often each of the places is visited.
  private func visits(_ count: Int, _ device: Device) -> [Int] {
    var visits = [Int](repeating: 0, count: count)
    visits.withUnsafeMutableBufferPointer { places in
      // Nobody but who visits a place touches it.
      nonisolated(unsafe) let places = places
      device.forEachRange(count) { first, end in
        for place in first..<end { places[place] += 1 }
      }
    }
    return visits
  }

  @Test(arguments: [1, 2, 3, 7]) func `every place is visited once, for any count`(_ threads: Int) {
    let device = Device(threads: threads)
    #expect(device.threads == threads)
    for count in [0, 1, 2, 3, 5, 64, 1000] {
      let isOnce = visits(count, device).allSatisfy { $0 == 1 }
      #expect(isOnce, "\(count) places, \(threads) threads")
    }
  }

  @Test func `ranges lie where they lie, whichever thread takes them`() {
    let device = Device(threads: 3)
    for _ in 0..<200 {
      let lock = NSLock()
      nonisolated(unsafe) var ranges: [[Int]] = []
      device.forEachRange(10) { first, end in lock.withLock { ranges.append([first, end]) } }
      let found = ranges.sorted { $0[0] < $1[0] }
      // Another suite's work may hold the threads; then this is done alone.
      #expect(found == [[0, 3], [3, 6], [6, 10]] || found == [[0, 10]])
    }
  }

  @Test func `work within work and work of many at once is done all the same`() async {
    let device = Device(threads: 2)
    let count = Count()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { Self.nest(50, count, device) } }
    }
    #expect(count.places.load(ordering: .relaxed) == 8 * 50 * 12)
  }

  private static func nest(_ rounds: Int, _ count: Count, _ device: Device) {
    for _ in 0..<rounds {
      device.forEachRange(4) { first, end in
        device.forEachRange(3) { count.places.add(($1 - $0) * (end - first), ordering: .relaxed) }
      }
    }
  }
}
