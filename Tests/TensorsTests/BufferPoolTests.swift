import Testing

@testable import Tensors

/// Memory that waits for the next who asks.
@Suite struct BufferPoolTests {
  @Test func `tensors of ever other sizes take no more than twice what is in use at a time`() {
    let pool = BufferPool()
    Device(pool: pool).run {
      var stream = RandomStream(seed: 1, "sizes")
      var largest = 0
      for _ in 0..<2000 {
        let count = 1000 + Int(stream.uniform() * 200_000)
        largest = max(largest, 4 * count)
        let tensor = Tensor.zeros([count], .single)
        #expect(tensor.shape.count == count)
      }
      // A tensor is filled before the one that it replaces goes; sizes are rounded up by at most an eighth.
      #expect(pool.heldByteCount <= 2 * 2 * largest * 9 / 8, "\(pool.heldByteCount) for \(largest)")
    }
  }

  @Test func `sizes that differ a little share buffers`() {
    let pool = BufferPool()
    Device(pool: pool).run {
      _ = Tensor.zeros([100_000], .single)
      let first = pool.allocations
      for count in 99_000..<99_100 { _ = Tensor.zeros([count], .single) }
      #expect(pool.allocations == first)
    }
  }
}
