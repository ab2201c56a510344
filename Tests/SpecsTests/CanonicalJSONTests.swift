import Specs
import TestSupport
import Testing

@Suite struct CanonicalJSONTests {
  @Test func `the worked example`() {
    let value: JSONValue = [
      "b": [1, .number(DecimalNumber(mantissa: 5, exponent: -2)), true, .null], "a": "x\"\\\n\t\r\u{1}é/",
      "B": .object([:]), "é": false,
    ]
    #expect(
      CanonicalJSON.text(of: value)
        == #"{"B":{},"a":"x\"\\\n\t\r\u0001é/","b":[1,0.05,true,null],"é":false}"#)
  }

  @Test func `what is written is read back`() throws {
    let value: JSONValue = ["k": [.null, "\u{0}\u{1f} 😀", -3, .array([]), ["n": false]]]
    #expect(try JSONReader.read(CanonicalJSON.bytes(of: value)).value == value)
  }

  @Test func `order of writing and spelling of numbers leave no trace`() throws {
    let a = try JSONReader.read(Array(#"{"x": 0.30, "y": [1e2]}"#.utf8)).value
    let b = try JSONReader.read(Array(#"{"y":[100],"x":3e-1}"#.utf8)).value
    #expect(CanonicalJSON.text(of: a) == CanonicalJSON.text(of: b))
  }
}

@Suite struct ContentKeyTests {
  @Test func `the digests of FIPS 180-4`() {
    #expect(
      ContentKey(hashing: []).description
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      ContentKey(hashing: Array("abc".utf8)).description
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func `a key is its text and its bytes`() throws {
    let key = ContentKey(hashing: Array("abc".utf8))
    #expect(ContentKey(key.description) == key)
    #expect(ContentKey(digest: key.digest) == key)
    #expect(key.digest.count == 32 && key.digest.first == 0xBA && key.digest.last == 0xAD)
    #expect(key.short == "ba7816bf8f")
    #expect(ContentKey(key.description.uppercased()) == nil)
    #expect(ContentKey(String(key.description.dropLast())) == nil)
    #expect(ContentKey(digest: key.digest.dropLast()) == nil)
  }

  @Test func `keys are ordered as their texts are`() {
    let keys = (0..<50).map { ContentKey(hashing: [UInt8($0)]) }
    #expect(keys.sorted().map(\.description) == keys.map(\.description).sorted())
  }

  @Test func `where a field ends is part of the digest`() {
    func key(_ fields: (StaticString, String)...) -> ContentKey {
      var hasher = ContentHasher()
      for (name, value) in fields { hasher.field(name, value) }
      return hasher.finished()
    }
    #expect(key(("a", "bc")) != key(("ab", "c")))
    #expect(key(("a", "b"), ("a", "c")) != key(("a", "bc")))
    #expect(key(("a", "b"), ("c", "d")) != key(("c", "d"), ("a", "b")))
    #expect(key(("a", "b")) == key(("a", "b")))
  }
}

@Suite struct NearestNameTests {
  @Test func `distances of the textbook`() {
    #expect(NearestName.distance("kitten", "sitting") == 3)
    #expect(NearestName.distance("mktd-rl", "mtkd-rl") == 1)
    #expect(NearestName.distance("", "abc") == 3)
    #expect(NearestName.distance("Alpha", "alpha") == 0)
  }

  @Test func `two edits or a third of the length are near`() {
    #expect(NearestName.of("alfa", among: ["alpha", "beta"]) == "alpha")
    #expect(NearestName.of("learningrat", among: ["learningRate", "batchSize"]) == "learningRate")
    #expect(NearestName.of("tempratures", among: ["temperature"]) == "temperature")
    #expect(NearestName.of("momentum", among: ["alpha", "beta"]) == nil)
    #expect(NearestName.of("x", among: ["y"]) == nil)
  }

  @Test func `an unknown name knows the others`() {
    let catalog = Catalog("letter", ["alpha", "beta"]) { $0 }
    #expect(throws: UnknownName(kind: "letter", name: "alhpa", known: ["alpha", "beta"])) {
      try catalog.entry("alhpa")
    }
    #expect(
      UnknownName(kind: "letter", name: "alhpa", known: ["alpha", "beta"]).description
        == "There is no letter named 'alhpa'. Did you mean 'alpha'? Known: alpha, beta.")
  }
}
