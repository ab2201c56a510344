internal import Specs

/// One line of a trainer's standard output.
enum TrainerLine: Hashable {
  struct Finished: Hashable {
    let metrics: Metrics
    /// In the trainer's folder, to be published.
    let files: [String]
    /// Extents of the features of one view, where a teacher's outputs were asked for and it writes some.
    var features: [Int]?
  }

  /// What decides bits where the trainer computes: a phrase such as `torch 2.9.1, cpu AVX2, 1 thread`.
  case environment(profile: String)
  /// An epoch is over. Its weights are a file of the trainer's folder, where it names one.
  case epoch(EpochRecord, weights: String?)
  case progress(step: Int, steps: Int, loss: Double?)
  case finished(Finished)
  case failed(FailureRecord)
  /// Anything that is no record: for the log.
  case talk(String)

  /// Files of an output that this program writes itself, or reads in a way of its own.
  private static let reserved: Set<String> = ["metrics.json", "manifest.json", TrainingBody.lastFile]

  init(_ text: String) throws(TrainerProtocolError) {
    // Programs print dictionaries too; a record is what says that it is one.
    guard text.hasPrefix("{"), text.contains("\"record\"") else {
      self = .talk(text)
      return
    }
    do {
      let object = try SpecObject(JSONReader.read(Array(Self.withoutBareNonNumbers(text).utf8)).value)
      switch try object.string("record") {
      case "environment":
        let profile = ForeignText.line(try object.string("profile"))
        guard !profile.isEmpty, profile.count <= 200 else {
          throw SpecError(path: "profile", expected: "a phrase of at most 200 characters")
        }
        self = .environment(profile: profile)
      case "epoch":
        let (epoch, step) = (try object.integer("epoch"), try object.integer("step"))
        let metrics = try Metrics(object["metrics"] ?? .null, at: "metrics")
        // A trainer that cannot digest its state is compared by its numbers.
        let state =
          try object.optional("state", SpecObject.key)
          ?? ContentKey(hashing: metrics.canonicalBytes)
        self = .epoch(
          EpochRecord(epoch: epoch, step: step, metrics: metrics, state: state),
          weights: object["weights"]?.string)
      case "progress":
        self = .progress(
          step: try object.integer("step"), steps: try object.integer("steps"),
          loss: object["loss"]?.number?.double)
      case "finished":
        let files = try (object.optional("files", SpecObject.array) ?? []).map { value in
          guard let name = value.string, TrainerSpec.isPlain(name) else {
            throw SpecError(path: "files", expected: "names of files in the run's folder")
          }
          guard !Self.reserved.contains(name) else {
            throw SpecError(
              path: "files", expected: "a name other than \(name), which this program writes itself")
          }
          return name
        }
        guard Set(files).count == files.count else {
          throw SpecError(path: "files", expected: "different names")
        }
        var finished = Finished(
          metrics: try Metrics(object["metrics"] ?? .object([:]), at: "metrics"), files: files)
        finished.features = try object.optional("features", SpecObject.array).map { list throws(SpecError) in
          let extents = list.compactMap(\.integer)
          guard extents.count == list.count, (1...3).contains(extents.count),
            extents.allSatisfy({ (1...1 << 20).contains($0) })
          else { throw SpecError(path: "features", expected: "1 to 3 extents, such as [512]") }
          return extents
        }
        self = .finished(finished)
      case "failed":
        let cause =
          try object.optional("cause", SpecObject.string).flatMap(FailureRecord.Cause.init) ?? .other
        self = .failed(
          FailureRecord(
            cause: cause, reason: ForeignText.line(try object.string("reason")),
            epoch: try object.optional("epoch", SpecObject.integer),
            step: try object.optional("step", SpecObject.integer)))
      default: throw SpecError(path: "record", expected: "environment, epoch, progress, finished or failed")
      }
    } catch {
      throw TrainerProtocolError(line: text, expected: "\(error)")
    }
  }
}

extension TrainerLine {
  /// Python's json module writes `NaN`, `Infinity` and `-Infinity`, which JSON does not
  /// have: here they are `"nan"`.
  static func withoutBareNonNumbers(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var (result, place, isInString): ([UInt8], Int, Bool) = ([], 0, false)
    let words = ["-Infinity", "Infinity", "NaN"].map { Array($0.utf8) }
    while place < bytes.count {
      if !isInString, let word = words.first(where: { bytes[place...].starts(with: $0) }) {
        result += Array("\"nan\"".utf8)
        place += word.count
        continue
      }
      let byte = bytes[place]
      if isInString, byte == UInt8(ascii: "\\"), place + 1 < bytes.count {
        result += bytes[place...(place + 1)]
        place += 2
        continue
      }
      if byte == UInt8(ascii: "\"") { isInString.toggle() }
      result.append(byte)
      place += 1
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// A line that begins like a record and is none.
struct TrainerProtocolError: Error, Hashable, CustomStringConvertible {
  let line: String
  let expected: String
  var description: String {
    "The trainer wrote \(line.prefix(200)): \(expected). docs/trainers.md describes its lines."
  }
}
