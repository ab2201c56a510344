/// A table as texts, before any format has written it down.
public struct Sheet: Sendable {
  /// What the table is of.
  public var title: String
  /// What all rows have in common:
  /// `fashion-mnist, 1500 + 2000 images, 5 epochs; seeds 1–3`. Nil where nobody knows.
  public var constants: String?
  /// What the grid says of itself; nil where it says nothing.
  public var note: String?
  /// Titles of the columns.
  public var head: [String]
  /// How many columns at the left name a row.
  public var stubs: Int
  /// As many entries in each row as there are columns.
  public var rows: [[Entry]]
  /// Lines below; those that begin with two spaces belong to the one before.
  public var notes: [String]

  /// The text of a cell of the table.
  public struct Entry: Sendable, ExpressibleByStringInterpolation {
    /// As it is shown, not escaped.
    public var text: String
    /// How it is marked among its column.
    public var emphasis: Emphasis

    /// A text, perhaps marked.
    public init(_ text: String, _ emphasis: Emphasis = .none) {
      self.text = text
      self.emphasis = emphasis
    }
    /// An unmarked text.
    public init(stringLiteral text: String) { self.init(text) }
  }

  /// The title with what is constant: the caption of every format.
  var caption: String { constants.map { "\(title): \($0)" } ?? title }

  /// What marks a value: the best, or the second best, of its column.
  public enum Emphasis: Equatable, Sendable {
    case none, best, second
  }

  /// A table without a caption of constants; each row has as many entries as the head.
  public init(
    title: String, head: [String], stubs: Int = 1, rows: [[Entry]], notes: [String] = []
  ) {
    self.title = title
    self.head = head
    self.stubs = stubs
    self.rows = rows
    self.notes = notes
  }
}
