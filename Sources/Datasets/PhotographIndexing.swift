import Specs

/// How folders of photographs are gone through: where what was found is remembered, and
/// who is told how it goes.
package struct PhotographIndexing: Sendable {
  /// A folder for the memory; nil for none.
  private let folder: String?
  private let note: (@Sendable (String) -> Void)?

  package init(folder: String? = nil, note: (@Sendable (String) -> Void)? = nil) {
    self.folder = folder
    self.note = note
  }

  /// Whether a file of that folder is one, whole; what is not is as good as none.
  package static func isWhole(_ path: String) -> Bool { PhotoCache.isWhole(path) }

  /// The file that remembers a folder of photographs, or what was looked for in it for another purpose.
  func file(for root: String, purpose: String = "") -> String? {
    folder.map { "\($0)/\(ContentKey(hashing: Array((purpose + root).utf8)).short).tsv" }
  }

  func progress(for root: String) -> @Sendable (Int, Int) -> Void {
    { [note] done, all in
      // A word now and then: every sixteenth, and the end, of folders that take a while.
      guard all >= 1024, done == all || done % max(64, all / 16 / 64 * 64) == 0 else { return }
      note?("indexing \(root): \(done) of \(all) photographs")
    }
  }

  func say(_ text: String) { note?(text) }
}
