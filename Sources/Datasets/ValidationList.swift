import Specs

/// Which class each photograph of a flat `val` belongs to, as ImageNet's are published: 50 000 files in one
/// folder, their classes in a list elsewhere.
///
/// Read are, beside `train` and `val`, in `val` or in a devkit's folder:
///
///     LOC_val_solution.csv                          Kaggle's: ImageId,PredictionString; a class begins the string
///     val.txt, validation.txt                       FILE CLASS, a class by its name or by its number from 0
///     *synset_labels.txt                            a class a line, in the order of the files' names
///     ILSVRC2012_validation_ground_truth.txt        numbers of the devkit, a line a file, with meta.mat beside it
struct ValidationList: Sendable {
  let path: String
  /// By the names of files without folders and endings; empty for a list without names.
  private let byName: [String: Int]
  /// In the order of the files' names; empty for a list with names.
  private let inOrder: [Int]

  /// - Returns: nil where there is no list.
  /// - Throws: for a list that names classes which training does not have.
  init?(for folder: String, below root: String, classes: [String]) throws(DatasetError) {
    let numbers = Dictionary(zip(classes, classes.indices)) { $1 }
    for place in Self.places(folder, root) where FileListing.isFolder(place) {
      for entry in try FileListing.entries(place) {
        guard let name = entry.text, let form = Form(name), DataFile.exists("\(place)/\(name)") else {
          continue
        }
        let file = try DataFile(reading: "\(place)/\(name)")
        path = file.path
        switch form {
        case .named:
          byName = try Self.named(file, numbers)
          inOrder = []
        case .names:
          byName = [:]
          inOrder = try Self.lines(file).map { line throws(DatasetError) in
            try Self.number(of: line.text, numbers, file, line.offset)
          }
        case .devkit:
          guard DataFile.exists("\(place)/meta.mat") else {
            throw .unusable(
              folder: folder,
              problem: "is flat, and \(file.path) names classes by the devkit's own "
                + "numbers: put the devkit's meta.mat beside it, which says what they are")
          }
          let synsets = try DevkitMeta.synsets(DataFile(reading: "\(place)/meta.mat"))
          byName = [:]
          inOrder = try Self.lines(file).map { line throws(DatasetError) in
            guard let id = Int(line.text), let synset = synsets[id] else {
              throw file.malformed(
                line.offset, expected: "a number of the devkit's classes", found: "'\(line.text)'")
            }
            return try Self.number(of: synset, numbers, file, line.offset)
          }
        }
        return
      }
    }
    return nil
  }

  static func advice(root: String) -> String {
    "has no folders of classes. A flat val is read with a list of its files' classes in \(root): "
      + "LOC_val_solution.csv, val.txt (FILE CLASS), or the devkit's ILSVRC2012_validation_ground_truth.txt "
      + "with its meta.mat"
  }

  private static func places(_ folder: String, _ root: String) -> [String] {
    let devkits = ["devkit", "ILSVRC2012_devkit_t12"].flatMap { ["\(root)/\($0)", "\(root)/\($0)/data"] }
    return [root, folder, "\(root)/data"] + devkits
  }

  private enum Form {
    case named, names, devkit

    init?(_ name: String) {
      switch name {
      case "LOC_val_solution.csv", "val.txt", "validation.txt": self = .named
      case "ILSVRC2012_validation_ground_truth.txt": self = .devkit
      case _ where name.hasSuffix("synset_labels.txt"): self = .names
      default: return nil
      }
    }
  }

  private static func lines(_ file: DataFile) throws(DatasetError) -> [(text: String, offset: Int)] {
    var lines: [(String, Int)] = []
    var start = 0
    for line in file.bytes.split(separator: 10, omittingEmptySubsequences: false) {
      let text = String(decoding: line.filter { $0 != 13 }, as: UTF8.self)
      if !text.isEmpty { lines.append((text, start)) }
      start += line.count + 1
    }
    return lines
  }

  private static func number(
    of name: String, _ numbers: [String: Int], _ file: DataFile, _ offset: Int
  ) throws(DatasetError) -> Int {
    if let number = numbers[name] { return number }
    throw file.malformed(
      offset, expected: "the name of one of train's \(numbers.count) classes", found: "'\(name)'")
  }

  private static func named(_ file: DataFile, _ numbers: [String: Int]) throws(DatasetError) -> [String: Int]
  {
    var labels: [String: Int] = [:]
    for line in try lines(file) where !line.text.hasPrefix("ImageId,") {
      let parts = line.text.split { $0 == " " || $0 == "," || $0 == "\t" }.map(String.init)
      guard parts.count >= 2 else {
        throw file.malformed(line.offset, expected: "a file and its class", found: "'\(line.text)'")
      }
      // A folder may be called by a number: then that is its name.
      if numbers[parts[1]] == nil, let index = Int(parts[1]), (0..<numbers.count).contains(index) {
        labels[stem(parts[0])] = index
      } else {
        labels[stem(parts[0])] = try number(of: parts[1], numbers, file, line.offset)
      }
    }
    return labels
  }

  /// `ILSVRC2012_val_00000001` of `val/ILSVRC2012_val_00000001.JPEG`.
  private static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }

  /// The files of the folder that look like photographs, sorted by class and then by name,
  /// as paths below the root.
  ///
  /// - Throws: where files and list do not go together.
  func files(of folder: String, below root: String) throws(DatasetError) -> [(path: String, label: Int)] {
    let names = try FileListing.entries(folder).filter(\.looksLikePhotograph).compactMap(\.text)
    guard byName.isEmpty ? inOrder.count == names.count : byName.count >= names.count, !names.isEmpty else {
      throw .unusable(
        folder: folder,
        problem:
          "has \(names.count) photographs, and \(path) lists \(byName.isEmpty ? inOrder.count : byName.count)"
      )
    }
    var found: [(path: String, label: Int)] = []
    for (position, name) in names.enumerated() {
      guard let label = byName.isEmpty ? inOrder[position] : byName[Self.stem(name)] else {
        throw .unusable(folder: "\(folder)/\(name)", problem: "is not in \(path)")
      }
      let full = "\(folder)/\(name)"
      found.append((String(decoding: full.utf8.dropFirst(root.utf8.count + 1), as: UTF8.self), label))
    }
    return found.sorted {
      $0.label == $1.label ? $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) : $0.label < $1.label
    }
  }
}

/// The classes of ImageNet's devkit, from `meta.mat` (MATLAB's level 5 format).
///
/// The file holds an array of structures. Of these the numbers (`ILSVRC2012_ID`) and names (`WNID`, `n` and
/// eight digits) are read: a name belongs to the number before it.
enum DevkitMeta {
  static func synsets(_ file: DataFile) throws(DatasetError) -> [Int: String] {
    guard file.bytes.count > 136, file.bytes.starts(with: "MATLAB 5.0".utf8) else {
      throw file.malformed(0, expected: "a MATLAB 5.0 file", found: "something else")
    }
    var cells: [Cell] = []
    try walk(file.bytes[128...], file, depth: 0, &cells)
    var synsets: [Int: String] = [:]
    var id: Int?
    for cell in cells {
      switch cell {
      case .number(let value): id = value
      case .text(let text):
        // The number is the field before the name.
        guard text.utf8.count == 9, text.hasPrefix("n"), Int(text.dropFirst()) != nil, let number = id else {
          continue
        }
        synsets[number] = text
      }
    }
    guard synsets.count >= 2 else {
      throw file.malformed(128, expected: "classes with ILSVRC2012_ID and WNID", found: "\(synsets.count)")
    }
    return synsets
  }

  private enum Cell {
    case number(Int)
    case text(String)
  }

  private static func walk(
    _ bytes: ArraySlice<UInt8>, _ file: DataFile, depth: Int, _ cells: inout [Cell]
  ) throws(DatasetError) {
    guard depth < 8 else {
      throw file.malformed(bytes.startIndex, expected: "shallow arrays", found: "deep ones")
    }
    var rest = bytes
    while rest.count >= 8 {
      let start = rest.startIndex
      func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(rest[start + at + $1]) << (8 * $1) } }
      var type = word(0)
      var size = word(4)
      var data = start + 8
      // Four bytes or fewer stand in the tag itself.
      let isSmall = type >> 16 != 0
      if isSmall {
        size = type >> 16
        type &= 0xFFFF
        data = start + 4
      }
      guard size <= rest.endIndex - data else {
        throw file.malformed(start, expected: "\(size) bytes of an element", found: "\(rest.endIndex - data)")
      }
      let content = rest[data..<data + size]
      switch type {
      case 15: try walk(Gzip.inflated(content, of: file)[...], file, depth: depth + 1, &cells)
      case 14: try matrix(content, file, depth: depth + 1, &cells)
      default: break
      }
      let end = isSmall ? start + 8 : data + (type == 15 ? size : (size + 7) / 8 * 8)
      guard end < rest.endIndex else { return }
      rest = rest[end...]
    }
  }

  /// Of an array: its class, then either its characters, its first number, or what its parts hold.
  private static func matrix(
    _ bytes: ArraySlice<UInt8>, _ file: DataFile, depth: Int, _ cells: inout [Cell]
  ) throws(DatasetError) {
    var elements: [(type: Int, bytes: ArraySlice<UInt8>)] = []
    var rest = bytes
    while rest.count >= 8, elements.count < 4 {
      let start = rest.startIndex
      func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(rest[start + at + $1]) << (8 * $1) } }
      let small = word(0) >> 16
      let (type, size, data) =
        small != 0 ? (word(0) & 0xFFFF, small, start + 4) : (word(0), word(4), start + 8)
      guard size <= rest.endIndex - data else { return }
      elements.append((type, rest[data..<data + size]))
      let end = small != 0 ? start + 8 : data + (size + 7) / 8 * 8
      rest = end < rest.endIndex ? rest[end...] : []
      if elements.count == 3, elements[0].bytes.first == 1 || elements[0].bytes.first == 2 { break }
    }
    guard elements.count >= 3, let kind = elements[0].bytes.first else { return }
    switch kind {
    case 1: try walk(rest, file, depth: depth, &cells)
    case 2:
      // Field name length, field names, then every field of every structure.
      while rest.count >= 8 {
        let start = rest.startIndex
        let type = Int(rest[start])
        if type == 14 || type == 15 { break }
        func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(rest[start + at + $1]) << (8 * $1) } }
        let small = word(0) >> 16
        let end = small != 0 ? start + 8 : start + 8 + (word(4) + 7) / 8 * 8
        guard end < rest.endIndex else { return }
        rest = rest[end...]
      }
      try walk(rest, file, depth: depth, &cells)
    case 4:
      guard elements.count == 4 else { return }
      let characters =
        elements[3].type == 4
        ? stride(from: 0, to: elements[3].bytes.count, by: 2).map {
          elements[3].bytes[elements[3].bytes.startIndex + $0]
        } : Array(elements[3].bytes)
      cells.append(.text(String(decoding: characters, as: UTF8.self)))
    default:
      guard elements.count == 4, let value = number(elements[3]) else { return }
      cells.append(.number(value))
    }
  }

  private static func number(_ element: (type: Int, bytes: ArraySlice<UInt8>)) -> Int? {
    let word = element.bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch element.type {
    case 1, 2: return element.bytes.first.map(Int.init)
    case 3, 4: return element.bytes.count >= 2 ? Int(word & 0xFFFF) : nil
    case 5, 6: return element.bytes.count >= 4 ? Int(word & 0xFFFF_FFFF) : nil
    case 9: return element.bytes.count >= 8 ? Int(exactly: Double(bitPattern: word)) : nil
    default: return nil
    }
  }
}
