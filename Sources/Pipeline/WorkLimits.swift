internal import Foundation
package import Specs
package import Sweeps

/// What workers may take of this machine, and how long one may be silent.
package struct WorkLimits: Sendable {
  /// Bytes of memory for all workers together; nil for nine tenths of what is available now.
  package var memory: Int?
  /// Added to the niceness of workers, 0 to 19.
  package var niceness: Int
  /// Wall minutes that one attempt at a stage may take; nil for as long as it needs.
  package var minutes: Double?
  /// Seconds without a heartbeat after which a worker counts as hung.
  package var silence: Double
  /// Whether runs may go on from snapshots of another numerics profile.
  package var allowsOtherProfile = false
  /// Of each worker.
  package var threads = 1
  /// Bytes that the log of an attempt may have.
  package var logLimit = WorkerOptions.standardLogLimit
  /// Of how many of the newest epochs a trainer's weights are kept.
  package var keep = 1
  /// What runs of trainers are given; nil for nothing.
  package var devices: DeviceUse?

  package init(memory: Int? = nil, niceness: Int = 0, minutes: Double? = nil, silence: Double = 120) {
    self.memory = memory
    self.niceness = niceness
    self.minutes = minutes
    self.silence = silence
  }

  package var memoryLimit: Int { memory ?? Self.available.map { $0 / 10 * 9 } ?? .max }

  /// Bytes that can be had without swapping, as the kernel estimates them, and within the
  /// limit of the control group.
  private static var available: Int? {
    let share = MachineShare.current
    let left = share.memory.map { max(0, $0 - share.memoryInUse) }
    guard let machine = availableOnMachine else { return left }
    return left.map { min($0, machine) } ?? machine
  }

  private static var availableOnMachine: Int? {
    let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }
}

extension PlannedSweep {
  /// At so many workers that do not disturb each other: what `run` would schedule, in the grid's order, on
  /// these devices and within the memory of this machine, rehearsed on the forecast.
  package func outlook(workers: Int, devices: DeviceUse? = nil) -> Rehearsal.Outlook {
    var limits = WorkLimits()
    limits.devices = devices
    return Rehearsal.outlook(
      plan.stages, done: done, failed: Set(failed.keys), workers: workers,
      demand: demand(limits, sharing: plan.stages.count <= Rehearsal.limit),
      order: order, overhead: Forecast.overhead)
  }

  /// What the scheduler is told of the stages.
  ///
  /// - Parameter sharing: whether runs that hear the same of their teachers may start together.
  func demand(_ limits: WorkLimits, sharing: Bool) -> Scheduler.Demand {
    let forecast = forecast
    var demand = Scheduler.Demand(
      seconds: { forecast.seconds(of: $0) }, memory: { forecast.memory(of: $0) }, limit: limits.memoryLimit)
    if sharing {
      demand.groups = plan.groups(expansion.runs)
      demand.teaching = { forecast.teachingSeconds(of: $0) }
    }
    if let devices = limits.devices {
      demand.onDevices = workOfTrainers
      demand.deviceRoom = devices.share.runs
    }
    return demand
  }

  /// Runs that somebody else's trainer does, as the keys of their stages.
  package var runsOfTrainers: Set<ContentKey> {
    Set(zip(expansion.runs, plan.students).compactMap { $0.0.cell.lesson.trainer == nil ? nil : $0.1 })
  }

  /// These and what trainers do for them: teachers and their outputs.
  var workOfTrainers: Set<ContentKey> {
    let runs = runsOfTrainers
    if runs.isEmpty { return runs }
    let teaching = plan.stages.lazy.filter { stage in
      (stage.kind == TeacherStage.kind || stage.role == .helper) && (try? stage.stage.trainer) != nil
    }
    return runs.union(teaching.map(\.key))
  }

  /// Which of the waiting runs comes first.
  var order: Scheduler.Order {
    switch grid.run.order {
    case .cellMajor: return .plan
    case .shortestFirst: return .shortestFirst
    case .seedMajor:
      var ranks: [Int: Int] = [:]
      var layers: [ContentKey: Int] = [:]
      layers.reserveCapacity(plan.runKeys.count)
      for (run, key) in zip(expansion.runs, plan.runKeys) {
        let rank = ranks[run.seed] ?? ranks.count
        ranks[run.seed] = rank
        layers[key] = rank
      }
      return .layers(of: layers)
    }
  }

  /// All runs of the cell that a run is of, itself included, by its place in the plan.
  func cell(of place: Int) -> [ContentKey] {
    let labels = expansion.runs[place].labels
    return zip(expansion.runs, plan.runKeys).filter { $0.0.labels == labels }.map(\.1)
  }

  /// Why a run is left alone whose grid says so.
  static let divergedCell = "another seed of its cell diverged (onDiverged: stopCell)"
}
