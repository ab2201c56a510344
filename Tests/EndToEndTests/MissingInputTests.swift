import Foundation
import TestSupport
import Testing

/// Grids whose datasets and imported weights are not here: they are planned without them, and not run.
@Suite struct MissingInputTests {
  private struct Shipped {
    let name: String
    let runs: Int
    /// What is to be named: datasets, then imports.
    let inputs: [String]
  }

  private static let teachers = ["resnet50", "resnet101", "wide-resnet50-2", "resnext50-32x4d"]
  private static let shipped = [
    Shipped(name: "table2-imagenet", runs: 16, inputs: ["imagenet"] + teachers),
    Shipped(name: "table3-vit", runs: 14, inputs: ["imagenet", "cait-s24", "deit-small", "deit-base"]),
    Shipped(name: "table4", runs: 16, inputs: ["imagenet", "coco2017"] + teachers),
    Shipped(
      name: "table5", runs: 12, inputs: ["imagenet", "cityscapes", "ade20k", "coco-stuff-164k"] + teachers),
  ]

  @Test(arguments: shipped.indices)
  func `a grid of ImageNet is planned without data, and not run`(_ index: Int) throws {
    let shipped = Self.shipped[index]
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let grid = RepositoryFile.root.appending(path: "sweeps/\(shipped.name).json").path
    let plan = try Program.run("plan", grid, in: sweep.folder)
    #expect(plan.status == 0, "\(plan.talk)")
    #expect(plan.out.contains("\(shipped.name): \(shipped.runs) runs asked for"), "\(plan.out)")
    #expect(plan.out.contains("not here: \(shipped.inputs.count) inputs"), "\(plan.out)")
    #expect(plan.out.contains("forecast:"), "\(plan.out)")
    let run = try Program.run("run", grid, in: sweep.folder)
    #expect(run.status == 66, "\(run.talk)")
    for talk in [plan.talk, run.talk] {
      for input in shipped.inputs {
        let isNamed =
          talk.contains("The dataset \(input) needs") || talk.contains("There is no import named '\(input)'")
        #expect(isNamed, "\(input): \(talk)")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: sweep.folder.appending(path: "results").path))
  }

  @Test func `backbones that are not there are named with how to take them in, and a plan goes on`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try sweep.write(
      """
      { "version": 1, "name": "far", "base": { "transfer": { "dataset": "synthetic-shapes-64x64-3",
          "trainImages": 8, "testImages": 4, "recipe": "mini-det", "detector": "retinanet" } },
        "axes": { "transfer.backbone": [{ "import": "mine" }, { "file": "no.safetensors", "network": "resnet34" }] } }
      """, to: "far.json")
    let plan = try Program.run("plan", "far.json", in: sweep.folder)
    #expect(plan.status == 0 && plan.out.contains("not here: 2 inputs"), "\(plan.out)\(plan.talk)")
    #expect(plan.talk.contains("--network NETWORK --name mine"), "\(plan.talk)")
    #expect(plan.talk.contains("takes it for a resnet18"), "\(plan.talk)")
    #expect(plan.talk.contains("The weights no.safetensors do not exist"), "\(plan.talk)")
    let check = try Program.run("check", "far.json", in: sweep.folder)
    #expect(check.status == 0 && check.talk.contains("no import named 'mine'"), "\(check.talk)")
    #expect(try Program.run("run", "far.json", in: sweep.folder).status == 66)
  }
}
