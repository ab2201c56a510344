import Specs

/// A text file beside a dataset's images that says what its labels are called: a line each.
struct ClassNameFile: Sendable {
  /// Below the dataset's folder. Where it is not there, classes are told by their numbers.
  let path: String
  /// What a line should be, as a phrase.
  let line: String
  /// The value in labels and its name; nil for a line that is not one. A negative value is none of labels.
  let read: @Sendable (Substring) -> (value: Int, name: String)?

  /// `objectInfo150.txt` of ADE20K: columns set apart by tabs, of which the first is the value and the last
  /// the names, the usual one first.
  static let objectInfo = ClassNameFile(
    path: "objectInfo150.txt", line: "a number, further columns and names, set apart by tabs"
  ) { line in
    let fields = line.split(separator: "\t").map(trimmed)
    if fields.first == "Idx" { return (-1, "") }
    guard fields.count > 1, let value = Int(fields[0]),
      let name = fields[fields.count - 1].split(separator: ",").first
    else { return nil }
    return (value, trimmed(name))
  }

  /// `labels.txt` of COCO-Stuff: `12: stop sign`, where 0 is the unlabelled and numbers
  /// are those of labels plus 1.
  static let labels = ClassNameFile(path: "labels.txt", line: "a number, a colon and a name") { line in
    let fields = line.split(separator: ":", maxSplits: 1).map(trimmed)
    guard fields.count == 2, let number = Int(fields[0]), number >= 0, !fields[1].isEmpty else { return nil }
    return (number - 1, fields[1])
  }

  private static func trimmed(_ text: Substring) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }
    let front = text.drop(while: isSpace)
    return String(front.prefix(front.count - front.reversed().prefix(while: isSpace).count))
  }

  /// Names of outputs: those of the file, as far as it is there and has them.
  ///
  /// - Parameters:
  ///   - standard: by output.
  ///   - outputs: of each value of a label, as `LabelMapKind.outputs`.
  func names(_ root: String, _ standard: [String], outputs: [UInt8?]) throws(DatasetError) -> [String] {
    guard DataFile.exists("\(root)/\(path)") else { return standard }
    let file = try DataFile(reading: "\(root)/\(path)")
    var names = standard
    let lines = String(decoding: file.bytes, as: UTF8.self).split(omittingEmptySubsequences: false) {
      $0.isNewline
    }
    for (number, text) in lines.enumerated() where !text.allSatisfy(\.isWhitespace) {
      guard let (value, name) = read(text) else {
        throw .malformedRecord(
          file: file.path, record: "line \(number + 1)", expected: line,
          found: ForeignText.line(String(text)),
          advice: "Get the file again from the dataset's source, or take it out: classes are then numbers.")
      }
      guard outputs.indices.contains(value), let output = outputs[value], names.indices.contains(Int(output))
      else { continue }
      names[Int(output)] = ForeignText.line(name)
    }
    return names
  }
}
