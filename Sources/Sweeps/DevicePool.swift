package import Specs

/// Devices of this machine, such as graphics cards, and how runs of trainers share them.
package struct DeviceShare: Hashable, Sendable {
  /// By the names that trainers are told: `cuda:0`.
  package let devices: [String]
  /// How many a run gets.
  package let perRun: Int
  /// How many runs share one; 1 where a run gets several.
  package let runsPer: Int

  /// - Precondition: enough devices for a run, and not both numbers above 1.
  package init(_ devices: [String], perRun: Int = 1, runsPer: Int = 1) {
    precondition(devices.count >= perRun && perRun >= 1 && runsPer >= 1 && (perRun == 1 || runsPer == 1))
    self.devices = devices
    self.perRun = perRun
    self.runsPer = runsPer
  }

  /// How many runs may have devices at a time.
  package var runs: Int { devices.count * runsPer / perRun }
}

/// Who has which devices: exclusively, or as many runs a device as are meant to share one. A value
/// without a clock or a process.
package struct DevicePool: Sendable {
  private let share: DeviceShare
  private var working: [String]
  private var holders: [ContentKey: [String]] = [:]

  package init(_ share: DeviceShare) {
    self.share = share
    working = share.devices
  }

  /// How many runs the devices that are left have room for, those at work included.
  package var room: Int { working.count * share.runsPer / share.perRun }

  /// Gives a run its devices, those with the fewest runs first; nil where there are not enough.
  package mutating func take(for run: ContentKey) -> [String]? {
    precondition(holders[run] == nil, "\(run.short) has devices")
    let loads = working.enumerated().map { place, device in
      (load: holders.values.count { $0.contains(device) }, place: place)
    }
    let free = loads.filter { $0.load < share.runsPer }.sorted { ($0.load, $0.place) < ($1.load, $1.place) }
    guard free.count >= share.perRun else { return nil }
    let taken = free.prefix(share.perRun).map { working[$0.place] }
    holders[run] = taken
    return taken
  }

  /// - Returns: what the run had; nothing where it had none.
  @discardableResult
  package mutating func release(by run: ContentKey) -> [String] { holders.removeValue(forKey: run) ?? [] }

  /// Gives a device to nobody any more. Runs that have it keep it.
  ///
  /// - Returns: whether it was in use until now.
  package mutating func setAside(_ device: String) -> Bool {
    let before = working.count
    working.removeAll { $0 == device }
    return working.count < before
  }

  /// What a run finds in its environment. The variables of the drivers hide all other devices from it.
  package static func environment(of devices: [String]) -> [String: String] {
    guard !devices.isEmpty else { return [:] }
    var environment = [variable: devices.joined(separator: ",")]
    let numbers = devices.compactMap { device in
      device.hasPrefix("cuda:") ? Int(device.dropFirst("cuda:".count)) : nil
    }
    if numbers.count == devices.count {
      for name in ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"] {
        environment[name] = numbers.map(String.init).joined(separator: ",")
      }
    }
    return environment
  }

  /// Tells a trainer which devices it has.
  package static let variable = "MTKD_DEVICE"
}
