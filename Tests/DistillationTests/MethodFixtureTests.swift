import Foundation
import Specs
import TestSupport
import Tensors
import Testing

/// Every operation of the methods against reference numbers, in double and in float.
@Suite struct MethodFixtureTests {
  static let file: Value = {
    do { return Value(try JSONReader.read(Fixtures.bytes("methods.json")).value) } catch {
      fatalError("methods.json in \(Fixtures.folder.path): \(error)")
    }
  }()

  static let cases = file["cases"].list.map(MethodCase.init)

  @Test func `the file is one that this suite knows`() {
    #expect(Self.file["schema"].text == "mtkd-method-fixtures")
    #expect(Self.file["version"].int == 1)
    #expect(Self.cases.count > 100)
    let unknown = Set(Self.cases.map(\.operation)).subtracting(MethodOperations.all.keys)
    #expect(unknown.isEmpty, "operations that nothing computes")
  }

  @Test(arguments: cases, [Precision.double, .single])
  func `an operation gives every expected number`(_ truth: MethodCase, _ precision: Precision) throws {
    let compute = try #require(
      MethodOperations.all[truth.operation], "unknown operation \(truth.operation)")
    let got = try compute(CaseInputs(truth.json, precision))
    let want = Self.leaves(truth.json["expected"], "")
    #expect(Set(got.keys) == Set(want.keys), "\(truth.id): what is computed and what is expected")
    let tolerance = Self.file["tolerance"]
    let width = tolerance[precision == .double ? "float64" : "float32"]
    let override = tolerance["overrides"][truth.operation]
    // An override tells how exact a solver is, which single precision does not make better.
    let absolute = override.isNull ? width["abs"].double : max(width["abs"].double, override.double)
    for (name, expected) in want {
      guard let values = got[name] else { continue }
      #expect(values.count == expected.count, "\(truth.id) \(name)")
      for (index, (a, b)) in zip(values, expected).enumerated() {
        #expect(
          abs(a - b) <= absolute + width["rel"].double * abs(b),
          "\(truth.id) \(name)[\(index)]: \(a) for \(b)")
      }
    }
  }

  /// Numbers and lists of numbers by their path: `grad_params.0.w1`.
  private static func leaves(_ value: Value, _ path: String) -> [String: [Double]] {
    func inner(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
    if value.json.object != nil {
      return value.keys.reduce(into: [:]) { $0.merge(leaves(value[$1], inner($1))) { $1 } }
    }
    if let first = value.list.first, first.json.object != nil {
      return value.list.enumerated().reduce(into: [:]) {
        $0.merge(leaves($1.element, inner("\($1.offset)"))) { $1 }
      }
    }
    return [path: value.flat]
  }
}

struct MethodCase: Sendable, CustomTestStringConvertible {
  let json: Value
  init(_ json: Value) { self.json = json }
  var id: String { json["id"].text }
  var operation: String { json["op"].text }
  var testDescription: String { id }
}

/// The inputs of a case in one precision.
struct CaseInputs {
  let inputs: Value
  let params: Value
  let precision: Precision

  init(_ json: Value, _ precision: Precision) {
    (inputs, params, self.precision) = (json["inputs"], json["params"], precision)
  }

  func has(_ name: String) -> Bool { !inputs[name].isNull }
  func tensor(_ name: String) -> Tensor { tensor(inputs[name]) }
  func tensor(_ value: Value) -> Tensor { Tensor(value.flat, Shape(value.shape), precision) }
  /// One tensor for each entry of the outermost list, such as a teacher.
  func tensors(_ name: String) -> [Tensor] { inputs[name].list.map { tensor($0) } }
  var labels: [Int] { inputs["labels"].ints }
}
