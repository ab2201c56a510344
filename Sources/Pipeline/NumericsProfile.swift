internal import Foundation
internal import Specs
internal import Sweeps
internal import Tensors

/// What workers are started with, because OpenBLAS reads it when it is loaded.
package enum NumericsProfile {
  private static let kernel = "OPENBLAS_CORETYPE"

  /// What runs of this machine compute matrix products by, a phrase: the kernel that workers are told, and
  /// what native ones would take.
  ///
  /// The second is asked of the library in this process, which nobody has told anything,
  /// unless the environment did.
  package static var matrixProducts: String {
    let own = ProcessInfo.processInfo.environment[kernel] == nil ? BLAS.kernel : nil
    guard let told = environment[kernel] else {
      return "\(BLAS.version) with its kernel for this processor\(own.map { ", \($0)" } ?? "")"
    }
    let native = own.map { $0 == told ? ", also under numerics: native" : "; under numerics: native, \($0)" }
    return "\(BLAS.version) with its \(told) kernel, as on every processor with AVX2\(native ?? "")"
  }

  /// One thread; and OpenBLAS's kernel for AVX2 wherever there is AVX2, because each
  /// kernel rounds in its own way.
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
