import Specs
import Foundation
import Pipeline
import Storage

extension StoreLocation {
  /// Opens the store for writing, holding its lease meanwhile, where locks are seen.
  ///
  /// - Throws: `LocksUnseen`, `StoreError.held`; what `body` throws.
  func writing<Value>(_ body: (ResultStore) throws -> Value) throws -> Value {
    try checkLocks()
    return try Lease.holding(folder, body)
  }

  /// The lease of the store, where locks are seen.
  ///
  /// - Throws: `LocksUnseen`, `StoreError.held`.
  func lease() throws -> Lease {
    try checkLocks()
    return try Lease(of: folder, now: Int(Date.now.timeIntervalSince1970))
  }

  /// Looks whether a second process sees the locks of this one where the store lies.
  private func checkLocks() throws {
    do {
      switch try LockProbe.isSeen(in: folder, by: "/proc/self/exe") {
      case true?: return
      case false?: throw LocksUnseen(path: path)
      case nil:
        Talk.say(
          "Cannot tell whether locks work where \(path) lies: no second process could be started to look at "
            + "one. `mtkd-sweep doctor` tries again.")
      }
    } catch let error as FileError {
      throw StoreError.file(error)
    }
  }
}

/// A store where two processes would not see each other's locks.
struct LocksUnseen: UserError {
  var exitStatus: ExitStatus { .unavailable }
  let path: String

  var description: String {
    "A second process does not see the locks of this one where \(path) lies, so two commands that write at "
      + "the same time would damage its database. Nothing was written. Name a folder on a local disk or on "
      + "a file system with locks with --store (NFS: mount it without 'nolock'; Lustre: with 'flock'); "
      + "reports can be read where it is."
  }
}
