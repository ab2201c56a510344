import ArgumentParser
import Distillation
import Datasets
import Foundation
import Pipeline
import Reports
import Specs
import Storage
import Sweeps

/// The one table of exit codes.
enum ExitCodes {
  static let doneWithFailures: Int32 = 1
  static let incomplete: Int32 = 2
  static let different: Int32 = 3
  static let notComparable: Int32 = 4
  /// The argument parser's own.
  static let wrongUse: Int32 = 64
  static let badGrid: Int32 = 65
  static let missingInput: Int32 = 66
  static let unavailable: Int32 = 69
  static let internalError: Int32 = 70
  static let cannotCreate: Int32 = 73
  static let inputOutput: Int32 = 74
  static let stopped: Int32 = 75
  static let permission: Int32 = 77
  static let interruptedTwice: Int32 = 130
  static let terminated: Int32 = 143

  /// Every code with what it means: the text of `help exit-codes`.
  static let table: [(code: Int32, meaning: String)] = [
    (0, "success"),
    (doneWithFailures, "done, and some runs failed or diverged; damage was found"),
    (incomplete, "the report is incomplete (--require-complete)"),
    (3, "verification found a difference"),
    (4, "not comparable: another program or another processor"),
    (wrongUse, "wrong use of the command line"),
    (badGrid, "the grid, or another file of the user's, cannot be used as it is"),
    (missingInput, "something that was named is not there"),
    (unavailable, "the store is held by another process or has no locks, or the executor cannot be reached"),
    (internalError, "an error of the program"),
    (cannotCreate, "something cannot be created, or would be overwritten"),
    (inputOutput, "reading or writing failed; the disk may be full"),
    (stopped, "stopped on request; the same command goes on"),
    (permission, "no permission"),
    (interruptedTwice, "a second Ctrl-C: ended at once; the same command goes on"),
    (terminated, "a second SIGTERM: ended at once; the same command goes on"),
  ]

  /// The code for a domain error; nil for what the argument parser knows better.
  static func code(of error: any Error) -> Int32? {
    switch error {
    case is GridRejected, is InvalidNetwork, is InvalidOption, is WeightsError: badGrid
    case is UnreadableGrid, is UnknownName, is NothingThere, is MissingData: missingInput
    case is WorkerCannotWrite: inputOutput
    case is WouldLose: doneWithFailures
    case is AlreadyThere: cannotCreate
    case is ExecutorError, is StillOnCluster, is LocksUnseen: unavailable
    case is OtherGrid: cannotCreate
    case is SiteError: badGrid
    case is MixedPrograms: notComparable
    case is NoFigure: missingInput
    case is NoConverter: unavailable
    case is OccupiedOutput, is OccupiedGrid: cannotCreate
    case is InvalidAnswer: badGrid
    case is CannotListen, is NoThread, is NoRoomForWorkers: unavailable
    case let error as StartFailure: error.isPassing ? unavailable : internalError
    case let error as UnwritableOutput:
      error.error.isFull || [EIO, EPIPE].contains(error.error.code)
        ? inputOutput : error.error.isDenied ? permission : cannotCreate
    case let error as DatasetError:
      if case .missing = error { missingInput } else { badGrid }
    case let error as FileError: code(ofFile: error)
    case let error as StoreError: code(ofStore: error)
    default: nil
    }
  }

  // Names of their own: among equal names the optional result of the one above would win, and call itself for ever.
  private static func code(ofFile error: FileError) -> Int32 {
    if error.isAbsent { return missingInput }
    if error.isReadOnly { return cannotCreate }
    return error.isDenied ? permission : inputOutput
  }

  private static func code(ofStore error: StoreError) -> Int32 {
    switch error {
    case .absent, .unknownSweep, .unknownStage, .checkpointAbsent: missingInput
    case .held, .busy, .superseded: unavailable
    case .readOnly: cannotCreate
    case .denied, .halfCommitted: permission
    case .file(let error): code(ofFile: error)
    case .otherSweep: cannotCreate
    case .notAnArchive, .notAStore, .notRegular, .newer, .older, .full, .damaged, .altered, .failed,
      .checkpointDamaged:
      inputOutput
    }
  }

  /// Prints what went wrong, if anything did, and ends the process: domain errors as they describe themselves, everything
  /// else as the argument parser does. A result that standard output did not take is a failure too.
  static func leave(with error: (any Error)? = nil) -> Never {
    let code = error.map { say($0) } ?? 0
    let isResult = [0, doneWithFailures, incomplete].contains(code)
    guard isResult, let failure = Out.failure else { exit(code) }
    Talk.say("\(failure) The store is as it was meant to be: only what is printed from it is missing.")
    exit(inputOutput)
  }

  /// The code with which the program ends after an error.
  static func code(for error: any Error) -> Int32 {
    if let code = code(of: error) { return code }
    let code = MTKDSweep.exitCode(for: error)
    return error is ExitCode || code != .failure ? code.rawValue : internalError
  }

  /// - Returns: the exit code.
  private static func say(_ error: any Error) -> Int32 {
    if let code = code(of: error) {
      Talk.say("\(error)\(nextStep(after: error))")
      return code
    }
    let code = MTKDSweep.exitCode(for: error)
    // The parser's own errors and exit codes have a code of theirs; what is left over has the one for "failure".
    guard error is ExitCode || code != .failure else {
      Talk.say(
        "Internal error: \(error). Run the same command again; `mtkd-sweep doctor` says what this machine has."
      )
      return internalError
    }
    let text = MTKDSweep.fullMessage(for: error)
    if !text.isEmpty { code.isSuccess ? Out.put(text + "\n") : Talk.say(text) }
    return code.rawValue
  }

  /// What to type next, for errors whose own sentence does not say it.
  private static func nextStep(after error: any Error) -> String {
    switch error {
    case let error as GridRejected:
      guard let file = error.problems.first?.place.file, !file.hasPrefix("preset:") else { return "" }
      return "\nCorrect \(file) and type `mtkd-sweep check \(shellWord(file))`."
    case let error as UnknownName:
      let commands = [
        "network": "models", "method": "methods", "dataset": "datasets", "preset": "presets",
      ]
      return commands[error.kind].map { " `mtkd-sweep \($0)` lists them." } ?? ""
    default: return ""
    }
  }
}

/// A name that the store does not have, or has too many of.
struct NothingThere: Error, CustomStringConvertible {
  let description: String
}

/// A dataset that a run needs and nobody has put in place.
struct MissingData: Error, CustomStringConvertible {
  let sentences: [String]
  var description: String { sentences.joined(separator: "\n") }
}
