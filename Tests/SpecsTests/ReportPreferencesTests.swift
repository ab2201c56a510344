import Specs
import Testing

@Suite struct ReportPreferencesTests {
  @Test func `what is written is read again, and what is absent has its default`() throws {
    var preferences = ReportPreferences()
    preferences.metric = "test.loss"
    (preferences.select, preferences.test, preferences.correction) = (
      .bestOnValidation, .welch, .benjaminiHochberg
    )
    (preferences.rows, preferences.columns) = (["student", "method"], ["alpha"])
    preferences.compareTo = ["ca-mkd", "mtkd-rl - mmkd"]
    preferences.paperValues = "preset:paper/table1"
    preferences.average = ["student"]
    #expect(try ReportPreferences(JSONReader.read(preferences.canonicalBytes).value) == preferences)
    #expect(try ReportPreferences([:]) == ReportPreferences())
    #expect(throws: SpecError.self) { try ReportPreferences(["select": "best"]) }
    #expect(throws: SpecError.self) { try ReportPreferences(["rows": 3]) }
  }

  @Test func `an entry of a family names one method or two`() {
    #expect(ReportPreferences.methods(inFamily: "ca-mkd") == ["ca-mkd"])
    #expect(ReportPreferences.methods(inFamily: "mtkd-rl - ca-mkd") == ["mtkd-rl", "ca-mkd"])
    let over = ReportPreferences.family("mtkd-rl - ca-mkd", over: ["student", "alpha"])
    #expect(over == "mtkd-rl - ca-mkd over student,alpha")
    #expect(ReportPreferences.methods(inFamily: over) == ["mtkd-rl", "ca-mkd"])
    #expect(ReportPreferences.averages(inFamily: over) == ["student", "alpha"])
    #expect(ReportPreferences.averages(inFamily: "mtkd-rl - ca-mkd").isEmpty)
  }

  @Test func `programs count as one by a clean commit, else by the file`() {
    func made(
      _ commit: String?, _ program: UInt8, host: String = "a", profile: String = "portable",
      threads: Int? = nil
    ) -> String {
      Provenance(
        version: "0.1.0", commit: commit, program: ContentKey(hashing: [program]), blas: "0.3.21", cpu: host,
        host: host,
        profile: profile, threads: threads
      ).numerics
    }
    #expect(made("abc", 1) == made("abc", 2, host: "b"), "one commit, built twice, on two machines")
    #expect(made("abc", 1) != made("abd", 1))
    #expect(made("abc-dirty", 1) != made("abc-dirty", 2))
    #expect(made(nil, 1) == made(nil, 1, host: "b") && made(nil, 1) != made(nil, 2))
    #expect(made("abc", 1) != made("abc", 1, profile: "native"))
    #expect(made("abc", 1) == made("abc", 1, threads: 4), "threads decide no bit")
  }

  @Test func `what was recorded before threads were is read as it was written`() throws {
    let old =
      #"{"blas":"b","commit":"c","cpu":"p","host":"h","profile":"single, 1 thread","version":"0.1.0"}"#
    var made = try Provenance(JSONReader.read(Array(old.utf8)).value, at: "provenance")
    #expect(made.threads == nil && made.threading == nil)
    #expect(String(decoding: made.canonicalBytes, as: UTF8.self) == old)
    made.threads = 4
    let again = try Provenance(JSONReader.read(made.canonicalBytes).value, at: "provenance")
    #expect(again == made && again.threading == "4 threads a run")
  }
}
