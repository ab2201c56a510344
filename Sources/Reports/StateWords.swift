package import Specs

/// What people read of a run's state: the same word in tables, lists, pages and the terminal.
extension RunState {
  /// `to run` for what is open, the word of the state for the rest.
  package var shown: String { Self.shown(word) }

  package static func shown(_ word: String) -> String { word == "open" ? "to run" : word }
}
