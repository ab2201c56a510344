package import Specs

extension MTKDRL {
  package static let description = MethodDescription(
    name: "mtkd-rl", aliases: ["mtkdrl"],
    summary: "Logits and feature maps, weighed sample by sample by a policy that learns from rewards.",
    readsTeachers: true, teacherOutputs: .maps,
    options: [
      .alpha, .beta,
      OptionDescription(
        "policy", .choice(Catalog.agents.names), standard: "pg",
        help: "the agent: policy gradient, deterministic, the same with replay, or proximal"),
      OptionDescription(
        "policyNetwork", .choice(["perTeacher", "joint"]), standard: "perTeacher",
        help: "one network a teacher, or one of all states"),
      OptionDescription(
        "weightNormaliser", .choice(["softmaxTeachers", "sigmoid"]), standard: "softmaxTeachers",
        help: "weights that sum to 1 over teachers, or independent ones in (0, 1)"),
      OptionDescription(
        "mixing", .choice(["static", "dynamic"]), standard: "static",
        help: "policy and heuristics in equal parts, or in trained shares"),
      OptionDescription(
        "actionTerms", .words(TeacherMix.Term.allCases.map(\.rawValue)),
        standard: ["policy", "confidence", "divergence"], help: "what is mixed into the executed weights"),
      OptionDescription(
        "divergenceSign", .choice(["released", "towardsCloser"]), standard: "released",
        help: "whether the divergence term favours the teacher furthest from the student, or the nearest"),
      OptionDescription(
        "stateEntries", .words(StateEntry.allCases.map(\.rawValue)),
        standard: ["feature", "logits", "ce", "cos", "kl"],
        help: "what the policy is told of each teacher; the rest is left out of its input"),
      OptionDescription(
        "stateNorm", .choice(["none", "running"]), standard: "none",
        help: "standardise states over all batches seen"),
      OptionDescription(
        "rewardScope", .choice(["perTeacher", "perSample"]), standard: "perTeacher",
        help: "a reward for each teacher (equation 5), or one a sample"),
      OptionDescription(
        "rewardNorm", .choice(Reward.Normalisation.allCases.map(\.rawValue)), standard: "minmaxCentred",
        help: "how rewards are made comparable"),
      OptionDescription(
        "rewardTiming", .choice(["preUpdate", "postUpdate"]), standard: "preUpdate",
        help: "pay for the forward pass before the student's step, or for one more after it"),
      OptionDescription(
        "objective", .choice(PolicyGradient.Objective.allCases.map(\.rawValue)), standard: "linear",
        help: "what the policy ascends (linear, log) or descends (bceOnes)"),
      OptionDescription(
        "policyInterval", .integerOr(minimum: 1, ["epoch"]), standard: "epoch",
        help: "batches between policy updates; the rest at the end of the epoch"),
      OptionDescription(
        "policyRate", .number(minimum: DecimalNumber(0)),
        standard: .number(DecimalNumber(mantissa: 1, exponent: -1)),
        help: "learning rate of the policy's plain SGD"),
      OptionDescription("warmupEpochs", .integer(minimum: 0), standard: 1, help: "epochs with fixed weights"),
      OptionDescription(
        "warmupWeight", .choice(["one", "uniform"]), standard: "one",
        help: "weight of every teacher in warm-up: 1, or 1/M"),
    ] + OptionDescription.losses(hasFeatures: true),
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
    unread: unread, problems: problems,
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

  /// Other agents fix what the policy gradient leaves open (`methods.md` 3).
  @Sendable private static func unread(_ options: OptionValues) -> [String] {
    var unread = unreadLossOptions(options)
    if options["policy"] != "pg" {
      unread += [
        "policyNetwork", "weightNormaliser", "rewardScope", "rewardNorm", "objective", "policyRate",
      ]
    }
    if options["actionTerms"]?.array?.contains("divergence") == false { unread.append("divergenceSign") }
    if options["warmupEpochs"] == 0 { unread.append("warmupWeight") }
    return unread
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
}
