import Foundation
import Networks
import Pipeline
import Specs
import Sweeps
import Tensors

/// How large the weights of a finished student are: their p-norm.
struct WeightNormStage: StageKind {
  static let kind = "weight-norm"
  static let role = StageRole.result
  static let revision = 1

  let run: RunSpec
  var inputs: [ContentKey] { [run.datasetKey, run.studentKey] }

  static func stages(after run: RunSpec) -> [WeightNormStage] { [WeightNormStage(run)] }

  init(_ run: RunSpec) { self.run = run }
  init(_ json: JSONValue, at path: String) throws(SpecError) { run = try RunSpec(json, at: path) }
  func append(to bytes: inout [UInt8]) { run.append(to: &bytes) }

  func title(_ names: WrittenNames) -> String {
    "weight norm of \(names.title(of: run.student)) \(run.method.name), seed \(run.seed)"
  }

  func run(in workspace: Workspace) throws {
    try workspace.begin()
    let state = try workspace.student(of: run).state
    let order = Double(run.recipe[.normOrder].integer ?? 2)
    var sum = 0.0
    for slot in state.parameters { sum += state[slot].doubles.reduce(0) { $0 + pow(abs($1), order) } }
    let norm = pow(sum, 1 / order)
    try workspace.publish([("norm.txt", Array("\(norm)\n".utf8))], metrics: ["weights.norm": norm])
  }
}
