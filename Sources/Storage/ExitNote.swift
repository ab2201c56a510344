package import Specs

/// How an attempt's worker ended, as its parent saw it: `exit.json`. Where it is missing, nobody was left to
/// see it.
package struct ExitNote: CanonicallyEncodable {
  /// nil where a signal ended it.
  package let code: Int?
  package let signal: Int?
  /// A sentence, where there is more to say than a number.
  package let reason: String?

  /// Codes of workers that left their stage to whoever comes next: on request, for a newer attempt, and where
  /// the system had no room for them.
  package static let unfinished: Set<Int> = [75, 78, 81]

  /// Of an attempt whose files were damaged and moved aside.
  static let setAside = ExitNote(code: 75, reason: "its files were damaged and moved aside")

  package init(code: Int? = nil, signal: Int? = nil, reason: String? = nil) {
    self.code = code
    self.signal = signal
    self.reason = reason
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("code", code.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.member("reason", reason.map { .string($0) }, to: &bytes)
    object.member("signal", signal.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      code: try object.optional("code", SpecObject.integer),
      signal: try object.optional("signal", SpecObject.integer),
      reason: try object.optional("reason", SpecObject.string))
  }
}

extension AttemptFolder {
  /// nil before the worker's end, and where its parent ended with it.
  package var exitNote: ExitNote? {
    guard let bytes = try? AtomicFile.read(exit, limit: AtomicFile.textLimit),
      let json = try? JSONReader.read(bytes).value
    else {
      return nil
    }
    return try? ExitNote(json, at: exit)
  }

  /// Whether nobody works at it any more, as far as this host can tell.
  var isOver: Bool { exitNote != nil || holder?.identity.isAlive == false }

  /// Leaves the note. Where a loss of power takes it away, the worker counts as lost, as without a parent.
  package func close(_ note: ExitNote) throws(FileError) {
    try AtomicFile.replace(note.canonicalBytes, at: exit)
  }
}
