import ArgumentParser
import Foundation
import Specs

extension ExitCode {
  init(_ status: ExitStatus) { self.init(status.rawValue) }
}

/// How the program ends.
enum ExitCodes {
  /// Prints what went wrong, if anything did, and ends the process: domain errors as they describe
  /// themselves, everything else as the argument parser does. A result that standard output did
  /// not take is a failure too.
  static func leave(with error: (any Error)? = nil) -> Never {
    let code = error.map { say($0) } ?? 0
    let isResult = [ExitStatus.success, .doneWithFailures, .incomplete].contains { $0.rawValue == code }
    guard isResult, let failure = Out.failure else { exit(code) }
    Talk.say("\(failure) The store is as it was meant to be: only what is printed from it is missing.")
    exit(ExitStatus.inputOutput.rawValue)
  }

  /// The code with which the program ends after an error.
  static func code(for error: any Error) -> Int32 {
    if let error = error as? any UserError { return error.exitStatus.rawValue }
    let code = MTKDSweep.exitCode(for: error)
    return error is ExitCode || code != .failure ? code.rawValue : ExitStatus.internalError.rawValue
  }

  /// - Returns: the exit code.
  private static func say(_ error: any Error) -> Int32 {
    if let error = error as? any UserError {
      let isLong = error.description.contains("\n")
      Talk.say(error.description + (error.nextStep.map { (isLong ? "\n" : " ") + $0 } ?? ""))
      return error.exitStatus.rawValue
    }
    let code = MTKDSweep.exitCode(for: error)
    // The parser's own errors and exit codes have a code of theirs; what is left over
    // has the one for "failure".
    guard error is ExitCode || code != .failure else {
      Talk.say(
        "Internal error: \(error). Run the same command again; `mtkd-sweep doctor` says what "
          + "this machine has."
      )
      return ExitStatus.internalError.rawValue
    }
    let text = MTKDSweep.fullMessage(for: error)
    if !text.isEmpty { code.isSuccess ? Out.put(text + "\n") : Talk.say(text) }
    return code.rawValue
  }
}

/// A name that the store does not have, or has too many of.
struct NothingThere: UserError {
  var exitStatus: ExitStatus { .missingInput }
  let description: String
}

/// Datasets and weights that a run needs and nobody has put in place.
struct MissingData: UserError {
  var exitStatus: ExitStatus { .missingInput }
  let sentences: [String]
  var description: String { sentences.joined(separator: "\n") }
}
