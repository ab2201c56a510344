package import Specs

/// The table of claims, as every format writes it.
extension ClaimBook {
  /// - Parameter digits: places after the point of differences.
  package func sheet(digits: Int, _ style: TextStyle) -> Sheet {
    let rows = entries.map { entry -> [Sheet.Entry] in
      let state = entry.state
      let interval = state.interval.map {
        "[\(NumberFormat.signed($0.low, digits)), \(NumberFormat.signed($0.high, digits))]"
      }
      let texts = [
        entry.claim.compare, entry.context, "\(state.pairs)",
        state.mean.map { NumberFormat.signed($0, digits) } ?? "-", interval ?? "-",
        Self.evidence(state.logEvidence), entry.answer(digits),
      ]
      return texts.map { Sheet.Entry($0) }
    }
    return Sheet(
      title: "Claims", head: ["claim", "cell", "n", "difference", intervalHead, "e", "answer"], stubs: 2,
      rows: rows, notes: notes(style))
  }

  /// One line a comparison, for terminals: `mtkd-rl - ca-mkd, resnet8: n 5, e 3.21, open`.
  package var lines: [String] {
    entries.map { entry in
      let cell = entry.context.isEmpty ? "" : ", \(entry.context)"
      return
        "\(entry.claim.compare)\(cell): n \(entry.state.pairs), e "
        + "\(Self.evidence(entry.state.logEvidence)), \(entry.answer(2))"
    }
  }

  /// e in few digits: `0.42`, `52.1`, `9.5e+03`.
  static func evidence(_ logarithm: Double) -> String {
    let e = AnytimeTest.evidence(logEvidence: logarithm)
    if e < 1000 { return NumberFormat.fixed(e, e < 10 ? 2 : 1) }
    var exponent = Int((logarithm / 2.302585092994046).rounded(.down))
    var mantissa = AnytimeTest.evidence(logEvidence: logarithm - Double(exponent) * 2.302585092994046)
    if mantissa >= 9.95 {
      exponent += 1
      mantissa = 1
    }
    return "\(NumberFormat.fixed(mantissa, 1))e\(exponent)"
  }

  private var intervalHead: String {
    entries.count > 1 ? "interval, \(entries.count) together" : "interval"
  }

  private func notes(_ style: TextStyle) -> [String] {
    let metrics = Set(entries.map(\.metric.name)).sorted().joined(separator: ", ")
    var lines = [
      "Differences of \(metrics) are the first method minus the second, over n seeds that both have. "
        + "Anytime-valid t test: a claim is decided once its largest e so far passes Holm's bound over "
        + "\(counted(entries.count, "comparison")) at level \(set.level); looking does not spoil it "
        + "(Ville; Grünwald et al. 2024; docs/statistics.md).",
      "\(counted(looks, "look")); from \(set.count) to at most \(counted(set.seeds.count, "seed")) a cell"
        + (set.step > 1 ? ", \(set.step) at a time." : "."),
    ]
    let short = entries.filter { $0.state.interval == nil && $0.state.pairs > 0 }
    if !short.isEmpty, let first = firstInterval {
      lines.append("No interval is possible before n = \(first).")
    }
    let missing = entries.reduce(0) { $0 + $1.state.missing }
    if missing > 0 {
      lines.append("\(counted(missing, "pair")) left out, because a run of theirs has no result.")
    }
    if isWaiting { lines.append("The next look comes when all runs asked for have ended.") }
    if hasGrown {
      lines.append(
        "Means of cells that stopped early lean a little towards the decision; the intervals are valid.")
    }
    return lines
  }

  /// The smallest n at which there is an interval.
  private var firstInterval: Int? {
    (2...1000).first {
      AnytimeTest.criticalT(count: $0, evidence: Double(entries.count) / set.level.double) != nil
    }
  }

  /// For machines.
  package var json: JSONValue {
    func number(_ value: Double?) -> JSONValue {
      value.flatMap { $0.isFinite ? DecimalNumber($0) : nil }.map { .number($0) } ?? .null
    }
    func count(_ value: Int) -> JSONValue { .number(DecimalNumber(value)) }
    return .object([
      "looks": count(looks), "waiting": .bool(isWaiting), "open": count(open), "level": .number(set.level),
      "count": count(set.count), "upTo": count(set.seeds.count), "step": count(set.step),
      "comparisons": .array(
        entries.map { entry in
          let state = entry.state
          return .object([
            "compare": .string(entry.claim.compare), "cell": .string(entry.context),
            "metric": .string(entry.metric.name), "n": count(state.pairs), "missing": count(state.missing),
            "seeds": count(entry.seeds), "difference": number(state.mean),
            "low": number(state.interval?.low), "high": number(state.interval?.high),
            "logE": number(state.logEvidence), "p": number(state.p),
            "smallest": entry.claim.smallest.map { .number($0) } ?? .null,
            "answer": .string(entry.word), "sentence": .string(entry.answer(4)),
            "path": .array(
              state.path.map { look in
                .object([
                  "n": count(look.pairs), "difference": number(look.mean), "logE": number(look.logEvidence),
                  "low": number(look.interval?.low), "high": number(look.interval?.high),
                ])
              }),
          ])
        }),
    ])
  }
}
