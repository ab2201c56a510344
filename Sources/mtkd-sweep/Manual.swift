import ArgumentParser
import Pipeline

/// `mtkd-sweep manual`: the manual page, from what the commands say of themselves. `make install` puts it in its place.
struct Manual: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Print the manual page, in the form that man reads.", shouldDisplay: false)

  func run() { Out.put(Self.page) }

  static var page: String {
    var lines = [
      ".TH MTKD-SWEEP 1 \"\" \"mtkd-sweep \(ProgramIdentity.version)\" \"User Commands\"", ".SH NAME",
      "mtkd\\-sweep \\- \(escaped(MTKDSweep.configuration.abstract))", ".SH SYNOPSIS",
      ".B mtkd\\-sweep", ".I command", "[options]", ".SH DESCRIPTION",
    ]
    lines += preformatted(MTKDSweep.configuration.discussion)
    lines.append(".SH COMMANDS")
    for command in MTKDSweep.configuration.subcommands where command.configuration.shouldDisplay {
      lines.append(".SS \(escaped(command._commandName))")
      lines += preformatted(MTKDSweep.helpMessage(for: command, columns: 78))
    }
    lines += [
      ".SH FILES", ".TP", ".I results/store.sqlite",
      "The results of all sweeps of a store, which \\-\\-store names.",
      ".TP", ".I results/stages/", "A folder for each stage: its attempts with their logs, and its output.",
      ".SH SEE ALSO", "The pages in docs/ of the source: tutorial, grid, reproducing, faq.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Help as it is laid out for a terminal.
  private static func preformatted(_ text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }
    return [".nf"] + lines + [".fi"]
  }

  /// Text in which man sees no request of its own.
  private static func escaped(_ text: String) -> String {
    let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
  }
}
