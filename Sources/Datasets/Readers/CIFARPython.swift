import Specs

/// The Python version of CIFAR-10 and CIFAR-100: one pickle a file.
enum CIFARPython {
  /// The records of the binary version, which hold the same images in the same order.
  static func binary(_ file: DataFile, _ format: CIFARBinary) throws(DatasetError) -> DataFile {
    let members = try CIFARPickle.members(of: file)
    func wrong(_ expected: String, _ found: String) -> DatasetError {
      file.malformed(file.bytes.count, expected: expected, found: found)
    }
    guard let array = members["data"]?.array, let data = array.data, array.shape.count == 2,
      array.shape[1] == format.task.pixelCount
    else { throw wrong("an array data of N × \(format.task.pixelCount) bytes", "another value") }
    let count = array.shape[0]
    let keys = format.labelCount == 1 ? ["labels"] : ["coarse_labels", "fine_labels"]
    var labels: [[Int]] = []
    for key in keys {
      let list = members[key]?.list?.values.map { $0.integer ?? -1 }
      guard let list, list.count == count else {
        throw wrong(
          "\(count) \(key), as many as images", list.map { "\($0.count)" } ?? "none: this is another dataset")
      }
      guard list.allSatisfy({ (0...255).contains($0) }) else {
        throw wrong("\(key) from 0 to 255", "another number")
      }
      labels.append(list)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * format.recordSize)
    for image in 0..<count {
      for list in labels { bytes.append(UInt8(list[image])) }
      let start = data.lowerBound + image * format.task.pixelCount
      bytes.append(contentsOf: file.bytes[start..<start + format.task.pixelCount])
    }
    return DataFile(path: file.path, name: "\(file.name).bin", bytes: bytes)
  }
}

/// A machine for the pickles of CIFAR's Python version. It knows the instructions that occur there and no
/// other, and builds strings, numbers, lists, dictionaries, tuples and one kind of array: nothing in a
/// file can make it do more.
struct CIFARPickle {
  final class List {
    var values: [Value] = []
  }

  final class Dictionary {
    var members: [String: Value] = [:]
  }

  /// A NumPy array of bytes, or its type.
  final class Array {
    var shape: [Int] = []
    /// Where its elements are in the file.
    var data: Range<Int>?
  }

  enum Value {
    case none
    case integer(Int)
    /// Where its bytes are in the file.
    case string(Range<Int>)
    case list(List)
    case dictionary(Dictionary)
    case tuple([Value])
    case global(String)
    /// `numpy.dtype('u1')`.
    case byteType
    case array(Array)

    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    var list: List? { if case .list(let list) = self { list } else { nil } }
    var array: Array? { if case .array(let array) = self { array } else { nil } }
  }

  private let file: DataFile
  private var offset = 0
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  private var containers = 0

  /// The members of the file's dictionary.
  static func members(of file: DataFile) throws(DatasetError) -> [String: Value] {
    var machine = CIFARPickle(file)
    return try machine.run()
  }

  private init(_ file: DataFile) { self.file = file }

  private mutating func run() throws(DatasetError) -> [String: Value] {
    while true {
      let start = offset
      let code = try byte()
      if code == UInt8(ascii: ".") {
        guard case .dictionary(let dictionary) = stack.last else {
          throw wrong(start, "a dictionary at the end", "another value")
        }
        return dictionary.members
      }
      if try scalar(code) { continue }
      if try container(code, start) { continue }
      if try object(code, start) { continue }
      throw wrong(
        start, "an instruction of CIFAR's pickles",
        "instruction 0x\(String(code, radix: 16)), which is not executed here")
    }
  }

  /// Numbers, strings and the memo.
  private mutating func scalar(_ code: UInt8) throws(DatasetError) -> Bool {
    let start = offset
    switch Character(Unicode.Scalar(code)) {
    case "\u{80}": _ = try byte()
    case "N", "\u{88}", "\u{89}": stack.append(.none)
    case "K": stack.append(.integer(Int(try byte())))
    case "M": stack.append(.integer(try little(2)))
    case "J": stack.append(.integer(Int(Int32(truncatingIfNeeded: try little(4)))))
    case "U": stack.append(.string(try taken(Int(try byte()))))
    case "T": stack.append(.string(try taken(Int(Int32(truncatingIfNeeded: try little(4))))))
    case "q": memo[Int(try byte())] = try top(start)
    case "r": memo[try little(4)] = try top(start)
    case "h": stack.append(try remembered(Int(try byte()), start))
    case "j": stack.append(try remembered(try little(4), start))
    default: return false
    }
    return true
  }

  private mutating func container(_ code: UInt8, _ start: Int) throws(DatasetError) -> Bool {
    switch Character(Unicode.Scalar(code)) {
    case "(": marks.append(stack.count)
    case "}": try push(.dictionary(Dictionary()), start)
    case "]": try push(.list(List()), start)
    case ")": try push(.tuple([]), start)
    case "t": try push(.tuple(try sinceMark(start)), start)
    case "\u{85}", "\u{86}", "\u{87}":
      let count = Int(code) - 0x84
      guard stack.count >= count else { throw wrong(start, "\(count) values for a tuple", "fewer") }
      let values = Swift.Array(stack.suffix(count))
      stack.removeLast(count)
      try push(.tuple(values), start)
    case "a", "e":
      let values = code == UInt8(ascii: "a") ? [try pop(start)] : try sinceMark(start)
      guard case .list(let list) = try top(start) else { throw wrong(start, "a list", "another value") }
      list.values += values
    case "s", "u":
      var values: [Value]
      if code == UInt8(ascii: "s") {
        let value = try pop(start)
        values = [try pop(start), value]
      } else {
        values = try sinceMark(start)
      }
      guard case .dictionary(let dictionary) = try top(start), values.count % 2 == 0 else {
        throw wrong(start, "a dictionary and pairs", "another value")
      }
      for index in stride(from: 0, to: values.count, by: 2) {
        guard case .string(let range) = values[index] else {
          throw wrong(start, "a string as a key", "another value")
        }
        dictionary.members[String(decoding: file.bytes[range], as: UTF8.self)] = values[index + 1]
      }
    default: return false
    }
    return true
  }

  /// The three names of NumPy, and the array that they make.
  private mutating func object(_ code: UInt8, _ start: Int) throws(DatasetError) -> Bool {
    switch Character(Unicode.Scalar(code)) {
    case "c":
      let name = "\(try line()).\(try line())"
      let known = [
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray",
        "numpy.dtype",
      ]
      guard known.contains(name) else {
        throw wrong(start, "a name that CIFAR's pickles use", "'\(name)', which is not called here")
      }
      stack.append(.global(name))
    case "R":
      let arguments = try pop(start)
      guard case .global(let name) = try pop(start), case .tuple(let values) = arguments else {
        throw wrong(start, "a name and its arguments", "other values")
      }
      if name.hasSuffix("_reconstruct") {
        try push(.array(Array()), start)
      } else if name == "numpy.dtype", case .string(let type) = values.first,
        file.bytes[type].elementsEqual("u1".utf8)
      {
        stack.append(.byteType)
      } else {
        throw wrong(start, "an array of bytes (u1)", "another type")
      }
    case "b":
      let state = try pop(start)
      guard case .tuple(let parts) = state else {
        throw wrong(start, "the state of an array", "another value")
      }
      switch try top(start) {
      case .byteType: break
      case .array(let array): try fill(array, parts, start)
      default: throw wrong(start, "an array to fill", "another value")
      }
    default: return false
    }
    return true
  }

  /// - Parameter parts: version, shape, type, whether columns come first, elements.
  private func fill(_ array: Array, _ parts: [Value], _ start: Int) throws(DatasetError) {
    guard parts.count == 5, case .tuple(let extents) = parts[1], case .byteType = parts[2],
      case .string(let data) = parts[4]
    else { throw wrong(start, "an array of bytes with its shape", "another value") }
    let shape = extents.map { $0.integer ?? -1 }
    var size = 1
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw wrong(start, "extents of an array", "\(shape)") }
      size = product
    }
    guard size == data.count else {
      throw wrong(start, "\(size) elements for the shape \(shape)", "\(data.count)")
    }
    array.shape = shape
    array.data = data
  }

  // MARK: The file and the stack

  private func wrong(_ offset: Int, _ expected: String, _ found: String) -> DatasetError {
    file.malformed(offset, expected: expected, found: found)
  }

  private mutating func taken(_ count: Int) throws(DatasetError) -> Range<Int> {
    guard count >= 0, count <= file.bytes.count - offset else {
      throw wrong(offset, "\(count) bytes", "\(file.bytes.count - offset) up to the end of the file")
    }
    defer { offset += count }
    return offset..<offset + count
  }

  private mutating func byte() throws(DatasetError) -> UInt8 { file.bytes[try taken(1).lowerBound] }

  private mutating func little(_ count: Int) throws(DatasetError) -> Int {
    file.bytes[try taken(count)].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func line() throws(DatasetError) -> String {
    let rest = file.bytes[offset...].prefix(200)
    guard let end = rest.firstIndex(of: 10) else { throw wrong(offset, "a line that ends", "no end") }
    defer { offset = end + 1 }
    return String(decoding: file.bytes[offset..<end], as: UTF8.self)
  }

  private func top(_ start: Int) throws(DatasetError) -> Value {
    guard let value = stack.last else { throw wrong(start, "a value", "none") }
    return value
  }

  private mutating func pop(_ start: Int) throws(DatasetError) -> Value {
    guard let value = stack.popLast() else { throw wrong(start, "a value", "none") }
    return value
  }

  /// Few files hold more than a dozen containers; a limit keeps what is nested in each other shallow.
  private mutating func push(_ value: Value, _ start: Int) throws(DatasetError) {
    containers += 1
    guard containers <= 1000 else { throw wrong(start, "at most 1000 lists and tuples", "more") }
    stack.append(value)
  }

  private func remembered(_ index: Int, _ start: Int) throws(DatasetError) -> Value {
    guard let value = memo[index] else { throw wrong(start, "a value remembered as \(index)", "none") }
    return value
  }

  private mutating func sinceMark(_ start: Int) throws(DatasetError) -> [Value] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw wrong(start, "a mark", "none") }
    let values = Swift.Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }
}
