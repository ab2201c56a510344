import ArgumentParser
import CProcesses
import Distillation
import Foundation
import Pipeline
import Specs
import Storage

/// The command line, for programs that have catalog entries of their own:
///
///     @main
///     enum MySweep {
///       static func main() async throws {
///         var extensions = Extensions()
///         try extensions.add(PlainFamily.self)
///         await extensions.use { await SweepProgram.main() }
///       }
///     }
///
/// The program is then `mtkd-sweep` with these entries. Workers are the same program started again, so they
/// have them too.
public enum SweepProgram {
  /// Does what the arguments of this process say, and ends the process with the exit code that fits.
  @MainActor public static func main() async { await MTKDSweep.main() }
}

/// `mtkd-sweep`: the command tree.
struct MTKDSweep: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mtkd-sweep",
    abstract:
      "From a grid file to a table of means and stds: multi-teacher distillation sweeps that "
      + "survive anything.",
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
      Models.self, Methods.self, RecipesCommand.self, SettingsCommand.self, DatasetsCommand.self,
      Presets.self, SchemaCommand.self,
      Migrate.self,
      Bench.self,
      Doctor.self,
      Verify.self, Rebuild.self, Fsck.self, GC.self, Archive.self, Unarchive.self, Backup.self, Sweeps.self,
      Unlock.self,
      WorkerCommand.self, TryStage.self, Manual.self,
    ])

  private static let commandNames =
    configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]

  /// What was typed after the program's name.
  static let arguments = (1..<max(1, process_argument_count())).map {
    String(cString: process_argument($0))
  }

  // On the thread that there is: where no other can be started, the first step to one would be the last.
  @MainActor static func main() async {
    // What the program starts itself comes first, because it starts often: it reads no grid.
    if let job = WorkerJob(arguments) { Foundation.exit(job.run()) }
    if arguments.count == 2, arguments[0] == LockProbe.command {
      Foundation.exit(LockProbe.look(at: arguments[1]))
    }
    // A setting with two meanings would be read one way here and another there.
    if case .failure(let error) = SettingCatalog.ofThisProgram { ExitCodes.leave(with: error) }
    if let topic = HelpTopic.asked(by: arguments) {
      Out.put(topic.text)
      ExitCodes.leave()
    }
    if let script = HelpTopic.completionScript(for: arguments) {
      Out.put(script)
      ExitCodes.leave()
    }
    if arguments == ["run"] { FirstContact.explainRun() }
    FirstContact.explainUnknownTopic(arguments, commands: commandNames)
    FirstContact.explainUnknownCommand(arguments.first, known: commandNames)
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        // Without threads nothing would ever answer an `await`.
        try NoThread.check()
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      ExitCodes.leave(with: error)
    }
    ExitCodes.leave()
  }
}
