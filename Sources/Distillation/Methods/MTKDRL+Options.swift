package import Specs

extension MTKDRL {
  package static let description = MethodDescription(
    name: "mtkd-rl", aliases: ["mtkdrl"],
    summary: "Logits and feature maps, weighed sample by sample by a policy that learns from rewards.",
    readsTeachers: true,
    options: [
      .alpha, .beta, .temperature,
      OptionDescription("policy", .choice(["pg"]), standard: "pg", help: "the agent: policy gradient"),
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
        "stateNorm", .choice(["none", "running"]), standard: "none", help: "standardise states over all batches seen"),
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
        "policyRate", .number(minimum: DecimalNumber(0)), standard: .number(DecimalNumber(mantissa: 1, exponent: -1)),
        help: "learning rate of the policy's plain SGD"),
      OptionDescription("warmupEpochs", .integer(minimum: 0), standard: 1, help: "epochs with fixed weights"),
      OptionDescription(
        "warmupWeight", .choice(["one", "uniform"]), standard: "one", help: "weight of every teacher in warm-up: 1, or 1/M"),
    ],
    presets: [
      ("paper", [:]),
      (
        "reference",
        [
          "policyNetwork": "joint", "rewardScope": "perSample", "rewardNorm": "zscoreClamp", "objective": "bceOnes",
          "policyInterval": 1000,
        ]
      ),
    ],
    problems: problems)

  /// Combinations that make no sense (`methods.md` 2.6).
  @Sendable private static func problems(_ options: [String: JSONValue]) -> [String] {
    var problems: [String] = []
    let scope = options["rewardScope"]?.string ?? ""
    let objective = options["objective"]?.string ?? ""
    let norm = options["rewardNorm"]?.string.flatMap(Reward.Normalisation.init) ?? .none
    let due = objective == "bceOnes" ? "perSample" : "perTeacher"
    if scope != due { problems.append("the objective '\(objective)' needs rewardScope '\(due)', not '\(scope)'") }
    if norm != .none, norm.isPerTeacher != (scope == "perTeacher") {
      problems.append("rewardNorm '\(norm.rawValue)' does not go with rewardScope '\(scope)'")
    }
    return problems
  }
}
