import Foundation
import Reports
import Specs
import TestSupport
import Testing

/// Against the closed form in 50 digits, recorded by Tests/Fixtures/claims/make.py.
@Suite struct AnytimeTestTests {
  static let reference: [String: JSONValue] = {
    // Absent or damaged reference values are a broken checkout.
    let path = Fixtures.committed.appending(path: "claims/claims.json")
    return try! JSONReader.read(Array(Data(contentsOf: path))).value.object!
  }()

  static func entries(_ name: String) -> [[String: JSONValue]] { reference[name]!.array!.map { $0.object! } }

  @Test func `evidence agrees with the closed form, from no difference to one of a hundred million`() {
    let entries = Self.entries("evidence")
    #expect(entries.count == 216)
    for entry in entries {
      let found = AnytimeTest.logEvidence(count: entry["n"]!.integer!, t: entry.number("t"))
      #expect(found.isNear(entry.number("log"), relative: 1e-10, absolute: 1e-12), "\(entry) \(found)")
    }
  }

  @Test func `the closed form agrees with integrating over effect size and scale`() {
    for entry in Self.entries("integrated") {
      let found = AnytimeTest.logEvidence(count: entry["n"]!.integer!, t: entry.number("t"))
      #expect(found.isNear(entry.number("log"), absolute: 1e-9), "\(entry) \(found)")
    }
  }

  @Test func `critical values agree with the closed form, and do not exist where they cannot be reached`() {
    for entry in Self.entries("critical") {
      let found = AnytimeTest.criticalT(count: entry["n"]!.integer!, evidence: entry.number("evidence"))
      guard let expected = entry["t"]?.number?.double else {
        #expect(found == nil, "\(entry)")
        continue
      }
      #expect(found?.isNear(expected, relative: 1e-10) == true, "\(entry) \(found ?? .nan)")
    }
  }

  @Test(arguments: zip([3, 4, 5, 6, 8], [52.15, 945.6343, 22016.8125, 600_863.388, 616_480_471.35]))
  func `the largest evidence that n differences can give is finite`(_ count: Int, _ largest: Double) {
    #expect(AnytimeTest.evidence(count: count, t: .infinity).isNear(largest, relative: 1e-7))
    #expect(AnytimeTest.evidence(count: count, t: 1e200).isNear(largest, relative: 1e-7))
  }

  @Test func `no difference is evidence for none, and one difference is no evidence`() {
    for count in 2...50 { #expect(AnytimeTest.logEvidence(count: count, t: 0) < 0) }
    #expect(AnytimeTest.logEvidence(count: 1, t: 1000) == 0)
    #expect(AnytimeTest.logEvidence(count: 0, t: 0) == 0)
  }

  /// The first n at which e is at least 20, of sequences of differences from N(effect, 1);
  /// nil for none up to `limit`.
  static func decisions(effect: Double, sequences: Int, limit: Int) -> [Int?] {
    var stream = NormalStream(seed: 20_261)
    let critical = (0...limit).map { AnytimeTest.criticalT(count: $0, evidence: 20) }
    return (0..<sequences).map { _ in
      var sum = 0.0
      var squares = 0.0
      var first: Int?
      for count in 1...limit {
        let value = effect + stream.next()
        sum += value
        squares += value * value
        guard first == nil, count > 1, let bound = critical[count] else { continue }
        let n = Double(count)
        let variance = (squares - sum * sum / n) / (n - 1)
        if abs(sum / n) * n.squareRoot() >= bound * variance.squareRoot() { first = count }
      }
      return first
    }
  }

  @Test func `who looks after each seed up to 50 is deceived less often than the level says`() {
    let share = Double(Self.decisions(effect: 0, sequences: 20_000, limit: 50).count { $0 != nil }) / 20_000
    // The specification's own simulation has 0.019 by n = 20 and 0.028 by n = 100.
    #expect(share > 0.005 && share < 0.05, "\(share)")
  }

  @Test(arguments: zip([1.0, 2, 3], [13, 6, 5]))
  func `a difference is found after as many seeds as the specification says`(_ effect: Double, _ n: Int) {
    let found = Self.decisions(effect: effect, sequences: 20_000, limit: 100).map { $0 ?? 101 }.sorted()
    #expect(abs(found[10_000] - n) <= 1, "median \(found[10_000])")
  }
}

/// Normal numbers by the polar method from a counted stream.
struct NormalStream {
  private var state: UInt64
  private var spare: Double?

  init(seed: UInt64) { state = seed }

  private mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992
  }

  mutating func next() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      guard square > 0, square < 1 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      spare = y * factor
      return x * factor
    }
  }
}
