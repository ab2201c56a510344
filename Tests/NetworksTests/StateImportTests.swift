import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// State dictionaries of other programs: what is taken, what is said of it, and what is refused.
@Suite struct StateImportTests {
  private static let task = ImageTask(channels: 1, height: 28, width: 28, classes: 10)

  private func network(_ name: JSONValue = "mini-resnet8-w8", classes: Int = 10) throws -> BuiltNetwork {
    var task = Self.task
    task.classes = classes
    return try BuiltNetwork(NetworkNames.spec(name), task)
  }

  /// A state dictionary with every entry changed, or left out where the change gives nil.
  private func changed(
    _ file: Safetensors, _ change: (Safetensors.Entry) -> Safetensors.Entry?
  ) -> Safetensors {
    var changed = Safetensors()
    for entry in file.entries { if let entry = change(entry) { changed.append(entry) } }
    return changed
  }

  private func renamed(_ entry: Safetensors.Entry, _ name: String) -> Safetensors.Entry {
    Safetensors.Entry(name: name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
  }

  @Test func `a dictionary of the same network is taken bit for bit, without a word`() throws {
    let built = try network()
    let state = built.state(seed: 3)
    let taken = try StateImport(state.stateDictionary, into: built)
    #expect(taken.notes.isEmpty)
    #expect(taken.state.stateDictionary.encoded() == state.stateDictionary.encoded())
  }

  @Test func `the prefix of a data-parallel wrapper is taken away where every name has it`() throws {
    let built = try network()
    let file = built.state(seed: 3).stateDictionary
    let wrapped = changed(file) { renamed($0, "module." + $0.name) }
    let taken = try StateImport(wrapped, into: built)
    #expect(taken.notes.count == 1 && taken.notes[0].contains("module."))
    #expect(taken.state.stateDictionary.encoded() == file.encoded())
    let mixed = changed(file) { $0.name.hasPrefix("fc") ? renamed($0, "module." + $0.name) : $0 }
    let error = #expect(throws: ImportError.self) { try StateImport(mixed, into: built) }
    #expect(error?.description.contains("2 of ") == true, "\(error?.description ?? "")")
  }

  @Test(arguments: ["_orig_mod.", "model.", "student.", "module.student.", "module._orig_mod.", "net."])
  func `what wrappers put before every name is taken away and said`(_ prefix: String) throws {
    let built = try network()
    let file = built.state(seed: 3).stateDictionary
    let taken = try StateImport(changed(file) { renamed($0, prefix + $0.name) }, into: built)
    #expect(taken.notes.count == 1 && taken.notes[0].contains("'\(prefix)'"), "\(taken.notes)")
    #expect(taken.state.stateDictionary.encoded() == file.encoded())
  }

  @Test func `counters as floats, averaging's counter and counts of operations do no harm and are said`()
    throws
  {
    let built = try network()
    let file = built.state(seed: 3).stateDictionary
    var other = changed(file) { entry in
      guard entry.name.hasSuffix("num_batches_tracked") else { return entry }
      let bytes = withUnsafeBytes(of: Float(0)) { Array($0) }
      return Safetensors.Entry(name: entry.name, type: .f32, shape: entry.shape, bytes: bytes)
    }
    other.append("n_averaged", integers: [7], [])
    other.append("conv1.total_ops", integers: [7], [1])
    let taken = try StateImport(other, into: built)
    #expect(taken.notes.count == 1 && taken.notes[0].contains("2 entries"), "\(taken.notes)")
    #expect(taken.state.stateDictionary.encoded() == file.encoded())
  }

  @Test func `a negative variance is damage`() throws {
    let built = try network()
    let file = changed(built.state(seed: 3).stateDictionary) { entry in
      guard entry.name == "bn1.running_var" else { return entry }
      var bytes = entry.bytes
      bytes[3] |= 0x80
      return Safetensors.Entry(name: entry.name, type: entry.type, shape: entry.shape, bytes: bytes)
    }
    #expect(throws: ImportError.negativeVariance("bn1.running_var")) { try StateImport(file, into: built) }
  }

  @Test func `missing counters count as 0 and other types are converted, and both are said`() throws {
    let built = try network()
    let file = built.state(seed: 3).stateDictionary
    let old = changed(file) { entry in
      if entry.name.hasSuffix("num_batches_tracked") { return nil }
      guard entry.name == "fc.bias", let tensor = entry.tensor else { return entry }
      let bytes = tensor.doubles.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
      return Safetensors.Entry(name: entry.name, type: .f64, shape: entry.shape, bytes: bytes)
    }
    let taken = try StateImport(old, into: built)
    #expect(taken.notes.count == 2, "\(taken.notes)")
    #expect(taken.notes.contains { $0.contains("num_batches_tracked") && $0.contains("9 ") })
    #expect(taken.notes.contains { $0.contains("F64") })
    #expect(taken.state.stateDictionary.encoded() == file.encoded())
  }

  @Test(arguments: ["head.", "classifier.", "fc.", "cls_head.fc."])
  func `a backbone and a head that are kept apart are put together, and that is said`(_ head: String) throws {
    let built = try network()
    let file = built.state(seed: 3).stateDictionary
    let taken = try StateImport(
      changed(file) { entry in
        entry.name.hasPrefix("fc.")
          ? renamed(entry, head + entry.name.dropFirst(3)) : renamed(entry, "backbone." + entry.name)
      }, into: built)
    #expect(taken.notes.count == 1 && taken.notes[0].contains("'\(head)…'"), "\(taken.notes)")
    #expect(taken.state.stateDictionary.encoded() == file.encoded())
    // A head of two layers is none of this network's.
    #expect(throws: ImportError.self) {
      try StateImport(
        changed(file) { entry in
          entry.name.hasPrefix("fc.")
            ? renamed(entry, "head.1." + entry.name.dropFirst(3)) : renamed(entry, "backbone." + entry.name)
        }, into: built)
    }
  }

  @Test func `another number of classes is explained`() throws {
    let file = try network(classes: 7).state(seed: 1).stateDictionary
    let built = try network()
    let error = #expect(throws: ImportError.classes(found: 7, expected: 10)) {
      try StateImport(file, into: built)
    }
    #expect(error?.description.contains("7 classes") == true)
  }

  @Test func `another network is refused, and the one that fits is named`() throws {
    let file = try network("mini-resnet14-w8").state(seed: 1).stateDictionary
    let built = try network()
    let error = #expect(throws: ImportError.self) { try StateImport(file, into: built) }
    #expect(error?.description.contains("mini-resnet14-w8") == true, "\(error?.description ?? "")")
    let wide = try network("mini-resnet8").state(seed: 1).stateDictionary
    let other = #expect(throws: ImportError.self) { try StateImport(wide, into: built) }
    #expect(other?.description.contains("mini-resnet8") == true, "\(other?.description ?? "")")
  }

  @Test func `integers for floats, fractions for counters and values that are not finite are refused`() throws
  {
    let built = try network()
    let file = built.state(seed: 3).stateDictionary
    let integers = changed(file) { entry in
      guard entry.name == "fc.bias" else { return entry }
      return Safetensors.Entry(
        name: entry.name, type: .i32, shape: entry.shape,
        bytes: Array(repeating: 0, count: 4 * entry.shape.count))
    }
    #expect(throws: ImportError.type("fc.bias", found: "I32", expected: "floats")) {
      try StateImport(integers, into: built)
    }
    let counter = changed(file) { entry in
      guard entry.name == "bn1.num_batches_tracked" else { return entry }
      return Safetensors.Entry(name: entry.name, type: .f32, shape: [], bytes: [0, 0, 0, 0x3F])
    }
    #expect(throws: ImportError.self) { try StateImport(counter, into: built) }
    let infinite = changed(file) { entry in
      guard entry.name == "fc.bias" else { return entry }
      let bytes = withUnsafeBytes(of: Float.infinity) { Array($0) } + entry.bytes.dropFirst(4)
      return Safetensors.Entry(name: entry.name, type: .f32, shape: entry.shape, bytes: bytes)
    }
    #expect(throws: ImportError.notFinite("fc.bias")) { try StateImport(infinite, into: built) }
  }

  private static let published = "teachers/mobilenet_v2-torchvision.safetensors"

  @Test(.enabled(if: Available.hasData(published), "the published weights of MobileNetV2 are read"))
  func `TorchVision's published MobileNetV2 says what it says in PyTorch`() throws {
    let path = try #require(Available.data(Self.published))
    let record = try SpecObject(
      JSONReader.read(
        Array(Data(contentsOf: Fixtures.committed.appending(path: "weights/mobilenetv2_logits.json")))
      ).value)
    let shape = Shape(try record.array("shape").compactMap(\.integer))
    let truth = try record.array("logits").flatMap { try #require($0.array).map { $0.number!.double } }
    let task = ImageTask(channels: 3, height: shape[2], width: shape[3], classes: 1000)
    let built = try BuiltNetwork(NetworkNames.spec("tv-mobilenetv2"), task)
    let state = try StateImport(Safetensors(decoding: Array(Data(contentsOf: path))), into: built).state
    let images = FillRule.images(seed: try record.integer("seed"), shape)
    let largest = truth.map(abs).max()!
    for (precision, tolerance) in [(Precision.double, 1e-9), (.single, 1e-5)] {
      let pass = Pass(state.converted(to: precision), .inference)
      let logits = built.network(Tensor(images, shape, precision), pass).logits.doubles
      try #require(logits.count == truth.count)
      let error = zip(logits, truth).map { abs($0 - $1) }.max()! / largest
      #expect(error <= tolerance, "\(precision): \(error)")
    }
  }
}
