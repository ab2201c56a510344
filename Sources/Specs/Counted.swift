/// A number with its noun: `1 run`, `2 runs`.
///
/// - Parameter plural: of nouns that take more than an `s`.
package func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? "\(noun)s")"
}

/// A word as a shell reads it back: quoted where it has to be. For commands in sentences.
package func shellWord(_ text: String) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,")
  if !text.isEmpty, text.allSatisfy({ plain.contains($0) || !$0.isASCII && $0.isLetter }) { return text }
  return "'" + text.replacing("'", with: "'\\''") + "'"
}
