internal import Foundation
internal import Specs
package import Sweeps

#if canImport(Glibc)
  internal import Glibc
#endif

/// The devices of a `run`, and the command that says whether one still works.
package struct DeviceUse: Sendable {
  package let share: DeviceShare
  /// Started after a run on a device has died, with the device in its environment; another end than 0 means
  /// no. Empty for nobody who says so.
  package let check: [String]

  package init(_ share: DeviceShare, check: [String] = []) {
    self.share = share
    self.check = check
  }

  /// Seconds that a device may take to answer.
  private static let patience = 20.0

  /// Whether a device works, as far as somebody says so.
  func works(_ device: String) -> Bool {
    guard let program = check.first else { return true }
    var child = ChildProcess(program, Array(check.dropFirst()))
    child.environment = ProcessInfo.processInfo.environment
      .merging(DevicePool.environment(of: [device])) { $1 }
    // What it prints is not for the display.
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { if nothing >= 0 { close(nothing) } }
    if nothing >= 0 { (child.input, child.output, child.error) = (nothing, nothing, nothing) }
    child.leadsGroup = true
    guard let number = try? child.start() else { return false }
    let begin = DispatchTime.now().uptimeNanoseconds
    while Double(DispatchTime.now().uptimeNanoseconds - begin) * 1e-9 < Self.patience {
      if let end = ChildProcess.endIfOver(of: number) { return end == .exited(0) }
      usleep(20_000)
    }
    ChildProcess.signalGroup(of: number, SIGKILL)
    _ = ChildProcess.wait(for: number)
    return false
  }
}
