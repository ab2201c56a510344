internal import Datasets
package import Networks
internal import Synchronization
package import Tensors

/// A frozen network that a student learns from.
package struct Teacher: Sendable {
  package let network: BuiltNetwork
  package let state: ModelState
  /// From images as the student sees them to images as this network expects them; nil where it sees the same.
  package let renormalisation: Renormalisation?

  package init(_ network: BuiltNetwork, _ state: ModelState, renormalisation: Renormalisation? = nil) {
    self.network = network
    self.state = state
    self.renormalisation = renormalisation
  }

  /// What it says of images as the student sees them, with running statistics; constants.
  package func callAsFunction(_ images: Tensor) -> Activations {
    let images = renormalisation?.applied(to: images) ?? images
    return .stacked(network.network.parts(of: images, state))
  }
}

/// What a teacher said of the fixed views of a dataset's training images, written down once.
package protocol RecordedOutputs: Sendable {
  /// Logits, embedding and, where they were kept, the maps of the last stages for some views, bit for bit
  /// what the teacher would say; nil where that cannot be had, and then the teacher is asked. It is asked too
  /// for a map that was not kept.
  ///
  /// - Parameters:
  ///   - positions: of the images in the training set.
  ///   - views: the number of the view of each.
  func activations(_ positions: [Int], views: [Int]) -> Activations?
}

/// What the teachers said of the batch at hand, for runs that show it one after the other: the first asks
/// them, the others are told.
///
/// Only runs whose teachers, images and batches are the same may have one in common; then
/// who asks changes no bit.
package final class SharedAnswers: Sendable {
  fileprivate struct Answer {
    let epoch: Int
    let positions: [Int]
    let activations: [Activations]
    /// What asking took, by the stopwatch of whoever asked.
    let spent: [Double]
  }

  /// One batch is enough: whoever is behind asks anew.
  fileprivate let last = Mutex<Answer?>(nil)

  package init() {}
}

/// What the answers to one batch took by the caller's stopwatch, and whether another run has spent it.
package struct TeachingCost: Sendable {
  package let spent: [Double]
  package let isSpared: Bool
}

/// The teachers of a run behind one question: what do they say of this batch? Who answers, the network, the
/// record of it or another run that has just asked it, changes no bit.
package struct TeacherPool: Sendable {
  private let teachers: [Teacher]
  private let recorded: [(any RecordedOutputs)?]
  private let shared: SharedAnswers?

  /// - Parameters:
  ///   - recorded: one a teacher, or none at all.
  ///   - shared: with runs that show the same batches to the same teachers.
  package init(
    _ teachers: [Teacher], recorded: [(any RecordedOutputs)?] = [], shared: SharedAnswers? = nil
  ) {
    precondition(recorded.isEmpty || recorded.count == teachers.count, "a record for each teacher, or none")
    self.teachers = teachers
    self.recorded = recorded.isEmpty ? teachers.map { _ in nil } : recorded
    self.shared = teachers.isEmpty ? nil : shared
  }

  /// In the order of the teachers.
  ///
  /// - Parameters:
  ///   - images: the batch as the student sees it.
  ///   - views: the number of the fixed view of each image; nil where views are fresh, of which
  ///     nothing can be recorded.
  package func activations(_ images: Tensor, _ positions: [Int], views: [Int]?) -> [Activations] {
    zip(teachers, recorded).map { teacher, record in
      if let views, let known = record?.activations(positions, views: views) {
        return known.completed(taps: teacher.network.network.backbone.taps) { teacher(images)[$0] }
      }
      return teacher(images)
    }
  }

  /// The class that each teacher names for each image that measures, in the order of evaluation.
  func choices(on source: any BatchSource) throws(DatasetError) -> [[Int]] {
    var choices = teachers.map { _ in [Int]() }
    for positions in source.evaluationOrder {
      let images = try source.evaluationBatch(positions).images
      for (place, teacher) in teachers.enumerated() {
        choices[place] += teacher(images).logits.largestPerRow()
      }
    }
    return choices
  }

  /// The same of a batch of one epoch, which other runs may show too.
  ///
  /// - Returns: in the order of the teachers, and what it took; nil without a stopwatch.
  package func activations(
    _ images: Tensor, _ positions: [Int], views: [Int]?, epoch: Int, stopwatch: (@Sendable () -> [Double])?
  ) -> ([Activations], TeachingCost?) {
    if let known = shared?.last.withLock({ $0 }), known.epoch == epoch, known.positions == positions {
      return (known.activations, TeachingCost(spent: known.spent, isSpared: true))
    }
    let start = stopwatch?() ?? []
    let answers = activations(images, positions, views: views)
    let spent = zip(stopwatch?() ?? [], start).map { $0 - $1 }
    shared?.last.withLock {
      $0 = SharedAnswers.Answer(epoch: epoch, positions: positions, activations: answers, spent: spent)
    }
    return (answers, stopwatch == nil || teachers.isEmpty ? nil : TeachingCost(spent: spent, isSpared: false))
  }
}
