import Pipeline
import Specs
import Sweeps

/// The devices that a call or a grid names.
enum DeviceOption {
  /// - Parameter written: of the command line, which wins.
  /// - Returns: nil where nobody names any.
  static func use(_ written: String?, _ run: GridSpec.RunPreferences) throws -> DeviceUse? {
    let named = written.map { $0.split(separator: ",").map(String.init) } ?? run.devices
    guard !named.isEmpty else { return nil }
    let devices = named == ["auto"] ? try found() : named
    if let twice = Dictionary(grouping: devices, by: \.self).first(where: { $0.value.count > 1 }) {
      throw Wrong(
        sentence: "The device \(twice.key) is named twice. A run has its devices exclusively; "
          + "\"runsPerDevice\" in the grid's \"run\" lets several share one.")
    }
    guard devices.count >= run.devicesPerRun else {
      throw Wrong(
        sentence: "A run needs \(run.devicesPerRun) devices (\"devicesPerRun\"), and there are "
          + "\(devices.count): \(devices.joined(separator: ", ")).")
    }
    return DeviceUse(
      DeviceShare(devices, perRun: run.devicesPerRun, runsPer: run.runsPerDevice), check: run.deviceCheck)
  }

  /// Those that torch finds.
  private static func found() throws -> [String] {
    let devices = PythonSide.interpreter()?.devices.compactMap {
      $0.split(separator: " ").first.map(String.init)
    }
    guard let devices, !devices.isEmpty else {
      throw Wrong(
        sentence: "Devices \"auto\" are those that torch finds, and it finds none; `mtkd-sweep doctor` says "
          + "which torch that is. Name them: --devices cuda:0,cuda:1.")
    }
    return devices
  }

  struct Wrong: UserError {
    let sentence: String
    var exitStatus: ExitStatus { .badInput }
    var description: String { sentence }
  }

  /// Devices are those of the machine that hands them out.
  struct NotHere: UserError {
    let executor: String
    var exitStatus: ExitStatus { .badInput }
    var description: String {
      "Devices are given to runs on this machine, and the executor '\(executor)' starts them elsewhere. On "
        + "a cluster ask for a device with each task, in the site file."
    }
  }
}

extension DeviceUse {
  /// Such as `cuda:0, cuda:1; 2 runs at a time`.
  var sentence: String {
    let (count, names) = (share.runs, share.devices.joined(separator: ", "))
    return "\(names); \(count == 1 ? "one run" : "\(count) runs") at a time"
  }
}
