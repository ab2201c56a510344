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
    do {
      let index = Value(try JSONReader.read(Fixtures.bytes("runs/index.json")).value)
      return try index["files"].list.map { try Trajectory($0.text) }
    } catch {
      fatalError("runs in \(Fixtures.folder.path): \(error)")
    }
  }()

  /// Double precision, and single precision on either path.
  enum Path: CaseIterable {
    case double, reference, fast
    var precision: Precision { self == .double ? .double : .single }
    var convolution: ConvolutionChoice { self == .fast ? .auto : .reference }
  }

  @Test func `there are runs to compare with, each with steps and epochs`() {
    #expect(!Self.all.isEmpty && !Self.interrupted.isEmpty)
    #expect(Self.all.allSatisfy { !$0.json["steps"].list.isEmpty && !$0.json["epochs"].list.isEmpty })
  }

  @Test(arguments: all, Path.allCases)
  func `a run agrees with the recorded one in every number, in float up to a listed kink`(
    _ truth: Trajectory, _ path: Path
  ) throws {
    let precision = path.precision
    var run = try truth.run(precision, path.convolution)
    run.measuresGradients = true
    var check = Comparison(truth, precision)
    check.setup(run, try truth.teachers(precision))

    var records = truth.json["steps"].list.makeIterator()
    var epochs = truth.json["epochs"].list
    while let report = try run.step() {
      let next = records.next()
      check.step(report, try #require(next, "a step too many"))
      let epoch = try #require(epochs.first, "an epoch too many")
      check.policy(report.policySteps, epoch["policy"].list, after: report.batch, epoch: report.epoch)
      // Beyond a kink the float run is another run.
      if let kink = check.crossed {
        print("\(truth.id), \(path): crossed the listed kink of \(kink)")
        return check.finish()
      }
      guard let finished = report.finishedEpoch else { continue }
      check.epoch(epoch, finished, run)
      epochs.removeFirst()
    }
    #expect(records.next() == nil && epochs.isEmpty, "records are left over")
    check.final(run)
    check.finish()
  }

  @Test func `only a gradient that a listed kink has explains a departure`() throws {
    let truth = try #require(Self.all.first { !$0.listedGradients.isEmpty })
    let (place, gradient) = try #require(truth.listedGradients.first)
    let limit = truth.json["tolerance"]["float32"]["grad_l2"].double
    #expect(truth.explains(gradient * (1 + limit / 2), at: place))
    #expect(!truth.explains(gradient * (1 + 3 * limit), at: place))
    #expect(!truth.explains(gradient, at: Trajectory.Place(epoch: 99, batch: 0)))
  }

  /// One run of each kind of state that snapshots hold: the first of each method and agent, trained mixes, a
  /// history across snapshots, a feature term that begins late, a projector.
  static let interrupted: [Trajectory] = {
    let kinds: [@Sendable (Value) -> String] = [
      { "\($0["method"].text) \($0["policy"].text)" }, { "mixing \($0["mixing"].text)" },
      {
        "interval \($0["policyInterval"].isNull)" + ($0["policyInterval"].json.integer.map { "\($0)" } ?? "")
      },
      { "late \($0["skip_first_feature"].bool)" }, { "nd \($0["ndMode"].text)" },
    ]
    var seen: Set<String> = []
    return all.filter { run in kinds.map { seen.insert($0(run.json["config"])).inserted }.contains(true) }
  }()

  @Test(arguments: interrupted)
  func `a run cut after any step ends with the same bits`(_ truth: Trajectory) throws {
    var whole = try truth.run(.single)
    var cuts = [whole.snapshot.encoded()]
    while try whole.step() != nil { cuts.append(whole.snapshot.encoded()) }
    // Of long runs every third step, the last but one included.
    let chosen = stride(from: cuts.count - 2, through: 0, by: cuts.count > 13 ? -3 : -1)
    for cut in chosen {
      var rest = try truth.run(.single)
      try rest.restore(from: Snapshot(decoding: cuts[cut]))
      while try rest.step() != nil {}
      #expect(rest.snapshot.encoded() == cuts.last, "cut after \(cut) of \(cuts.count - 1)")
    }
  }
}

/// Errors by quantity, each the largest over all places, as TRAJECTORIES.md section 8 defines them.
private struct Comparison {
  private let truth: Trajectory
  private let precision: Precision
  private var worst: [String: (error: Double, place: String)] = [:]
  /// Of the epoch in hand, policy steps compared so far.
  private var policySteps = 0
  /// Samples trained on in the epoch in hand.
  private var samples = 0
  /// Where a float run has gone over a listed kink.
  private(set) var crossed: Trajectory.Place?

  init(_ truth: Trajectory, _ precision: Precision) {
    self.truth = truth
    self.precision = precision
  }

  private func limit(_ quantity: String) -> Double {
    let json = truth.json["tolerance"]
    return precision == .double ? json["float64"].double : json["float32"][quantity].double
  }

  private mutating func note(_ quantity: String, _ error: Double, _ place: String) {
    // Not a number is the worst error of all.
    let error = error.isNaN ? .infinity : error
    if error >= worst[quantity]?.error ?? 0 { worst[quantity] = (error, place) }
  }

  func finish() {
    for (quantity, found) in worst.sorted(by: { $0.key < $1.key }) {
      // Where a recorded float run went over a kink, what comes after it has no
      // measured tolerance (section 8).
      if precision == .single, limit(quantity).isNaN, !truth.json["float32_until"].isNull { continue }
      #expect(found.error <= limit(quantity), "\(truth.id) \(precision): \(quantity) at \(found.place)")
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
    array("per_sample", "dist", details.logitCosts, relative: true)
    array("per_sample", "nd", details.directNorm, relative: true)
    array("per_sample", "choice_l", details.choice?.logit, relative: true)
    array("per_sample", "choice_f", details.choice?.feature, relative: true)
    array("per_sample", "density", details.choice?.density, relative: true)
    for (name, got) in [("penalty", details.penalty), ("angle", details.angle)] where !want[name].isNull {
      loss(name, got)
    }
    #expect(want["overwritten"].isNull == (report.overwritten == nil), "\(truth.id) \(place)")
    #expect(want["overwritten"].ints == report.overwritten ?? [], "\(truth.id) \(place)")
    randomNumbers(want, place)
    samples += report.samples
    let norm = want["grad_l2"].double
    let error = abs((report.gradientNorm ?? .infinity) - norm) / max(1e-3, norm)
    let at = Trajectory.Place(epoch: report.epoch, batch: report.batch)
    if precision == .single, error > limit("grad_l2"), truth.explains(report.gradientNorm ?? .nan, at: at) {
      crossed = at
    } else {
      note("grad_l2", error, place)
    }
  }

  /// The recorded random numbers are those of our streams, and so what a run draws.
  private func randomNumbers(_ want: Value, _ place: String) {
    guard let seed = truth.streamSeed else { return }
    let (epoch, batch) = (want["epoch"].int, want["batch"].int)
    let size = truth.json["config"]["batch"].int
    let order = truth.json["data"]["order"].list[epoch].ints
    let images = order[(batch * size)..<min(order.count, (batch + 1) * size)]
    let purpose = truth.json["config"]["policy"].text == "ppo" ? "ppo noise" : "dpg noise"
    for (head, name) in ["noise_l", "noise_f"].enumerated() where !want[name].isNull {
      for (image, numbers) in zip(images, want[name].list) {
        var stream = RandomStream(seed: UInt64(seed), purpose, epoch, image, head)
        // One source draws by the system's logarithm and cosine, the other by ours.
        #expect(
          numbers.doubles.allSatisfy { abs($0 - stream.normal()) < 1e-13 }, "\(truth.id) \(place) \(name)")
      }
    }
    for teacher in want["dropout"].keys {
      for (image, mask) in zip(images, want["dropout"][teacher].list) {
        var stream = RandomStream(seed: UInt64(seed), "nd dropout", epoch, image, Int(teacher)!)
        let drawn = mask.text.map { _ in stream.uniform() < 0.5 ? "0" : "1" }.joined()
        #expect(drawn == mask.text, "\(truth.id) \(place) dropout")
      }
    }
  }

  /// - Parameter records: of the whole epoch.
  mutating func policy(_ steps: [PolicyStep], _ records: [Value], after batch: Int, epoch: Int) {
    for mine in steps where crossed == nil {
      let at = "epoch \(epoch) policy step \(policySteps)"
      guard policySteps < records.count else {
        return note("policy_objective", .infinity, at + " is too much")
      }
      policy(mine, records[policySteps], Trajectory.Place(epoch: epoch, batch: batch), at)
      policySteps += 1
    }
  }

  private mutating func policy(_ mine: PolicyStep, _ want: Value, _ place: Trajectory.Place, _ at: String) {
    #expect(mine.batch == want["batch"].int, "\(truth.id) \(at)")
    func relative(_ quantity: String, _ name: String, _ got: Double?, floor: Double) {
      guard !want[name].isNull else { return }
      let truth = want[name].double
      note(quantity, abs((got ?? .infinity) - truth) / max(floor, abs(truth)), "\(at) \(name)")
    }
    relative("policy_objective", "objective", mine.objective, floor: 1)
    relative("policy_objective", "value_loss", mine.valueLoss, floor: 1)
    relative("policy_grad_l2", "value_grad_l2", mine.valueGradientNorm, floor: 1e-3)
    for (name, got) in [("rows", mine.rows), ("drawn", mine.drawn)] where !want[name].isNull {
      #expect(want[name].ints == got, "\(truth.id) \(at) \(name)")
    }
    for (name, got) in [("turn", mine.turn), ("clipped", mine.clipped)] where !want[name].isNull {
      #expect(want[name].int == got, "\(truth.id) \(at) \(name)")
    }
    let gradient = want["grad_l2"].double
    let error = abs(mine.gradientNorm - gradient) / max(1e-3, gradient)
    if precision == .single, error > limit("policy_grad_l2"), truth.mayCrossUnseen(at: place) {
      crossed = place
      return
    }
    note("policy_grad_l2", error, at)
    relative("norms", "param_l2", mine.parameterNorm, floor: 0)
    relative("norms", "value_l2", mine.valueNorm, floor: 0)
    let shares = [("rho_l", mine.logitMix), ("rho_f", mine.featureMix), ("log_std", mine.logStds)]
    for (name, got) in shares where !want[name].isNull {
      #expect(got?.count == want[name].doubles.count, "\(truth.id) \(at) \(name)")
      for (a, b) in zip(got ?? [], want[name].doubles) { note("rho", abs(a - b), "\(at) \(name)") }
    }
  }

  mutating func epoch(_ want: Value, _ got: EpochRecord, _ run: TrainingRun) {
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
    #expect(samples == want["samples"].int && samples == truth.trained, "\(truth.id) \(place)")
    if precision == .double || truth.json["tolerance"]["float32_counts_equal"].bool {
      func correct(_ metric: String, of count: Int) -> Int {
        Int((got.metrics[metric]! * Double(count) / 100).rounded())
      }
      #expect(correct("train.acc1", of: truth.trained) == want["train_correct"].int, "\(truth.id) \(place)")
      #expect(correct("test.acc1", of: truth.samples) == want["eval_correct"].int, "\(truth.id) \(place)")
    }
    #expect(policySteps == want["policy"].list.count, "\(truth.id) \(place): policy steps")
    policySteps = 0
    samples = 0
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
    let batches = truth.json["final"]["bn_batches"]
    #expect(student.sorted() == batches["student"].ints)
    for (name, group) in [("regressors", "distillation.regressor."), ("projectors", "distillation.nd.")] {
      #expect(counters.filter { $0.path.hasPrefix(group) }.map(\.count) == batches[name].ints, "\(name)")
    }
  }
}

extension Trajectory {
  /// A step: epoch and batch, from 0.
  struct Place: Equatable, CustomStringConvertible {
    let epoch: Int
    let batch: Int
    var description: String { "epoch \(epoch), batch \(batch)" }
  }

  /// Units that lie so near to a kink that rounding may put them on the other side, by the step.
  private func kinks(at place: Place) -> [Value] {
    json["kinks"].list.filter { $0["epoch"].int == place.epoch && $0["batch"].int == place.batch }
  }

  /// Where kinks say what the step's gradient is on the other side.
  var listedGradients: [(Place, Double)] {
    json["kinks"].list.filter { !$0["grad_l2"].isNull }.map {
      (Place(epoch: $0["epoch"].int, batch: $0["batch"].int), $0["grad_l2"].double)
    }
  }

  /// Whether a float run with this gradient norm has gone over a kink that the file lists for the step.
  func explains(_ gradient: Double, at place: Place) -> Bool {
    let limit = json["tolerance"]["float32"]["grad_l2"].double
    return kinks(at: place).contains { kink in
      let other = kink["grad_l2"].double
      return kink["grad_l2"].isNull
        ? Self.isWithinReach(kink) : abs(gradient - other) / max(1e-3, other) <= limit
    }
  }

  /// Whether a unit of a policy, or of a look-ahead, may have gone over its kink after a step. The file lists
  /// the former without a gradient, and says of the latter only from where on they were seen.
  func mayCrossUnseen(at place: Place) -> Bool {
    if json["kinks"].list.contains(where: {
      $0["part"].text == "policy" && $0["epoch"].int <= place.epoch && Self.isWithinReach($0)
    }) {
      return true
    }
    let until = json["float32_until"].ints
    return json["config"]["method"].text == "mmkd" && until.count == 2
      && (place.epoch, place.batch) >= (until[0], until[1])
  }

  /// The farthest kink that a float run was seen to cross lay 3.5 rounding errors away.
  private static func isWithinReach(_ kink: Value) -> Bool { kink["errors"].double < 4 }
}

extension String {
  /// The fixtures' probe keys carry their own prefix, which `FillRule.triple` adds.
  fileprivate var dropPrefix: String { String(dropFirst("probe:".count)) }
}
