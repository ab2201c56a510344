import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// Update rules and schedules against the recorded ones, and the recipes that use them.
@Suite struct RecipeOptimizerTests {
  private static let file: (arrays: Safetensors, record: SpecObject)? = {
    guard Fixtures.has("models/optim.safetensors") else { return nil }
    do {
      let arrays = try Safetensors(decoding: Fixtures.bytes("models/optim.safetensors"))
      return (arrays, try SpecObject(JSONReader.read(Array(arrays.metadata["case"]!.utf8)).value))
    } catch {
      fatalError("models/optim.safetensors: \(error)")
    }
  }()

  @Test(.enabled(if: file != nil, "the fixture of optimisers is compared with"))
  func `every recorded update rule is followed step by step`() throws {
    let (arrays, record) = try #require(Self.file)
    let rules = try record.object("rules")
    let factors = try #require(arrays["rule/lr_factor"]?.tensor).doubles
    for (name, value) in try #require(record["rules"]?.object).sorted(by: { $0.key < $1.key }) {
      let rule = try rules.object(name)
      func number(_ key: String) -> Double { rule[key]?.number?.double ?? 0 }
      for parameter in ["a", "b"] {
        let start = try #require(arrays["rule/\(parameter).start"]?.tensor)
        let gradients = try #require(arrays["rule/\(parameter).grads"]?.tensor)
        let trace = try #require(arrays["rule/\(name)/\(parameter).trace"]?.tensor).doubles
        let scope = Scope()
        let slot = scope.parameter(parameter, start.shape, .constant(0))
        var state = ModelState(unfilled: scope.declarations, precision: .double)
        state[slot] = start.converted(to: .double)
        guard var optimizer = Self.optimizer(rule) else {
          #expect(name == "sgd_dampening", "\(name): \(value)")
          continue
        }
        let count = start.count
        for step in 0..<gradients.shape[0] {
          let gradient = gradients.rows([step]).reshaped(start.shape).converted(to: .double)
          optimizer.step(&state, [gradient], rate: number("lr") * factors[step])
          let want = trace[(step * count)..<((step + 1) * count)]
          for (got, want) in zip(state[slot].doubles, want) {
            #expect(abs(got - want) <= 1e-9 * max(1, abs(want)), "\(name) \(parameter) step \(step)")
          }
        }
      }
    }
  }

  /// Nil for dampened momentum, which no recipe uses.
  private static func optimizer(_ rule: SpecObject) -> (any Optimizer)? {
    func number(_ key: String, _ standard: Double = 0) -> Double { rule[key]?.number?.double ?? standard }
    let kind = (rule["optimizer"] ?? rule["type"] ?? rule["kind"])?.string?.lowercased() ?? ""
    if kind.contains("adam") {
      let betas = rule["betas"]?.array?.compactMap { $0.number?.double } ?? [0.9, 0.999]
      return Adam(
        beta1: betas[0], beta2: betas[1], epsilon: number("eps", 1e-8),
        weightDecay: number("weight_decay"), decoupled: kind.contains("adamw"))
    }
    guard number("dampening") == 0 else { return nil }
    return SGD(
      momentum: number("momentum"), nesterov: rule["nesterov"]?.bool ?? false,
      weightDecay: number("weight_decay"))
  }

  @Test func `AdamW of a recipe spares vectors, class tokens and position embeddings`() throws {
    let scope = Scope()
    let matrix = scope.parameter("fc.weight", [2, 2], .constant(1))
    let spared = [
      scope.parameter("fc.bias", [2], .constant(1)), scope.parameter("cls_token", [1, 1, 2], .constant(1)),
      scope.parameter("pos_embed", [1, 2, 2], .constant(1)),
    ]
    var state = ModelState(scope.declarations, seed: 1, precision: .double)
    var recipe = RecipeSpec.named(.vit, family: "timm_vit")
    recipe.weightDecay = DecimalNumber(mantissa: 5, exponent: -1)
    var optimizer = RecipeOptimizer(recipe)
    let gradients = state.slots.map { Tensor?.some(.zeros(state[$0].shape, .double)) }
    optimizer.step(&state, gradients, rate: 0.1)
    #expect(state[matrix].doubles.allSatisfy { abs($0 - 0.95) < 1e-12 })
    #expect(spared.allSatisfy { state[$0].doubles.allSatisfy { $0 == 1 } })
    #expect(optimizer.momentumBuffer(matrix) == nil && optimizer.lookAhead.momentum == 0)
    // It goes on from its snapshot bit for bit.
    var snapshot = Snapshot()
    optimizer.save(to: &snapshot, under: "o/")
    var other = RecipeOptimizer(recipe)
    try other.restore(from: snapshot, under: "o/")
    var (one, two) = (state, state)
    let more = state.slots.map { Tensor?.some(.full(0.3, state[$0].shape, .double)) }
    optimizer.step(&one, more, rate: 0.1)
    other.step(&two, more, rate: 0.1)
    #expect(one.stateDictionary.encoded() == two.stateDictionary.encoded())
  }

  @Test func `schedules follow their formulas`() {
    let vit = RecipeSpec.named(.vit, family: "timm_vit", epochs: 300, batchSize: 1024)
    let rates = RateSchedule(vit)
    // 5e-4 × 1024 / 512, after five epochs up from 1e-6, down to 1e-5 along a cosine that does
    // not know of the warm-up.
    #expect(rates.rate(epoch: 0) == 1e-6)
    #expect(abs(rates.rate(epoch: 2) - (1e-6 + 2 * (1e-3 - 1e-6) / 5)) < 1e-15)
    #expect(abs(rates.rate(epoch: 150) - (1e-5 + 0.5 * (1e-3 - 1e-5))) < 1e-12)
    let photographs = RateSchedule(RecipeSpec.named(.imagenet, family: "tv_resnet"))
    #expect(
      [0, 29, 30, 60, 90].map { photographs.rate(epoch: $0) }.map { ($0 * 1e6).rounded() / 1e6 }
        == [0.1, 0.1, 0.01, 0.001, 0.0001])
  }

  @Test(.enabled(if: file != nil, "the fixture of optimisers is compared with"))
  func `the recorded schedules are followed epoch by epoch`() throws {
    let (arrays, _) = try #require(Self.file)
    let schedules: [(String, RateSchedule)] = [
      ("multistep", .multiStep(base: 0.05, milestones: [150, 180, 210], gamma: 0.1)),
      ("cosine", .cosine(base: 0.05, epochs: 240)),
      ("warmup_cosine", .warmupCosine(base: 0.0005, start: 1e-6, least: 1e-5, warmup: 5, epochs: 300)),
    ]
    for (name, schedule) in schedules {
      let rates = try #require(arrays["schedule/\(name)"]?.tensor).doubles
      #expect(rates.count >= 240)
      for (epoch, rate) in rates.enumerated() {
        #expect(abs(schedule.rate(epoch: epoch) - rate) <= 1e-12 * rate, "\(name) \(epoch)")
      }
    }
  }

  @Test func `what a recipe does not use is no part of its encoding`() throws {
    let student = RecipeSpec.student(epochs: 240)
    let text = String(decoding: student.canonicalBytes, as: UTF8.self)
    #expect(
      text
        == #"{"batchSize":64,"epochs":240,"gamma":0.1,"learningRate":0.05,"milestones":[150,180,210],"momentum":0.9,"nesterov":true,"weightDecay":0.0001}"#
    )
    for name in RecipeSpec.Name.allCases {
      let recipe = RecipeSpec.named(name, family: "timm_vit")
      let again = try RecipeSpec(JSONReader.read(recipe.canonicalBytes).value, at: "recipe")
      #expect(again == recipe)
    }
  }

  @Test func `stochastic depth drops whole samples by name, place and probability`() {
    let (scope, other) = (Scope(), Scope())
    let layer = DropPath(scope / "blocks" / 3 / "drop_path1", share: 1)
    let elsewhere = DropPath(other / "blocks" / 4 / "drop_path1", share: 1)
    let state = ModelState([], seed: 0)
    let input = Tensor.full(1, [2000, 3])
    func dropped(_ layer: DropPath, batch: Int, rate: Double = 0.3) -> [Double] {
      let noise = StepNoise(seed: 7, epoch: 2, batch: batch, dropPath: rate)
      return layer(input, Pass(state, .training, noise: noise)).doubles
    }
    let values = dropped(layer, batch: 5)
    #expect(values == dropped(layer, batch: 5))
    #expect(values != dropped(layer, batch: 6) && values != dropped(elsewhere, batch: 5))
    for row in 0..<2000 {
      let row = values[(3 * row)..<(3 * row + 3)]
      #expect(row.allSatisfy { $0 == 0 } || row.allSatisfy { abs($0 - 1 / 0.7) < 1e-6 })
    }
    let kept = Double(values.count { $0 > 0 }) / 6000
    #expect(abs(kept - 0.7) < 0.04, "\(kept)")
    #expect(dropped(layer, batch: 5, rate: 0) == input.doubles)
    #expect(layer(input, Pass(state, .training)).doubles == input.doubles)
    let noise = StepNoise(seed: 7, epoch: 2, batch: 5, dropPath: 0.3)
    #expect(layer(input, Pass(state, .inference, noise: noise)).doubles == input.doubles)
  }
}
