import Specs

/// Goes through folders of photographs and remembers what it leaves out, and why.
struct PhotoCollector {
  let root: String
  private let realRoot: String
  private let prefix: Int
  /// Folders of the split that have been entered, by device and inode: each is read once,
  /// so circles of links end.
  private var entered: Set<[UInt64]> = []
  private var reasons: [(reason: String, count: Int, example: String)] = []

  init(root: String) {
    self.root = root
    realRoot = FileListing.real(root)
    prefix = root.utf8.count + 1
  }

  var leftOut: [DatasetFacts.LeftOut] {
    reasons.map { DatasetFacts.LeftOut(reason: $0.reason, count: $0.count, example: $0.example) }
  }

  /// Why photographs of a folder may be missing, as the end of a sentence.
  func reason(below folder: String) -> String {
    let relative = self.relative(folder)
    guard let first = reasons.first(where: { $0.example.hasPrefix(relative) }) else { return "" }
    return " (\(first.example) was left out: \(first.reason))"
  }

  mutating func beginSplit() { entered = [] }

  mutating func leaveOut(_ reason: String, _ path: String) {
    if let known = reasons.firstIndex(where: { $0.reason == reason }) {
      reasons[known].count += 1
    } else {
      reasons.append((reason, 1, path))
    }
  }

  /// Names of the folders in a folder that can be classes, byte by byte in ascending order.
  mutating func classes(of folder: String) throws(DatasetError) -> [String] {
    var names: [String] = []
    for entry in try FileListing.entries(folder) {
      let shown = "\(relative(folder))/\(entry.shown)"
      guard let kind = try FileListing.kind(of: entry, in: folder) else {
        leaveOut("links to nothing", shown)
        continue
      }
      guard kind == .folder else {
        if kind == .file, entry.looksLikePhotograph { leaveOut("outside of the classes' folders", shown) }
        continue
      }
      if entry.isHidden {
        leaveOut("hidden folders", shown)
      } else if let name = entry.text {
        names.append(name)
      } else {
        leaveOut("names that are not UTF-8", shown)
      }
    }
    return names
  }

  /// Paths below the root of a class's files, however deep, in the order of their names.
  ///
  /// - Throws: for a link out of the root, and where the system does not let us read.
  mutating func files(of folder: String) throws(DatasetError) -> [String] {
    var files: [String] = []
    try collect(folder, into: &files)
    guard !files.isEmpty else {
      throw .unusable(folder: folder, problem: "has no photographs" + reason(below: folder))
    }
    return files
  }

  private mutating func collect(_ folder: String, into files: inout [String]) throws(DatasetError) {
    guard entered.insert(try FileListing.identity(folder)).inserted else {
      return leaveOut("links to folders that were read already", relative(folder))
    }
    for entry in try FileListing.entries(folder) {
      let shown = "\(relative(folder))/\(entry.shown)"
      guard let name = entry.text else {
        leaveOut("names that are not UTF-8", shown)
        continue
      }
      let path = "\(folder)/\(name)"
      guard let kind = try FileListing.kind(of: entry, in: folder) else {
        leaveOut("links to nothing", shown)
        continue
      }
      if FileListing.isLink(path) {
        let target = FileListing.real(path)
        guard target == realRoot || target.hasPrefix(realRoot + "/") else {
          throw .unusable(folder: path, problem: "is a link out of the data's folder, to \(target)")
        }
      }
      switch kind {
      case .folder where entry.isHidden: leaveOut("hidden folders", shown)
      case .folder: try collect(path, into: &files)
      case .file: files.append(relative(path))
      case .other: leaveOut("neither files nor folders", shown)
      }
    }
  }

  /// Bytes are counted, not characters: a letter may be several bytes, and may join
  /// with what stands before it.
  private func relative(_ path: String) -> String {
    String(decoding: path.utf8.dropFirst(prefix), as: UTF8.self)
  }
}

extension FileListing.Entry {
  private static let endings: Set = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"]

  /// Whether a name ends as photographs' names do.
  var looksLikePhotograph: Bool {
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return Self.endings.contains(String(decoding: bytes[(dot + 1)...], as: UTF8.self).lowercased())
  }
}
