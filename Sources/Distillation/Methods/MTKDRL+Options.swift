package import Specs

extension MTKDRL {
  package static let description = MethodDescription(
    name: "mtkd-rl", aliases: ["mtkdrl"],
    summary: "Logits and feature maps, weighed sample by sample by a policy that learns from rewards.",
    readsTeachers: true, reads: [.logits, .embedding, .map],
    options: [
      .alpha, .beta,
      SettingDescription(
        option: "policy", .choice(Catalog.agents.names), default: "pg",
        "The agent: policy gradient, deterministic, the same with replay, or proximal."),
      SettingDescription(
        option: "policyNetwork", .choice(["perTeacher", "joint"]), default: "perTeacher",
        "One network a teacher, or one of all states."),
      SettingDescription(
        option: "weightNormaliser", .choice(["softmaxTeachers", "sigmoid"]), default: "softmaxTeachers",
        "Weights that sum to 1 over teachers, or independent ones in (0, 1)."),
      SettingDescription(
        option: "mixing", .choice(["static", "dynamic"]), default: "static",
        "Policy and heuristics in equal parts, or in trained shares."),
      SettingDescription(
        option: "actionTerms", .words(TeacherMix.Term.allCases.map(\.rawValue)),
        default: ["policy", "confidence", "divergence"], "What is mixed into the executed weights."),
      SettingDescription(
        option: "divergenceSign", .choice(["released", "towardsCloser"]), default: "released",
        "Whether the divergence term favours the teacher furthest from the student, or the nearest."),
      SettingDescription(
        option: "stateEntries", .words(StateEntry.allCases.map(\.rawValue)),
        default: ["feature", "logits", "ce", "cos", "kl"],
        "What the policy is told of each teacher; the rest is left out of its input."),
      SettingDescription(
        option: "stateNorm", .choice(["none", "running"]), default: "none",
        "Standardise states over all batches seen."),
      SettingDescription(
        option: "rewardScope", .choice(["perTeacher", "perSample"]), default: "perTeacher",
        "A reward for each teacher (equation 5), or one a sample."),
      SettingDescription(
        option: "rewardNorm", .choice(Reward.Normalisation.allCases.map(\.rawValue)),
        default: "minmaxCentred",
        "How rewards are made comparable."),
      SettingDescription(
        option: "rewardTiming", .choice(["preUpdate", "postUpdate"]), default: "preUpdate",
        "Pay for the forward pass before the student's step, or for one more after it."),
      SettingDescription(
        option: "objective", .choice(PolicyGradient.Objective.allCases.map(\.rawValue)), default: "linear",
        "What the policy ascends (linear, log) or descends (bceOnes)."),
      SettingDescription(
        option: "policyInterval", .integerOr(minimum: 1, ["epoch"]), default: "epoch",
        "Batches between policy updates; the rest at the end of the epoch."),
      SettingDescription(
        option: "policyRate", .number(minimum: DecimalNumber(0)),
        default: .number(DecimalNumber(mantissa: 1, exponent: -1)),
        "Learning rate of the policy's plain SGD."),
      SettingDescription(
        option: "policyWarmupEpochs", .integer(minimum: 0), default: 1, unit: "epochs",
        formerName: "warmupEpochs", encodedName: "warmupEpochs",
        "First epochs with fixed weights, in which the student does not hear the policy."),
      SettingDescription(
        option: "warmupWeight", .choice(["one", "uniform"]), default: "one",
        "Weight of every teacher in warm-up: 1, or 1/M."),
    ] + SettingDescription.losses(hasFeatures: true),
    presets: [
      ("paper", [:]),
      (
        "reference",
        [
          "policyNetwork": "joint", "rewardScope": "perSample", "rewardNorm": "zscoreClamp",
          "objective": "bceOnes",
          "policyInterval": 1000,
        ]
      ),
    ],
    unread: unread, problems: problems, warnings: warnings,
    explanation: """
      s_m = [f_m | z_m | CE_m | cos_m | KL_m]                         state of teacher m, a constant
      w   = softmax over teachers of the policy's scores              c = (1 - softmax(CE)) / (M - 1)     d = softmax(KL), softmax(cos)
      a   = (w + c + d) / 3, or trained shares of the three           one pair (a_l, a_f) a sample; 1 in the first epoch
      L   = mean of H + alpha Σ_m a_l KL_m + beta Σ_m a_f D_m
      paper:     R_m = -H - alpha KL_m - beta D_m, min-max over teachers, centred; ascends (1/B) Σ R (a_l + a_f) after every epoch
      reference: r = -(loss of the sample), standardised over the batch and clamped to [0, 1]; descends -(1/(B M)) Σ r (log a_l + log a_f)
      agents dpg, ddpg, ppo: scalar reward standardised over the batch, a joint actor, noise by sample

      The paper and its release disagree on the update; both are presets, each a bundle of options. The paper's equations 6 and 7 are read so
      that teachers with higher rewards gain weight (a minus sign and the raw mean, as printed, do the opposite or nothing). The release's
      objective draws all weights towards 1/M whatever the rewards are. DPG, DDPG and PPO have no definition in the paper: ours are contextual
      bandits with one-step episodes. Under DIST and ND the reward is made of the losses in use; states and heuristics keep KL and cos.
      """)

  /// Other agents fix what the policy gradient leaves open (`methods.md` 3). One teacher
  /// leaves nothing to decide.
  @Sendable private static func unread(_ options: OptionValues) -> [String] {
    var unread = unreadLossOptions(options)
    if options.teachers == 1 { return unread + unreadWithOneTeacher(options) }
    if options["policy"] != "pg" {
      unread += [
        "policyNetwork", "weightNormaliser", "rewardScope", "rewardNorm", "objective", "policyRate",
      ]
    }
    if options["actionTerms"]?.array?.contains("divergence") == false { unread.append("divergenceSign") }
    if options["policyWarmupEpochs"] == 0 { unread.append("warmupWeight") }
    return unread
  }

  /// With one teacher no policy learns, both heuristics are 1, and so are weights that sum to 1 over
  /// teachers. Only a sigmoid still weighs: by the policy that the run starts with.
  private static func unreadWithOneTeacher(_ options: OptionValues) -> [String] {
    let learning = [
      "rewardScope", "rewardNorm", "rewardTiming", "objective", "policyInterval", "policyRate",
      "divergenceSign", "warmupWeight",
    ]
    let weighs =
      options["policy"] == "pg" && options["weightNormaliser"] == "sigmoid"
      && options["actionTerms"]?.array?.contains("policy") == true
    return weighs
      ? learning
      : learning + [
        "policy", "policyNetwork", "weightNormaliser", "mixing", "actionTerms", "stateEntries", "stateNorm",
        "policyWarmupEpochs",
      ]
  }

  /// Combinations that make no sense (`methods.md` 2.6).
  @Sendable private static func problems(_ options: OptionValues) -> [String] {
    var problems: [String] = []
    let scope = options["rewardScope"]?.string ?? ""
    let objective = options["objective"]?.string ?? ""
    let norm = options["rewardNorm"]?.string.flatMap(Reward.Normalisation.init) ?? .none
    let due = objective == "bceOnes" ? "perSample" : "perTeacher"
    if scope != due {
      problems.append("the objective '\(objective)' needs rewardScope '\(due)', not '\(scope)'")
    }
    if norm != .none, norm.isPerTeacher != (scope == "perTeacher") {
      problems.append("rewardNorm '\(norm.rawValue)' does not go with rewardScope '\(scope)'")
    }
    if options["policy"] != "pg", options["mixing"] == "dynamic" {
      problems.append(
        "mixing 'dynamic' needs policy 'pg': the other agents learn from their own action, not from the mix")
    }
    return problems
  }

  /// Share of a run's steps that a warm-up with full weights may take without a word: in the paper
  /// it takes 1 epoch of 240.
  private static let harmlessShare = 0.02

  /// In a short training the warm-up is no warm-up any more, but the setting that decides the result.
  @Sendable private static func warnings(_ options: OptionValues, epochs: Int) -> [String] {
    guard let teachers = options.teachers, teachers > 1, options["warmupWeight"] == "one",
      let warmup = options["policyWarmupEpochs"]?.integer, Double(warmup) > harmlessShare * Double(epochs)
    else { return [] }
    let share = (100 * Double(min(warmup, epochs)) / Double(epochs)).rounded()
    let enough = Int((Double(warmup) / harmlessShare).rounded(.up))
    return [
      "in warm-up (\(min(warmup, epochs)) of \(counted(epochs, "epoch")), \(Int(share)) % of the run) each "
        + "of the \(teachers) teachers has weight 1, so that their part of the loss is \(teachers) times as "
        + "large as with weights that add up to 1; in a training this short that can cost more than "
        + "distillation gains. Write \"warmupWeight\": \"uniform\", or train for at least "
        + "\(counted(enough, "epoch"))"
    ]
  }
}
