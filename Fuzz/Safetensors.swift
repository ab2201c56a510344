import Networks
import Tensors

/// One input of libFuzzer: bytes from outside must read as a file of tensors or be refused, and what was read
/// must survive writing and reading.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard let file = try? Safetensors(decoding: bytes) else { return 0 }
  var elements = 0
  for entry in file.entries { elements += entry.tensor?.count ?? entry.integers?.count ?? 0 }
  let again = file.encoded()
  guard let read = try? Safetensors(decoding: again), read.encoded() == again, elements >= 0 else {
    fatalError("written bytes do not read back")
  }
  return 0
}
