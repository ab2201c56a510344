import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// The logit and feature loss of each teacher, which runs record beside its weight.
@Suite struct TeacherTermTests {
  /// The numbers of `teacher.N.TERM` of an epoch, in the order of the pool.
  private static func terms(_ metrics: Metrics, _ term: String) -> [Double] {
    (0...).lazy.map { metrics["teacher.\($0).\(term)"] }.prefix { $0 != nil }.map { $0! }
  }

  @Test func `they are means over samples, and weigh together what the whole term is`() throws {
    // Ten images in batches of four, four and two: means of batches would be another number.
    let reports = try MethodVariant("aver-kd-fitnet").tiny().reports()
    var (sums, samples) = ([0.0, 0.0], 0)
    for report in reports {
      let costs = try #require(report.loss.details.logitCosts)
      for teacher in 0..<2 {
        sums[teacher] += costs.sliced(axis: 1, from: teacher, to: teacher + 1).sum().scalar
      }
      samples += report.samples
      guard let metrics = report.finishedEpoch?.metrics else { continue }
      let logit = Self.terms(metrics, "logit")
      let feature = Self.terms(metrics, "feature")
      #expect(logit.count == 2 && feature.count == 2)
      #expect(zip(logit, sums).allSatisfy { abs($0 - $1 / Double(samples)) < 1e-12 })
      #expect(abs((logit[0] + logit[1]) / 2 - metrics["train.logit"]!) < 1e-12)
      #expect(abs((feature[0] + feature[1]) / 2 - metrics["train.feature"]!) < 1e-12)
      (sums, samples) = ([0, 0], 0)
    }
  }

  @Test(arguments: MethodVariant.all.filter { $0.method != "baseline" })
  func `every method that asks teachers records a loss of each`(_ variant: MethodVariant) throws {
    let reports = try variant.tiny { $0.teachers = 3 }.reports()
    let metrics = try #require(reports.last?.finishedEpoch?.metrics)
    func count(_ term: String) -> Int { metrics["train.\(term)"] == nil ? 0 : 3 }
    #expect(Self.terms(metrics, "logit").count == count("logit"))
    #expect(count("logit") + count("feature") > 0)
    // The released form of AMTML-KD compares maps in a way of its own.
    let hasOwnHints = variant.method == "amtml-kd" && variant.options["scaling"] == "released"
    #expect(hasOwnHints || Self.terms(metrics, "feature").count == count("feature"))
  }

  @Test func `an epoch that an older program began records none, the next one does`() throws {
    let tiny = MethodVariant("aver-kd").tiny()
    var run = try tiny.run()
    _ = try run.step()
    // What the older program's snapshot did not hold.
    let whole = try Safetensors(decoding: run.snapshot.encoded())
    var old = Safetensors()
    old.metadata = whole.metadata
    for entry in whole.entries
    where !entry.name.hasPrefix("sums/total/teacher.0.")
      && !entry.name.hasPrefix("sums/total/teacher.1.")
    { old.append(entry) }
    #expect(old.entries.count == whole.entries.count - 2)
    var rest = try tiny.run()
    try rest.restore(from: Snapshot(decoding: old.encoded()))
    var epochs: [Metrics] = []
    while let report = try rest.step() {
      if let metrics = report.finishedEpoch?.metrics { epochs.append(metrics) }
    }
    #expect(epochs.map { Self.terms($0, "logit").count } == [0, 2, 2])
  }
}
