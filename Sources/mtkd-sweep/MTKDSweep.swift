import ArgumentParser
import Foundation
import Pipeline
import Specs

/// `mtkd-sweep`: the command tree.
@main
struct MTKDSweep: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mtkd-sweep",
    abstract:
      "From a grid file to a table of means and deviations: multi-teacher distillation sweeps that survive anything.",
    discussion: """
      mtkd-sweep run sweeps/smoke.json      plan, run, table. Interrupted? The same command goes on, bit for bit.
      mtkd-sweep help TOPIC                 \(Catalog.helpTopics.names.joined(separator: ", ")).
      """,
    version: ProgramIdentity.version,
    subcommands: [
      Init.self, Check.self, Plan.self, Run.self, Status.self, Report.self, Export.self, Import.self,
      Serve.self,
      List.self,
      Show.self, Logs.self,
      Compare.self, Plot.self,
      Retry.self, Cancel.self,
      Models.self, Methods.self, DatasetsCommand.self, Presets.self, SchemaCommand.self, Migrate.self,
      Bench.self,
      Doctor.self,
      Verify.self, Rebuild.self, Fsck.self, GC.self, Archive.self, Unarchive.self,
      WorkerCommand.self, Manual.self,
    ])

  private static let commandNames =
    configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]

  static func main() async {
    if let topic = HelpTopic.asked(by: Array(CommandLine.arguments.dropFirst())) {
      return Out.put(topic.text)
    }
    if let job = WorkerJob(Array(CommandLine.arguments.dropFirst())) { Foundation.exit(job.run()) }
    if CommandLine.arguments.dropFirst() == ["run"] { FirstContact.explainRun() }
    FirstContact.explainUnknownCommand(CommandLine.arguments.dropFirst().first, known: commandNames)
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      ExitCodes.leave(with: error)
    }
  }
}
