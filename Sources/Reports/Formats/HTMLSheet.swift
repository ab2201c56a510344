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

  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      // Control characters are no part of HTML or XML.
      case "\0"..<" ", "\u{7f}"..."\u{9f}", "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
