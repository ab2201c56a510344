package import Tensors

/// a · b / max(|a| |b|, 1e-8) of each row, `[rows]`; 0 where a vector is 0. Constants (`methods.md` 1.5).
package func cosineSimilarity(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (a, b) = (a.detached, b.detached)
  let norms = (a.square().rowSums() * b.square().rowSums()).squareRoot()
  // max(n, 1e-8) = 1e-8 + max(n - 1e-8, 0)
  return (a * b).rowSums() / ((norms - 1e-8).relu() + 1e-8)
}
