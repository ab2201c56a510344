internal import Specs

/// A sheet as an HTML table, for pages: a fragment without style of its own.
package enum HTMLSheet {
  package static func table(_ sheet: Sheet) -> String {
    func row(_ cells: [String]) -> String { "<tr>\(cells.joined())</tr>" }
    let head = sheet.head.indices.map { column in
      "<th scope=\"col\"\(column < sheet.stubs ? "" : " class=\"number\"")>\(escaped(sheet.head[column]))</th>"
    }
    let body = sheet.rows.map { entries in
      row(
        entries.indices.map { column in
          let text = escaped(entries[column].text)
          if column < sheet.stubs { return "<th scope=\"row\">\(text)</th>" }
          return switch entries[column].emphasis {
          case .none: "<td class=\"number\">\(text)</td>"
          case .best: "<td class=\"number best\"><strong>\(text)</strong></td>"
          case .second: "<td class=\"number second\"><u>\(text)</u></td>"
          }
        })
    }
    var lines = [
      "<table>", "<caption>\(escaped(sheet.title))</caption>", "<thead>\(row(head))</thead>", "<tbody>",
    ]
    lines += body + ["</tbody>", "</table>"]
    let notes = sheet.notes.map { note in
      note.hasPrefix("  ")
        ? "<p class=\"note item\">\(escaped(String(note.dropFirst(2))))</p>"
        : "<p class=\"note\">\(escaped(note))</p>"
    }
    return (lines + notes).joined(separator: "\n") + "\n"
  }

  package static func escaped(_ text: String) -> String { ForeignText.safe(text, for: .html) }
}
