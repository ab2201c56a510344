package import Specs

/// Where workers run, as `run --executor` names it.
package struct ExecutorChoice: Sendable {
  package let name: String
  package let help: String
}

extension Catalog where Entry == ExecutorChoice {
  package static let executors = Catalog(
    "executor",
    [
      ExecutorChoice(name: LocalProcesses.name, help: "processes on this machine"),
      ExecutorChoice(name: Slurm.name, help: "jobs of a Slurm cluster; returns once they are submitted"),
      ExecutorChoice(name: SSHHosts.name, help: "processes on machines that share the store's folder"),
    ]
  ) { $0.name }
}
