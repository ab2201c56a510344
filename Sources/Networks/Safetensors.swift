internal import Specs
package import Tensors

/// Named arrays in the safetensors format: an 8-byte header length, a JSON header, raw little-endian data.
///
/// Written deterministically: equal contents are equal bytes.
public struct Safetensors: Sendable {
  package enum ElementType: String, Sendable {
    case f64 = "F64", f32 = "F32", f16 = "F16", bf16 = "BF16"
    case i64 = "I64", u64 = "U64", i32 = "I32", u32 = "U32", i16 = "I16", u16 = "U16", i8 = "I8", u8 = "U8"
    case bool = "BOOL"

    package var byteCount: Int {
      switch self {
      case .f64, .i64, .u64: 8
      case .f32, .i32, .u32: 4
      case .f16, .bf16, .i16, .u16: 2
      case .i8, .u8, .bool: 1
      }
    }
  }

  package struct Entry: Sendable {
    package let name: String
    package let type: ElementType
    package let shape: Shape
    package let bytes: [UInt8]

    /// - Precondition: as many bytes as the type and the shape say.
    package init(name: String, type: ElementType, shape: Shape, bytes: [UInt8]) {
      precondition(bytes.count == shape.count * type.byteCount, "\(bytes.count) bytes for \(shape)")
      self.name = name
      self.type = type
      self.shape = shape
      self.bytes = bytes
    }
  }

  package private(set) var entries: [Entry] = []
  package var metadata: [String: String] = [:]
  private var places: [String: Int] = [:]

  package init() {}

  package subscript(name: String) -> Entry? { places[name].map { entries[$0] } }

  package mutating func append(_ entry: Entry) {
    precondition(places[entry.name] == nil, "\(entry.name) twice")
    places[entry.name] = entries.count
    entries.append(entry)
  }

  package mutating func append(_ name: String, _ tensor: Tensor) {
    let bytes = tensor.withBytes { Array($0) }
    append(
      Entry(name: name, type: tensor.precision == .single ? .f32 : .f64, shape: tensor.shape, bytes: bytes))
  }

  package mutating func append(_ name: String, integers: [Int64], _ shape: Shape) {
    let bytes = integers.flatMap { integer in withUnsafeBytes(of: integer.littleEndian) { Array($0) } }
    append(Entry(name: name, type: .i64, shape: shape, bytes: bytes))
  }
}

extension Safetensors.Entry {
  /// The elements as a tensor: double for 64-bit floats, single for narrower ones. Nil for integers.
  package var tensor: Tensor? {
    bytes.withUnsafeBytes { raw in
      switch type {
      case .f64: return Tensor(bytes: raw, shape, .double)
      case .f32: return Tensor(bytes: raw, shape, .single)
      case .bf16:
        return Tensor(
          (0..<shape.count).map { Float(bitPattern: UInt32(raw.integer(UInt16.self, $0)) << 16) }, shape)
      case .f16: return Tensor((0..<shape.count).map { Self.widened(raw.integer(UInt16.self, $0)) }, shape)
      default: return nil
      }
    }
  }

  /// The elements as integers; nil for floats.
  package var integers: [Int64]? {
    bytes.withUnsafeBytes { raw in
      let all = 0..<shape.count
      switch type {
      case .i64: return all.map { raw.integer(Int64.self, $0) }
      case .u64: return all.map { Int64(truncatingIfNeeded: raw.integer(UInt64.self, $0)) }
      case .i32: return all.map { Int64(raw.integer(Int32.self, $0)) }
      case .u32: return all.map { Int64(raw.integer(UInt32.self, $0)) }
      case .i16: return all.map { Int64(raw.integer(Int16.self, $0)) }
      case .u16: return all.map { Int64(raw.integer(UInt16.self, $0)) }
      case .i8: return all.map { Int64(raw.integer(Int8.self, $0)) }
      case .u8, .bool: return all.map { Int64(raw.integer(UInt8.self, $0)) }
      case .f64, .f32, .f16, .bf16: return nil
      }
    }
  }

  /// IEEE half to single, by hand: `Float16` is not on every platform.
  private static func widened(_ half: UInt16) -> Float {
    let sign = UInt32(half >> 15) << 31
    let exponent = UInt32(half >> 10) & 31
    let fraction = UInt32(half) & 1023
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Element `index` of a little-endian array at any address.
  fileprivate func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, _ index: Int)
    -> Value
  {
    Value(littleEndian: loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.size, as: type))
  }
}

/// Bytes that are not a safetensors file.
public struct SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// Byte offset, or the name of the tensor.
  public let place: String
  public let problem: String

  public var description: String { "Not a safetensors file: \(place): \(problem)." }
}

extension Safetensors {
  /// The file's bytes: tensors by descending element size, then name; the header padded so that data
  /// start at a multiple of 8.
  public func encoded() -> [UInt8] {
    let sorted = entries.sorted {
      ($1.type.byteCount, $0.name) < ($0.type.byteCount, $1.name)
    }
    var header: [String: JSONValue] = [:]
    if !metadata.isEmpty { header["__metadata__"] = .object(metadata.mapValues { .string($0) }) }
    var end = 0
    for entry in sorted {
      let begin = end
      end += entry.bytes.count
      header[entry.name] = .object([
        "dtype": .string(entry.type.rawValue),
        "shape": .array(entry.shape.dimensions.map { .number(DecimalNumber($0)) }),
        "data_offsets": .array([.number(DecimalNumber(begin)), .number(DecimalNumber(end))]),
      ])
    }
    var text = CanonicalJSON.bytes(of: .object(header))
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    var file = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    file.reserveCapacity(8 + text.count + end)
    file.append(contentsOf: text)
    for entry in sorted { file.append(contentsOf: entry.bytes) }
    return file
  }

  /// Reads a file, every length checked before it is used.
  public init(decoding file: [UInt8]) throws(SafetensorsError) {
    guard file.count >= 8 else { throw SafetensorsError(place: "byte 0", problem: "shorter than 8 bytes") }
    let length = file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= 100_000_000, Int(length) <= file.count - 8 else {
      throw SafetensorsError(
        place: "byte 0", problem: "a header of \(length) bytes in a file of \(file.count)")
    }
    let data = file[(8 + Int(length))...]
    let text = file[8..<(8 + Int(length))]
    // Only spaces may follow the header: they pad it.
    let end = (text.lastIndex { $0 != UInt8(ascii: " ") } ?? text.startIndex - 1) + 1
    guard end > text.startIndex, text[end - 1] == UInt8(ascii: "}") else {
      throw SafetensorsError(
        place: "byte \(max(8, end - 1))", problem: "the header does not end with '}' and spaces")
    }
    let header: JSONNode
    do throws(JSONSyntaxError) {
      header = try JSONReader.read(Array(text[..<end]))
    } catch {
      throw SafetensorsError(place: "the header, \(error.line):\(error.column)", problem: error.problem)
    }
    guard case .object(let members) = header.kind else {
      throw SafetensorsError(place: "byte 8", problem: "the header is not an object")
    }
    var found: [(begin: Int, end: Int, entry: Entry)] = []
    for member in members {
      if member.name == "__metadata__" {
        metadata = try Self.metadata(member.value.value)
      } else {
        found.append(try Self.entry(member.name, member.value, data))
      }
    }
    var expected = 0
    for (begin, end, entry) in found.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard begin == expected else {
        throw SafetensorsError(
          place: entry.name, problem: "data start at \(begin) where \(expected) was due: a hole or an overlap"
        )
      }
      expected = end
    }
    guard expected == data.count else {
      throw SafetensorsError(
        place: "byte \(8 + Int(length) + expected)",
        problem: "\(data.count - expected) bytes after the last tensor")
    }
    for (_, _, entry) in found { append(entry) }
  }

  private static func metadata(_ value: JSONValue) throws(SafetensorsError) -> [String: String] {
    guard let members = value.object, members.values.allSatisfy({ $0.string != nil }) else {
      throw SafetensorsError(place: "__metadata__", problem: "something else than strings")
    }
    return members.compactMapValues(\.string)
  }

  private static func entry(
    _ name: String, _ node: JSONNode, _ data: ArraySlice<UInt8>
  ) throws(SafetensorsError) -> (Int, Int, Entry) {
    func bad(_ problem: String) -> SafetensorsError { SafetensorsError(place: name, problem: problem) }
    guard case .object(let list) = node.kind else { throw bad("not an object") }
    func member(_ name: String) -> JSONNode? { list.first { $0.name == name }?.value }
    guard let word = member("dtype")?.value.string else { throw bad("there is no dtype") }
    guard let type = ElementType(rawValue: word) else {
      let isKnown = unsupported.contains(word)
      throw bad(isKnown ? "the dtype \(word) is not supported" : "the dtype \(word) is unknown")
    }
    guard let shape = sizes(member("shape")) else { throw bad("a shape of something else than sizes") }
    guard let offsets = sizes(member("data_offsets")), offsets.count == 2 else {
      throw bad("the data offsets are not two sizes")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end, end <= data.count else {
      throw bad("data offsets \(begin) to \(end) in \(data.count) bytes of data")
    }
    // Zeros are left out of the check: other extents beside them must make sense too.
    var whole = type.byteCount
    for extent in shape where extent > 0 {
      let (product, overflow) = whole.multipliedReportingOverflow(by: extent)
      if overflow { throw bad("a shape that overflows") }
      whole = product
    }
    let size = shape.contains(0) ? 0 : whole
    guard size == end - begin else { throw bad("\(end - begin) bytes for a shape of \(size)") }
    let bytes = Array(data[(data.startIndex + begin)..<(data.startIndex + end)])
    return (begin, end, Entry(name: name, type: type, shape: Shape(shape), bytes: bytes))
  }

  /// Types of the format that nothing here can hold.
  private static let unsupported = [
    "F4", "F6_E2M3", "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64",
  ]

  /// A list of integers from 0 on, written without point and exponent.
  private static func sizes(_ node: JSONNode?) -> [Int]? {
    guard case .array(let nodes) = node?.kind else { return nil }
    let sizes = nodes.map { node -> Int? in
      guard case .number(let number, isInteger: true) = node.kind, let size = number.integer else {
        return nil
      }
      return size >= 0 ? size : nil
    }
    return sizes.contains(nil) ? nil : sizes.compactMap(\.self)
  }
}
