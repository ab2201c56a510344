import Specs
import Synchronization

#if canImport(Glibc)
  import Dispatch
  import Glibc
#endif

/// All photographs below a folder: their classes, their digests, and which of them cannot be used.
///
///     ROOT/train/CLASS/…/file.jpg        a class is a folder; its number is its place among their names, byte by byte
///     ROOT/val/CLASS/…/file.jpg          the same classes; `test` is taken too
struct PhotoIndex: Sendable {
  struct Split: Sendable {
    var labels: [Int] = []
    var entries: [Photographs.Entry] = []
  }

  /// A file that is no photograph, and why.
  struct Damaged: Hashable, Sendable {
    let path: String
    let problem: String
  }

  let root: String
  private(set) var classes: [String] = []
  private(set) var train = Split()
  private(set) var test = Split()
  private(set) var damaged: [Damaged] = []

  /// Names that are looked at; what a file is, its first bytes say.
  private static let extensions: Set = [
    "jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp",
  ]

  /// - Parameters:
  ///   - root: the folder with `train` and `val`.
  ///   - cache: a file that remembers digests of files whose size and time have not changed; nil for none.
  ///   - progress: told now and then how many of how many files have been looked at.
  init(
    _ root: String, cache: String?, progress: (@Sendable (Int, Int) -> Void)? = nil
  ) throws(DatasetError) {
    self.root = root
    let (trainFolder, testFolder) = try Self.splits(root)
    classes = try Self.folders(trainFolder)
    guard !classes.isEmpty else {
      throw .unusable(folder: trainFolder, problem: "has no folders of classes")
    }
    let others = try Self.folders(testFolder)
    if others != classes {
      let lone = Set(classes).symmetricDifference(others).min() ?? ""
      throw .unusable(
        folder: root,
        problem: "has other classes in train than in \(Self.name(testFolder)): '\(lone)' is in one alone")
    }
    var found: [(split: Int, label: Int, path: String)] = []
    for (split, folder) in [trainFolder, testFolder].enumerated() {
      for (label, name) in classes.enumerated() {
        var files: [String] = []
        try Self.collect("\(folder)/\(name)", into: &files, realRoot: Self.real(root))
        guard !files.isEmpty else {
          throw .unusable(folder: "\(folder)/\(name)", problem: "has no photographs")
        }
        for file in files { found.append((split, label, String(file.dropFirst(root.utf8.count + 1)))) }
      }
    }
    let looked = try PhotoCache.look(at: found.map(\.path), below: root, cache: cache, progress: progress)
    for ((split, label, path), outcome) in zip(found, looked) {
      switch outcome {
      case .success(let digest):
        let entry = Photographs.Entry(path: path, digest: digest)
        if split == 0 {
          train.labels.append(label)
          train.entries.append(entry)
        } else {
          test.labels.append(label)
          test.entries.append(entry)
        }
      case .failure(let error): damaged.append(Damaged(path: path, problem: error.problem))
      }
    }
    for (split, folder) in [(train, trainFolder), (test, testFolder)] {
      let present = Set(split.labels)
      if let empty = classes.indices.first(where: { !present.contains($0) }) {
        throw .unusable(
          folder: "\(folder)/\(classes[empty])", problem: "has no photograph that can be decoded")
      }
    }
  }

  /// Classes, paths and contents, in their order.
  var digest: ContentKey {
    var hasher = ContentHasher()
    for name in classes { hasher.field("class", name) }
    for (name, split) in [("train", train), ("test", test)] {
      hasher.field("split", name)
      for (label, entry) in zip(split.labels, split.entries) {
        hasher.field("label", "\(label)")
        hasher.field("path", entry.path)
        hasher.field("content", entry.digest)
      }
    }
    return hasher.finished()
  }

  /// The two folders; nil where they are not there.
  static func find(_ root: String) -> (train: String, test: String)? {
    guard isFolder("\(root)/train") else { return nil }
    return ["val", "test"].map { "\(root)/\($0)" }.first(where: isFolder).map { ("\(root)/train", $0) }
  }

  private static func splits(_ root: String) throws(DatasetError) -> (String, String) {
    guard let found = find(root) else {
      throw .unusable(folder: root, problem: "has no folders train and val")
    }
    return found
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func real(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Names of all that is in a folder, byte by byte in ascending order.
  private static func names(_ folder: String) throws(DatasetError) -> [String] {
    guard let handle = opendir(folder) else {
      throw .unreadable(file: folder, reason: String(cString: strerror(errno)))
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func folders(_ folder: String) throws(DatasetError) -> [String] {
    try names(folder).filter { isFolder("\(folder)/\($0)") }
  }

  /// Files with a photograph's name, however deep. A link that leads out of the root is refused.
  private static func collect(
    _ folder: String, into files: inout [String], realRoot: String
  ) throws(DatasetError) {
    for name in try names(folder) {
      let path = "\(folder)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFLNK {
        let target = real(path)
        guard target.hasPrefix(realRoot + "/") else {
          throw .unusable(folder: path, problem: "is a link out of the data's folder, to \(target)")
        }
      }
      if isFolder(path) {
        try collect(path, into: &files, realRoot: realRoot)
      } else if let dot = name.lastIndex(of: "."),
        extensions.contains(name[name.index(after: dot)...].lowercased())
      {
        files.append(path)
      }
    }
  }
}

/// Digests of files by size and time of their last change, so that only new files are read.
///
/// A text: a line a file, `digest size nanoseconds path`, or `! size nanoseconds path TAB problem`. A cache that does not read is as good as none.
enum PhotoCache {
  private static let mark = "mtkd-photos-1"

  private struct Known {
    let size: Int
    let time: Int
    let outcome: Result<ContentKey, UndecodableImage>
  }

  /// What this process has found so far: a grid is planned more than once.
  private static let memory = Mutex<[String: [String: Known]]>([:])

  static func look(
    at paths: [String], below root: String, cache: String?, progress: (@Sendable (Int, Int) -> Void)?
  ) throws(DatasetError) -> [Result<ContentKey, UndecodableImage>] {
    let known = memory.withLock { $0[root] } ?? cache.flatMap(read) ?? [:]
    var stats: [(size: Int, time: Int)] = []
    var outcomes: [Result<ContentKey, UndecodableImage>?] = []
    for path in paths {
      var status = stat()
      guard stat("\(root)/\(path)", &status) == 0 else {
        throw .unreadable(file: "\(root)/\(path)", reason: String(cString: strerror(errno)))
      }
      let time = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
      stats.append((Int(status.st_size), time))
      let old = known[path].flatMap { $0.size == Int(status.st_size) && $0.time == time ? $0 : nil }
      outcomes.append(old?.outcome)
    }
    let fresh = outcomes.indices.filter { outcomes[$0] == nil }
    if fresh.isEmpty, cache.map({ DataFile.exists($0) }) != false { return outcomes.compactMap(\.self) }
    let results = Mutex<[Int: Result<Result<ContentKey, UndecodableImage>, DatasetError>]>([:])
    DispatchQueue.concurrentPerform(iterations: fresh.count) { position in
      let path = "\(root)/\(paths[fresh[position]])"
      let result = Result { () throws(DatasetError) in
        let file = try DataFile(reading: path)
        return decoded(file)
      }
      let done = results.withLock { results in
        results[fresh[position]] = result
        return results.count
      }
      if done % 64 == 0 || done == fresh.count { progress?(done, fresh.count) }
    }
    for (index, result) in results.withLock({ $0 }) { outcomes[index] = try result.get() }
    let all = outcomes.compactMap(\.self)
    memory.withLock { memory in
      memory[root] = Dictionary(
        zip(paths, zip(stats, all)).map { ($0, Known(size: $1.0.size, time: $1.0.time, outcome: $1.1)) }
      ) { $1 }
    }
    if let cache { write(zip(paths, zip(stats, all)).map { ($0, $1.0.size, $1.0.time, $1.1) }, to: cache) }
    return all
  }

  private static func decoded(_ file: DataFile) -> Result<ContentKey, UndecodableImage> {
    do throws(UndecodableImage) {
      _ = try DecodedImage(file.bytes)
      return .success(ContentKey(hashing: file.bytes))
    } catch {
      return .failure(error)
    }
  }

  /// Whether a file is one of these, whole.
  static func isWhole(_ path: String) -> Bool { read(path) != nil }

  /// Nil where it does not read.
  private static func read(_ path: String) -> [String: Known]? {
    guard let file = try? DataFile(reading: path) else { return nil }
    var lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")[...]
    guard lines.popFirst().map({ $0 == mark }) == true else { return nil }
    var known: [String: Known] = [:]
    for line in lines {
      let parts = line.split(separator: " ", maxSplits: 3)
      guard parts.count == 4, let size = Int(parts[1]), let time = Int(parts[2]) else { return nil }
      if let digest = ContentKey(parts[0]) {
        known[String(parts[3])] = Known(size: size, time: time, outcome: .success(digest))
      } else {
        let halves = parts[3].split(separator: "\t", maxSplits: 1)
        guard halves.count == 2 else { return nil }
        let error = UndecodableImage(problem: String(halves[1]))
        known[String(halves[0])] = Known(size: size, time: time, outcome: .failure(error))
      }
    }
    return known
  }

  /// A cache that cannot be written is only slower.
  private static func write(
    _ rows: [(path: String, size: Int, time: Int, outcome: Result<ContentKey, UndecodableImage>)],
    to path: String
  ) {
    var text = mark + "\n"
    for row in rows where !row.path.contains("\n") && !row.path.contains("\t") {
      switch row.outcome {
      case .success(let digest): text += "\(digest) \(row.size) \(row.time) \(row.path)\n"
      case .failure(let error): text += "! \(row.size) \(row.time) \(row.path)\t\(error.problem)\n"
      }
    }
    // Only inside of a store that is there.
    if let slash = path.lastIndex(of: "/") { mkdir(String(path[..<slash]), 0o755) }
    let aside = "\(path).\(getpid())"
    guard let file = fopen(aside, "w") else { return }
    let written = Array(text.utf8).withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
    guard fclose(file) == 0, written == text.utf8.count else {
      remove(aside)
      return
    }
    rename(aside, path)
  }
}
