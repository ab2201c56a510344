import Commands
import Datasets
import Distillation
import Networks
import Pipeline
import Reports
import Specs
import Sweeps
import Training

/// `mtkd-sweep` with one entry more in each catalog. In a program of its own, `@main` stands before the enum.
enum MySweep {
  static func main() async throws {
    let extensions = try extensions()
    await extensions.use { await SweepProgram.main() }
  }

  static func extensions() throws -> Extensions {
    var extensions = Extensions()
    try extensions.add(PlainFamily.self)
    try extensions.add(FirstStageKD.self)
    try extensions.add(Stripes())
    try extensions.add(TypstTable.self)
    try extensions.add(.inThisProcess)
    try extensions.add(BrierScore.self)
    try extensions.add(.normOrder)
    try extensions.add(WeightNormStage.self)
    return extensions
  }
}
