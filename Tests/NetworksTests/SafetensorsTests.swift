import Foundation
import Networks
import TestSupport
import Tensors
import Testing

/// The format's rules as its reference reader applies them, except that a name must not stand twice.
@Suite struct SafetensorsTests {
  /// A file of a header and some bytes of data.
  private func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let count = length ?? UInt64(text.count)
    return withUnsafeBytes(of: count.littleEndian) { Array($0) } + text + (0..<data).map { UInt8($0 & 255) }
  }

  private func entry(_ type: String, _ shape: String, _ begin: Int, _ end: Int) -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
  }

  @Test func `the worked example reads as its two tensors`() throws {
    let header =
      "{\"__metadata__\":{\"format\":\"pt\"},\"b\":\(entry("F32", "[2]", 0, 8)),\"a.w\":\(entry("U8", "[1,3]", 8, 11))}  "
    let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 1, 2, 3]
    let bytes = file(header) + data
    #expect(bytes.count == 163 && bytes[0] == 0x90)
    let read = try Safetensors(decoding: bytes)
    #expect(read.metadata == ["format": "pt"])
    #expect(read["b"]?.tensor?.doubles == [1, 2])
    #expect(read["a.w"]?.integers == [1, 2, 3])
    #expect(read["a.w"]?.shape == [1, 3])
  }

  @Test func `what the reference reader refuses is refused, with the place`() {
    let bad: [(bytes: [UInt8], part: String)] = [
      ([1, 2, 3], "shorter than 8"),
      (file("{}", length: 100_000_001), "100000001"),
      (file("{}", length: 3), "a header of 3 bytes"),
      (file("{}", length: .max), "a header of"),
      (file("{\"a\":\"", length: 9) + [0xFF, 0x22, 0x7D], "UTF-8"),
      (file("{} x"), "does not end"),
      (file("{}\0\0"), "does not end"),
      (file("{}\n"), "does not end"),
      (file("[]"), "does not end"),
      (file(""), "does not end"),
      (file("    "), "does not end"),
      (file("{\"a\":1}"), "not an object"),
      (file("{\"a\":{\"shape\":[],\"data_offsets\":[0,0]}}"), "no dtype"),
      (file("{\"a\":\(entry("F33", "[]", 0, 4))}", data: 4), "unknown"),
      (file("{\"a\":\(entry("F8_E4M3", "[4]", 0, 4))}", data: 4), "not supported"),
      (file("{\"a\":\(entry("C64", "[1]", 0, 8))}", data: 8), "not supported"),
      (file("{\"a\":\(entry("F32", "[-1]", 0, 4))}", data: 4), "shape"),
      (file("{\"a\":\(entry("F32", "[1.0]", 0, 4))}", data: 4), "shape"),
      (file("{\"a\":\(entry("F32", "1", 0, 4))}", data: 4), "shape"),
      (file("{\"a\":\(entry("F32", "[461168601842738790,80]", 0, 4))}", data: 4), "overflows"),
      (file("{\"a\":\(entry("F32", "[0,461168601842738790,80]", 0, 0))}"), "overflows"),
      (file("{\"a\":\(entry("F32", "[2]", 0, 4))}", data: 4), "4 bytes for a shape of 8"),
      (file("{\"a\":\(entry("F32", "[1]", 4, 0))}", data: 4), "data offsets 4 to 0"),
      (file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", data: 4), "two sizes"),
      (
        file("{\"a\":\(entry("F32", "[1]", 0, 4)),\"b\":\(entry("F32", "[1]", 2, 6))}", data: 6), "overlap"
      ),
      (file("{\"a\":\(entry("F32", "[1]", 0, 4)),\"b\":\(entry("F32", "[1]", 0, 4))}", data: 4), "overlap"),
      (file("{\"a\":\(entry("F32", "[1]", 4, 8))}", data: 8), "hole"),
      (file("{\"a\":\(entry("F32", "[1]", 0, 4))}", data: 5), "1 bytes after"),
      (file("{\"a\":\(entry("F32", "[2]", 0, 8))}", data: 4), "in 4 bytes"),
      (file("{}", data: 1), "1 bytes after"),
      (file("{\"__metadata__\":{\"a\":1}}"), "strings"),
      (file("{\"__metadata__\":[]}"), "strings"),
      (file("{\"a\":\(entry("F32", "[]", 0, 4)),\"a\":\(entry("F32", "[]", 0, 4))}", data: 4), "twice"),
      (file(String(repeating: "{\"a\":", count: 100) + "1" + String(repeating: "}", count: 100)), "nested"),
    ]
    for (bytes, part) in bad {
      let error = #expect(throws: SafetensorsError.self, "\(part)") { try Safetensors(decoding: bytes) }
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "") names \(part)")
    }
  }

  @Test func `what the reference reader accepts is accepted`() throws {
    #expect(try Safetensors(decoding: file("{}")).entries.isEmpty)
    #expect(try Safetensors(decoding: file("{}      ")).entries.isEmpty)
    #expect(try Safetensors(decoding: file(" {}")).entries.isEmpty)
    let scalar = try Safetensors(decoding: file("{\"a\":\(entry("U8", "[]", 0, 1))}", data: 1))
    #expect(scalar["a"]?.integers == [0])
    let empty = try Safetensors(decoding: file("{\"a\":\(entry("F32", "[3,0]", 0, 0))}"))
    #expect(empty["a"]?.tensor?.shape == [3, 0])
    let extra = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"note\":{\"x\":[1]}}}"
    #expect(try Safetensors(decoding: file(extra, data: 1))["a"]?.integers == [0])
    // Floats that begin at an odd byte.
    let odd = "{\"a\":\(entry("U8", "[1]", 0, 1)),\"b\":\(entry("F32", "[1]", 1, 5))}"
    let bytes = file(odd) + [7] + withUnsafeBytes(of: Float(1.5)) { Array($0) }
    #expect(try Safetensors(decoding: bytes)["b"]?.tensor?.doubles == [1.5])
  }

  @Test(.enabled(if: Fixtures.has("models/dtypes.safetensors"), "the fixture of element types is read"))
  func `every element type holds the recorded values`() throws {
    let file = try Safetensors(decoding: Fixtures.bytes("models/dtypes.safetensors"))
    let values = (0..<24).map { FillRule.unit("dtypes", $0) }
    for (name, tolerance) in [("f64", 0.0), ("f32", 0), ("f16", 0x1p-11), ("bf16", 0x1p-8)] {
      let entry = try #require(file[name], "\(name)")
      #expect(entry.shape == [2, 3, 4])
      for (got, want) in zip(try #require(entry.tensor).doubles, values) {
        #expect(abs(got - want) <= tolerance * abs(want), "\(name)")
      }
    }
    #expect(file["i64"]?.integers == values.map { Int64($0 * 1000) })
    #expect(file["i32"]?.integers == values.map { Int64($0 * 1000) })
    #expect(file["u8"]?.integers == values.map { Int64(abs($0) * 255) })
    #expect(file["bool"]?.integers == values.map { $0 > 0 ? 1 : 0 })
    #expect(file.entries.contains { $0.shape.count == 0 } && file.entries.contains { $0.shape == [] })
    #expect(!file.metadata.isEmpty)
  }

  @Test func `what is written reads back, larger elements first and data at a multiple of eight`() throws {
    var file = Safetensors()
    file.metadata = ["b": "2", "a": "quote \" and ü"]
    file.append("z", Tensor([1, 2, 3], [3]))
    file.append("a", Tensor([4.5], [], .double))
    file.append("count", integers: [7], [])
    let bytes = file.encoded()
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0 && bytes[8] == UInt8(ascii: "{"))
    let read = try Safetensors(decoding: bytes)
    #expect(read.metadata == file.metadata)
    #expect(read["z"]?.tensor?.doubles == [1, 2, 3])
    #expect(read["a"]?.tensor?.scalar == 4.5)
    #expect(read["count"]?.integers == [7])
    #expect(bytes[(8 + length)...].prefix(8) == withUnsafeBytes(of: 4.5) { Array($0) }[...])
    #expect(read.encoded() == bytes)
  }

  @Test func `damage anywhere is an error or another file, and never more`() throws {
    var file = Safetensors()
    file.metadata = ["format": "pt"]
    file.append("layer.weight", Tensor((0..<12).map(Double.init), [3, 4]))
    file.append("layer.bias", Tensor([1, 2], [2], .double))
    file.append("empty", Tensor([Double](), [0]))
    file.append("count", integers: [3], [])
    let sound = file.encoded()
    var stream = RandomStream(seed: 5, "damage")
    var refused = 0
    for _ in 0..<4000 {
      let bytes = Self.damaged(sound, &stream)
      let outcome = Result { try Safetensors(decoding: bytes) }
      switch outcome {
      case .success(let read):
        #expect(try Safetensors(decoding: read.encoded()).encoded() == read.encoded())
        for entry in read.entries { _ = (entry.tensor, entry.integers) }
      case .failure(let error):
        #expect(error is SafetensorsError)
        refused += 1
      }
    }
    #expect(refused > 2000)
  }

  /// One to four bytes changed, put in or taken out.
  private static func damaged(_ sound: [UInt8], _ stream: inout RandomStream) -> [UInt8] {
    var bytes = sound
    for _ in 0...stream.index(below: 3) where !bytes.isEmpty {
      let place = stream.index(below: bytes.count)
      switch stream.index(below: 5) {
      case 0: bytes[place] = UInt8(stream.index(below: 256))
      case 1: bytes[place] ^= 1 << UInt8(stream.index(below: 8))
      case 2: bytes.insert(UInt8(stream.index(below: 128)), at: place)
      case 3: bytes.remove(at: place)
      default: bytes.removeSubrange(place..<min(bytes.count, place + 1 + stream.index(below: 40)))
      }
    }
    return bytes
  }
}
