import Distillation
import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// Whole training runs against recorded ones: every number of every step, in double and in float.
@Suite struct TrajectoryFixtureTests {
  static let all: [Trajectory] = {
    guard Fixtures.has("trajectories/index.json") else {
      Fixtures.skip("no trajectories in \(Fixtures.folder.path)")
      return []
    }
    do {
      let index = try SpecObject(JSONReader.read(Fixtures.bytes("trajectories/index.json")).value)
      return try index.array("files").compactMap(\.string).map { try Trajectory($0) }
    } catch {
      fatalError("trajectories: \(error)")
    }
  }()

  /// Double precision, and single precision on either path.
  enum Path: CaseIterable {
    case double, reference, fast
    var precision: Precision { self == .double ? .double : .single }
    var convolution: ConvolutionChoice { self == .fast ? .auto : .reference }
  }

  /// Where rounding on the fast path puts a pre-activation on the other side of a ReLU's kink than in the record: the gradient of that step jumps, and
  /// later numbers are another trajectory. Until then every number agrees, as on the reference path to the end. 0-based epoch and batch.
  ///
  /// Of camkd-released-m2 it is the regressor of teacher 1: in double precision its pre-activation of sample 7, channel 59, pixel (2, 0) is 1.9e-6, where
  /// the channel's root mean square is 0.87. That unit's gradient alone changes the norm of all gradients by 1.6e-4, five times the tolerance.
  static let kinks: [String: (epoch: Int, batch: Int)] = ["camkd-released-m2": (2, 0)]

  @Test(arguments: all, Path.allCases)
  func `a run agrees with the recorded one in every number`(_ truth: Trajectory, _ path: Path) throws {
    let precision = path.precision
    var run = try truth.run(precision, path.convolution)
    run.measuresGradients = true
    let kink = path == .fast ? Self.kinks[truth.id] : nil
    var check = Comparison(truth, precision)
    check.setup(run, try truth.teachers(precision))

    var records = truth.json["steps"].list.makeIterator()
    var epochs = truth.json["epochs"].list.makeIterator()
    var policySteps: [PolicyStep] = []
    while let report = try run.step() {
      if let kink, (report.epoch, report.batch) == kink { return check.finish() }
      let next = records.next()
      let step = try #require(next, "a step too many")
      check.step(report, step)
      policySteps += report.policySteps
      guard let finished = report.finishedEpoch else { continue }
      let epoch = epochs.next()
      check.epoch(try #require(epoch), finished, policySteps, run, samples: truth.samples)
      policySteps = []
    }
    #expect(records.next() == nil && epochs.next() == nil, "records are left over")
    check.final(run)
    check.finish()
  }

  /// Gradient norms of the steps from the kink on.
  private func norms(_ run: TrainingRun, from kink: (epoch: Int, batch: Int)) throws -> [Double] {
    var run = run
    run.measuresGradients = true
    var norms: [Double] = []
    while let report = try run.step() {
      guard (report.epoch, report.batch) >= (kink.epoch, kink.batch) else { continue }
      norms.append(report.gradientNorm ?? .nan)
    }
    return norms
  }

  @Test(arguments: all.filter { kinks[$0.id] != nil })
  func `behind a kink the fast path goes where disturbed double runs go`(_ truth: Trajectory) throws {
    let kink = try #require(Self.kinks[truth.id])
    let recorded = truth.json["steps"].list.filter {
      ($0["epoch"].int, $0["batch"].int) >= (kink.epoch, kink.batch)
    }.map { $0["grad_l2"].double }
    let limit = truth.json["tolerance"]["float32"]["grad_l2"].double
    func apart(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { abs($0 - $1) / $1 }.max() ?? .nan }

    let fast = try norms(truth.run(.single), from: kink)
    #expect(fast.count == recorded.count && apart(fast, recorded) > 10 * limit)
    // As much noise as rounding the weights makes, in double precision: every run follows the record or the fast path, and either is followed.
    var (followers, crossed) = (0, 0)
    for seed in 0..<12 {
      let run = try norms(truth.run(.double, .reference, noise: UInt64(seed)), from: kink)
      if apart(run, recorded) <= limit { followers += 1 }
      if apart(run, fast) <= limit { crossed += 1 }
    }
    #expect(followers > 1 && crossed > 1 && followers + crossed == 12, "\(followers) and \(crossed)")
  }

  /// One run of each kind of state: none, a policy a teacher, trained mixes, a history across snapshots, a feature term that begins late.
  static let interrupted: Set<String> = [
    "baseline", "mtkd-rl-paper-static-m2", "mtkd-rl-paper-dynamic-m3", "mtkd-rl-reference-static-interval2",
    "camkd-released-m2",
  ]

  @Test(arguments: all.filter { interrupted.contains($0.id) })
  func `a run cut after any step ends with the same bits`(_ truth: Trajectory) throws {
    var whole = try truth.run(.single)
    var steps = 0
    while try whole.step() != nil { steps += 1 }
    let expected = whole.snapshot.encoded()
    for cut in 0...steps {
      var first = try truth.run(.single)
      for _ in 0..<cut { _ = try first.step() }
      var second = try truth.run(.single)
      try second.restore(from: Snapshot(decoding: first.snapshot.encoded()))
      while try second.step() != nil {}
      #expect(second.snapshot.encoded() == expected, "cut after \(cut) of \(steps)")
    }
  }
}

/// Errors by quantity, each the largest over all places, as TRAJECTORIES.md section 8 defines them.
private struct Comparison {
  private let truth: Trajectory
  private let precision: Precision
  private var worst: [String: (error: Double, place: String)] = [:]

  init(_ truth: Trajectory, _ precision: Precision) { (self.truth, self.precision) = (truth, precision) }

  private mutating func note(_ quantity: String, _ error: Double, _ place: String) {
    // Not a number is the worst error of all.
    let error = error.isNaN ? .infinity : error
    if error >= worst[quantity]?.error ?? 0 { worst[quantity] = (error, place) }
  }

  func finish() {
    let json = truth.json["tolerance"]
    for (quantity, found) in worst.sorted(by: { $0.key < $1.key }) {
      let limit = precision == .double ? json["float64"].double : json["float32"][quantity].double
      #expect(found.error <= limit, "\(truth.id) \(precision): \(quantity) at \(found.place)")
    }
  }

  private mutating func tensor(
    _ quantity: String, _ got: [Double], _ want: Value, probe: String, _ place: String
  ) {
    let triple = FillRule.triple(got, probe: probe)
    let l2 = want["l2"].double
    let error = max(
      abs(triple[0] - want["sum"].double) / Double(got.count).squareRoot(), abs(triple[1] - l2),
      abs(triple[2] - want["probe"].double))
    note(quantity, l2 == 0 ? error : error / l2, place)
    let scale = l2 / Double(got.count).squareRoot()
    guard quantity == "tensors" else { return }
    for (a, b) in zip(got, want["first"].doubles) {
      note("first", scale == 0 ? abs(a - b) : abs(a - b) / scale, place)
    }
  }

  mutating func setup(_ run: TrainingRun, _ teachers: [Teacher]) {
    let images = truth.images(precision)
    let head = images.doubles.prefix(4)
    for (a, b) in zip(head, truth.json["setup"]["input_head"].doubles) { note("setup", abs(a - b), "input") }
    func taps(_ name: String, _ activations: Activations, _ want: Value) {
      let outputs = [
        ("map", activations.map), ("embedding", activations.embedding), ("logits", activations.logits),
      ]
      for (tap, tensor) in outputs {
        self.tensor(
          "setup", tensor.doubles, want[tap], probe: "probe:\(name).\(tap)".dropPrefix, "\(name).\(tap)")
      }
    }
    for (index, teacher) in teachers.enumerated() {
      let activations = teacher.network.network(images, Pass(teacher.state, .inference))
      taps("teacher.\(index)", activations, truth.json["setup"]["teachers"].list[index])
    }
    taps(
      "student", run.network.network(images, Pass(run.state, .inference)), truth.json["setup"]["student_eval"]
    )
  }

  mutating func step(_ report: StepReport, _ want: Value) {
    let place = "epoch \(report.epoch) batch \(report.batch)"
    let details = report.loss.details
    #expect(want["epoch"].int == report.epoch && want["batch"].int == report.batch, "\(truth.id) \(place)")
    func loss(_ name: String, _ got: Double?) {
      #expect((got == nil) == want[name].isNull, "\(truth.id) \(place) \(name)")
      guard let got, !want[name].isNull else { return }
      note("loss", abs(got - want[name].double) / max(1, abs(want[name].double)), "\(place) \(name)")
    }
    loss("task", report.loss.task)
    loss("logit", report.loss.logit)
    loss("feature", report.loss.feature)
    loss("total", report.loss.total.scalar)
    func array(_ quantity: String, _ name: String, _ got: Tensor?, relative: Bool) {
      guard !want[name].isNull else { return }
      guard let got else { return note(quantity, .infinity, "\(place) \(name) is missing") }
      let values = want[name].flat
      #expect(values.count == got.count, "\(truth.id) \(place) \(name)")
      let difference = zip(got.doubles, values).map { abs($0 - $1) }.max() ?? 0
      note(
        quantity, relative ? difference / max(1, values.map(abs).max() ?? 0) : difference, "\(place) \(name)")
    }
    array("per_sample", "h", details.studentCrossEntropy, relative: true)
    array("per_sample", "kl", details.kl, relative: true)
    array("per_sample", "ce", details.teacherCrossEntropy, relative: true)
    array("per_sample", "dis", details.distance, relative: true)
    array("per_sample", "cos", details.cosine, relative: true)
    array("per_sample", "ce_transformed", details.transformedCrossEntropy, relative: true)
    array("weights", "action_l", details.logitWeights, relative: false)
    array("weights", "action_f", details.featureWeights, relative: false)
    array("weights", "policy_l", details.policyLogit, relative: false)
    array("weights", "policy_f", details.policyFeature, relative: false)
    array("reward", "reward", details.reward, relative: true)
    array("reward_norm", "reward_norm", details.normalisedReward, relative: false)
    let norm = want["grad_l2"].double
    note("grad_l2", abs((report.gradientNorm ?? .infinity) - norm) / max(1e-3, norm), place)
  }

  mutating func epoch(
    _ want: Value, _ got: EpochRecord, _ policy: [PolicyStep], _ run: TrainingRun, samples: Int
  ) {
    let place = "epoch \(got.epoch)"
    #expect(want["epoch"].int == got.epoch)
    #expect(want["lr"].double == got.metrics["learningRate"])
    for (name, metric) in [
      ("task", "train.task"), ("logit", "train.logit"), ("feature", "train.feature"), ("total", "train.loss"),
    ] {
      let truth = want["train"][name].double
      note("loss", abs((got.metrics[metric] ?? 0) - truth) / max(1, abs(truth)), "\(place) train \(name)")
    }
    let loss = want["eval_loss"].double
    note("loss", abs(got.metrics["test.loss"]! - loss) / max(1, abs(loss)), "\(place) eval_loss")
    if precision == .double || truth.json["tolerance"]["float32_counts_equal"].bool {
      let correct = { (metric: String) in Int((got.metrics[metric]! * Double(samples) / 100).rounded()) }
      #expect(correct("train.acc1") == want["train_correct"].int, "\(truth.id) \(place)")
      #expect(correct("test.acc1") == want["eval_correct"].int, "\(truth.id) \(place)")
    }
    let steps = want["policy"].isNull ? [] : want["policy"].list
    #expect(steps.count == policy.count, "\(truth.id) \(place): policy steps")
    for (index, (mine, theirs)) in zip(policy, steps).enumerated() {
      let at = "\(place) policy step \(index)"
      #expect(mine.batch == theirs["batch"].int)
      let objective = theirs["objective"].double
      note("policy_objective", abs(mine.objective - objective) / max(1, abs(objective)), at)
      note(
        "policy_grad_l2",
        abs(mine.gradientNorm - theirs["grad_l2"].double) / max(1e-3, theirs["grad_l2"].double), at)
      note("norms", abs(mine.parameterNorm - theirs["param_l2"].double) / theirs["param_l2"].double, at)
      for (name, mix) in [("rho_l", mine.logitMix), ("rho_f", mine.featureMix)] where !theirs[name].isNull {
        for (a, b) in zip(mix ?? [], theirs[name].doubles) { note("rho", abs(a - b), "\(at) \(name)") }
        #expect(mix?.count == theirs[name].doubles.count)
      }
    }
    func norm(_ name: String, _ role: SlotDeclaration.Role, regressor: Bool) {
      guard !want[name].isNull else { return }
      let squares = zip(run.state.slots, run.state.declarations)
        .filter { $0.1.role == role && $0.1.path.hasPrefix("distillation.") == regressor }
        .reduce(0.0) { $0 + run.state[$1.0].l2Norm * run.state[$1.0].l2Norm }
      note("norms", abs(squares.squareRoot() - want[name].double) / want[name].double, "\(place) \(name)")
    }
    norm("student_l2", .parameter, regressor: false)
    norm("bn_l2", .buffer, regressor: false)
    norm("regressor_l2", .parameter, regressor: true)
  }

  mutating func final(_ run: TrainingRun) {
    let momenta = run.state.slots.compactMap { run.optimizer.momentumBuffer($0)?.l2Norm }
    let all = momenta.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let arrays = Trajectory.arrays(of: run)
    var seen = 0
    for want in truth.json["final"]["tensors"].list {
      let name = want["name"].text
      guard let (tensor, momentum) = arrays[name] else {
        note("tensors", .infinity, "\(name) is missing")
        continue
      }
      seen += 1
      #expect(tensor.shape.dimensions == want["shape"].doubles.map { Int($0) })
      self.tensor("tensors", tensor.doubles, want, probe: name, name)
      if !want["momentum_l2"].isNull {
        let l2 = want["momentum_l2"].double
        note("momentum", abs((momentum ?? .infinity) - l2) / (l2 + 1e-6 * all), name)
      }
    }
    #expect(seen == arrays.count, "\(truth.id): arrays that the record does not have")
    let logits = run.network.network(truth.images(precision), Pass(run.state, .inference)).logits.doubles
    let want = truth.json["final"]["eval_logits"].flat
    note(
      "eval_logits", zip(logits, want).map { abs($0 - $1) }.max()! / want.map(abs).max()!, "final logits")
    let counters = zip(run.state.slots, run.state.declarations).filter { $0.1.role == .counter }
      .map { (path: $0.1.path, count: Int(run.state[$0.0].scalar)) }
    let student = Set(counters.filter { !$0.path.hasPrefix("distillation.") }.map(\.count))
    #expect(student.sorted() == truth.json["final"]["bn_batches"]["student"].doubles.map { Int($0) })
  }
}

extension String {
  /// The fixtures' probe keys carry their own prefix, which `FillRule.triple` adds.
  fileprivate var dropPrefix: String { String(dropFirst("probe:".count)) }
}
