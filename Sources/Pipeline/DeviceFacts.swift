internal import Foundation
internal import Sweeps

/// What is known of the devices of a run, for its record: name, driver and memory of NVIDIA's, as
/// `nvidia-smi` tells them.
enum DeviceFacts {
  /// Such as `cuda:1 NVIDIA H100 80GB HBM3, driver 570.86.15, 81559 MiB`; the bare name where nobody tells
  /// more. Empty for a run without devices.
  static func ofThisProcess() -> [String] {
    let environment = ProcessInfo.processInfo.environment
    // A cluster hides the others in the same way and gives no names.
    let names =
      environment[DevicePool.variable]
      ?? environment["CUDA_VISIBLE_DEVICES"].map { visible in
        visible.split(separator: ",").map { "cuda:\($0)" }.joined(separator: ",")
      }
    guard let names, !names.isEmpty else { return [] }
    return described(
      names.split(separator: ",").map(String.init), by: names.contains("cuda:") ? listing() : "")
  }

  /// - Parameter listing: of `nvidia-smi`, a line a device: number, name, driver, memory.
  static func described(_ names: [String], by listing: String) -> [String] {
    var facts: [String: String] = [:]
    for line in listing.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      if fields.count == 4 { facts["cuda:\(fields[0])"] = "\(fields[1]), driver \(fields[2]), \(fields[3])" }
    }
    return names.map { name in facts[name].map { "\(name) \($0)" } ?? name }
  }

  /// Seconds that a driver may take to answer.
  private static let patience = 10.0

  /// Nothing where there is no such program, or where it does not answer.
  private static func listing() -> String {
    let words = [
      "nvidia-smi", "--query-gpu=index,name,driver_version,memory.total", "--format=csv,noheader",
    ]
    guard let child = try? TrainerProcess(words, in: "/", saying: [], mark: "") else { return "" }
    defer { child.endGroup() }
    let begin = DispatchTime.now().uptimeNanoseconds
    var said: [String] = []
    while let lines = child.lines(isAsked: false) {
      said += lines
      if Double(DispatchTime.now().uptimeNanoseconds - begin) * 1e-9 > patience { return "" }
    }
    return child.end == .exited(0) ? said.joined(separator: "\n") : ""
  }
}
