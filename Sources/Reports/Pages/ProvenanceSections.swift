internal import Specs

/// What made a sweep's numbers, and how to make them again.
enum ProvenanceSections {
  static func markup(_ story: SweepStory) -> Markup {
    "\(programs(story))\(seals(story))\(again(story))"
  }

  /// What `verify` found so far.
  private static func seals(_ story: SweepStory) -> Markup {
    let seals = story.runs.compactMap(\.seal)
    guard !seals.isEmpty else {
      return
        "<p>No run has been executed a second time yet: <code>mtkd-sweep verify --sample 3</code> does that and compares every epoch's state.</p>"
    }
    let different = seals.count { !$0.isEqual }
    let epochs = seals.reduce(0) { $0 + $1.epochs }
    let finding: Markup =
      different == 0
      ? "and all of them ended with the same bits" : "<b>and \(different) of them ended differently</b>"
    return
      "<p>\(seals.count) of \(story.runs.count) runs were executed a second time, \(counted(epochs, "epoch")) compared, \(finding).</p>"
  }

  private static func programs(_ story: SweepStory) -> Markup {
    let makers = story.makers
    guard !makers.isEmpty else { return "<p>No run has been started yet.</p>" }
    let head = [
      "runs", "version", "commit", "program", "numerics profile", "matrix products", "threads a run",
      "processor", "machine",
    ]
    .map { name -> Markup in "<th scope=col>\(name)</th>" }
    let rows = makers.map { made, runs -> Markup in
      let program = made.program.map { $0.short } ?? "not recorded"
      let threads = made.threads.map { "\($0)" } ?? "not recorded"
      return """
        <tr><td>\(runs)</td><td>\(made.version)</td><td class=mono>\(made.commit ?? "not recorded")</td><td class=mono>\(program)</td>\
        <td>\(made.profile)</td><td>\(made.blas)</td><td>\(threads)</td><td>\(made.cpu)</td><td>\(made.host)</td></tr>

        """
    }
    return """
      <div class=scroll tabindex=0 role=group aria-label="Programs and machines"><table class=text><thead><tr>\(head)</tr></thead><tbody>
      \(rows)</tbody></table></div>
      """
  }

  private static func again(_ story: SweepStory) -> Markup {
    let name = story.results.name
    let lines = [
      ("mtkd-sweep plan \(name).json", "what it asks for and what that costs"),
      ("mtkd-sweep run \(name).json", "the same seeds give the same bits on the same numerics profile"),
      ("mtkd-sweep report \(name) --format html -o \(name).html", "this page again"),
    ]
    let width = lines.map(\.0.count).max() ?? 0
    let text = lines.map { line -> Markup in
      "<span class=prompt>$ </span>\(line.0)\(String(repeating: " ", count: width - line.0.count + 3))<span class=soft># \(line.1)</span>\n"
    }
    return """
      <h3>Make them again</h3>
      <p>Save the grid below as <code>\(name).json</code> and type:</p>
      <pre tabindex=0>\(text)</pre>
      <p>Each run is named by the digest of everything that decides its result. A run whose key, program and numerics profile are those above \
      ends with the same state after every epoch, bit for bit; its digest stands in its section.</p>
      """
  }
}
