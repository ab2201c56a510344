import Foundation
import Specs
import Testing

/// What a user says about threads and kernels, and what becomes of it in the store.
@Suite struct ArithmeticTests {
  private func call(
    _ arguments: String..., in sweep: TinySweep, environment: [String: String] = [:]
  ) throws -> Program.Output {
    let output = try Program.start(arguments, in: sweep.folder, environment: environment).finish()
    #expect(output.status == 0, "\(arguments): \(output.talk)")
    return output
  }

  @Test func `threads change no bit`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    _ = try call("run", "tiny.json", "--store", "one", in: sweep)
    _ = try call("run", "tiny.json", "--store", "two", "--threads-per-run", "2", "--workers", "1", in: sweep)
    let digests = try ["one", "two"].map { try call("list", "--digests", "--store", $0, in: sweep).out }
    #expect(digests[0] == digests[1] && digests[0].count > 200)
    // What divided the work is recorded with the attempt and in no key.
    for (store, threads) in [("one", 1), ("two", 2)] {
      let list = try call("list", "tiny", "--json", "--store", store, in: sweep)
      let runs = try JSONReader.read(Array(list.out.utf8)).value.object?["runs"]?.array
      let key = try #require(runs?.first?.object?["key"]?.string)
      let shown = try call("show", key, "--json", "--store", store, in: sweep).out
      let attempts = try JSONReader.read(Array(shown.utf8)).value.object?["attempts"]?.array
      let made = attempts?.first?.object?["provenance"]?.object
      #expect(made?["threads"]?.integer == threads, "\(shown)")
      let text = try call("show", key, "--store", store, in: sweep).out
      #expect(text.contains(threads == 1 ? "1 thread a run" : "2 threads a run"), "\(text)")
      let page = try call("report", "tiny", "--format", "html", "--store", store, in: sweep).out
      #expect(page.contains("threads a run</th>") && page.contains("<td>\(threads)</td>"))
    }
    let refused = try Program.run("run", "tiny.json", "--threads-per-run", "0", in: sweep.folder)
    #expect(refused.status == 64 && refused.talk.contains("1 to 64"), "\(refused.talk)")
  }

  @Test func `doctor names the matrix products that runs record`() throws {
    let sweep = try TinySweep(grid: TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1"))
    defer { sweep.remove() }
    _ = try call("run", "tiny.json", in: sweep)
    let list = try call("list", "tiny", "--json", in: sweep)
    let runs = try JSONReader.read(Array(list.out.utf8)).value.object?["runs"]?.array
    let key = try #require(runs?.first?.object?["key"]?.string)
    let shown = try call("show", key, "--json", in: sweep).out
    let attempts = try JSONReader.read(Array(shown.utf8)).value.object?["attempts"]?.array
    let blas = try #require(attempts?.first?.object?["provenance"]?.object?["blas"]?.string)
    // `OpenBLAS 0.3.21 Haswell`
    let words = blas.split(separator: " ")
    let doctor = try call("doctor", in: sweep).out
    #expect(doctor.contains("runs compute matrix products by \(words[0]) \(words[1]) with its"), "\(doctor)")
    let sentence = try #require(doctor.split(separator: "\n").first { $0.contains("matrix products") })
    let before = try #require(sentence.split(separator: "numerics: native").first)
    #expect(before.contains(words[2]), "\(blas); \(doctor)")
  }

  @Test func `workers of native runs choose their kernel themselves, and the profile says which`() throws {
    func profile(_ numerics: String) throws -> String {
      let sweep = try TinySweep(
        grid: TinySweep.grid.replacing(
          "\"epochs\": 3", with: "\"numerics\": \"\(numerics)\", \"epochs\": 1"))
      defer { sweep.remove() }
      // A kernel that the library would not take by itself where there is anything better.
      let environment = ["OPENBLAS_CORETYPE": "Prescott"]
      _ = try call("run", "tiny.json", in: sweep, environment: environment)
      let list = try call("list", "tiny", "--json", in: sweep)
      let runs = try JSONReader.read(Array(list.out.utf8)).value.object?["runs"]?.array
      let key = try #require(runs?.first?.object?["key"]?.string)
      let verified = try call("verify", key, in: sweep, environment: environment)
      #expect(verified.out.contains("equal"), "\(verified.out)")
      return try call("show", key, "--json", in: sweep).out
    }
    let (portable, native) = try (profile("portable"), profile("native"))
    let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    guard flags.contains(" avx2 ") else { return }
    #expect(portable.contains("Haswell"), "\(portable)")
    #expect(native.contains("OpenBLAS") && !native.contains("Prescott"), "\(native)")
  }
}
