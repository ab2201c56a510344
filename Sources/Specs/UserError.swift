/// What the program ends with: numbers of sysexits.h where one fits.
package enum ExitStatus: Int32, CaseIterable, Sendable {
  case success = 0
  case doneWithFailures = 1
  case incomplete = 2
  case different = 3
  case notComparable = 4
  /// The argument parser's own.
  case wrongUse = 64
  case badInput = 65
  case missingInput = 66
  case unavailable = 69
  case internalError = 70
  case cannotCreate = 73
  case inputOutput = 74
  case stopped = 75
  case permission = 77
  case interruptedTwice = 130
  case terminated = 143

  /// A line of `help exit-codes`.
  package var meaning: String {
    switch self {
    case .success: "success"
    case .doneWithFailures: "done, and some runs failed or diverged; damage was found"
    case .incomplete: "the report is incomplete (--require-complete)"
    case .different: "verification found a difference"
    case .notComparable: "not comparable: another program or another processor"
    case .wrongUse: "wrong use of the command line"
    case .badInput: "the grid, or another file of the user's, cannot be used as it is"
    case .missingInput: "something that was named is not there"
    case .unavailable:
      "the store is held by another process or has no locks, or the executor cannot be reached"
    case .internalError: "an error of the program"
    case .cannotCreate: "something cannot be created, or would be overwritten"
    case .inputOutput: "reading or writing failed; the disk may be full"
    case .stopped: "stopped on request; the same command goes on"
    case .permission: "no permission"
    case .interruptedTwice: "a second Ctrl-C: ended at once; the same command goes on"
    case .terminated: "a second SIGTERM: ended at once; the same command goes on"
    }
  }
}

/// An error that its user can do something about. The program prints the description, then the next step,
/// and ends with the status.
///
///     struct UnknownShape: UserError {
///       let name: String
///       var exitStatus: ExitStatus { .missingInput }
///       var description: String { "There is no shape named '\(name)'." }
///       var nextStep: String? { "`mtkd-sweep datasets` lists them." }
///     }
package protocol UserError: Error, CustomStringConvertible, Sendable {
  var exitStatus: ExitStatus { get }
  /// Whole sentences, or a command to type; nil where the description says it already.
  var nextStep: String? { get }
}

extension UserError {
  package var nextStep: String? { nil }
}
