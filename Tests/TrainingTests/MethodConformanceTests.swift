import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// What holds for every method that the catalog lists, in every form.
@Suite struct MethodConformanceTests {
  @Test(arguments: MethodVariant.all)
  func `a run cut after any step ends with the same bits`(_ variant: MethodVariant) throws {
    let tiny = variant.tiny { $0.precision = .single }
    var whole = try tiny.run()
    var cuts = [whole.snapshot.encoded()]
    while try whole.step() != nil { cuts.append(whole.snapshot.encoded()) }
    #expect(cuts.count > 6)
    for (cut, bytes) in cuts.enumerated() {
      var rest = try tiny.run()
      try rest.restore(from: Snapshot(decoding: bytes))
      while try rest.step() != nil {}
      #expect(rest.snapshot.encoded() == cuts.last, "cut after step \(cut)")
    }
  }

  @Test(arguments: MethodVariant.all)
  func `one teacher has weight 1`(_ variant: MethodVariant) throws {
    let reports = try variant.tiny { $0.teachers = 1 }.reports()
    #expect(!reports.isEmpty)
    for report in reports {
      #expect(report.loss.total.scalar.isFinite)
      for weights in [report.loss.details.logitWeights, report.loss.details.featureWeights] {
        // Independent sigmoids are no shares of 1.
        guard let weights, variant.options["weightNormaliser"] != "sigmoid" else { continue }
        #expect(weights.doubles.allSatisfy { abs($0 - 1) < 1e-12 })
      }
    }
  }

  @Test(arguments: MethodVariant.all)
  func `a batch of one image trains`(_ variant: MethodVariant) throws {
    let reports = try variant.tiny { ($0.batchSize, $0.samples, $0.epochs) = (1, 3, 2) }.reports()
    #expect(reports.count == 6)
    #expect(reports.allSatisfy { $0.loss.total.scalar.isFinite })
    #expect(reports.flatMap(\.policySteps).allSatisfy { $0.objective.isFinite && $0.gradientNorm.isFinite })
  }

  @Test(arguments: MethodVariant.all)
  func `equal teachers end in finite numbers and, where weights are computed, in equal ones`(
    _ variant: MethodVariant
  ) throws {
    let reports = try variant.tiny { $0.pool = [2, 2, 2] }.reports()
    #expect(reports.allSatisfy { $0.loss.total.scalar.isFinite })
    let isComputed = ["aver-kd", "aver-kd-fitnet", "eb-kd", "ca-mkd", "aekd"].contains(variant.method)
    guard isComputed, variant.options["aekdSolver"] == nil else { return }
    for report in reports {
      let weights = try #require(report.loss.details.logitWeights).doubles
      #expect(weights.allSatisfy { abs($0 - weights[0]) < 1e-6 })
    }
  }

  /// Variants of methods whose loss depends on what teachers answer, not on where they look.
  static let readingLogits: [MethodVariant] = MethodVariant.all.filter { variant in
    Catalog.methods.entries.contains {
      $0.description.name == variant.method && $0.description.reads.contains(.logits)
    }
  }

  @Test(arguments: readingLogits)
  func `a teacher whose logits are no numbers ends the run as diverged`(_ variant: MethodVariant) throws {
    let tiny = variant.tiny { $0.isBroken = true }
    #expect(throws: TrainingDiverged.self) { try tiny.reports() }
  }

  @Test(arguments: MethodVariant.all)
  func `weights lie in 0 to 1 and, scaled as in equation 2, sum to 1`(_ variant: MethodVariant) throws {
    let reports = try variant.tiny { $0.teachers = 3 }.reports()
    let isReleased = variant.options["scaling"] != nil
    let sumsToOne =
      variant.options["weightNormaliser"] != "sigmoid" && !(isReleased && variant.method == "eb-kd")
    for report in reports {
      for weights in [report.loss.details.logitWeights, report.loss.details.featureWeights] {
        guard let weights else { continue }
        #expect(weights.doubles.allSatisfy { -1e-9 <= $0 && $0 <= 1 + 1e-9 })
        // MTKD-RL warms up with weight 1 for every teacher.
        let isWarm = variant.method == "mtkd-rl" && report.epoch == 0
        if sumsToOne, !isWarm {
          #expect(weights.rowSums().doubles.allSatisfy { abs($0 - 1) < 1e-9 })
        }
      }
    }
  }

  /// Methods in the form of equation 2, and both presets of MTKD-RL.
  static let withoutWeights: [MethodVariant] =
    Catalog.methods.names.map { MethodVariant($0) } + [.reference]

  @Test(arguments: withoutWeights)
  func `without its terms a method is the baseline`(_ variant: MethodVariant) throws {
    func student(_ tiny: TinyRun) throws -> [[Double]] {
      var run = try tiny.run()
      while try run.step() != nil {}
      return zip(run.state.slots, run.state.declarations)
        .filter { !$0.1.path.hasPrefix("distillation.") }.map { run.state[$0.0].doubles }
    }
    let description = try Catalog.methods.entry(variant.method).description
    let tiny = variant.tiny {
      // Whole batches only, as one method wants them.
      $0.samples = 8
      for name in ["alpha", "beta", "attentionBeta"]
      where description.options.contains(where: { $0.name == name }) {
        $0.options[name] = 0
      }
    }
    var baseline = tiny
    (baseline.method, baseline.options) = ("baseline", [:])
    #expect(try student(tiny) == student(baseline))
  }

  @Test func `in its first epoch MTKD-RL distils M times as hard as AVER`() throws {
    for teachers in 2...4 {
      let own = try #require(
        try MethodVariant("mtkd-rl").tiny { $0.teachers = teachers }.reports().first)
      let equal = try #require(
        try MethodVariant("aver-kd-fitnet").tiny { $0.teachers = teachers }.reports().first)
      #expect(abs(own.loss.logit! - Double(teachers) * equal.loss.logit!) < 1e-12)
      #expect(abs(own.loss.feature! - Double(teachers) * equal.loss.feature!) < 1e-12)
    }
  }

  @Test func `a run of another revision of its method is refused with the way to a new key`() throws {
    let tiny = MethodVariant("mmkd").tiny()
    let old = MethodSpec(name: "mmkd")
    #expect(throws: OtherRevision(method: "mmkd", asked: 1, known: 2)) {
      try TrainingRun(
        student: TinyRun.network(8), teachers: tiny.trainedTeachers, method: old,
        recipe: .student(epochs: 1, batchSize: 4), source: tiny.source, seed: 1)
    }
    // Every other method computes what it always did.
    let others = Catalog.methods.entries.filter { $0.description.name != "mmkd" }
    #expect(others.allSatisfy { $0.description.revision == 1 })
  }

  @Test func `a method of whole batches says so where there is none`() {
    let tiny = MethodVariant("mmkd").tiny { ($0.samples, $0.batchSize) = (3, 4) }
    #expect(throws: NoWholeBatch.self) { try tiny.run() }
  }
}
