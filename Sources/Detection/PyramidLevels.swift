#if canImport(Glibc)
  internal import Glibc
#endif

/// Which level of a feature pyramid a region is pooled from (Lin et al. 2017, equation 1).
package enum PyramidLevels {
  /// ⌊4 + log2(√(w h) / 224) + 1e-6⌋, from 2 (stride 4) to 5 (stride 32).
  package static func level(of box: Corners) -> Int {
    let side = max(box.area, 0).squareRoot()
    guard side > 0 else { return 2 }
    return Int(min(max((4 + log2(side / 224) + 1e-6).rounded(.down), 2), 5))
  }
}
