internal import Foundation
internal import Specs
internal import Storage

/// Asks somebody else's trainer what it can do, before anything is planned. The answer is kept in the store
/// by the digest of its command and files, so that planning again starts no process.
struct TrainerInquiry {
  /// Nil where no store is looked at.
  let store: StoreFolder?

  /// - Parameter trainer: of version 2, its files beside the grid.
  /// - Throws: `TrainerFault` with a sentence for people.
  func description(of trainer: TrainerSpec) throws -> DescribedTrainer {
    let key = ContentKey(hashing: trainer.canonicalBytes)
    if let kept = store.map({ Self.file(key, in: $0) }), let bytes = try? AtomicFile.read(kept),
      let json = try? JSONReader.read(bytes).value, let description = try? DescribedTrainer(json)
    {
      return description
    }
    let line = try answer(of: trainer)
    let description: DescribedTrainer
    let json: JSONValue
    do {
      json = try JSONReader.read(Array(TrainerLine.withoutBareNonNumbers(line).utf8)).value
      description = try DescribedTrainer(json)
    } catch {
      let sentence = "\(error)".trimmingCharacters(in: CharacterSet(charactersIn: "."))
      throw Self.fault(
        trainer, "describes itself with \(ForeignText.line(String(line.prefix(200)))): \(sentence)")
    }
    if let store, FileManager.default.fileExists(atPath: store.path) {
      try AtomicFile.createFolder(Self.folder(in: store))
      try AtomicFile.write(CanonicalJSON.bytes(of: json), to: Self.file(key, in: store))
    }
    return description
  }

  static func folder(in store: StoreFolder) -> String { "\(store.path)/trainers/descriptions" }

  private static func file(_ key: ContentKey, in store: StoreFolder) -> String {
    "\(folder(in: store))/\(key).json"
  }

  private static func fault(_ trainer: TrainerSpec, _ what: String) -> TrainerFault {
    TrainerFault(
      reason: "the trainer \(trainer.command.joined(separator: " ")) \(what). A trainer with \"protocol\": 2 "
        + "answers {\"ask\":\"describe\"} with one line (docs/trainers.md)")
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// The line with the record `description`.
  private func answer(of trainer: TrainerSpec) throws -> String {
    let request = Array(#"{"ask":"describe","protocol":2}"#.utf8) + [UInt8(ascii: "\n")]
    let child: TrainerProcess
    do {
      child = try TrainerProcess(trainer.command, in: trainer.folder ?? ".", saying: request, mark: "")
    } catch {
      throw Self.fault(trainer, "cannot be asked what it can do (\(error))")
    }
    defer { child.endGroup() }
    let begin = Self.now
    var said: [String] = []
    while let lines = child.lines(isAsked: false) {
      if let record = lines.first(where: Self.isDescription) { return record }
      said = Array((said + lines).suffix(5))
      guard Self.now - begin < Double(trainer.patience) else {
        throw Self.fault(
          trainer,
          "did not say within \(counted(trainer.patience, "second")) what it can do; "
            + "\"describeWithin\" gives it longer")
      }
    }
    let words = said.map { ForeignText.line($0) }.filter { !$0.isEmpty }.joined(separator: " | ")
    throw Self.fault(
      trainer,
      "ended with \(ExternalBody.describe(child.end)) and did not say what it can do"
        + (words.isEmpty ? "" : "; its last words: \(words.prefix(400))"))
  }

  private static func isDescription(_ line: String) -> Bool {
    guard line.hasPrefix("{"), let value = try? JSONReader.read(Array(line.utf8)).value else { return false }
    return value.object?["record"]?.string == "description"
  }
}
