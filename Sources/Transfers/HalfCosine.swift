#if canImport(Glibc)
  internal import Glibc
#endif

/// (1 + cos(π i / n)) / 2.
enum HalfCosine {
  static func value(_ step: Int, of steps: Int) -> Double {
    0.5 * (1 + cos(.pi * Double(step) / Double(steps)))
  }
}

/// (1 - i/n)^power.
enum FallingPower {
  static func value(_ step: Int, of steps: Int, power: Double) -> Double {
    pow(1 - Double(step) / Double(steps), power)
  }
}
