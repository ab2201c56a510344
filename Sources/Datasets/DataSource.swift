import Specs

/// Files by name: those of a folder, or the members of a packed archive.
struct DataSource: Sendable {
  let path: String
  /// Members by the last component of their names; nil for a folder.
  private let members: [String: DataFile]?

  init(folder: String) {
    path = folder
    members = nil
  }

  /// - Throws: where the file is no tar archive, compressed by gzip or not.
  init(archive: String) throws(DatasetError) {
    path = archive
    members = try TarArchive.members(of: Gzip.content(of: DataFile(reading: archive)))
  }

  /// Nil where there is no such regular file.
  func file(_ name: String) throws(DatasetError) -> DataFile? {
    if let members { return members[name] }
    let path = "\(path)/\(name)"
    return DataFile.exists(path) ? try DataFile(reading: path) : nil
  }

  /// Names of files; of a folder also `NAME/NAME`, a file in a folder of its own name, as some
  /// download pages pack them.
  var names: [String] {
    get throws(DatasetError) {
      if let members { return members.keys.sorted() }
      guard FileListing.isFolder(path) else { return [] }
      var names: [String] = []
      for entry in try FileListing.entries(path) {
        guard let name = entry.text else { continue }
        if FileListing.isFolder("\(path)/\(name)") {
          if IDXNames.role(of: name) != nil, DataFile.exists("\(path)/\(name)/\(name)") {
            names.append("\(name)/\(name)")
          }
        } else {
          names.append(name)
        }
      }
      return names
    }
  }
}

/// Reads tar archives (POSIX.1-1988 ustar, with GNU's long names passed over).
enum TarArchive {
  /// Regular files by the last component of their names, each with a path that names archive and member.
  static func members(of archive: DataFile) throws(DatasetError) -> [String: DataFile] {
    var members: [String: DataFile] = [:]
    let bytes = archive.bytes
    var offset = 0
    while offset + 512 <= bytes.count {
      let header = bytes[offset..<offset + 512]
      if header.allSatisfy({ $0 == 0 }) { return members }
      let at = header.startIndex
      let expected = octal(header[(at + 148)..<(at + 156)])
      let sum = header.enumerated().reduce(0) {
        $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
      }
      guard expected == sum else {
        throw archive.malformed(
          offset, expected: "the header of a member of a tar archive", found: "a wrong checksum")
      }
      guard let size = octal(header[(at + 124)..<(at + 136)]), size <= bytes.count - offset - 512 else {
        throw archive.malformed(
          offset + 124, expected: "a size of at most \(bytes.count - offset - 512) bytes",
          found: "more: the archive ends early")
      }
      let type = header[at + 156]
      let name = String(decoding: header[at..<(at + 100)].prefix { $0 != 0 }, as: UTF8.self)
      if type == 0 || type == UInt8(ascii: "0") {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        guard members[last] == nil else {
          throw archive.malformed(offset, expected: "one member named \(last)", found: "a second one")
        }
        let start = offset + 512
        members[last] = DataFile(path: "\(archive.path)/\(name)", bytes: Array(bytes[start..<start + size]))
      }
      offset += 512 + (size + 511) / 512 * 512
    }
    throw archive.malformed(
      min(offset, bytes.count), expected: "another member, or the end of a tar archive",
      found: "the end of the file")
  }

  /// A number of octal digits, ended by a space or a zero byte; nil for other bytes.
  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 32 }.prefix { $0 != 32 && $0 != 0 }
    var value = 0
    for digit in digits {
      guard (48...55).contains(digit) else { return nil }
      value = value << 3 | Int(digit - 48)
    }
    return value
  }
}
