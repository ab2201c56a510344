import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Specs
import Storage

/// `mtkd-sweep doctor`: what this machine gives the program, and what to do about what is missing.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this machine has and what is missing.",
    discussion: "Nothing is changed. What is absent is needed only by grids that name it.")
  @OptionGroup var location: StoreLocation
  @OptionGroup var data: DataFolders
  @Flag(help: "JSON on standard output.") var json = false

  func run() throws {
    let findings =
      try [Finding.program(), .processor(), .disk(location.path), .store(location), .locks(location)]
      + [.torch()] + Finding.datasets(data)
    if json {
      let checks = findings.map { finding -> JSONValue in
        [
          "name": .string(finding.topic), "state": .string(finding.mark.word),
          "says": .string(finding.sentence),
        ]
      }
      return Out.put(Commands.json(["schema": "mtkd-sweep-doctor-1", "checks": .array(checks)]))
    }
    Out.put(aligned(findings.map { ["  \($0.mark.rawValue)", $0.topic, $0.sentence] }))
    let troubles = findings.count { $0.mark == .trouble }
    Out.put(
      troubles == 0
        ? "This machine is ready. `mtkd-sweep init` writes a first grid, `mtkd-sweep run GRID` runs it.\n"
        : "\(troubles == 1 ? "One thing needs" : "\(troubles) things need") care: see the lines marked "
          + "\(Finding.Mark.trouble.rawValue).\n"
    )
  }
}

/// One thing that was looked at.
private struct Finding {
  enum Mark: String {
    case fine = "ok"
    case absent = "--"
    case trouble = "!!"

    /// For machines.
    var word: String {
      switch self {
      case .fine: "fine"
      case .absent: "absent"
      case .trouble: "trouble"
      }
    }
  }

  let mark: Mark
  let topic: String
  let sentence: String

  static func program() -> Finding {
    let made = ProgramIdentity.provenance()
    return Finding(
      mark: .fine, topic: "program",
      sentence:
        "mtkd-sweep \(made.version), "
        + "\(made.commit.map { "commit \($0)" } ?? "built without a recorded commit (`make` records it)")"
    )
  }

  static func processor() -> Finding {
    let made = ProgramIdentity.provenance()
    let share = MachineShare.current
    let workers = share.processors
    let memory = Double(share.memory ?? Int(ProcessInfo.processInfo.physicalMemory))
    let limit = share.memory == nil ? "" : " (the control group's limit)"
    return Finding(
      mark: .fine, topic: "processor",
      sentence:
        "\(made.cpu), \(size(memory)) of memory\(limit); runs compute matrix products by "
        + "\(NumericsProfile.matrixProducts). A run uses 1 processor, and `run` starts \(workers) "
        + "\(workers == 1 ? "worker" : "workers"): \(share.processorsBy).")
  }

  /// Below this many bytes a sweep of some length does not get far.
  private static let littleRoom = 1e9

  static func disk(_ path: String) -> Finding {
    // The store may not be there yet: its folder will be made in this one.
    let existing = FileManager.default.fileExists(atPath: path) ? path : "."
    var room = statvfs()
    guard statvfs(existing, &room) == 0 else {
      return Finding(
        mark: .trouble, topic: "disk",
        sentence: "Cannot tell how much room \(existing) has: \(String(cString: strerror(errno))).")
    }
    let free = Double(room.f_bavail) * Double(room.f_frsize)
    if access(existing, W_OK) != 0 {
      return Finding(
        mark: .trouble, topic: "disk",
        sentence: "\(existing) cannot be written. Name another folder with --store.")
    }
    return free < littleRoom
      ? Finding(
        mark: .trouble, topic: "disk",
        sentence: "Only \(size(free)) free where results go: make room, or name another folder with --store.")
      : Finding(mark: .fine, topic: "disk", sentence: "\(size(free)) free where results go")
  }

  static func store(_ location: StoreLocation) -> Finding {
    do {
      let sweeps = try location.open().sweeps().count
      let who =
        Lease.holder(of: location.folder).map {
          "process \($0.identity.process) on \($0.identity.host) is running it"
        }
        ?? "nobody is running it"
      return Finding(
        mark: .fine, topic: "store",
        sentence: "\(location.path): \(sweeps) \(sweeps == 1 ? "sweep" : "sweeps"), \(who)")
    } catch StoreError.absent {
      return Finding(
        mark: .absent, topic: "store", sentence: "\(location.path): none yet; `mtkd-sweep run GRID` makes it")
    } catch {
      return Finding(mark: .trouble, topic: "store", sentence: "\(error)")
    }
  }

  /// Whether two processes see each other's locks where results go.
  static func locks(_ location: StoreLocation) -> Finding {
    let folder = FileManager.default.fileExists(atPath: location.path) ? location.path : "."
    do {
      switch try LockProbe.isSeen(in: StoreFolder(folder), by: "/proc/self/exe") {
      case true?:
        return Finding(mark: .fine, topic: "locks", sentence: "a second process sees the locks of the first")
      case false?:
        return Finding(mark: .trouble, topic: "locks", sentence: "\(LocksUnseen(path: folder))")
      case nil:
        return Finding(
          mark: .trouble, topic: "locks",
          sentence: "Cannot tell whether locks work: no second process could be started to look at one.")
      }
    } catch {
      return Finding(mark: .trouble, topic: "locks", sentence: "\(error)")
    }
  }

  /// The Python that runs the trainer `torch`, and on what.
  static func torch() -> Finding {
    func absent(_ what: String) -> Finding {
      Finding(
        mark: .absent, topic: "torch",
        sentence:
          "\(what) Needed only by grids with \"trainer\": \"torch\". To have one: "
          + "`python3 -m venv torch-env && torch-env/bin/pip install torch numpy`, then "
          + "`PATH=$PWD/torch-env/bin:$PATH mtkd-sweep …`.")
    }
    guard let python = PythonSide.interpreter() else { return absent("No python3 on PATH answers.") }
    let which = "Python \(python.version) (\(python.path))"
    guard let torch = python.torch else { return absent("\(which) has no torch or no numpy.") }
    let devices =
      python.devices.isEmpty
      ? "it finds no graphics card and computes on the processor"
      : "it finds \(python.devices.joined(separator: ", "))"
    guard Catalog.trainers.entries.allSatisfy({ PythonSide.folder(for: $0) != nil }) else {
      return Finding(
        mark: .absent, topic: "torch",
        sentence:
          "\(which) has torch \(torch), but the trainer's modules are not beside this program: take it from "
          + "the repository, `make install` or the wheel.")
    }
    return Finding(mark: .fine, topic: "torch", sentence: "\(which) has torch \(torch); \(devices)")
  }

  static func datasets(_ data: DataFolders) throws -> [Finding] {
    let kinds: [any NamedDatasetKind] = Catalog.datasets.entries + Catalog.annotatedDatasets.entries
    return try kinds.map { kind in
      do {
        guard let missing = try kind.locate(DatasetPlace(kind.name, searching: data.folders)).missing else {
          return Finding(mark: .fine, topic: kind.name, sentence: "found: \(kind.summary)")
        }
        return Finding(mark: .absent, topic: kind.name, sentence: missing.description)
      } catch let error as DatasetError {
        return Finding(mark: .trouble, topic: kind.name, sentence: error.description)
      }
    }
  }
}
