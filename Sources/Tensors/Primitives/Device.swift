internal import CKernels

/// Where operations are computed: the variant of the kernels, the number of threads that one operation's work
/// is divided among, and the pool that memory comes from. None of it decides a bit.
///
/// A pass holds its device and computes there; operations outside of a pass compute on the current one.
package struct Device: Sendable {
  /// The variants of the kernels of the fast path.
  package enum Level: Int, CaseIterable, Sendable, Comparable {
    case basic, avx2, avx512

    /// The best variant that the processor has.
    package static let best = Level(rawValue: Int(kb_best_level().rawValue))!

    package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  package let level: Level
  /// From 1 on, the caller's own included.
  package let threads: Int
  package let pool: BufferPool

  /// The device of the current task and of the tasks inside of it; one thread of the best variant and the
  /// process's pool, unless `run` says otherwise.
  @TaskLocal package static var current = Device()

  /// - Parameters:
  ///   - level: one that the processor has.
  ///   - threads: wanted, from 1 on; the device has as many of them as could be had.
  package init(level: Level = .best, threads: Int = 1, pool: BufferPool = .shared) {
    precondition(level <= .best, "no \(level) here")
    self.level = level
    self.threads = threads > 1 ? kb_provide_threads(threads) : 1
    self.pool = pool
  }

  /// Computes whatever the body computes on this device.
  package func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Self.$current.withValue(self, operation: body)
  }

  var kernels: UnsafePointer<kb_kernels> { kb_kernels_of(kb_level(rawValue: UInt32(level.rawValue))) }

  /// Does the work for 0 ..< count, in ranges that may run at the same time: no result may depend on how they
  /// are cut. On other threads the current device is not this one, so the body asks for none.
  package func forEachRange(_ count: Int, _ body: (_ first: Int, _ end: Int) -> Void) {
    guard count > 1, threads > 1 else {
      if count > 0 { body(0, count) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var work = RangeWork(body: body)
      withUnsafeMutablePointer(to: &work) { work in
        kb_parallel(
          threads, count, { $0.assumingMemoryBound(to: RangeWork.self).pointee.body($1, $2) }, work)
      }
    }
  }

  private struct RangeWork {
    let body: (_ first: Int, _ end: Int) -> Void
  }
}
