/// A table as texts, before any format has written it down.
package struct Sheet: Sendable {
  package var title: String
  /// What all rows have in common: `fashion-mnist, 1500 + 2000 images, 5 epochs; seeds 1–3`. Nil where nobody knows.
  package var constants: String?
  /// What the grid says of itself; nil where it says nothing.
  package var note: String?
  package var head: [String]
  /// How many columns at the left name a row.
  package var stubs: Int
  package var rows: [[Entry]]
  /// Lines below; those that begin with two spaces belong to the one before.
  package var notes: [String]

  package struct Entry: Sendable, ExpressibleByStringInterpolation {
    package var text: String
    package var emphasis: Emphasis

    package init(_ text: String, _ emphasis: Emphasis = .none) {
      self.text = text
      self.emphasis = emphasis
    }
    package init(stringLiteral text: String) { self.init(text) }
  }

  /// The title with what is constant: the caption of every format.
  var caption: String { constants.map { "\(title): \($0)" } ?? title }

  package enum Emphasis: Equatable, Sendable {
    case none, best, second
  }

  package init(
    title: String, head: [String], stubs: Int = 1, rows: [[Entry]], notes: [String] = []
  ) {
    self.title = title
    self.head = head
    self.stubs = stubs
    self.rows = rows
    self.notes = notes
  }
}
