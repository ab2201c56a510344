import Specs
import Tensors
import Testing

@testable import Datasets

@Suite struct BatchTests {
  /// Three images of 2 × 3 × 4 with known bytes.
  private let images = ImageSet(
    task: ImageTask(channels: 2, height: 3, width: 4, classes: 2), labels: [0, 1, 0],
    pixels: (0..<72).map { UInt8($0 * 3) }, mean: [0.5, 0.25], std: [0.25, 0.5])

  @Test func `every image occurs once an epoch and the last batch is kept`() {
    let batches = BatchOrder.batches(count: 10, batchSize: 4, seed: 3, epoch: 2)
    #expect(batches.map(\.count) == [4, 4, 2])
    #expect(batches.flatMap { $0 }.sorted() == Array(0..<10))
    #expect(batches == BatchOrder.batches(count: 10, batchSize: 4, seed: 3, epoch: 2))
    #expect(batches != BatchOrder.batches(count: 10, batchSize: 4, seed: 3, epoch: 3))
    #expect(batches != BatchOrder.batches(count: 10, batchSize: 4, seed: 4, epoch: 2))
    let other = BatchOrder.batches(count: 10, batchSize: 3, seed: 3, epoch: 2)
    #expect(other.flatMap { $0 } == batches.flatMap { $0 })
    #expect(BatchOrder.inOrder(count: 5, batchSize: 2) == [[0, 1], [2, 3], [4]])
  }

  /// What the formula says, pixel by pixel.
  private func expected(_ index: Int, down: Int, right: Int, flipped: Bool) -> [Float] {
    var values: [Float] = []
    for c in 0..<2 {
      for y in 0..<3 {
        for x in 0..<4 {
          let (row, column) = (y + down, (flipped ? 3 - x : x) + right)
          let isInside = (0..<3).contains(row) && (0..<4).contains(column)
          let pixel = isInside ? Double(images.pixels[index * 24 + c * 12 + row * 4 + column]) : 0
          values.append(Float((pixel / 255 - images.mean[c]) / images.std[c]))
        }
      }
    }
    return values
  }

  @Test func `evaluation shows images as they are, normalised`() throws {
    let batch = try Augmentation.none.batch(of: images, indices: [2, 0])
    #expect(batch.shape == [2, 2, 3, 4])
    let plain = [2, 0].flatMap { expected($0, down: 0, right: 0, flipped: false) }
    #expect(batch.floats == plain)
  }

  @Test func `training shows crops of the padded image, mirrored or not`() throws {
    let augmentation = Augmentation.cropAndFlip(padding: 1)
    var seen: Set<[Int]> = []
    for epoch in 0..<60 {
      let view = augmentation.view(1, seed: 5, epoch: epoch)
      seen.insert([view.down, view.right, view.flipped ? 1 : 0])
      let batch = try augmentation.batch(of: images, indices: [1], seed: 5, epoch: epoch)
      #expect(batch.floats == expected(1, down: view.down, right: view.right, flipped: view.flipped))
    }
    // Of 3 × 3 × 2 views, 60 draws miss few.
    #expect(seen.count >= 14)
    #expect(seen.allSatisfy { (-1...1).contains($0[0]) && (-1...1).contains($0[1]) })
  }

  @Test func `a view does not depend on the batch it is in`() throws {
    let together = try Augmentation.standard.batch(of: images, indices: [2, 1], seed: 1, epoch: 4).floats
    let alone = try [2, 1].map {
      try Augmentation.standard.batch(of: images, indices: [$0], seed: 1, epoch: 4).floats
    }
    #expect(together == alone[0] + alone[1])
  }
}
