internal import CKernels

/// The kernels of the fast path, in the variant for this processor. All variants give the same bits.
package enum FastKernels {
  package enum Level: Int, CaseIterable, Sendable, Comparable {
    case basic, avx2, avx512

    package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    fileprivate var kernel: kb_level { kb_level(rawValue: UInt32(rawValue)) }
  }

  /// The best variant that the processor has.
  package static var best: Level { Level(rawValue: Int(kb_best_level().rawValue))! }

  /// Runs all later kernels of the process in one variant; for tests and measurements.
  package static func use(_ level: Level) {
    precondition(kb_use_level(level.kernel) == 1, "no \(level) here")
  }

  /// Such as `kernels for avx512`.
  package static var description: String { "kernels for \(best)" }

  static var current: kb_kernels { kb_in_use().pointee }

  /// Does the work for 0 ..< count, in ranges that may run at the same time: no result may depend on how they are cut.
  static func forEachRange(_ count: Int, _ body: (_ first: Int, _ end: Int) -> Void) {
    if count > 0 { body(0, count) }
  }
}
