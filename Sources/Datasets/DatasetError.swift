public import Specs

/// What can be wrong with a dataset. Each case holds the place; the sentence names it and the next step.
public enum DatasetError: UserError, Equatable {
  /// A byte of a file is not what the format says. `offset` counts in the file, or in its
  /// content where it is compressed.
  case malformed(file: String, offset: Int, expected: String, found: String)
  /// The system did not let us read.
  case unreadable(file: String, reason: String)
  /// The files are not those that the plan was made with.
  case changed(name: String, folder: String)
  /// A photograph is no longer what it was when it was indexed. `problem` follows its path.
  case changedPhotograph(file: String, problem: String)
  /// More images were asked for than there are.
  case tooFew(name: String, key: String, asked: Int, present: Int)
  /// A name that holds numbers which make no dataset.
  case impossible(name: String, problem: String)
  /// A folder is not laid out as it should be, or holds what cannot be used. `problem` follows its path.
  case unusable(folder: String, problem: String)
  /// A record of an annotation file is not what it should be. `record` names it: an id, a line, a pixel.
  case malformedRecord(file: String, record: String, expected: String, found: String, advice: String)
  /// No image of a training set has an object that can be trained on.
  case noObjects(set: String, images: Int, account: String)
  /// No folder holds the files.
  case missing(MissingDataset)

  public var description: String {
    switch self {
    case .malformed(let file, let offset, let expected, let found):
      "\(ForeignText.line(file)): at byte \(offset) there should be \(expected), but there is \(found). "
        + "Get the file again from its source, or point the grid's dataset at another folder."
    case .unreadable(let file, let reason): "\(ForeignText.line(file)) cannot be read: \(reason)."
    case .changed(let name, let folder):
      "The files of \(name) in \(ForeignText.line(folder)) changed since this sweep was planned. "
        + "Put the old ones back, or plan again: other data are other runs."
    case .changedPhotograph(let file, let problem):
      "\(ForeignText.line(file)) \(problem). Put the old file back and type `mtkd-sweep retry`; "
        + "or run the grid again as it is: with other photographs it is other runs."
    case .tooFew(let name, let key, let asked, let present):
      "\(key) asks for \(asked) images, but \(name) has \(present). Ask for at most \(present)."
    case .impossible(let name, let problem): "'\(name)': \(problem)."
    case .unusable(let folder, let problem): "\(ForeignText.line(folder)) \(ForeignText.line(problem))."
    case .malformedRecord(let file, let record, let expected, let found, let advice):
      "\(ForeignText.line(file)): \(ForeignText.line(record)): there should be \(expected), but there is "
        + "\(ForeignText.line(found)). \(advice)"
    case .noObjects(let set, let images, let account):
      "\(set) has no object that a detector can be trained on: \(counted(images, "image"))"
        + (account.isEmpty ? "" : ", \(account)") + ". Take more images, or look at the annotations."
    case .missing(let missing): missing.description
    }
  }
}

extension DatasetError {
  package var exitStatus: ExitStatus { if case .missing = self { .missingInput } else { .badInput } }
}

/// A dataset whose files are in none of the places where they could be.
public struct MissingDataset: Error, Equatable, CustomStringConvertible {
  /// As a grid names it.
  public let name: String
  /// Folders that were looked at.
  public let folders: [String]
  /// The files that should be there, as a phrase.
  public let files: String
  /// How to get them: a sentence.
  public let advice: String

  /// A dataset by its name in the grid, with what was looked for, where, and a sentence on how to get it.
  public init(name: String, folders: [String], files: String, advice: String) {
    self.name = name
    self.folders = folders
    self.files = files
    self.advice = advice
  }

  public var description: String {
    let looked = folders.isEmpty ? "No folder was named" : "Not found in \(folders.joined(separator: ", "))"
    return "The dataset \(name) needs \(files). \(looked). \(advice)"
  }
}
