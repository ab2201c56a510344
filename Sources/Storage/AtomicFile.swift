internal import Specs
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Files that are there whole or not at all, whatever happens while they are written.
package enum AtomicFile {
  /// Writes aside, syncs, renames, and syncs the folder. An old file of that name is replaced in one step.
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let aside = StoreNames.aside(path)
    do throws(FileError) {
      try writeSynced(bytes, to: aside)
      guard rename(aside, path) == 0 else { throw FileError("rename", aside) }
    } catch {
      unlink(aside)
      throw error
    }
    try syncFolder(of: path)
  }

  /// Writes aside piece by piece, syncs, renames, and syncs the folder.
  ///
  /// - Parameter body: is given the open file; where it throws, nothing is left.
  static func write(to path: String, _ body: (Int32) throws(FileError) -> Void) throws(FileError) {
    let aside = StoreNames.aside(path)
    let file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FileError("write", path) }
    do throws(FileError) {
      try body(file)
      guard fsync(file) == 0 else { throw FileError("sync", path) }
    } catch {
      close(file)
      unlink(aside)
      throw error
    }
    // A network file system says here what it could not store.
    guard close(file) == 0, rename(aside, path) == 0 else {
      let error = FileError("write", path)
      unlink(aside)
      throw error
    }
    try syncFolder(of: path)
  }

  /// Writes aside and renames: whole or absent for every reader, whoever is killed when. Not synced, so a
  /// loss of power may take it away or leave it empty: for what only tells who works now and how far, which
  /// is no more after that. A sync costs more than all the rest of a small stage.
  package static func replace(_ bytes: [UInt8], at path: String) throws(FileError) {
    let aside = StoreNames.aside(path)
    do throws(FileError) {
      try writeUnsynced(bytes, to: aside)
      guard rename(aside, path) == 0 else { throw FileError("rename", aside) }
    } catch {
      unlink(aside)
      throw error
    }
  }

  /// Writes a file that no reader knows yet, for a later `sync(files:folder:)`.
  static func writeUnsynced(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FileError("write", path) }
    do throws(FileError) {
      try append(bytes, to: file, path)
    } catch {
      close(file)
      throw error
    }
    // A network file system says here what it could not store.
    guard close(file) == 0 else { throw FileError("write", path) }
  }

  /// Writes a file that no reader knows yet, and syncs it.
  static func writeSynced(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FileError("write", path) }
    defer { close(file) }
    try append(bytes, to: file, path)
    guard fsync(file) == 0 else { throw FileError("sync", path) }
  }

  static func append(_ bytes: [UInt8], to file: Int32, _ path: String) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError("write", path) }
      done += count
    }
  }

  /// Makes the names of a folder survive a loss of power.
  static func syncFolder(of path: String) throws(FileError) { try sync(folder: folder(of: path)) }

  /// The folder that a file or a folder is in.
  static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// Makes a file's content survive a loss of power, whoever wrote it. Nothing where there is none.
  static func sync(file path: String) throws(FileError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return }
      throw FileError("open", path)
    }
    defer { close(file) }
    guard fsync(file) == 0 else { throw FileError("sync", path) }
  }

  /// Makes files and the names in a folder survive a loss of power, all at the same time: a disk takes hardly
  /// longer for several than for one.
  static func sync(files: [String], folders: [String]) throws(FileError) {
    let work = SyncWork(files: files, folders: folders)
    var helpers: [pthread_t] = []
    for _ in 0..<min(SyncWork.mostHelpers, files.count + folders.count - 1) {
      var helper = pthread_t()
      let reference = Unmanaged.passRetained(work)
      let code = pthread_create(
        &helper, nil,
        { reference in
          Unmanaged<SyncWork>.fromOpaque(reference!).takeRetainedValue().run()
          return nil
        }, reference.toOpaque())
      guard code == 0 else {
        // With fewer helpers it only takes longer.
        reference.release()
        break
      }
      helpers.append(helper)
    }
    work.run()
    for helper in helpers { pthread_join(helper, nil) }
    if let failure = work.failure.withLock({ $0 }) { throw failure }
  }

  static func sync(folder: String) throws(FileError) {
    let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw FileError("open", folder) }
    defer { close(file) }
    // Some network file systems cannot sync a folder and say EINVAL; their renames are durable by themselves.
    guard fsync(file) == 0 || errno == EINVAL else { throw FileError("sync", folder) }
  }

  /// Bytes that a file of text in a store has at most, such as a specification or a manifest.
  package static let textLimit = 64 << 20
  /// Bytes that any file has at most which is read into memory.
  package static let largestFile = 1 << 34

  /// The whole content of a regular file from `offset` on. See `CheckedFile.read`.
  package static func read(
    _ path: String, from offset: Int = 0, limit: Int = largestFile
  ) throws(FileError) -> [UInt8] {
    do {
      return try CheckedFile.read(path, limit: limit, from: offset)
    } catch {
      throw FileError("read", path, error)
    }
  }

  /// Makes a folder and those above it.
  package static func createFolder(_ path: String) throws(FileError) {
    if mkdir(path, 0o755) == 0 { return }
    switch errno {
    case EEXIST:
      guard isFolder(path) else { throw FileError("make the folder", path, code: ENOTDIR) }
    case ENOENT:
      guard let end = path.lastIndex(of: "/"), end > path.startIndex else {
        throw FileError("make the folder", path, code: ENOENT)
      }
      try createFolder(String(path[..<end]))
      guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileError("make the folder", path) }
    default: throw FileError("make the folder", path)
    }
  }

  /// Makes a folder and those above it that are missing, all of which survive a loss of power then.
  package static func createDurableFolder(_ path: String) throws(FileError) {
    if isFolder(path) { return }
    let above = folder(of: path)
    if above != path { try createDurableFolder(above) }
    try createFolder(path)
    try sync(folder: above)
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Names in a folder, in ascending order; none where there is no folder.
  static func names(in folder: String) throws(FileError) -> [String] {
    guard let directory = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw FileError("list", folder)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes a folder with all that is in it. Nothing where there is none.
  package static func removeFolder(_ path: String) throws(FileError) {
    for name in try names(in: path) {
      let inner = "\(path)/\(name)"
      var status = stat()
      if lstat(inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        try removeFolder(inner)
      } else {
        guard unlink(inner) == 0 || errno == ENOENT else { throw FileError("remove", inner) }
      }
    }
    guard rmdir(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
  }
}

/// Files to sync, shared by whoever helps.
private final class SyncWork: Sendable {
  static let mostHelpers = 7

  private let files: [String]
  private let folders: [String]
  private let taken = Atomic(0)
  let failure = Mutex<FileError?>(nil)

  init(files: [String], folders: [String]) {
    self.files = files
    self.folders = folders
  }

  /// Does what nobody else does, until nothing is left.
  func run() {
    while true {
      let place = taken.add(1, ordering: .relaxed).oldValue
      guard place < files.count + folders.count else { return }
      do throws(FileError) {
        if place < files.count {
          try AtomicFile.sync(file: files[place])
        } else {
          try AtomicFile.sync(folder: folders[place - files.count])
        }
      } catch {
        failure.withLock { $0 = error }
      }
    }
  }
}
