package import Specs

/// What every worker of a call is told, whoever starts it and wherever. None of it is in a key.
package struct WorkerOptions: Hashable, Sendable {
  /// Whether cached teacher outputs are ignored and the teachers run live.
  package var asksTeachers = false
  /// Runs may go on from snapshots of another numerics profile.
  package var allowsOtherProfile = false
  /// Added to a worker's niceness, 0 to 19.
  package var niceness = 0
  /// That the work of an operation is divided among; they decide no bit.
  package var threads = 1

  /// Bytes that the log of an attempt may have; its middle is cut out where it grows longer.
  package var logLimit = WorkerOptions.standardLogLimit

  /// Of how many of the newest epochs a trainer's weights are kept, beside the best.
  package var keep = 1

  package static let standardLogLimit = 64_000_000
  /// Below this there would be nothing left to read.
  package static let leastLogLimit = 10_000

  package init(
    asksTeachers: Bool = false, allowsOtherProfile: Bool = false, niceness: Int = 0, threads: Int = 1,
    logLimit: Int = WorkerOptions.standardLogLimit, keep: Int = 1
  ) {
    self.asksTeachers = asksTeachers
    self.allowsOtherProfile = allowsOtherProfile
    self.niceness = niceness
    self.threads = threads
    self.logLimit = logLimit
    self.keep = keep
  }

  package var arguments: [String] {
    (asksTeachers ? ["--live-teachers"] : []) + (allowsOtherProfile ? ["--allow-other-profile"] : [])
      + (niceness > 0 ? ["--niceness", "\(niceness)"] : [])
      + (threads > 1 ? ["--threads", "\(threads)"] : [])
      + (logLimit != Self.standardLogLimit ? ["--log-limit", "\(logLimit)"] : [])
      + (keep != 1 ? ["--keep", "\(keep)"] : [])
  }
}

extension WorkerOptions: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("allowsOtherProfile", .bool(allowsOtherProfile), to: &bytes)
    object.member("asksTeachers", .bool(asksTeachers), to: &bytes)
    object.member("keep", keep == 1 ? nil : .number(DecimalNumber(keep)), to: &bytes)
    object.member(
      "logLimit", logLimit == Self.standardLogLimit ? nil : .number(DecimalNumber(logLimit)), to: &bytes)
    object.member("niceness", niceness, to: &bytes)
    object.member("threads", threads == 1 ? nil : .number(DecimalNumber(threads)), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      asksTeachers: try object.bool("asksTeachers"),
      allowsOtherProfile: try object.bool("allowsOtherProfile"),
      niceness: try object.integer("niceness"),
      threads: try object.optional("threads", SpecObject.integer) ?? 1,
      logLimit: try object.optional("logLimit", SpecObject.integer) ?? Self.standardLogLimit,
      keep: try object.optional("keep", SpecObject.integer) ?? 1)
    guard keep >= 1 else { throw SpecError(path: object.path("keep"), expected: "1 or more") }
    guard logLimit >= Self.leastLogLimit else {
      throw SpecError(path: object.path("logLimit"), expected: "\(Self.leastLogLimit) or more")
    }
    guard (1...GridKeys.mostThreads).contains(threads) else {
      throw SpecError(path: object.path("threads"), expected: "1 to \(GridKeys.mostThreads)")
    }
    guard (0...19).contains(niceness) else {
      throw SpecError(path: object.path("niceness"), expected: "0 to 19")
    }
  }
}
