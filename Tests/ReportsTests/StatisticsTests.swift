import Foundation
import Reports
import Specs
import TestSupport
import Testing

/// Against scipy, by the values that Tests/Fixtures/statistics/make.py recorded.
@Suite struct StatisticsTests {
  static let reference: JSONValue = {
    // Absent or damaged reference values are a broken checkout.
    let path = Fixtures.committed.appending(path: "statistics/statistics.json")
    return try! JSONReader.read(Array(Data(contentsOf: path))).value
  }()

  static func entries(_ name: String) -> [[String: JSONValue]] {
    reference.object![name]!.array!.map { $0.object! }
  }

  @Test func `the t distribution agrees with scipy`() {
    let entries = Self.entries("t")
    #expect(entries.count == 72)
    for entry in entries {
      let found = StudentT(freedom: entry.number("freedom")).twoSided(entry.number("t"))
      #expect(found.isNear(entry.number("p"), relative: 1e-10, absolute: 1e-300), "\(entry)")
    }
  }

  @Test func `quantiles of the t distribution agree with scipy`() {
    for entry in Self.entries("quantiles") {
      let found = StudentT(freedom: entry.number("freedom")).quantile(twoSided: entry.number("p"))
      #expect(found.isNear(entry.number("t"), relative: 1e-10), "\(entry)")
    }
  }

  @Test func `the noncentral t distribution agrees with scipy`() {
    for entry in Self.entries("noncentral") {
      let found = StudentT(freedom: entry.number("freedom"))
        .above(entry.number("t"), shift: entry.number("shift"))
      #expect(found.isNear(entry.number("above"), absolute: 1e-9), "\(entry) \(found)")
    }
  }

  @Test func `mean, std, median and intervals of a sample agree with numpy and scipy`() throws {
    for entry in Self.entries("samples") {
      let values = entry.numbers("values")
      let sample = try #require(SampleStatistics(values))
      #expect(sample.mean.isNear(entry.number("mean"), relative: 1e-12))
      #expect(try #require(sample.std).isNear(entry.number("std"), relative: 1e-9))
      #expect(sample.median == entry.number("median"))
      let (t, reference) = (try #require(sample.moments.interval()), entry.numbers("t"))
      let scale = max(1, abs(sample.mean))
      #expect(
        t.low.isNear(reference[0], absolute: 1e-9 * scale)
          && t.high.isNear(reference[1], absolute: 1e-9 * scale))
    }
  }

  @Test func `bootstrap intervals are those of every resample, and above eight values of a fixed stream`()
    throws
  {
    for entry in Self.entries("samples") {
      let values = entry.numbers("values")
      let found = try #require(Bootstrap.interval(of: values))
      let (exact, drawn) = (entry.numbers("bootstrap"), entry.numbers("scipyBootstrap"))
      let spread = entry.number("std")
      #expect(found.low.isNear(exact[0], absolute: 1e-9 * spread), "\(values)")
      #expect(found.high.isNear(exact[1], absolute: 1e-9 * spread), "\(values)")
      // Chance of 10 000 and 200 000 resamples; the steps of few values' resamples are wider than that.
      if values.count > 4 {
        #expect(found.low.isNear(drawn[0], absolute: 0.03 * spread), "\(values)")
        #expect(found.high.isNear(drawn[1], absolute: 0.03 * spread), "\(values)")
      }
      #expect(Bootstrap.interval(of: values) == found)
    }
    #expect(Bootstrap.interval(of: [1]) == nil)
  }

  @Test func `paired tests agree with scipy`() throws {
    let entries = Self.entries("pairs")
    #expect(entries.count == 12)
    for entry in entries {
      let pairs = zip(entry.numbers("a"), entry.numbers("b")).map { (a: $0, b: $1) }
      let found = try #require(PairedComparison(pairs))
      #expect(found.count == Int(entry.number("n")))
      #expect(found.difference.isNear(entry.number("difference"), absolute: 1e-9))
      #expect(try #require(found.pairedT).isNear(entry.number("p"), relative: 1e-9), "\(entry)")
      #expect(found.signFlip.isNear(entry.number("signFlip"), absolute: 1e-12), "\(entry)")
      #expect(found.wilcoxon.isNear(entry.number("wilcoxon"), absolute: 1e-12), "\(entry)")
      #expect(found.smallestReachable == entry.number("smallest"))
      #expect(try #require(found.effectSize).isNear(entry.number("d"), relative: 1e-9))
      let (interval, reference) = (try #require(found.interval), entry.numbers("interval"))
      #expect(
        interval.low.isNear(reference[0], absolute: 1e-9)
          && interval.high.isNear(reference[1], absolute: 1e-9))
      if let correlation = entry["r"]?.number?.double {
        #expect(try #require(found.correlation).isNear(correlation, absolute: 1e-9))
      } else {
        #expect(found.correlation == nil)
      }
    }
  }

  @Test(arguments: [(3, 0.25), (5, 0.0625), (6, 0.03125)])
  func `the smallest p that so many seeds can reach`(_ count: Int, _ smallest: Double) throws {
    let found = try #require(PairedComparison((0..<count).map { (a: 70, b: 71 + Double($0) / 8) }))
    #expect(found.smallestReachable == smallest)
    #expect(found.signFlip == smallest && found.wilcoxon == smallest)
  }

  @Test func `what cannot be tested is absent, not zero`() throws {
    let single = try #require(PairedComparison([(a: 1, b: 2)]))
    #expect(single.pairedT == nil && single.interval == nil && single.signFlip == 1)
    let constant = try #require(PairedComparison([(a: 1, b: 2), (a: 2, b: 3), (a: 3, b: 4)]))
    #expect(constant.pairedT == nil && constant.effectSize == nil && constant.signFlip == 0.25)
    let same = try #require(PairedComparison([(a: 1, b: 1), (a: 2, b: 2)]))
    #expect(same.signFlip == 1 && same.wilcoxon == 1 && same.smallestReachable == 1)
    #expect(PairedComparison([]) == nil)
    #expect(SampleStatistics([5])?.moments.interval() == nil)
    #expect(
      WelchComparison(Moments(count: 1, mean: 1, std: nil), Moments(count: 3, mean: 1, std: 1))
        == nil)
    #expect(
      WelchComparison(Moments(count: 3, mean: 1, std: 0), Moments(count: 3, mean: 2, std: 0))
        == nil)
  }

  @Test func `many pairs are tested by seeded flips near the exact share`() throws {
    // 21 differences of one sign but two: the exact share is by counting, the estimate within its chance.
    let pairs = (0..<24).map { (a: 0.0, b: $0 < 6 ? -1.0 : 1.0) }
    let found = try #require(PairedComparison(pairs))
    // P(|S| ≥ 12) for a sum of 24 signs: 2 · Σ_{k ≤ 6} C(24, k) / 2^24.
    let exact = 2.0 * (1 + 24 + 276 + 2024 + 10626 + 42504 + 134596) / 16_777_216
    #expect(found.signFlip.isNear(exact, absolute: 5 * (exact / 100_000).squareRoot()))
    #expect(found.wilcoxon.isNear(exact, absolute: 1e-12), "all ranks are shared, so both tests count signs")
  }

  @Test func `Welch's test from means and stds agrees with scipy`() throws {
    for entry in Self.entries("welch") {
      func moments(_ name: String) -> Moments {
        let numbers = entry.numbers(name)
        return Moments(count: Int(numbers[2]), mean: numbers[0], std: numbers[1])
      }
      let found = try #require(WelchComparison(moments("a"), moments("b")))
      #expect(found.p.isNear(entry.number("p"), relative: 1e-9), "\(entry)")
      #expect(found.freedom.isNear(entry.number("freedom"), relative: 1e-12))
      #expect(found.interval.low.isNear(entry.numbers("interval")[0], absolute: 1e-9))
      #expect(found.interval.high.isNear(entry.numbers("interval")[1], absolute: 1e-9))
      #expect(found.effectSize.isNear(entry.number("g"), absolute: 1e-9))
    }
  }

  @Test func `corrections over a family, and what is not known is no part of it`() {
    for entry in Self.entries("families") {
      let family = entry.numbers("p")
      for (correction, name) in [(ReportCorrection.holm, "holm"), (.benjaminiHochberg, "bh")] {
        let found = correction.adjusted(family).map { $0! }
        #expect(zip(found, entry.numbers(name)).allSatisfy { $0.isNear($1, absolute: 1e-12) }, "\(found)")
      }
    }
    #expect(ReportCorrection.holm.adjusted([0.01, nil, 0.04]) == [0.02, nil, 0.04])
    #expect(ReportCorrection.none.adjusted([0.01, nil]) == [0.01, nil])
  }

  @Test func `power agrees with scipy's noncentral t`() {
    for entry in Self.entries("power") {
      let power = Power(difference: entry.number("difference"), std: entry.number("std"))
      let n = Int(entry.number("n"))
      #expect(power.unpaired(seeds: n).isNear(entry.number("unpaired"), absolute: 1e-8), "\(entry)")
      #expect(
        power.paired(seeds: n, correlation: entry.number("correlation"))
          .isNear(entry.number("paired"), absolute: 1e-8), "\(entry)")
    }
  }

  @Test func `seeds for a difference of one std`() {
    let power = Power(difference: 0.3, std: 0.3)
    #expect(Power.seeds(for: 0.8) { power.unpaired(seeds: $0) } == 17)
    #expect(Power.seeds(for: 0.8) { power.paired(seeds: $0, correlation: 0.5) } == 10)
    #expect(power.unpaired(seeds: 3).isNear(0.16, absolute: 0.005))
    #expect(Power(difference: 0.45, std: 0.3).unpaired(seeds: 3).isNear(0.29, absolute: 0.005))
    #expect(Power(difference: 0.6, std: 0.3).unpaired(seeds: 3).isNear(0.46, absolute: 0.005))
    #expect(Power.seeds(for: 0.8) { Power(difference: 0, std: 1).unpaired(seeds: $0) } == nil)
  }
}

extension [String: JSONValue] {
  func number(_ name: String) -> Double { self[name]!.number!.double }
  func numbers(_ name: String) -> [Double] { self[name]!.array!.map { $0.number!.double } }
}

extension Double {
  func isNear(_ other: Double, relative: Double = 0, absolute: Double = 0) -> Bool {
    abs(self - other) <= max(absolute, relative * abs(other))
  }
}
