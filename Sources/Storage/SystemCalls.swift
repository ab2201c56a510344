#if canImport(Glibc)
  import Glibc
#endif

/// Calls of the operating system that a signal may interrupt before they have done anything.
package enum SystemCall {
  /// Makes a call that answers with a negative number on failure, again as long as only a signal interrupts
  /// it.
  ///
  ///     let file = SystemCall.retrying { open(path, O_RDONLY | O_CLOEXEC) }
  ///
  /// - Returns: what the call returned last; `errno` is that call's.
  package static func retrying(_ call: () -> Int32) -> Int32 {
    while true {
      let answer = call()
      if answer >= 0 || errno != EINTR { return answer }
    }
  }

  /// Writes all bytes to a descriptor, waiting where it is not ready for them.
  ///
  /// - Returns: 0, or the system's number for the reason why some of them were not written.
  package static func write(_ bytes: [UInt8], to file: Int32) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
      if count >= 0 {
        done += count
      } else if errno == EAGAIN || errno == EWOULDBLOCK {
        // Somebody who shares the descriptor, such as a parent on the same terminal, has made it
        // non-blocking.
        var ready = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        _ = poll(&ready, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

/// Standard error of a worker, which is its attempt's log. A line that cannot be written there costs no run.
package enum WorkerLog {
  package static func say(_ text: String) {
    _ = SystemCall.write(Array("\(text)\n".utf8), to: STDERR_FILENO)
  }
}

// In this module the calls below stand in place of the system's of the same names, so that none is made
// without trying again after a signal: network file systems and disks that are slow answer EINTR.

func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
  SystemCall.retrying { Glibc.open(path, flags, mode) }
}

func fsync(_ file: Int32) -> Int32 { SystemCall.retrying { Glibc.fsync(file) } }

func rename(_ old: String, _ new: String) -> Int32 { SystemCall.retrying { Glibc.rename(old, new) } }

func ftruncate(_ file: Int32, _ size: off_t) -> Int32 {
  SystemCall.retrying { Glibc.ftruncate(file, size) }
}

func mkdir(_ path: String, _ mode: mode_t) -> Int32 { SystemCall.retrying { Glibc.mkdir(path, mode) } }

@discardableResult
func unlink(_ path: String) -> Int32 { SystemCall.retrying { Glibc.unlink(path) } }

func rmdir(_ path: String) -> Int32 { SystemCall.retrying { Glibc.rmdir(path) } }

/// Closes a descriptor. It is closed even where a signal interrupts the call, so that is no failure.
@discardableResult
func close(_ file: Int32) -> Int32 { Glibc.close(file) == 0 || errno == EINTR ? 0 : -1 }
