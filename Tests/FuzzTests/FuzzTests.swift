@testable import Datasets
import Evaluation
import Foundation
import Networks
import Specs
import Storage
import Sweeps
import Testing

/// Readers of files from outside against bytes that nobody meant: they refuse with a typed error, or
/// read something that reads the same again. A trap ends the whole process, and the input that did it
/// lies in the temporary folder.
///
/// `make fuzz` gives each target a minute (`MTKD_FUZZ_SECONDS`); every test run gives each a moment. Inputs
/// come from a seed (`MTKD_FUZZ_SEED`), so a finding can be met again.
@Suite(.serialized) struct FuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seconds = environment["MTKD_FUZZ_SECONDS"].flatMap { Double($0) } ?? 1.5
  private static let seed = environment["MTKD_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

  struct Target: Sendable, CustomTestStringConvertible {
    let name: String
    /// Well-formed inputs, from which others are made.
    let corpus: [[UInt8]]
    /// Pieces that mean something in the format.
    let words: [String]
    /// Reads an input. Throws what a reader may throw; anything that must not be is an issue.
    let read: @Sendable ([UInt8]) throws -> Void

    var testDescription: String { name }
  }

  @Test(arguments: targets) func `bytes that nobody meant are refused or read`(_ target: Target) throws {
    let last = FileManager.default.temporaryDirectory.appending(path: "mtkd-fuzz-\(target.name)-\(getpid())")
    #expect(FileManager.default.createFile(atPath: last.path, contents: nil))
    let file = open(last.path, O_WRONLY)
    defer { close(file) }
    var mutator = Mutator(target, seed: Self.seed)
    let deadline = Date.now.addingTimeInterval(Self.seconds)
    var (inputs, accepted) = (0, 0)
    for input in target.corpus {
      #expect(throws: Never.self, "the corpus of \(target.name) is well formed") { try target.read(input) }
    }
    while Date.now < deadline {
      let input = mutator.next()
      // On disk before it is read: a trap leaves no other trace.
      input.withUnsafeBytes { _ = pwrite(file, $0.baseAddress, $0.count, 0) }
      ftruncate(file, off_t(input.count))
      inputs += 1
      if (try? target.read(input)) != nil { accepted += 1 }
    }
    print("fuzz: \(target.name): \(inputs) inputs, \(accepted) accepted")
    try FileManager.default.removeItem(at: last)
  }

  private static let targets = [
    grid, site, records, manifest, squeue, configuration, safetensors, cifar10, cifar100, idx, packed, zstd,
    coco, runs, voc, labels,
  ]
}

/// Makes inputs from others: bits and bytes changed, pieces cut, doubled, moved and put together, words of
/// the format put in, lengths blown up.
private struct Mutator {
  private let target: FuzzTests.Target
  private var pool: [[UInt8]]
  private var state: UInt64

  init(_ target: FuzzTests.Target, seed: UInt64) {
    self.target = target
    pool = target.corpus
    state = target.name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  private mutating func number(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(max(1, bound)))
  }

  mutating func next() -> [UInt8] {
    var bytes = pool[number(below: pool.count)]
    for _ in 0...number(below: 4) { change(&bytes) }
    if bytes.count > 1 << 16 { bytes.removeLast(bytes.count - 1 << 16) }
    // Some of what was made is gone on from, so that changes add up.
    if number(below: 50) == 0 {
      if pool.count < 200 { pool.append(bytes) } else { pool[number(below: pool.count)] = bytes }
    }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let place = number(below: bytes.count + 1)
    func inside() -> Bool { place < bytes.count }
    switch number(below: 10) {
    case 0 where inside(): bytes[place] ^= 1 << UInt8(number(below: 8))
    case 1 where inside(): bytes[place] = UInt8(number(below: 256))
    case 2: bytes.removeSubrange(place..<min(bytes.count, place + number(below: 16)))
    case 3: bytes.removeLast(bytes.count - place)
    case 4:
      let end = min(bytes.count, place + number(below: 64))
      bytes.insert(contentsOf: bytes[place..<end], at: number(below: bytes.count + 1))
    case 5:
      let other = pool[number(below: pool.count)]
      bytes = Array(bytes.prefix(place)) + other.suffix(number(below: other.count + 1))
    case 6 where !target.words.isEmpty:
      bytes.insert(contentsOf: target.words[number(below: target.words.count)].utf8, at: place)
    case 7 where place + 8 <= bytes.count:
      // A length or an offset that is far too large, or negative where it is read as signed.
      let values: [UInt64] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 62, .max, .max - 7]
      let value = values[number(below: values.count)]
      let isBig = number(below: 2) == 0
      withUnsafeBytes(of: isBig ? value.bigEndian : value.littleEndian) {
        bytes.replaceSubrange(place..<place + 8, with: $0)
      }
    case 8:
      let digits = ["0", "-1", "1e999", "1e-999", "99999999999999999999", "0.1", "1e5", "00"]
      bytes.insert(contentsOf: digits[number(below: digits.count)].utf8, at: place)
    default:
      bytes.insert(contentsOf: repeatElement(UInt8(number(below: 256)), count: number(below: 40)), at: place)
    }
  }
}

// MARK: Targets

extension FuzzTests {
  private static func utf8(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  private static let grid = Target(
    name: "grid",
    corpus: utf8(
      """
      { "version": 1, "name": "g", // a comment
        "base": { "student": "toy", "method": "plain", "epochs": 2, "alpha": 0.5 },
        "axes": { "alpha": { "range": [0, 1, 0.25] }, "student": ["toy", "toy"] },
        "zip": [ { "epochs": [1, 2], "batchSize": [4, 8] } ], "exclude": [ { "epochs": { "gt": 1 } } ],
        "include": [ { "alpha": 3 } ], "blocks": [ { "name": "b", "base": { "beta": 1 } } ],
        "seeds": { "count": 3, "first": 1 }, "run": { "workers": 2 }, "report": { "metric": "test.acc1" } }
      """, #"{"version":1,"name":"h","base":{},"seeds":[1,2,3]}"#),
    words: [
      "\"axes\":", "\"range\":[0,1e9,1e-9]", "\"logspace\":[1,10,3]", "{", "}", "[", "]", "/*", "*/", "//",
      "\\u00", "\"", ",",
      "null", "\"take\":", "\"extends\":",
    ]
  ) { bytes in
    struct NothingBeside: Error {}
    let grid = try GridReader.read(bytes, file: "fuzz.json") { _, _ in throw NothingBeside() }
    #expect(!grid.name.isEmpty)
  }

  private static let site = Target(
    name: "site",
    corpus: utf8(
      #"{"partition": "p", "time": "1-2:3:4", "cpus": 2, "extra": ["--x"], "environment": {"A": "b"}}"#),
    words: ["\"time\":", "\"cpus\":", "-", ":", "\\n"]
  ) { bytes in
    let site = try SiteOptions(reading: bytes, at: "site.json")
    // Whatever was accepted makes a script with no line that is not ours.
    let script = try SlurmText.script(.init(token: "t", tasks: 1, program: "/p", store: "/s"), site)
    for line in script.split(separator: "\n") {
      let isOurs = line.hasPrefix("#") || line.hasPrefix("  ") || line.hasPrefix("exec ")
      #expect(isOurs, "\(line)")
    }
  }

  private static let records = Target(
    name: "records",
    corpus: [
      RunRecord.epoch(
        EpochRecord(
          epoch: 1, step: 2, metrics: Metrics(["a": 1.5, "b": .nan]), state: ContentKey(hashing: [1]))),
      .stopped(step: 3), .failed(FailureRecord(cause: .data, reason: "é\n", epoch: 1, step: nil)),
      .finished(metrics: Metrics(["x": 1e-300])),
    ].map(\.canonicalBytes), words: ["\"record\":", "\"epoch\"", "\"metrics\":{", "\"nan\""]
  ) { bytes in
    let record = try RunRecord(JSONReader.read(bytes).value)
    let again = try RunRecord(JSONReader.read(record.canonicalBytes).value)
    #expect(again.canonicalBytes == record.canonicalBytes)
  }

  private static let manifest = Target(
    name: "manifest",
    corpus: [
      BatchManifest(
        token: "t", sweep: "s", tasks: [[.init(key: ContentKey(hashing: [1]), after: 0)]], slots: 1,
        wallSeconds: 60,
        leadSeconds: 1, bin: nil
      ).canonicalBytes
    ], words: ["\"tasks\":[", "\"after\":"]
  ) { bytes in
    let manifest = try BatchManifest(JSONReader.read(bytes).value, at: "m")
    #expect(try BatchManifest(JSONReader.read(manifest.canonicalBytes).value, at: "m") == manifest)
    for task in manifest.tasks.indices.prefix(10) {
      #expect(manifest.order(for: task).count == manifest.keys.count)
    }
  }

  private static let squeue = Target(
    name: "squeue",
    corpus: utf8(
      "2_0|2|0|COMPLETED|None|n1|mtkd-aaaa\n2_9|2|9|RUNNING|None|n2|mtkd-aaaa\n4|4|N/A|PENDING|Priority||mtkd-b\n"
    ),
    words: ["|", "PENDING", "mtkd-", "\n", "N/A", "[1-3%2]"]
  ) { bytes in
    for task in SlurmText.tasks(String(decoding: bytes, as: UTF8.self)) {
      #expect(!task.array.contains { !$0.isNumber })
      _ = SlurmText.advice(task.reason)
    }
  }

  private static let configuration = Target(
    name: "configuration",
    corpus: utf8("MaxArraySize            = 1001\nMinJobAge = 300 sec\n", "1-2:3:4", "33;c\n"),
    words: ["MaxArraySize=", "MessageTimeout=", "-", ":", ";"]
  ) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    _ = SlurmText.limits(text).quietSeconds
    _ = SlurmText.jobNumber(text)
    if let seconds = SiteOptions.seconds(ofTime: text) { #expect(seconds >= 0) }
    _ = SlurmText.member("ExitCode", of: text)
  }

  /// A header with its length before it and so many bytes behind it.
  private static func weights(_ header: String, count: Int) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return length + Array(header.utf8) + Array(repeating: 1, count: count)
  }

  private static let safetensors = Target(
    name: "safetensors",
    corpus: [
      weights(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, count: 8),
      weights(
        #"{"__metadata__":{"k":"v"},"a":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}"#,
        count: 16),
    ], words: ["\"dtype\":\"BF16\"", "\"shape\":[", "\"data_offsets\":[0,8]", "4611686018427387904"]
  ) { _ = try Safetensors(decoding: $0) }

  private static func dataset(
    _ name: String, _ corpus: [[UInt8]], _ read: @escaping @Sendable ([UInt8]) throws -> Void
  ) -> Target {
    Target(name: name, corpus: corpus, words: [], read: read)
  }

  private static let cifar10 = dataset("cifar10", [[3] + Array(repeating: 7, count: 3072)]) {
    _ = try CIFARBinary.ten.read([DataFile(path: "fuzz", bytes: $0)])
  }
  private static let cifar100 = dataset("cifar100", [[8, 3] + Array(repeating: 7, count: 3072)]) {
    _ = try CIFARBinary.hundred.read([DataFile(path: "fuzz", bytes: $0)])
  }
  private static let idx = dataset(
    "idx",
    [
      [0, 0, 8, 1, 0, 0, 0, 2, 1, 2],
      [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 9, 9, 9],
    ]
  ) { bytes in
    let (extents, data) = try IDX.array(DataFile(path: "fuzz", bytes: bytes))
    #expect(extents.reduce(1, *) == data.count)
  }
  private static let packed = dataset(
    "packed",
    [try! DatasetCatalog.read(DatasetSpec(name: "synthetic-1x4x4-2", trainImages: 4, testImages: 2)).packed]
  ) { bytes in
    let dataset = try Dataset(packed: bytes, name: "fuzz")
    #expect(dataset.packed == bytes)
  }

  private static let coco = Target(
    name: "coco",
    corpus: utf8(
      """
      {"images": [{"id": 7, "file_name": "a.jpg", "width": 4, "height": 3}],
       "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [0, 0.5, 3, 2], "area": 6, "iscrowd": 0,
         "segmentation": [[0, 0, 3, 0, 3, 2.5]]},
        {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 1e0, 2], "area": 2, "iscrowd": 1,
         "segmentation": {"size": [3, 4], "counts": [4, 2, 6]}},
        {"id": 3, "image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 2], "area": 2,
         "segmentation": {"size": [3, 4], "counts": "42102"}}],
       "categories": [{"id": 2, "name": "b\\u00e9"}]}
      """),
    words: [
      "NaN", "-Infinity", "\"segmentation\":", "\"size\":[", "[[", "]]", "\"counts\":\"", "\"id\":", "{", "}",
      "\\", "1e400",
    ]
  ) { bytes in
    let file = DataFile(path: "fuzz", bytes: bytes)
    let index = try CocoIndex(file)
    // Whatever was accepted can be drawn.
    for place in index.images.indices {
      for annotation in index.objects(of: place) where annotation.maskLength > 0 {
        let end = annotation.maskStart + annotation.maskLength
        let size = index.images[place].size
        let mask = try CocoMask.read(Array(bytes[annotation.maskStart..<end]))
        guard size.height * size.width < 100_000 else { continue }
        #expect(try mask.runs(height: size.height, width: size.width).height == size.height)
      }
    }
  }

  private static let runs = Target(
    name: "runs", corpus: utf8("42102", "<", "0<"), words: ["P", "o", "_", "0"]
  ) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    let mask = try RunLengthMask(height: 3, width: 4, text: text)
    #expect(mask.counts.reduce(0, +) == 12)
    #expect(try RunLengthMask(height: 3, width: 4, text: mask.text) == mask)
  }

  private static let voc = Target(
    name: "voc",
    corpus: utf8(
      """
      <?xml version="1.0"?><!-- c --><annotation a="b"><size><width>9</width><height>8</height></size>
      <object><name>x &amp; y</name><bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>
      </object></annotation>
      """),
    words: ["<!DOCTYPE", "<!--", "-->", "&lt;", "&x;", "</", "/>", "<![CDATA[", "<a>", "'"]
  ) { bytes in
    let annotation = try VOCAnnotation(DataFile(path: "fuzz", bytes: bytes))
    for object in annotation.objects {
      let box = object.box
      #expect(box.x >= 0 && box.y >= 0 && box.width >= 0 && box.height >= 0)
      #expect(box.x + box.width <= Double(annotation.size.width))
      #expect(box.y + box.height <= Double(annotation.size.height))
    }
  }

  private static let labels = Target(
    name: "labels",
    corpus: [PNGFile.encoded([0, 1, 2, 3, 4, 255], height: 2, width: 3, channels: 1)],
    words: ["IHDR", "PLTE", "IDAT", "IEND", "tRNS"]
  ) { bytes in
    let map = try LabelMap(bytes)
    #expect(map.values.count == map.size.height * map.size.width)
  }

  private static let zstd = Target(
    name: "zstd",
    corpus: [Zstd.compress(ByteGroups.split(Array(0..<200))), Zstd.compress(ByteGroups.split([]))], words: []
  ) { _ = ByteGroups.join(try Zstd.decompress($0)) }
}
