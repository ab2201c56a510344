import Foundation
import TestSupport
import Testing

/// Transfers whose images or backbones come from files, with the built program.
@Suite struct TransferFileTests {
  private static let trunk = #"{ "family": "tv_resnet", "repeats": [1, 1, 1, 1] }"#
  private static let detector =
    #""recipe": "mini-det", "epochs": 1, "batchSize": 2, "lossGroup": 2, "fpnWidth": 8,"#
    + #" "hidden": 16, "roiSample": 16, "evalEvery": 0"#

  private static func grid(_ transfer: String, student: String = "") -> String {
    #"{ "version": 1, "name": "tiny", "base": { \#(student) "transfer": { \#(detector), \#(transfer) } } }"#
  }

  /// Digests of what a store's transfers published: records, weights and predictions,
  /// whatever their keys are.
  private func outputs(_ store: String, of sweep: TinySweep) throws -> String {
    let found = try Program.shell(
      """
      for p in \(store)/stages/*/output/predictions-0.bin; do
        d=$(dirname "$p"); cat "$d/curve.json" "$p" "$d/final.safetensors" | sha256sum
      done | sort
      """, in: sweep.folder)
    #expect(found.status == 0 && !found.out.isEmpty, "\(found.talk)")
    return found.out
  }

  private func run(_ grid: String, store: String, in sweep: TinySweep) throws -> String {
    try sweep.write(grid, to: "\(store).json")
    let run = try Program.run("run", "\(store).json", "--store", store, "--quiet", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    return try outputs(store, of: sweep)
  }

  @Test func `a transfer on exported shapes has the bits of one on generated shapes`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let export = try Program.run(
      "datasets", "synthetic-shapes-64x64-2", "--export", "files", "--train-images", "4", "--test-images",
      "2",
      in: sweep.folder)
    #expect(export.status == 0, "\(export.talk)")
    let ends = #""detector": "mask-rcnn", "maskWidth": 8, "backbone": { "random": \#(Self.trunk) }"#
    let made = try run(
      Self.grid(#""dataset": "synthetic-shapes-64x64-2", "trainImages": 4, "testImages": 2, "# + ends),
      store: "made", in: sweep)
    let read = try run(Self.grid(#""dataset": "coco-json:files", "# + ends), store: "read", in: sweep)
    #expect(read == made)
    let table = try Program.run(
      "report", "--store", "read", "--metric", "test.mask.AP", "--format", "csv", in: sweep.folder)
    #expect(table.status == 0, "\(table.talk)")

    // Without masks there is nothing that a mask head could learn.
    let boxes = try Program.shell(
      #"sed -i 's/"segmentation":/"outline":/g' files/annotations/*.json; "$PROGRAM" check read.json"#,
      in: sweep.folder)
    #expect(
      boxes.status == 65 && boxes.talk.contains("objects of coco-json have boxes alone"), "\(boxes.talk)")
  }

  @Test func `a file that a run exported makes the transfer that the run's own student makes`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let shapes =
      #""dataset": "synthetic-shapes-64x64-2", "trainImages": 4, "testImages": 2, "detector": "retinanet""#
    let student =
      #""dataset": "synthetic-3x32x32-4", "trainImages": 32, "testImages": 16, "batchSize": 16, "epochs": 1,"#
      + #" "method": "baseline", "student": \#(Self.trunk),"#
    let own = try run(Self.grid(shapes, student: student), store: "own", in: sweep)
    let export = try Program.shell(
      """
      d=$(dirname "$(grep -l '"kind":"student"' own/stages/*/spec.json)")
      "$PROGRAM" export "$(basename "$d")" --store own --format safetensors --output student.safetensors
      """, in: sweep.folder)
    #expect(export.status == 0, "\(export.out)\(export.talk)")
    let file = #", "backbone": { "file": "student.safetensors", "network": \#(Self.trunk) }"#
    #expect(try run(Self.grid(shapes + file), store: "file", in: sweep) == own)
  }

  @Test(.enabled(if: Available.hasData("bccd-mini"), "the sample of blood cells is not here"))
  func `photographs with the boxes of Pascal VOC are trained on and measured`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let folder = try #require(Available.data("bccd-mini")).path
    let cells =
      #""dataset": "voc-xml:\#(folder)", "trainImages": 4, "testImages": 2, "shortSide": 64,"#
      + #" "longSide": 96, "backbone": { "random": \#(Self.trunk) }, "detector": "#
    _ = try run(Self.grid(cells + #""faster-rcnn""#), store: "cells", in: sweep)
    let report = try Program.run("report", "--store", "cells", "--format", "csv", in: sweep.folder)
    #expect(report.status == 0 && report.out.contains("random"), "\(report.talk)")
    // Of the whole set two boxes are points.
    try sweep.write(
      Self.grid(cells.replacing(#""trainImages": 4, "#, with: "") + #""retinanet""#), to: "all.json")
    let plan = try Program.run("plan", "all.json", in: sweep.folder)
    #expect(plan.talk.contains("not trained on: 2 boxes with both corners on one pixel"), "\(plan.talk)")
    #expect(!plan.out.contains("forecast: 0 s"), "\(plan.out)")
    try sweep.write(Self.grid(cells + #""mask-rcnn""#), to: "masks.json")
    let check = try Program.run("check", "masks.json", in: sweep.folder)
    #expect(check.status == 65 && check.talk.contains("or a dataset with masks"), "\(check.talk)")
  }

  @Test func `a transfer whose loss is not finite is diverged, and its part is told`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try sweep.write(
      Self.grid(
        #""dataset": "synthetic-shapes-64x64-2", "trainImages": 8, "testImages": 2, "detector": "retinanet","#
          + #" "clipNorm": 0, "warmupSteps": 0, "learningRate": 1e30, "backbone": { "random": \#(Self.trunk) }"#
      ),
      to: "far.json")
    let run = try Program.run("run", "far.json", in: sweep.folder)
    #expect(run.status == 1, "\(run.talk)")
    #expect(run.out.contains("diverged"), "\(run.out)")
    try expectDiverged(": The loss cls was not finite in epoch 1, at step", in: sweep)
    let again = try Program.run("run", "far.json", in: sweep.folder)
    #expect(again.status == 1 && again.talk.contains("1 done, 0 to run"), "\(again.talk)")
    // With its transfer, or it would be as before at once.
    let key = try Program.run("list", "tiny", in: sweep.folder).out.prefix(10)
    let retry = try Program.run("retry", String(key), in: sweep.folder)
    #expect(retry.status == 0 && retry.out.contains("1 run will run again"), "\(retry.out)")
    let open = try Program.run("plan", "far.json", in: sweep.folder)
    #expect(open.out.contains("done 0, to run 1"), "\(open.out)")
  }

  @Test func `a run whose student diverges has diverged, and a cell is left that its grid stops`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let student =
      #""dataset": "synthetic-3x32x32-4", "trainImages": 32, "testImages": 16, "batchSize": 16, "epochs": 3,"#
      + #" "learningRate": 1e30, "method": "baseline", "student": \#(Self.trunk),"#
    let shapes =
      #""dataset": "synthetic-shapes-64x64-2", "trainImages": 4, "testImages": 2, "detector": "retinanet""#
    try sweep.write(Self.grid(shapes, student: student), to: "far.json")
    let run = try Program.run("run", "far.json", in: sweep.folder)
    #expect(run.status == 1, "\(run.talk)")
    try expectDiverged("baseline seed 1: The loss was not finite", in: sweep)
    let cell =
      Self.grid(shapes, student: student).dropLast()
      + #", "seeds": { "count": 3 }, "run": { "onDiverged": "stopCell" } }"#
    try sweep.write(String(cell), to: "cell.json")
    let stopped = try Program.run(
      "run", "cell.json", "--workers", "1", "--store", "cell", in: sweep.folder)
    #expect(stopped.status == 1, "\(stopped.talk)")
    let status = try Program.run("status", "--store", "cell", in: sweep.folder)
    #expect(status.out.contains("1 diverged, 0 failed, 2 blocked, 0 to run"), "\(status.out)")
    let begun = try Program.shell(#"grep -l '"kind":"student"' cell/stages/*/spec.json"#, in: sweep.folder)
    #expect(begun.out.split(separator: "\n").count < 3, "\(begun.out)")
  }

  /// In the state of the run, in the table, and wherever runs are shown and counted.
  private func expectDiverged(_ reason: String, in sweep: TinySweep) throws {
    func said(_ arguments: String..., status: Int32 = 0) throws -> String {
      let output = try Program.start(arguments, in: sweep.folder).finish()
      #expect(output.status == status, "\(arguments): \(output.talk)")
      return output.out
    }
    let list = try said("list", "tiny")
    #expect(list.contains("diverged") && !list.contains("blocked"), "\(list)")
    let status = try said("status", "tiny", "--check", status: 1)
    #expect(status.contains("1 diverged, 0 failed, 0 blocked, 0 to run"), "\(status)")
    #expect(status.contains(reason), "\(status)")
    let shown = try said("show", String(list.prefix(10)))
    #expect(shown.contains("diverged") && shown.contains(reason), "\(shown)")
    for machine in [try said("list", "tiny", "--json"), try said("show", String(list.prefix(10)), "--json")] {
      #expect(
        machine.contains(#""state":"diverged""#) && !machine.contains(#""state":"failed""#), "\(machine)")
    }
    let counts = try said("status", "tiny", "--json")
    #expect(counts.contains(#""diverged":1"#) && counts.contains(#""failed":1"#), "\(counts)")
    #expect(try said("report", "tiny").contains("(0 of 1, 1 diverged)"))
    #expect(try said("export", "tiny", "--format", "jsonl").contains(#""state":"diverged""#))
  }
}
