import Specs

/// One input of libFuzzer: bytes from outside must read as a grid or be refused with a place.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  struct NothingBeside: Error {}
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do throws(GridRejected) {
    _ = try GridReader.read(bytes, file: "fuzz.json") { _, _ in throw NothingBeside() }
  } catch {
    for problem in error.problems where problem.place.line < 1 || problem.rendered.isEmpty {
      fatalError("a problem without a place")
    }
  }
  return 0
}
