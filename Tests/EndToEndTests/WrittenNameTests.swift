import Foundation
import Testing

/// Networks are called what the user wrote, although several names are one network.
@Suite struct WrittenNameTests {
  private static func grid(_ name: String, student: String, teacher: String) -> String {
    """
    { "version": 1, "name": "\(name)",
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 16, "testImages": 8, "batchSize": 8, "epochs": 1,
                "teacherEpochs": 1, "student": "\(student)", "method": "aver-kd", "teachers": ["\(teacher)"] } }
    """
  }

  @Test func `every display says the names of the grid, also where another grid calls the network otherwise`()
    throws
  {
    let sweep = try TinySweep(
      grid: Self.grid("first", student: "mini-shufflev2-02", teacher: "mini-wrn-10-1"))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let other = try Program.run("models", "mini-wrn-10-1", in: sweep.folder)
    try #require(other.status == 0 && other.out.contains("wrn-10-1"))
    try sweep.write(
      Self.grid("second", student: "shufflenetv2-0-2", teacher: "wrn-10-1"), to: "second.json")
    let again = try Program.run("run", "second.json", in: sweep.folder)
    try #require(again.status == 0, "\(again.talk)")
    #expect(run.out.contains("teacher mini-wrn-10-1") && again.out.contains("teacher wrn-10-1"))
    for format in ["text", "markdown", "latex", "html"] {
      let table = try Program.run("report", "first", "--format", format, in: sweep.folder).out
      #expect(table.contains("teacher mini-wrn-10-1") && !table.contains("teacher wrn"), "\(table)")
      #expect(table.contains("mini-shufflev2-02") && !table.contains("shufflenetv2-0-2"), "\(table)")
    }
    let list = try Program.run("list", "first", in: sweep.folder).out
    let key = try #require(list.split(separator: " ").first.map(String.init))
    let show = try Program.run("show", key, in: sweep.folder).out
    #expect(show.contains("mini-wrn-10-1") && show.hasPrefix("mini-shufflev2-02 aver-kd"), "\(show)")
    // Without a database all of it comes out of the folders and files.
    let rebuild = try Program.run("rebuild", in: sweep.folder)
    #expect(rebuild.status == 0, "\(rebuild.talk)")
    #expect(try Program.run("show", key, in: sweep.folder).out == show)
  }

  @Test
  func
    `the page beside exported weights has the grid's name, and an import is called what it was imported as`()
    throws
  {
    let sweep = try TinySweep(grid: Self.grid("alone", student: "mini-wrn-10-1", teacher: "mini-wrn-10-1"))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", "-q", in: sweep.folder)
    try #require(run.status == 0, "\(run.talk)")
    let list = try Program.run("list", "alone", in: sweep.folder).out
    let key = try #require(list.split(separator: " ").first.map(String.init))
    let export = try Program.run(
      "export", key, "--format", "safetensors", "-o", "wrn.safetensors", in: sweep.folder)
    try #require(export.status == 0, "\(export.talk)")
    let readme = try String(contentsOf: sweep.folder.appending(path: "wrn.README.md"), encoding: .utf8)
    #expect(readme.contains("\nNetwork: mini-wrn-10-1; method: aver-kd;"), "\(readme)")
    let taken = try Program.run(
      "import", "wrn.safetensors", "--network", "mini-wrn-10-1", "--dataset", "synthetic-1x8x8-3", "--name",
      "mine", in: sweep.folder)
    #expect(taken.status == 0 && taken.out.hasPrefix("mine: mini-wrn-10-1,"), "\(taken.out)\(taken.talk)")
    #expect(try Program.run("show", "mine", in: sweep.folder).out.hasPrefix("mini-wrn-10-1\n"))
    try sweep.write(
      Self.grid("taught", student: "mini-wrn-10-1", teacher: "x")
        .replacing("\"x\"", with: "{ \"import\": \"mine\" }"), to: "taught.json")
    let taught = try Program.run("run", "taught.json", in: sweep.folder)
    try #require(taught.status == 0, "\(taught.talk)")
    #expect(taught.out.contains("teacher mine from weights"), "\(taught.out)")
  }
}
