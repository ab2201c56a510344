internal import Specs

/// Multiply-adds of one core in a CPU second, by phase and family: what a forecast assumes where nothing like
/// it has been measured in this store yet.
///
/// Measured in whole stages of sweeps, on a core with AVX-512 (`Benchmarks/RESULTS.md`).
enum AssumedRate {
  /// Of a family that was not measured.
  static let training = 25e9
  static let inference = 48e9

  static func training(_ network: ModelSpec) -> Double {
    switch network.family {
    case "cifar_resnet": 45e9
    case "cifar_wrn": 58e9
    case "cifar_mobilenetv2": 17e9
    default: training
    }
  }

  static func inference(_ network: ModelSpec) -> Double {
    switch network.family {
    case "cifar_resnet": 60e9
    case "cifar_wrn": 65e9
    default: inference
    }
  }

  /// Of a run: its student's own work, and what each of its teachers takes of it.
  static func run(_ student: ModelSpec, own: Double, _ asked: [(network: ModelSpec, multiplyAdds: Double)])
    -> Double
  {
    let seconds = asked.reduce(own / training(student)) { $0 + $1.multiplyAdds / inference($1.network) }
    let all = asked.reduce(own) { $0 + $1.multiplyAdds }
    return seconds > 0 ? all / seconds : training(student)
  }
}
