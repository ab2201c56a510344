import Foundation
import Glibc
import Reports
import Storage

/// Where the files of an export go: there whole, or not there.
enum ExportDestination {
  case standardOutput
  case file(String)
  case folder(String)

  /// In a folder, says that an export made it and another may replace it.
  private static let mark = ".mtkd-sweep-export"

  /// Empty for standard output.
  var absolutePath: String {
    switch self {
    case .standardOutput: ""
    case .file(let path), .folder(let path): URL(filePath: path).standardizedFileURL.path
    }
  }

  /// Lends a function that appends a piece to its file.
  /// - Throws: `UnwritableOutput`, `OccupiedOutput`, and what `body` throws; then nothing is left behind.
  func write(_ body: ((ExportedFile) throws -> Void) throws -> Void) throws {
    switch self {
    case .standardOutput: try body { Out.put(String(decoding: $0.bytes, as: UTF8.self)) }
    case .file(let path):
      try replacing(path) { aside in
        let file = try AppendedFile(aside)
        try body { try file.append($0.bytes) }
        try file.close()
      }
    case .folder(let path):
      if FileManager.default.fileExists(atPath: path) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["not readable"]
        guard names.isEmpty || names.contains(Self.mark) else { throw OccupiedOutput(path: path) }
      }
      try replacing(path) { aside in
        try AtomicFile.createFolder(aside)
        try AppendedFile("\(aside)/\(Self.mark)").close()
        try collect(in: aside, body)
      }
    }
  }

  /// A file stays open as long as pieces for it come.
  private func collect(in place: String, _ body: ((ExportedFile) throws -> Void) throws -> Void) throws {
    var current: (path: String, file: AppendedFile)?
    var folders: Set<Substring> = []
    try body { piece in
      guard let end = piece.path.lastIndex(of: "/") else {
        preconditionFailure("an exported file lies in a folder: \(piece.path)")
      }
      let folder = piece.path[..<end]
      if folders.insert(folder).inserted { try AtomicFile.createFolder("\(place)/\(folder)") }
      if piece.path.hasSuffix("/") { return }
      if current?.path != piece.path {
        try current?.file.close()
        current = (piece.path, try AppendedFile("\(place)/\(piece.path)"))
      }
      try current?.file.append(piece.bytes)
    }
    try current?.file.close()
  }

  private func replacing(_ path: String, _ body: (String) throws -> Void) throws {
    let target = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let aside = "\(target).\(ProcessInfo.processInfo.processIdentifier).aside"
    do {
      try body(aside)
      // A folder can be renamed only over an empty one.
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: target, isDirectory: &isFolder), isFolder.boolValue,
        case .folder = self
      {
        try FileManager.default.removeItem(atPath: target)
      }
      guard rename(aside, target) == 0 else { throw FileError("write", target) }
    } catch {
      try? FileManager.default.removeItem(atPath: aside)
      if let error = error as? FileError { throw UnwritableOutput(path: path, error: error) }
      throw error
    }
  }
}

/// A file that grows at its end.
private final class AppendedFile {
  private let path: String
  private var file: Int32

  init(_ path: String) throws(FileError) {
    self.path = path
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FileError("write", path) }
  }

  deinit { if file >= 0 { Glibc.close(file) } }

  func append(_ bytes: [UInt8]) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError("write", path) }
      done += count
    }
  }

  /// What a full disk or a quota has to say, some file systems say here.
  func close() throws(FileError) {
    defer { file = -1 }
    guard Glibc.close(file) == 0 else { throw FileError("write", path) }
  }
}

/// A result that could not be written where it was asked for.
struct UnwritableOutput: Error, CustomStringConvertible {
  let path: String
  let error: FileError
  var description: String {
    "Cannot write \(path): \(String(cString: strerror(error.code))). Name another place with -o."
  }
}

/// Something else is where a result should go.
struct OccupiedOutput: Error, CustomStringConvertible {
  let path: String
  var description: String {
    "\(path) is there already and no export made it. Name another place with -o, or move it away."
  }
}
