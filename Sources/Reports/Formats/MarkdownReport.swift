internal import Specs

/// A sweep's report as a file to keep beside a grid: what was run, by which programs on which machines, the
/// tables, and the grid itself.
package enum MarkdownReport {
  /// Without dates: equal results of equal programs are equal bytes.
  package static func render(_ story: SweepStory, style: TextStyle) -> String {
    var parts = [head(story)]
    for (place, sheet) in story.tables.sheets(style).enumerated() {
      // The first one's name is that of the sweep, which the file begins with.
      parts.append(MarkdownTable.render(sheet, title: place == 0 ? nil : "## \(sheet.title)"))
    }
    return (parts + [grid(story)]).joined(separator: "\n")
  }

  private static func head(_ story: SweepStory) -> String {
    let results = story.results
    let (asked, distinct) = (story.asked, results.runs.count)
    let shared = asked > distinct ? "\(asked) runs asked for, \(distinct) distinct" : counted(distinct, "run")
    let missing = results.isComplete ? "" : ", \(results.answered) of them with a result so far"
    var lines = [
      "# \(results.name)", "",
      "`mtkd-sweep run \(results.name).json`, where that file is the grid below: "
        + "\(shared)\(missing). Made by:",
      "",
    ]
    lines += story.makers.map { made, runs in
      let commit = made.commit.map { ", commit \($0)" } ?? ", built without a commit"
      let threads = made.threading.map { ", \($0)" } ?? ""
      let line =
        "mtkd-sweep \(made.version)\(commit) on \(made.cpu) (\(made.host)), \(made.profile)\(threads): "
        + "\(counted(runs, "run"))"
      return "- " + ForeignText.safe(line, for: .markdownLine)
    }
    if story.makers.isEmpty { lines.append("- nobody yet") }
    if let constants = story.table.constants(TextStyle()) {
      lines += ["", ForeignText.safe("All of it: \(constants).", for: .markdownLine)]
    }
    if let note = results.note {
      lines += ["", ForeignText.safe(ForeignText.line(note), for: .markdownLine)]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func grid(_ story: SweepStory) -> String {
    var fence = "```"
    while story.grid.contains(fence) { fence += "`" }
    let text = story.grid.hasSuffix("\n") ? story.grid : story.grid + "\n"
    return "## The grid\n\n\(fence)jsonc\n\(text)\(fence)\n"
  }
}
