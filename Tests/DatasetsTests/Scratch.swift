import Foundation

/// A folder of a test's own.
struct Scratch: ~Copyable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "datasets-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
  }
}

/// Real images beside the package, where there are any.
enum RealData {
  static let folder: String = {
    if let folder = ProcessInfo.processInfo.environment["MTKD_DATA"] { return folder }
    return URL(filePath: #filePath).appending(path: "../../../../shared/data").standardizedFileURL.path
  }()

  static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
