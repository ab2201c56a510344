import Specs

/// One input of libFuzzer: bytes from outside must read as a record or be refused, and what was read must
/// survive writing and reading.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard let record = try? RunRecord(JSONReader.read(bytes).value) else { return 0 }
  let text = record.canonicalBytes
  guard let again = try? RunRecord(JSONReader.read(text).value), again.canonicalBytes == text else {
    fatalError("written bytes do not read back")
  }
  return 0
}
