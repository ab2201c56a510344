/// A trainer that comes with this program and that a grid names by a word: a module of
/// Python/ (docs/trainers.md).
package struct NamedTrainer: Sendable {
  package let name: String
  /// What `python3` gets: the module and its words.
  package let words: [String]
  /// Folders of Python/ that it is made of; what they hold is in the key of its runs.
  package let folders: [String]
  package let summary: String
}

extension Catalog<NamedTrainer> {
  /// What a grid can name as `trainer`.
  package static let trainers = Catalog(
    "trainer",
    [
      torch("torch", [], "PyTorch in single precision without shortcuts"),
      torch(
        "torch-tf32", ["--precision", "tf32"],
        "PyTorch with products in 19 bits, on graphics cards that have them"),
      torch(
        "torch-amp", ["--precision", "amp"], "PyTorch with networks in bfloat16, losses in single precision"),
    ]
  ) { $0.name }

  private static func torch(_ name: String, _ words: [String], _ summary: String) -> NamedTrainer {
    NamedTrainer(
      name: name, words: ["-m", "mtkd_torch"] + words, folders: ["mtkd_torch", "mtkd_trainer"],
      summary: summary)
  }
}
