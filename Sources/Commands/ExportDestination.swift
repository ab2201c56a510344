import Specs
import Foundation
import Glibc
import Reports
import Storage

/// Where the files of an export go: there whole, or not there.
enum ExportDestination {
  case standardOutput
  case file(String)
  case folder(String)

  /// What `-o` names: a file, or standard output for `-` and where nothing is named.
  init(output: String?) {
    if let output, output != "-" { self = .file(output) } else { self = .standardOutput }
  }

  /// In a folder, says that an export made it and another may replace it.
  private static let mark = ".mtkd-sweep-export"

  var isStandardOutput: Bool { if case .standardOutput = self { true } else { false } }

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
    let target: OutputFile
    switch self {
    case .standardOutput: try body { Out.put($0.bytes) }
    case .file(let path):
      do throws(FileError) {
        target = try OutputFile(path)
      } catch {
        throw UnwritableOutput(path: path, error: error)
      }
      try write(to: target, body)
    case .folder(let path):
      if FileManager.default.fileExists(atPath: path) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["not readable"]
        guard names.isEmpty || names.contains(Self.mark) else { throw OccupiedOutput(path: path) }
      }
      let real = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)).map { _ in
        URL(filePath: path).resolvingSymlinksInPath().path
      }
      try replacing(real ?? path, named: path) { aside in
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

  /// A file that is replaced keeps its mode; what cannot be replaced is written through.
  private func write(
    to target: OutputFile, _ body: ((ExportedFile) throws -> Void) throws -> Void
  ) throws {
    guard let mode = target.replacedMode else {
      do {
        let file = try AppendedFile(through: target.path)
        try body { try file.append($0.bytes) }
        return try file.close()
      } catch let error as FileError {
        throw UnwritableOutput(path: target.name, error: error)
      }
    }
    try replacing(target.path, named: target.name) { aside in
      let file = try AppendedFile(aside, mode: mode)
      try body { try file.append($0.bytes) }
      try file.close()
    }
  }

  private func replacing(_ path: String, named name: String? = nil, _ body: (String) throws -> Void) throws {
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
      guard SystemCall.retrying({ rename(aside, target) }) == 0 else { throw FileError("write", target) }
    } catch {
      try? FileManager.default.removeItem(atPath: aside)
      if let error = error as? FileError { throw UnwritableOutput(path: name ?? path, error: error) }
      throw error
    }
  }
}

/// What the path after `-o` means: where the bytes go, and whether a new file takes the place of an old one.
struct OutputFile {
  /// As it was typed.
  let name: String
  /// Behind all symbolic links.
  let path: String
  /// Permissions of the file that is replaced, or of a new one. Nil for what is written through: a device, a
  /// pipe, a file that has other names or another owner, or one in a folder where no file can be made.
  let replacedMode: mode_t?

  private static let mostLinks = 40

  init(_ name: String) throws(FileError) {
    self.name = name
    var status = stat()
    guard stat(name, &status) == 0 else {
      guard errno == ENOENT else { throw FileError("write", name) }
      path = try Self.end(of: name)
      replacedMode = 0o666 & ~Self.mask
      return
    }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw FileError("write", name, code: EISDIR) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      path = name
      replacedMode = nil
      return
    }
    guard let real = realpath(name, nil) else { throw FileError("write", name) }
    defer { free(real) }
    let path = String(cString: real)
    guard access(path, W_OK) == 0 else { throw FileError("write", name) }
    self.path = path
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let isPlain = status.st_nlink == 1 && status.st_uid == geteuid() && access(folder, W_OK) == 0
    replacedMode = isPlain ? status.st_mode & 0o7777 : nil
  }

  /// Where a symbolic link leads that leads to nothing yet.
  private static func end(of name: String) throws(FileError) -> String {
    var path = name
    for _ in 0..<mostLinks {
      guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return path }
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      path = target.hasPrefix("/") ? target : folder + target
    }
    throw FileError("write", name, code: ELOOP)
  }

  /// Permissions that new files do not get here. The call can only set the mask, so it is set back.
  private static var mask: mode_t {
    let mask = umask(0o022)
    umask(mask)
    return mask
  }
}

/// A file that grows at its end.
private final class AppendedFile {
  private let path: String
  private var file: Int32

  /// A new file.
  init(_ path: String, mode: mode_t? = nil) throws(FileError) {
    self.path = path
    file = SystemCall.retrying { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644) }
    guard file >= 0 else { throw FileError("write", path) }
    if let mode, fchmod(file, mode) != 0 { throw FileError("set the mode of", path) }
  }

  /// What is there already: what it held is gone, and it stays what it is.
  init(through path: String) throws(FileError) {
    self.path = path
    file = SystemCall.retrying { open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) }
    guard file >= 0 else { throw FileError("write", path) }
  }

  deinit { if file >= 0 { Glibc.close(file) } }

  func append(_ bytes: [UInt8]) throws(FileError) {
    let code = SystemCall.write(bytes, to: file)
    guard code == 0 else { throw FileError("write", path, code: code) }
  }

  /// What a full disk or a quota has to say, some file systems say here.
  func close() throws(FileError) {
    defer { file = -1 }
    guard Glibc.close(file) == 0 || errno == EINTR else { throw FileError("write", path) }
  }
}

/// A result that could not be written where it was asked for.
struct UnwritableOutput: UserError {
  var exitStatus: ExitStatus {
    if error.isFull || [EIO, EPIPE].contains(error.code) { return .inputOutput }
    return error.isDenied ? .permission : .cannotCreate
  }
  let path: String
  let error: FileError
  var description: String {
    "Cannot write \(path): \(String(cString: strerror(error.code))). Name another place with -o."
  }
}

/// Something else is where a result should go.
struct OccupiedOutput: UserError {
  var exitStatus: ExitStatus { .cannotCreate }
  let path: String
  var description: String {
    "\(path) is there already and no export made it. Name another place with -o, or move it away."
  }
}
