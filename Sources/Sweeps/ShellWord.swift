/// Words of a POSIX shell.
enum ShellWord {
  /// A word that a shell reads as it is.
  static func quoted(_ word: String) -> String { "'\(word.replacing("'", with: "'\\''"))'" }

  /// The same, quoted only where the word has something that a shell or a batch script's
  /// options would take apart.
  static func quotedWhereNeeded(_ word: String) -> String {
    word.isEmpty || word.contains { $0.isWhitespace || "'\"\\#".contains($0) } ? quoted(word) : word
  }

  /// Whether a name is one that a variable of the environment may have.
  static func isVariable(_ name: String) -> Bool {
    guard let first = name.utf8.first, first == 95 || (first | 32) >= 97 && (first | 32) <= 122 else {
      return false
    }
    return name.utf8.allSatisfy { $0 == 95 || ($0 | 32) >= 97 && ($0 | 32) <= 122 || $0 >= 48 && $0 <= 57 }
  }
}
