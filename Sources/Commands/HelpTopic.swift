import ArgumentParser
import Foundation
import Specs

/// `mtkd-sweep help TOPIC`: what belongs to no single command.
struct HelpTopic: Sendable {
  let name: String
  let text: String

  /// The topic that a command line asks for.
  static func asked(by arguments: [String]) -> HelpTopic? {
    guard arguments.count == 2, arguments[0] == "help" else { return nil }
    return try? Catalog.helpTopics.entry(arguments[1])
  }

  /// The script that `--generate-completion-script SHELL` prints, with commands and topics behind `help`,
  /// whose words the parser leaves to nobody; nil where none is asked for.
  static func completionScript(for arguments: [String]) -> String? {
    let option = "--generate-completion-script"
    let name =
      arguments.first == option && arguments.count == 2
      ? arguments[1]
      : arguments.count == 1 && arguments[0].hasPrefix(option + "=")
        ? String(arguments[0].dropFirst(option.count + 1)) : nil
    guard let shell = name.flatMap(CompletionShell.init) else { return nil }
    let commands = MTKDSweep.configuration.subcommands.filter { $0.configuration.shouldDisplay }
    let words = (Catalog.helpTopics.names + commands.compactMap { $0.configuration.commandName })
      .joined(separator: " ")
    let script = MTKDSweep.completionScript(for: shell)
    switch shell {
    case .bash:
      return script.replacing(
        "_mtkd-sweep_help() {\n",
        with: "_mtkd-sweep_help() {\n    COMPREPLY=($(compgen -W '\(words)' -- \"${cur}\"))\n    return\n")
    case .zsh:
      return script.replacing("'*:subcommands:'", with: "'*:subcommands:(\(words))'")
    default:
      return script
        + "complete -c 'mtkd-sweep' -n '__fish_seen_subcommand_from help' -fka '\(words)'\n"
    }
  }
}

extension Catalog where Entry == HelpTopic {
  static let helpTopics = Catalog(
    "help topic",
    [
      HelpTopic(
        name: "grid",
        text: """
          A grid is a JSON file (comments and trailing commas are allowed) that says which runs a table needs:

            { "version": 1, "name": "first-look",
              "base": { "student": "mini-resnet8-w8", "teachers": ["mini-wrn-16-1"], "epochs": 6 },
              "axes": { "method": ["baseline", "mtkd-rl"], "alpha": { "range": [0, 1, 0.5] } },
              "seeds": { "count": 3 } }

            base      what all runs share        axes      every combination
            zip       lists walked together      exclude   combinations left out
            include   single runs added          blocks    several products in one sweep
            extends   "preset:NAME" or a path    seeds     replicates of every cell
            run       how to work: no result     report    how to show: no result

          Runs that differ only in what their method does not read are one run. Next: `mtkd-sweep presets show smoke > grid.json`,
          `mtkd-sweep check grid.json`; `mtkd-sweep methods NAME` lists settings, `mtkd-sweep schema` prints a schema for editors.

          """),
      HelpTopic(
        name: "exit-codes",
        text: ExitStatus.allCases.map { status in
          let code = String(status.rawValue)
          return "\(String(repeating: " ", count: 5 - code.count))\(code)  \(status.meaning)\n"
        }.joined()),
      HelpTopic(
        name: "on-end",
        text: """
          `mtkd-sweep run FILE --on-end COMMAND` runs a line of shell when the run has ended, however it ended; a second Ctrl-C, a
          kill and a grid that was refused excepted. It finds in its environment:

          \(EndHook.variables.map { "  \($0.name.padding(toLength: 22, withPad: " ", startingAt: 0))\($0.meaning)" }.joined(separator: "\n"))

          mtkd-sweep run grid.json --on-end 'echo "$MTKD_SWEEP_NAME: $MTKD_SWEEP_FINISHED of $MTKD_SWEEP_RUNS" | mail -s done me'

          """),
      HelpTopic(
        name: "statistics",
        text: """
          A cell holds the runs that differ in nothing but their seed. Its number is the mean of one value a run and the sample
          standard deviation (ddof 1: divided by n - 1), with n in the footer; a single run has no std.

          The value is the metric after the last epoch; the best epoch, chosen on the test set, stands beside it in brackets and is
          biased upwards. "report": { "select": … } in the grid chooses another epoch and the table says so.

          A seed without a result is never passed over: the cell says `2 of 3` and the footnote why. A run whose loss stops being
          finite is a result, too: `1 diverged`. `mtkd-sweep report --require-complete` exits with 2 where anything is missing.

          """),
      HelpTopic(
        name: "resuming",
        text: """
          `mtkd-sweep run FILE` starts, resumes and grows: it plans, subtracts what is done, and goes on. There is no flag for it.

          Ctrl-C once: running stages write a snapshot at the next step and leave (exit 75). Twice: they end at once (130), and what is
          lost is the work since the last snapshot: an epoch or 60 seconds, whichever is shorter. After a kill or a loss of power the
          same command goes on and ends with the same bits. `--until TIME` and `--max-runs N` stop by themselves, `--only NAME=VALUE`
          leaves other runs for later.

          """),
    ]
  ) { $0.name }
}
