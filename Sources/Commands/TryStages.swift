import ArgumentParser
import Foundation
import Pipeline
import Specs
import Sweeps

/// `check --try`: every distinct stage for one step, each in a process of its own.
struct StageTrials {
  let threads: Int

  /// A trial and what came of it.
  struct Result {
    let trial: StageTrial
    /// Nil where it failed.
    let outcome: StageTrial.Outcome?
    /// Why, a sentence.
    let failure: String?
  }

  /// - Parameter told: is told of every result when it is there.
  func run(_ trials: [StageTrial], told: (Result) -> Void) throws -> [Result] {
    try trials.map { trial in
      let result = try run(trial)
      told(result)
      return result
    }
  }

  private func run(_ trial: StageTrial) throws -> Result {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [TryStage.configuration.commandName!]
    var environment = ProcessInfo.processInfo.environment
    for (name, value) in try trial.environment { environment[name] = value }
    process.environment = environment
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    input.fileHandleForWriting.write(trial.request(threads: threads))
    try input.fileHandleForWriting.close()
    let answer = (try output.fileHandleForReading.readToEnd()) ?? Data()
    process.waitUntilExit()
    guard process.terminationReason == .exit else {
      let signal = process.terminationStatus
      let memory = signal == SIGKILL ? "; the system ends what takes too much memory" : ""
      return Result(trial: trial, outcome: nil, failure: "it was ended by signal \(signal)\(memory)")
    }
    let json = try? JSONReader.read(Array(answer)).value
    if let outcome = json.flatMap({ try? StageTrial.Outcome($0) }) {
      return Result(trial: trial, outcome: outcome, failure: nil)
    }
    let reason = json?.object?["failure"]?.string ?? "it ended with status \(process.terminationStatus)"
    return Result(trial: trial, outcome: nil, failure: reason)
  }

  /// Lines for people: `student resnet8 mtkd-rl, 2 teachers: step 0.21 s, evaluation batch 0.05 s, peak
  /// memory 340 MB (6 stages)`.
  static func text(_ result: Result) -> String {
    let stages = "(\(counted(result.trial.stages, "stage")))"
    guard let outcome = result.outcome else {
      return "\(result.trial.title): failed: \(result.failure ?? "unknown") \(stages)"
    }
    return
      "\(result.trial.title): step \(seconds(outcome.step)), evaluation batch "
      + "\(seconds(outcome.evaluation)), peak memory \(size(Double(outcome.peakBytes))) \(stages)"
  }

  static func machine(_ result: Result) -> JSONValue {
    var members: [String: JSONValue] = [
      "title": .string(result.trial.title), "stages": JSONValue(result.trial.stages),
    ]
    members["stepSeconds"] = result.outcome.map { JSONValue($0.step) }
    members["evaluationSeconds"] = result.outcome.map { JSONValue($0.evaluation) }
    members["peakBytes"] = result.outcome.map { JSONValue($0.peakBytes) }
    members["failure"] = result.failure.map { .string($0) }
    return .object(members)
  }

  /// `0.021 s`, `12.3 s`.
  private static func seconds(_ value: Double) -> String {
    String(format: value < 1 ? "%.3f s" : "%.1f s", value)
  }
}

/// The process of one trial: a request on standard input, an outcome on standard output.
struct TryStage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "try-stage", abstract: "One step of one stage; started by `check --try`.",
    shouldDisplay: false)

  func run() throws {
    let request = FileHandle.standardInput.readDataToEndOfFile()
    do {
      Out.put(CanonicalJSON.text(of: try StageTrial.perform(Array(request))) + "\n")
    } catch {
      Out.put(CanonicalJSON.text(of: .object(["failure": .string("\(error)")])) + "\n")
    }
  }
}
