package import Networks
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
  /// Logits, embedding and, where they were kept, the maps of the last stages for some views, bit for bit what the teacher would say; nil where
  /// that cannot be had, and then the teacher is asked. It is asked too for a map that was not kept.
  ///
  /// - Parameters:
  ///   - positions: of the images in the training set.
  ///   - views: the number of the view of each.
  func activations(_ positions: [Int], views: [Int]) -> Activations?
}

/// The teachers of a run behind one question: what do they say of this batch? Who answers, the network or the record of it, changes no bit.
package struct TeacherPool: Sendable {
  private let teachers: [Teacher]
  private let recorded: [(any RecordedOutputs)?]

  /// - Parameter recorded: one a teacher, or none at all.
  package init(_ teachers: [Teacher], recorded: [(any RecordedOutputs)?] = []) {
    precondition(recorded.isEmpty || recorded.count == teachers.count, "a record for each teacher, or none")
    self.teachers = teachers
    self.recorded = recorded.isEmpty ? teachers.map { _ in nil } : recorded
  }

  /// In the order of the teachers.
  ///
  /// - Parameters:
  ///   - images: the batch as the student sees it.
  ///   - views: the number of the fixed view of each image; nil where views are fresh, of which nothing can be recorded.
  package func activations(_ images: Tensor, _ positions: [Int], views: [Int]?) -> [Activations] {
    zip(teachers, recorded).map { teacher, record in
      if let views, let known = record?.activations(positions, views: views) {
        return known.completed(taps: teacher.network.network.backbone.taps) { teacher(images)[$0] }
      }
      return teacher(images)
    }
  }
}
