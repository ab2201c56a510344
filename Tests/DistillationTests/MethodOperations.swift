import Distillation
import Networks
import Reports
import Specs
import TestSupport
import Tensors
import Testing

/// How each operation of `methods.json` is computed by this program: outputs by their path.
enum MethodOperations {
  typealias Outputs = [String: [Double]]

  static let all: [String: @Sendable (CaseInputs) throws -> Outputs] = [
    "cross_entropy": crossEntropy, "kd_loss": kdLoss, "feature_mse": featureMSE, "feature_kl": featureKL,
    "align": align, "regressor": regressor, "cosine": cosine, "state_vector": stateVector,
    "confidence_weights": confidence, "divergence_weights": divergence, "action": action,
    "total_loss": totalLoss, "total_loss_grad": totalLossGradient, "reward_per_teacher": rewardPerTeacher,
    "reward_per_sample": rewardPerSample, "reward_norm": rewardNorm, "pg_step_paper": policyStep,
    "pg_step_reference": policyStep, "ppo": proximal, "dpg": deterministic, "soft_update": softUpdate,
    "camkd_logit": camkdLogit, "camkd_feature": camkdFeature, "ebkd": ebkd, "min_norm_box": minNorm,
    "aekd": aekd, "amtml": amtml, "mmkd_logit_weights": mmkdLogit, "mmkd_feature_weights": mmkdFeature,
    "mmkd_meta_toy": mmkdToy, "dist": dist, "dist_weighted": distWeighted, "nd": nd, "sgd": sgd,
    "lr_multistep": rates, "mean_std": meanStd,
  ]
}

// MARK: Losses

extension MethodOperations {
  @Sendable private static func crossEntropy(_ c: CaseInputs) -> Outputs {
    let logits = c.tensor("logits").leaf()
    let losses = logits.crossEntropy(labels: c.labels)
    let mean = losses.mean()
    return [
      "per_sample": losses.doubles, "mean": mean.doubles, "grad_logits": mean.gradients()[logits]!.doubles,
    ]
  }

  @Sendable private static func kdLoss(_ c: CaseInputs) -> Outputs {
    let student = c.tensor("student_logits").leaf()
    let losses = kullbackLeibler(
      student: student, teachers: [c.tensor("teacher_logits")], temperature: c.params["T"].double)
    let mean = losses.mean()
    return [
      "per_sample": losses.doubles, "mean": mean.doubles,
      "grad_student_logits": mean.gradients()[student]!.doubles,
    ]
  }

  @Sendable private static func featureMSE(_ c: CaseInputs) -> Outputs {
    let student = c.tensor("student").leaf()
    let losses = FitNet.distances(student, c.tensor("teacher"))
    let mean = losses.mean()
    return [
      "per_sample": losses.doubles, "mean": mean.doubles,
      "grad_student": mean.gradients()[student]!.doubles,
    ]
  }

  @Sendable private static func featureKL(_ c: CaseInputs) -> Outputs {
    let losses = SpatialKL(temperature: c.params["T"].double)
      .distances(student: c.tensor("student"), teacher: c.tensor("teacher"))
    return ["per_sample": losses.doubles, "mean": losses.mean().doubles]
  }

  @Sendable private static func align(_ c: CaseInputs) -> Outputs {
    let size = c.params["size"].int
    return ["output": aligned(c.tensor("x"), height: size, width: size).doubles]
  }

  @Sendable private static func regressor(_ c: CaseInputs) -> Outputs {
    let scope = Scope()
    let (x, weight) = (c.tensor("x"), c.tensor("weight"))
    let regressor = Regressor(scope / "r", inputs: weight.shape[1], outputs: weight.shape[0])
    let state = filled(
      scope.declarations, c.precision,
      [
        "r.conv.weight": weight.reshaped([weight.shape[0], weight.shape[1], 1, 1]),
        "r.conv.bias": c.tensor("bias"), "r.bn.weight": c.tensor("gamma"),
        "r.bn.bias": c.tensor("beta"),
      ])
    return ["output": regressor(x, Pass(state, .training)).doubles]
  }

  @Sendable private static func cosine(_ c: CaseInputs) -> Outputs {
    ["value": cosineSimilarity(c.tensor("a"), c.tensor("b")).doubles]
  }

  @Sendable private static func dist(_ c: CaseInputs) -> Outputs {
    let student = c.tensor("student_logits").leaf()
    let (inter, intra) = DIST(temperature: c.params["tau"].double)
      .terms(student: student, teacher: c.tensor("teacher_logits"))
    let loss = inter.mean() * c.params["beta"].double + intra * c.params["gamma"].double
    return [
      "inter_per_sample": inter.doubles, "intra": intra.doubles, "loss": loss.doubles,
      "grad_student_logits": loss.gradients()[student]!.doubles,
    ]
  }

  @Sendable private static func distWeighted(_ c: CaseInputs) throws -> Outputs {
    let (student, teachers) = (c.tensor("student_logits"), c.tensors("teacher_logits"))
    let dist = DIST(temperature: c.params["tau"].double)
    let costs = dist.costs(student: student, teachers: teachers)
    let terms = teachers.map { dist.terms(student: student, teacher: $0) }
    let zeros = Tensor.zeros([student.shape[0]], c.precision)
    let loss = try distillation(c, hasFeatures: false).loss(
      .init(
        task: zeros, teacherCrossEntropy: costs, kl: costs, logit: costs, distance: nil, feature: nil),
      logitWeights: c.tensor("wl"))
    return [
      "inter": columns(terms.map(\.inter)).doubles, "intra": terms.map { $0.intra.scalar },
      "per_teacher_cost": costs.doubles, "loss": [loss.logit!],
    ]
  }

  @Sendable private static func nd(_ c: CaseInputs) -> Outputs {
    let student = c.tensor("student").leaf()
    let costs = DirectNorm.costs(
      student, teacher: c.tensor("teacher"),
      directions: DirectNorm.directions(c.tensor("centers")).rows(c.labels))
    let loss = costs.mean()
    return [
      "per_sample": costs.doubles, "loss": loss.doubles,
      "grad_student": loss.gradients()[student]!.doubles,
    ]
  }
}

// MARK: Weights, rewards, policies

extension MethodOperations {
  @Sendable private static func stateVector(_ c: CaseInputs) -> Outputs {
    let (logits, feature) = (c.tensor("teacher_logits"), c.tensor("feature"))
    let ce = logits.crossEntropy(labels: c.labels)
    let cos = cosineSimilarity(c.tensor("regressed"), feature)
    let kl = kullbackLeibler(
      student: c.tensor("student_logits"), teachers: [logits], temperature: c.params["T"].double)
    func state(_ order: [StateEntry]) -> [Double] {
      let kept = order.filter {
        let mask = c.params["mask"][$0.rawValue]
        return mask.isNull || mask.bool
      }
      return StateEntry.state(
        kept, feature: feature, logits: logits, ce: columns([ce]), cos: columns([cos]), kl: kl
      ).doubles
    }
    return [
      "ce": ce.doubles, "cos": cos.doubles, "kl": kl.doubles, "state": state(StateEntry.allCases),
      "state_reference_order": state([.cos, .kl, .ce, .feature, .logits]),
    ]
  }

  @Sendable private static func confidence(_ c: CaseInputs) -> Outputs {
    ["weights": TeacherMix.confidence(c.tensor("ce")).doubles]
  }

  @Sendable private static func divergence(_ c: CaseInputs) -> Outputs {
    ["weights": TeacherMix.divergence(c.tensor("value")).doubles]
  }

  @Sendable private static func action(_ c: CaseInputs) throws -> Outputs {
    let terms = try c.params["terms"].list.map { try #require(TeacherMix.Term(rawValue: $0.text)) }
    let factors = c.has("factors") ? c.tensor("factors") : nil
    let mixed = TeacherMix.mixed(
      policy: c.tensor("policy"), confidence: c.tensor("confidence"), divergence: c.tensor("divergence"),
      terms: terms, factors: factors)
    return [
      "mix": factors?.softmax().doubles ?? terms.map { _ in 1 / Double(terms.count) },
      "action": mixed.doubles,
    ]
  }

  @Sendable private static func totalLoss(_ c: CaseInputs) throws -> Outputs {
    let (kl, dis) = (c.tensor("kl"), c.tensor("dis"))
    let loss = try distillation(c, hasFeatures: true).loss(
      .init(task: c.tensor("ce"), teacherCrossEntropy: kl, kl: kl, logit: kl, distance: dis, feature: dis),
      logitWeights: c.tensor("wl"), featureWeights: c.tensor("wf"))
    return [
      "task": [loss.task], "logit": [loss.logit!], "feature": [loss.feature!],
      "total": loss.total.doubles,
    ]
  }

  @Sendable private static func totalLossGradient(_ c: CaseInputs) throws -> Outputs {
    let student = c.tensor("student_logits").leaf()
    let kl = kullbackLeibler(
      student: student, teachers: c.tensors("teacher_logits"), temperature: c.params["T"].double)
    let loss = try distillation(c, hasFeatures: false).loss(
      .init(
        task: student.crossEntropy(labels: c.labels), teacherCrossEntropy: kl, kl: kl, logit: kl,
        distance: nil, feature: nil), logitWeights: c.tensor("wl"))
    return ["grad_student_logits": loss.total.gradients()[student]!.doubles]
  }

  @Sendable private static func rewardPerTeacher(_ c: CaseInputs) -> Outputs {
    [
      "reward": Reward.perTeacher(
        task: c.tensor("ce"), kl: c.tensor("kl"), distance: c.tensor("dis"),
        alpha: c.params["alpha"].double, beta: c.params["beta"].double
      ).doubles
    ]
  }

  @Sendable private static func rewardPerSample(_ c: CaseInputs) -> Outputs {
    [
      "reward": Reward.perSample(
        task: c.tensor("ce"), kl: c.tensor("kl"), distance: c.tensor("dis"),
        logitWeights: c.tensor("action_l"), featureWeights: c.tensor("action_f"),
        alpha: c.params["alpha"].double, beta: c.params["beta"].double
      ).doubles
    ]
  }

  @Sendable private static func rewardNorm(_ c: CaseInputs) throws -> Outputs {
    let names = [
      "minmax_centered": "minmaxCentred", "eq7_literal": "minmaxRaw", "zscore_clamp": "zscoreClamp",
      "zscore": "zscore",
    ]
    let kind = try #require(
      names[c.params["kind"].text].flatMap(Reward.Normalisation.init), "kind \(c.params["kind"].text)")
    return ["normalised": Reward.normalised(c.tensor("reward"), kind).doubles]
  }

  /// Arrays of a policy by the fixtures' names, in the order of `PolicyNetwork`'s declarations.
  private static func policyNames(_ c: CaseInputs, isJoint: Bool) -> [(path: String, name: String)] {
    if isJoint {
      return [
        ("policy.fc1.weight", "w1"), ("policy.head_l.weight", "wl"), ("policy.head_l.bias", "bl"),
        ("policy.head_f.weight", "wf"), ("policy.head_f.bias", "bf"),
      ]
    }
    return c.inputs["params"].list.indices.flatMap { teacher in
      [("fc1.weight", "w1"), ("fc2.weight", "w2"), ("fc2.bias", "b2")].map {
        ("policy.\(teacher).\($0.0)", "\(teacher).\($0.1)")
      }
    }
  }

  @Sendable private static func policyStep(_ c: CaseInputs) throws -> Outputs {
    let params = c.inputs["params"]
    let isJoint = params.json.array == nil
    let (states, factors) = (c.tensors("states"), c.inputs["factors"])
    var settings = AgentSettings(
      widths: states.map { $0.shape[1] }, terms: TeacherMix.Term.allCases, seed: 0, precision: c.precision)
    settings.networkKind = isJoint ? .joint : .perTeacher
    settings.objective = isJoint ? .bceOnes : .linear
    settings.isDynamic = !factors.isNull
    settings.rate = c.params["lr"].double
    settings.hidden = (isJoint ? params["w1"] : params.list[0]["w1"]).shape[0]
    var policy = PolicyGradient(settings)
    let names = policyNames(c, isJoint: isJoint)
    var arrays: [String: Tensor] = [:]
    for (path, name) in names {
      let parts = name.split(separator: ".").map(String.init)
      arrays[path] = c.tensor(isJoint ? params[name] : params.list[Int(parts[0])!][parts[1]])
    }
    if !factors.isNull {
      arrays["policy.rho_l"] = c.tensor(factors["logit"])
      arrays["policy.rho_f"] = c.tensor(factors["feature"])
    }
    policy.state = filled(policy.state.declarations, c.precision, arrays)

    let experience = Experience(
      batch: 0, states: states, confidence: c.tensor("confidence"),
      logitDivergence: c.tensor("divergence_l"), featureDivergence: c.tensor("divergence_f"),
      reward: c.tensor(isJoint ? "reward" : "advantage"))
    let constants = Pass(policy.state, .inference)
    let scores = policy.network.scores(states, constants)
    let heads = (logit: scores.logit.leaf(), feature: scores.feature.leaf())
    let action = policy.action(experience, heads, policy.network.factors(constants))
    let slopes = policy.value(action, experience.reward).gradients()
    let (objective, gradients) = policy.gradients(of: experience)
    var outputs: Outputs = [
      "head_l": scores.logit.doubles, "head_f": scores.feature.doubles,
      "policy_l": action.policyLogit.doubles, "policy_f": action.policyFeature.doubles,
      "action_l": action.logit.doubles, "action_f": action.feature.doubles,
      isJoint ? "loss" : "objective": [objective],
      "grad_head_l": slopes[heads.logit]!.doubles, "grad_head_f": slopes[heads.feature]!.doubles,
    ]
    let declarations = policy.state.declarations
    // Slopes descend; an objective's own gradient is their negative.
    let sign = isJoint ? 1.0 : -1
    func put(_ prefix: String, _ factorPrefix: String, _ array: (Int) -> [Double]) {
      for (index, declaration) in declarations.enumerated() {
        if let name = names.first(where: { $0.path == declaration.path })?.name {
          outputs["\(prefix).\(name)"] = array(index)
        } else {
          outputs["\(factorPrefix).\(declaration.path == "policy.rho_l" ? "logit" : "feature")"] = array(
            index)
        }
      }
    }
    put("grad_params", "grad_factors") { index in gradients[index]!.doubles.map { sign * $0 } }
    _ = policy.learn(from: experience)
    let slots = policy.state.slots
    put("new_params", "new_factors") { policy.state[slots[$0]].doubles }
    return outputs
  }

  @Sendable private static func proximal(_ c: CaseInputs) -> Outputs {
    let (u, old, head) = (c.tensor("u"), c.tensor("head_old"), c.tensor("head_new").leaf())
    let spread = Tensor([c.params["log_std_new"].double], [1], c.precision).leaf()
    let oldSpread = Tensor([c.params["log_std_old"].double], [1], c.precision)
    let now = ProximalPolicy.logDensity(u, head, spread)
    let then = ProximalPolicy.logDensity(u, old, oldSpread)
    let ratio = (now - then).exp()
    let surrogate = ProximalPolicy.surrogate(ratio, c.tensor("advantage"), clip: c.params["clip"].double)
    let entropy = ProximalPolicy.entropy(spread, u.shape[1])
    let objective = surrogate.mean() + entropy * c.params["entropy_coef"].double
    let slopes = objective.gradients()
    return [
      "logp_new": now.doubles, "logp_old": then.doubles, "ratio": ratio.doubles,
      "surrogate": surrogate.doubles, "entropy": entropy.doubles, "objective": objective.doubles,
      "grad_head": slopes[head]!.doubles, "grad_log_std": slopes[spread]!.doubles,
    ]
  }

  @Sendable private static func deterministic(_ c: CaseInputs) -> Outputs {
    let (states, reward) = (c.tensor("state"), c.tensor("reward"))
    let (w1, w2) = (c.tensor(c.inputs["critic"]["w1"]), c.tensor(c.inputs["critic"]["w2"]))
    let critic = ScalarNetwork("critic", inputs: w1.shape[1], hidden: w1.shape[0])
    let state = filled(
      critic.declarations, c.precision,
      [
        "critic.fc1.weight": w1, "critic.fc1.bias": c.tensor(c.inputs["critic"]["b1"]),
        "critic.fc2.weight": w2.reshaped([1, w2.count]),
        "critic.fc2.bias": c.tensor(c.inputs["critic"]["b2"]).reshaped([1]),
      ])
    let (actionL, actionF) = (c.tensor("action_l"), c.tensor("action_f"))
    let constants = Pass(state, .inference)
    let (loss, gradients) = DeterministicPolicy.criticStep(critic, state, states, actionL, actionF, reward)
    let heads = (c.tensor("head_l").leaf(), c.tensor("head_f").leaf())
    let objective = DeterministicPolicy.objective(heads.0, heads.1, critic, constants, states)
    let slopes = objective.gradients()
    let chosen = Tensor.concatenated([heads.0.softmax(), heads.1.softmax()], axis: 1).detached.leaf()
    let value = critic([states, chosen], constants)
    var outputs: Outputs = [
      "q": critic([states, actionL, actionF], constants).doubles, "target": reward.doubles,
      "critic_loss": [loss], "q_policy": value.doubles,
      "dq_daction": value.sum().gradients()[chosen]!.doubles, "actor_objective": objective.doubles,
      "actor_grad_head_l": slopes[heads.0]!.doubles, "actor_grad_head_f": slopes[heads.1]!.doubles,
    ]
    for (name, gradient) in zip(["w1", "b1", "w2", "b2"], gradients) {
      outputs["critic_grads.\(name)"] = gradient!.doubles
    }
    return outputs
  }

  @Sendable private static func softUpdate(_ c: CaseInputs) -> Outputs {
    let (online, target) = (c.tensor("online"), c.tensor("target"))
    let scope = Scope()
    let slot = scope.parameter("p", online.shape, .constant(0))
    var copy = filled(scope.declarations, c.precision, ["p": target])
    copy.follow(filled(scope.declarations, c.precision, ["p": online]), tau: c.params["tau"].double)
    return ["target": copy[slot].doubles]
  }
}

// MARK: Compared methods

extension MethodOperations {
  @Sendable private static func camkdLogit(_ c: CaseInputs) throws -> Outputs {
    let (student, teachers) = (c.tensor("student_logits"), c.tensors("teacher_logits"))
    let ce = columns(teachers.map { $0.crossEntropy(labels: c.labels) })
    let kl = kullbackLeibler(student: student, teachers: teachers, temperature: c.params["T"].double)
    let weights = TeacherMix.confidence(ce)
    let loss = try distillation(c, hasFeatures: false).loss(
      .init(
        task: student.crossEntropy(labels: c.labels), teacherCrossEntropy: ce, kl: kl, logit: kl,
        distance: nil, feature: nil), logitWeights: weights, divisor: Double(teachers.count))
    return ["weights": weights.doubles, "loss": [loss.logit!]]
  }

  @Sendable private static func camkdFeature(_ c: CaseInputs) throws -> Outputs {
    let (maps, teachers) = (c.tensors("student_features"), c.tensors("teacher_features"))
    let heads: [@Sendable (Tensor) -> Tensor] = zip(c.tensors("head_weight"), c.tensors("head_bias")).map {
      weight, bias in
      { $0.globalAveragePool().matmul(weight, transposingOther: true).adding(row: bias) }
    }
    let distillation = try distillation(c, hasFeatures: true)
    func measure(passesGradients: Bool) throws -> (
      ce: Tensor, weights: Tensor, mse: Tensor, loss: Double, gradients: [Double]
    ) {
      let leaves = maps.map { $0.leaf() }
      let ce = ConfidenceKD.crossEntropy(
        of: passesGradients ? leaves : leaves.map(\.detached), heads,
        ClassTargets(c.labels, classes: c.labels.max()! + 1))
      let weights = TeacherMix.confidence(ce)
      let mse = columns(zip(leaves, teachers).map { FitNet.distances($0, $1) })
      let zeros = Tensor.zeros([c.labels.count], c.precision)
      let none = Tensor.zeros(mse.shape, c.precision)
      let loss = distillation.loss(
        .init(
          task: zeros, teacherCrossEntropy: none, kl: none, logit: none, distance: mse, feature: mse),
        logitWeights: none, featureWeights: weights, divisor: Double(maps.count))
      let gradients = loss.total.gradients()
      return (ce, weights, mse, loss.feature!, leaves.flatMap { gradients[$0]!.doubles })
    }
    let (stopped, through) = (
      try measure(passesGradients: false), try measure(passesGradients: true)
    )
    return [
      "head_ce": through.ce.doubles, "weights": through.weights.doubles, "mse": through.mse.doubles,
      "loss": [through.loss], "grad_stop": stopped.gradients, "grad_through": through.gradients,
    ]
  }

  @Sendable private static func ebkd(_ c: CaseInputs) throws -> Outputs {
    let teachers = c.tensors("teacher_logits")
    let variant = try #require(EntropyKD.Variant(rawValue: c.params["variant"].text))
    let entropies = EntropyKD.entropies(teachers)
    // The whole method, as a grid asks for it; its labels do not matter here.
    let options: [String: JSONValue] =
      switch variant {
      case .complement: ["scaling": "released"]
      case .normalised: [:]
      case .inverse: ["ebkdVariant": "inverse"]
      }
    let loss = try methodLoss("eb-kd", options, c, student: c.tensor("student_logits"), teachers)
    #expect(
      loss.details.logitWeights!.doubles == EntropyKD.weights(entropies, variant).doubles,
      "the method's own weights")
    return [
      "entropy": entropies.doubles, "weights": loss.details.logitWeights!.doubles, "loss": [loss.logit!],
    ]
  }

  @Sendable private static func minNorm(_ c: CaseInputs) -> Outputs {
    let vectors = c.tensors("vectors").map(\.doubles)
    return ["weights": AgreeingWeights.weights(vectors, bound: c.params["C"].double)]
  }

  @Sendable private static func aekd(_ c: CaseInputs) throws -> Outputs {
    let (student, teachers) = (c.tensor("student_logits"), c.tensors("teacher_logits"))
    let temperature = c.params["T"].double
    let vectors = AgreeingWeights.vectors(at: student, teachers.count) {
      kullbackLeibler(student: $0, teachers: teachers, temperature: temperature)
    }
    let loss = try methodLoss("aekd", ["cmax": c.params["C"].json], c, student: student, teachers)
    let losses = loss.details.kl!.mean(axis: 0)
    return [
      "vectors": vectors.flatMap(\.self),
      "weights": Array(loss.details.logitWeights!.doubles.prefix(teachers.count)),
      "teacher_losses": losses.doubles, "loss": [loss.logit!],
    ]
  }

  @Sendable private static func amtml(_ c: CaseInputs) throws -> Outputs {
    let (map, student) = (c.tensor("student_map"), c.tensor("student_logits"))
    let teachers = c.tensors("teacher_logits")
    let temperature = c.params["T"].double
    let scope = Scope()
    let adapter = TargetAdapter(
      scope / "adapter", teachers: teachers.count, channels: map.shape[1], std: 1,
      averages: c.params["pool"].text == "avg")
    let state = filled(
      scope.declarations, c.precision,
      ["adapter.theta": c.tensor("theta"), "adapter.v": c.tensor("v")])
    let mixed = adapter.mix(map, teachers, temperature: temperature, Pass(state, .training), isTraining: true)
    let ce = student.crossEntropy(labels: c.labels).mean()
    let unified = mixed.divergences(student, temperature: temperature).mean() * (temperature * temperature)
    let scales = AMTML.releasedScales(ratio: c.params["kd_ratio"].double)
    let released =
      ce * scales.task + mixed.releasedDivergence(student, temperature: temperature) * scales.logit
    return [
      "latent": mixed.latent.doubles, "scores": mixed.scores.doubles, "weights": mixed.weights.doubles,
      "soft_target": mixed.target.doubles, "kd_unified": unified.doubles, "ce": ce.doubles,
      "loss_reference": released.doubles,
      "angle": StructureLoss.angle(student: student, teacher: mixed.target).doubles,
    ]
  }

  private static func metaState(
    _ networks: MetaNetworks, _ name: String, _ c: CaseInputs
  ) -> ModelState {
    filled(
      networks.declarations, c.precision,
      [
        "meta.\(name).fc1.weight": c.tensor("w1"), "meta.\(name).fc1.bias": c.tensor("b1"),
        "meta.\(name).fc2.weight": c.tensor("w2"), "meta.\(name).fc2.bias": c.tensor("b2"),
      ])
  }

  @Sendable private static func mmkdLogit(_ c: CaseInputs) -> Outputs {
    let (teachers, student) = (c.tensors("teacher_logits"), c.tensor("student_logits"))
    let networks = MetaNetworks(
      teachers: teachers.count, classes: student.shape[1], batchSize: student.shape[0])
    let maps = (teachers + [student]).map { $0.reshaped([$0.shape[0], $0.shape[1], 1, 1]) }
    let inputs = MetaInputs(logits: teachers + [student], maps: maps)
    let pass = Pass(metaState(networks, "logit", c), .inference)
    return ["weights": networks.logitWeights(inputs.logits, pass).doubles]
  }

  @Sendable private static func mmkdFeature(_ c: CaseInputs) -> Outputs {
    let (teachers, student) = (c.tensors("teacher_maps"), c.tensor("student_map"))
    let networks = MetaNetworks(teachers: teachers.count, classes: 2, batchSize: student.shape[0])
    let maps = teachers + [student]
    let inputs = MetaInputs(
      logits: maps.map { _ in .zeros([student.shape[0], 2], c.precision) }, maps: maps)
    let pass = Pass(metaState(networks, "feature", c), .inference)
    return ["weights": networks.featureWeights(inputs.similarities, pass).doubles]
  }

  @Sendable private static func mmkdToy(_ c: CaseInputs) throws -> Outputs {
    let (targets, y, omega) = (c.tensors("targets"), c.tensor("y"), c.tensor("omega"))
    let scope = Scope()
    let slot = scope.parameter("psi", y.shape, .constant(0))
    let start = filled(scope.declarations, c.precision, ["psi": c.tensor("psi")])
    func half(_ a: Tensor, _ b: Tensor) -> Tensor { (a - b).square().sum() * 0.5 }
    let learned = Scope()
    let weight = learned.parameter("omega", omega.shape, .constant(0))
    let meta = filled(learned.declarations, c.precision, ["omega": omega])
    let match = InnerLoss(meta: meta) { _ in
      { pass, meta in
        let weights = meta![weight].reshaped([1, omega.count]).softmax().reshaped([omega.count])
        let costs = Tensor.concatenated(targets.map { half(pass[slot], $0).reshaped([1]) }, axis: 0)
        return (costs * weights).sum()
      }
    }
    var sgd = SGD(
      momentum: c.params["momentum"].double, nesterov: c.params["nesterov"].bool,
      weightDecay: c.params["weight_decay"].double)
    var buffer = Snapshot()
    buffer.put("slots", 1)
    buffer.put("0", c.tensor("buffer"))
    try sgd.restore(from: buffer, under: "")
    let ahead = MetaGradient(
      of: { half($0[slot], y) },
      through: Array(repeating: match, count: c.params["inner_steps"].int)
        + [InnerLoss { _ in { pass, _ in half(pass[slot], y) } }],
      from: start, sgd, rate: c.params["lr"].double)
    return [
      "weights": omega.reshaped([1, omega.count]).softmax().doubles,
      "trajectory": ahead.trajectory.flatMap { $0[slot].doubles }, "outer_loss": [ahead.outerLoss],
      "grad_omega": try #require(ahead.gradients.first ?? nil).doubles,
    ]
  }
}

// MARK: Recipes

extension MethodOperations {
  @Sendable private static func sgd(_ c: CaseInputs) -> Outputs {
    let scope = Scope()
    let slot = scope.parameter("p", c.tensor("param").shape, .constant(0))
    var state = filled(scope.declarations, c.precision, ["p": c.tensor("param")])
    var sgd = SGD(
      momentum: c.params["momentum"].double, nesterov: c.params["nesterov"].bool,
      weightDecay: c.params["weight_decay"].double)
    let trajectory = zip(c.tensors("grads"), c.params["lrs"].doubles).flatMap { gradient, rate in
      sgd.step(&state, [gradient], rate: rate)
      return state[slot].doubles
    }
    return ["trajectory": trajectory]
  }

  @Sendable private static func rates(_ c: CaseInputs) -> Outputs {
    let schedule = RateSchedule.multiStep(
      base: c.params["base"].double, milestones: c.params["milestones"].ints,
      gamma: c.params["gamma"].double)
    return ["lr": c.params["epochs"].ints.map { schedule.rate(epoch: $0) }]
  }

  @Sendable private static func meanStd(_ c: CaseInputs) throws -> Outputs {
    let values = c.inputs["values"].doubles
    let statistics = try #require(SampleStatistics(values))
    // A single value has no sample std; the file writes 0.
    let sample = statistics.std ?? 0
    let count = Double(values.count)
    return [
      "mean": [statistics.mean], "std_sample": [sample],
      "std_population": [sample * ((count - 1) / count).squareRoot()],
    ]
  }
}

// MARK: Building blocks

extension MethodOperations {
  /// A state with the named arrays; what is not named keeps its start.
  static func filled(
    _ declarations: [SlotDeclaration], _ precision: Precision, _ arrays: [String: Tensor]
  ) -> ModelState {
    var state = ModelState(declarations, seed: 1, precision: precision)
    var used = 0
    for (slot, declaration) in zip(state.slots, declarations) {
      guard let array = arrays[declaration.path] else { continue }
      #expect(array.shape == declaration.shape, "\(declaration.path)")
      state[slot] = array
      used += 1
    }
    #expect(used == arrays.count, "arrays that nothing declares")
    return state
  }

  /// Equation 2 with the case's alpha and beta, 1 where it has none.
  static func distillation(_ c: CaseInputs, hasFeatures: Bool) throws -> WeightedDistillation {
    var options: [String: JSONValue] = [:]
    for name in hasFeatures ? ["alpha", "beta"] : ["alpha"] {
      options[name] = c.params[name].isNull ? 1 : c.params[name].json
    }
    let description = hasFeatures ? AverageKDFitNet.description : AverageKD.description
    return try WeightedDistillation(
      MethodOptions(options, description), MethodContext.small(precision: c.precision),
      hasFeatures: hasFeatures)
  }

  /// The loss of a method without features, of logits alone.
  static func methodLoss(
    _ name: String, _ options: [String: JSONValue], _ c: CaseInputs, student: Tensor, _ teachers: [Tensor]
  ) throws -> MethodLoss {
    let kind = try Catalog.methods.entry(name)
    var options = options
    options["temperature"] = c.params["T"].json
    let scope = Scope()
    var method = try kind.init(
      try MethodOptions(options, kind.description),
      .small(scope: scope, teachers: teachers.count, classes: student.shape[1], precision: c.precision))
    func activations(_ logits: Tensor) -> Activations {
      let batch = logits.shape[0]
      return Activations(
        maps: [.zeros([batch, 1, 1, 1], c.precision)], embedding: .zeros([batch, 1], c.precision),
        logits: logits)
    }
    let batch = DistillationBatch(
      samples: Array(0..<student.shape[0]),
      targets: ClassTargets(Array(repeating: 0, count: student.shape[0]), classes: student.shape[1]),
      student: activations(student.leaf()), teachers: teachers.map(activations), epoch: 0, index: 0)
    return method.loss(
      of: batch, Pass(ModelState(scope.declarations, seed: 1, precision: c.precision), .training))
  }
}

extension MethodContext {
  /// Maps of one channel and one position.
  static func small(
    scope: Scope = Scope(), teachers: Int = 1, classes: Int = 2, precision: Precision
  ) -> MethodContext {
    let shape = ActivationShape(map: [1, 1, 1], embedding: 1)
    return MethodContext(
      scope: scope, student: shape, teachers: Array(repeating: shape, count: teachers), heads: [],
      classMeans: { [] }, classes: classes, epochs: 1, batchSize: 2, seed: 1, precision: precision)
  }
}
