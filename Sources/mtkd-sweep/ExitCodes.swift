import ArgumentParser
import Distillation
import Datasets
import Foundation
import Pipeline
import Specs
import Storage
import Sweeps

/// The one table of exit codes.
enum ExitCodes {
  static let doneWithFailures: Int32 = 1
  static let incomplete: Int32 = 2
  static let different: Int32 = 3
  static let notComparable: Int32 = 4
  static let badGrid: Int32 = 65
  static let missingInput: Int32 = 66
  static let unavailable: Int32 = 69
  static let internalError: Int32 = 70
  static let cannotCreate: Int32 = 73
  static let inputOutput: Int32 = 74
  static let stopped: Int32 = 75
  static let permission: Int32 = 77
  static let interruptedTwice: Int32 = 130

  /// The code for a domain error; nil for what the argument parser knows better.
  static func code(of error: any Error) -> Int32? {
    switch error {
    case is GridRejected, is InvalidNetwork, is InvalidOption: badGrid
    case is UnreadableGrid, is UnknownName, is NothingThere, is MissingData: missingInput
    case is WorkerCannotWrite: inputOutput
    case is WouldLose: doneWithFailures
    case is AlreadyThere: cannotCreate
    case is ExecutorError, is StillOnCluster: unavailable
    case is SiteError: badGrid
    case is MixedPrograms: notComparable
    case is OccupiedOutput: cannotCreate
    case is CannotListen: unavailable
    case let error as UnwritableOutput:
      error.error.isFull ? inputOutput : error.error.isDenied ? permission : cannotCreate
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
    case .held, .busy: unavailable
    case .readOnly: cannotCreate
    case .denied: permission
    case .file(let error): code(ofFile: error)
    case .otherSweep: cannotCreate
    case .notAnArchive, .notAStore, .newer, .older, .full, .damaged, .failed, .checkpointDamaged: inputOutput
    }
  }

  /// Prints what went wrong and ends the process: domain errors as they describe themselves, everything else as the parser does.
  static func leave(with error: any Error) -> Never {
    guard let code = code(of: error) else { MTKDSweep.exit(withError: error) }
    Talk.say("\(error)")
    exit(code)
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

/// Standard error, for people.
enum Talk {
  static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}

/// Standard output, for data. A reader that has gone away is no error of ours.
enum Out {
  static func put(_ text: String) {
    signal(SIGPIPE, SIG_IGN)
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }
}
