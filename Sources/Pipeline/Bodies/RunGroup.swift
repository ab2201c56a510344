internal import Datasets
internal import Specs
internal import Storage
internal import Sweeps
internal import Training

/// What runs of one process have in common, loaded once: images, teachers, and what these
/// say of the batch at hand.
final class SharedLesson {
  var loaded: (Dataset, [Teacher])?
  let answers = SharedAnswers()
}

/// Runs that one process trains side by side, batch by batch, because they show the same images to the same
/// teachers, who are then asked once.
///
/// Each run has its own attempt with records, snapshots and an end; nothing of one reaches another. Whoever
/// is behind steps first, so runs that were resumed at different places come level again; until then the one
/// behind asks the teachers for itself.
enum RunGroup {
  struct Member {
    let run: RunSpec
    let inputs: [ContentKey]
    let workspace: Workspace
  }

  /// Trains all of them to their ends.
  ///
  /// - Parameter ended: is told the exit code of a run by its place in `members` as
  ///   soon as the run has ended.
  static func run(_ members: [Member], ended: (Int, Int32) -> Void) {
    // Whoever put together what does not belong together has gained nothing and lost nothing.
    var lessons: [TaughtBatches: SharedLesson] = [:]
    var open: [(place: Int, session: TrainingSession)] = []
    for (place, member) in members.enumerated() {
      let code = Worker.code(in: member.workspace) {
        let batches = TaughtBatches(member.run)
        let lesson = batches.map { lessons[$0] ?? SharedLesson() }
        if let batches { lessons[batches] = lesson }
        let fresh = try TrainingBody.student(
          member.run, inputs: member.inputs, sharing: lesson, in: member.workspace)
        open.append((place, try TrainingSession(fresh, isAlone: false, in: member.workspace)))
      }
      if code != WorkerExit.finished { ended(place, code) }
    }
    while let next = open.indices.min(by: { open[$0].session.place < open[$1].session.place }) {
      var goesOn = false
      let code = Worker.code(in: members[open[next].place].workspace) {
        goesOn = try open[next].session.advance()
      }
      if goesOn { continue }
      ended(open.remove(at: next).place, code)
    }
  }
}
