import Reports
import Specs
import Testing

/// The paper's numbers, and what tests say of them.
@Suite struct PaperTests {
  @Test func `every printed number is there with its source`() {
    let values = PaperValue.all
    let counts = Dictionary(grouping: values, by: \.table).mapValues(\.count)
    #expect(
      counts == [
        "table1": 52, "table2": 32, "table3": 29, "table4": 16, "table5": 12, "table6a": 4, "table6b": 4,
        "table6c": 12,
        "table7": 4, "figure2": 9, "readme": 8,
      ])
    #expect(values.allSatisfy { !$0.source.isEmpty && !$0.network.isEmpty && $0.mean.isFinite })
    let own = values.first { $0.table == "table1" && $0.network == "ResNet-56" && $0.methodName == "mtkd-rl" }
    #expect(own?.mean == 75.35 && own?.std == 0.33)
  }

  @Test func `gains that the text claims agree with the tables, but for the one that does not`() throws {
    func mean(_ table: String, _ method: String, _ networks: [String]) -> Double {
      let values = PaperValue.all.filter {
        $0.table == table && $0.methodName == method && $0.metric == "top1" && networks.contains($0.network)
      }
      return values.reduce(0) { $0 + $1.mean } / Double(values.count)
    }
    let students = ["RegNetX-200MF", "MobileNetV2", "ShuffleNetV2", "ResNet-56"]
    func gain(_ method: String, _ rival: String) -> Double {
      mean("table1", method, students) - mean("table1", rival, students)
    }
    #expect(gain("mtkd-rl", "ca-mkd").isNear(0.3125, absolute: 1e-9))
    #expect(gain("mtkd-rl", "mmkd").isNear(0.33, absolute: 1e-9))
    #expect(gain("aver-kd-fitnet", "aver-kd").isNear(0.68, absolute: 1e-9))
    #expect(gain("aver-kd", "baseline").isNear(1.98, absolute: 1e-9), "the text says 2.46")
    let claims = PaperClaim.all
    #expect(claims.count == 27 && claims.count { !$0.agrees } == 1)
    let wrong = try #require(claims.first { !$0.agrees })
    #expect(wrong.stated == 2.46 && wrong.recomputed == 1.98)
    #expect(
      try Catalog.paperTables.entry("table1").contrasts().notes.contains {
        $0.contains("states 2.46") && $0.contains("gives 1.98")
      })
  }

  @Test func `the catalog is the list that grids are checked against`() {
    #expect(Catalog.paperTables.names == GridKeys.paperTables)
    for table in Catalog.paperTables.entries {
      #expect(!table.values.isEmpty && !table.notes.isEmpty, "\(table.name)")
    }
  }

  /// Section 4 of the specification of grids, to its printed digits.
  @Test func `the paper's Table 1 under Welch and Holm`() throws {
    let sheet = try Catalog.paperTables.entry("table1").contrasts()
    #expect(
      sheet.rows.map { $0.map(\.text) } == [
        ["RegNetX-200MF", "+0.30", "0.25", "+0.43", "0.22", "+1.46", "0.003"],
        ["MobileNetV2", "+0.47", "0.16", "+0.28", "0.38", "+1.96", "0.002"],
        ["ShuffleNetV2", "+0.30", "0.080", "+0.52", "0.026", "+1.56", "0.008"],
        ["ResNet-56", "+0.18", "0.49", "+0.09", "0.73", "+1.42", "0.008"],
      ])
    #expect(sheet.head == ["", "− CA-MKD", "p", "− MMKD", "p", "− AVER (KD+FitNet)", "p"])
    let notes = sheet.notes.joined(separator: "\n")
    #expect(notes.contains("Holm over the 8 comparisons with CA-MKD and MMKD: smallest 0.20."), "\(notes)")
    #expect(notes.contains("0.026 would be 0.046"), "\(notes)")
    #expect(notes.contains("probability 0.16 at n = 3 (0.29 at 1.5 stds, 0.46 at 2)"), "\(notes)")
  }

  @Test func `tables without stds are not tested, and say so`() throws {
    for name in ["table2", "table3", "table4", "table5", "table7", "readme", "fig2-loss-terms"] {
      let sheet = try Catalog.paperTables.entry(name).contrasts()
      #expect(!sheet.rows.isEmpty && sheet.head.count > 1, "\(name)")
      #expect(
        sheet.rows.allSatisfy { row in
          row.dropFirst().enumerated().allSatisfy { $0.offset % 2 == 0 || $0.element.text == "-" }
        })
      #expect(sheet.notes.first?.contains("nothing to test with") == true, "\(name)")
    }
    let agents = try Catalog.paperTables.entry("table6a").contrasts()
    #expect(
      agents.rows.map { $0.map(\.text) } == [
        ["ShuffleNetV2", "+0.23", "0.093", "+0.34", "0.099", "+0.11", "0.32"]
      ])
  }

  @Test func `our cells stand beside the paper's, with what differs`() throws {
    let table = try Catalog.paperTables.entry("table1")
    let own = SweepResults(
      name: "mini", columns: ["student", "method"],
      runs: [("resnet56", "mtkd-rl", 74.0), ("resnet56", "ca-mkd", 75.0), ("resnet8", "mtkd-rl", 60.0)]
        .flatMap { student, method, mean in
          (1...2).map { seed in
            SweepResults.Run(
              labels: [.string(student), .string(method)], seed: seed,
              state: .finished, numbers: MadeUp.numbers(last: mean + Double(seed), best: mean + 5),
              key: ContentKey(hashing: Array("\(student) \(method) \(seed)".utf8)), programs: ["one"])
          }
        }, metric: MadeUp.metric())
    let report = ReportTable(own)
    let network = ModelSpec(family: "cifar_resnet", parameters: ["depth": 56])
    let teacher = TeacherSpec(network: network, recipe: .teacher(family: "cifar_resnet", epochs: 16), seed: 0)
    var recipe = RecipeSpec.student(epochs: 12)
    recipe.batchSize = 32
    let spec = RunSpec(
      dataset: DatasetSpec(name: "cifar100", trainImages: 10_000), student: network,
      method: MethodSpec(name: "mtkd-rl", options: ["beta": 2]), teachers: [teacher, teacher], recipe: recipe,
      seed: 1)
    let specs = Dictionary(report.cells.compactMap(\.key).map { ($0, spec) }) { $1 }
    let beside = PaperComparison(report, table, specs: specs)
    #expect(beside.rows.map(\.name) == ["resnet56 mtkd-rl", "resnet56 ca-mkd"])
    #expect(beside.rows.map(\.value.mean) == [75.35, 75.17])
    #expect(beside.rows[0].welch?.difference.isNear(75.5 - 75.35, absolute: 1e-9) == true)
    let differences = beside.settings.map(\.difference)
    #expect(
      differences == [
        "10000 training images; the paper all", "12 epochs; the paper 240", "batches of 32; the paper 64",
        "beta 2 instead of this program's default", "2 teachers; the paper 4",
        "teachers trained for 16 epochs; the paper 240", "2 seeds; the paper 3 runs",
      ])
    #expect(beside.settings.allSatisfy { $0.cells.isEmpty }, "what is true of all cells names none")
    let text = TextTable.render(beside.sheet(digits: 2, TextStyle()), style: TextStyle())
    #expect(text.contains("75.35 ± 0.33") && text.contains("75.50 ± 0.71"), "\(text)")
    #expect(text.contains("does not say whether ± divides by n"), "\(text)")
  }

  @Test func `transfers stand beside the paper's by detector or by segmentor and dataset`() throws {
    let detectors = try Catalog.paperTables.entry("table4")
    func accuracy(_ table: PaperTable, _ student: String, _ method: String, _ variants: [String]) -> Double? {
      table.accuracy(student: student, method: method, variants: variants)?.mean
    }
    #expect(accuracy(detectors, "resnet18", "baseline", ["baseline", "mask-rcnn"]) == 34.1)
    #expect(accuracy(detectors, "resnet34", "mtkd-rl", ["cascade-rcnn"]) == 40.8)
    #expect(accuracy(detectors, "resnet34", "mtkd-rl", []) == nil)
    let segmentors = try Catalog.paperTables.entry("table5")
    #expect(accuracy(segmentors, "resnet34", "mtkd-rl", ["pspnet", "ade20k:photos"]) == 37.78)
    #expect(accuracy(segmentors, "resnet34", "baseline", ["deeplabv3", "coco-stuff-164k"]) == 29.97)
    #expect(accuracy(segmentors, "resnet34", "baseline", ["deeplabv3", "coco2017"]) == nil)
    for table in [detectors, segmentors] {
      #expect(table.notes.contains { $0.contains("protocol is not published") })
    }
  }

  @Test func `names of the paper and of grids mean the same networks`() throws {
    let table = try Catalog.paperTables.entry("table1")
    for name in [
      "regnetx-200mf", "RegNetX_200MF", "mobilenetv2", "MobileNetV2", "shufflenetv2", "ShuffleV2", "resnet56",
    ] {
      #expect(table.accuracy(student: name, method: "mtkd-rl") != nil, "\(name)")
    }
    #expect(table.accuracy(student: "resnet5", method: "mtkd-rl") == nil)
    let agents = try Catalog.paperTables.entry("table6a")
    #expect(agents.accuracy(student: "shufflenetv2", method: "mtkd-rl", variants: ["ppo"])?.mean == 78.28)
    #expect(agents.accuracy(student: "shufflenetv2", method: "mtkd-rl") == nil)
    let imageNet = try Catalog.paperTables.entry("table2")
    #expect(imageNet.accuracy(student: "tv-resnet18", method: "mtkd-rl")?.mean == 72.82)
  }
}
