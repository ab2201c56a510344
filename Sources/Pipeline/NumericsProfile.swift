internal import Foundation
internal import Specs
internal import Sweeps

/// What workers are started with, because OpenBLAS reads it when it is loaded.
enum NumericsProfile {
  private static let kernel = "OPENBLAS_CORETYPE"

  /// One thread; and OpenBLAS's kernel for AVX2 wherever there is AVX2, because each kernel rounds in its own way.
  static let environment: [String: String] = {
    let flags = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    var environment = ["OPENBLAS_NUM_THREADS": "1"]
    if flags.contains(" avx2 ") { environment[kernel] = "Haswell" }
    return environment
  }()

  /// Of a stage's worker: with native numerics OpenBLAS looks at the processor itself.
  static func environment(of stage: StageRequest) throws -> [String: String?] {
    var environment = environment.mapValues(Optional.some)
    if try stage.numerics == .native { environment.updateValue(nil, forKey: kernel) }
    return environment
  }
}
