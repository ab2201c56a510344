/// A number with its noun: `1 run`, `2 runs`.
///
/// - Parameter plural: of nouns that take more than an `s`.
package func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? "\(noun)s")"
}
