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

  /// Threads that an operation's work is divided among, the caller's own included. A setting of the process,
  /// like the variant: it decides no bit.
  package static var threads: Int { kb_threads() }

  /// - Parameter threads: from 1 on.
  /// - Returns: how many could be had.
  @discardableResult
  package static func use(threads: Int) -> Int { kb_use_threads(threads) }

  /// Does the work for 0 ..< count, in ranges that may run at the same time: no result may depend on how they
  /// are cut.
  package static func forEachRange(_ count: Int, _ body: (_ first: Int, _ end: Int) -> Void) {
    guard count > 1, threads > 1 else {
      if count > 0 { body(0, count) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var work = RangeWork(body: body)
      kb_parallel(
        count, { $0.assumingMemoryBound(to: RangeWork.self).pointee.body($1, $2) }, &work)
    }
  }

  private struct RangeWork {
    let body: (_ first: Int, _ end: Int) -> Void
  }
}
