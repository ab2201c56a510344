import Specs
import Synchronization

#if canImport(Glibc)
  import Dispatch
  import Glibc
#endif

/// Digests of files by size and time of their last change, so that only new files are read.
///
/// A text, a line a file: `digest size nanoseconds path`, with ` TAB warning` behind it where the decoder complained;
/// `! size nanoseconds path TAB problem` for a damaged picture, `? …` for a file that is no picture. A cache that does not
/// read is as good as none.
enum PhotoCache {
  private static let mark = "mtkd-photos-2"
  /// Of a version that took warnings for damage. Its files are whole and are not used.
  private static let oldMark = "mtkd-photos-1"

  /// What a file holds.
  enum Outcome: Sendable {
    case photograph(ContentKey, warning: String?)
    case damaged(String)
    /// Neither its name nor its first bytes are those of a picture.
    case foreign(String)
  }

  private struct Known {
    let size: Int
    let time: Int
    let outcome: Outcome
  }

  /// What this process has found so far: a grid is planned more than once.
  private static let memory = Mutex<[String: [String: Known]]>([:])

  static func look(
    at paths: [String], below root: String, cache: String?, progress: (@Sendable (Int, Int) -> Void)?
  ) throws(DatasetError) -> [Outcome] {
    let known = memory.withLock { $0[root] } ?? cache.flatMap { read($0, marks: [mark]) } ?? [:]
    var stats: [(size: Int, time: Int)] = []
    var outcomes: [Outcome?] = []
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
    let results = Mutex<[Int: Result<Outcome, DatasetError>]>([:])
    DispatchQueue.concurrentPerform(iterations: fresh.count) { position in
      let path = "\(root)/\(paths[fresh[position]])"
      let result = Result { () throws(DatasetError) in try outcome(of: path) }
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

  /// Large files that neither are nor claim to be pictures are not read.
  private static func outcome(of path: String) throws(DatasetError) -> Outcome {
    if !FileListing.Entry(bytes: Array(path.utf8)).looksLikePhotograph {
      let beginning = try DataFile.beginning(of: path, count: 8)
      guard DecodedImage.isKnown(beginning) else { return .foreign("not a picture") }
    }
    let file = try DataFile(reading: path)
    do throws(UndecodableImage) {
      let image = try DecodedImage(file.bytes)
      return .photograph(ContentKey(hashing: file.bytes), warning: image.warning)
    } catch {
      return .damaged(error.problem)
    }
  }

  /// Whether a file is one of these, whole.
  static func isWhole(_ path: String) -> Bool { read(path, marks: [mark, oldMark]) != nil }

  /// Nil where it does not read.
  private static func read(_ path: String, marks: [String]) -> [String: Known]? {
    guard let file = try? DataFile(reading: path) else { return nil }
    var lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")[...]
    guard let first = lines.popFirst(), marks.contains(String(first)) else { return nil }
    var known: [String: Known] = [:]
    for line in lines {
      let parts = line.split(separator: " ", maxSplits: 3)
      guard parts.count == 4, let size = Int(parts[1]), let time = Int(parts[2]) else { return nil }
      let halves = parts[3].split(separator: "\t", maxSplits: 1).map(String.init)
      guard let path = halves.first else { return nil }
      let text = halves.count == 2 ? halves[1] : nil
      let outcome: Outcome
      if let digest = ContentKey(parts[0]) {
        outcome = .photograph(digest, warning: text)
      } else if let text {
        outcome = parts[0] == "?" ? .foreign(text) : .damaged(text)
      } else {
        return nil
      }
      known[path] = Known(size: size, time: time, outcome: outcome)
    }
    return known
  }

  /// A cache that cannot be written is only slower.
  private static func write(
    _ rows: [(path: String, size: Int, time: Int, outcome: Outcome)], to path: String
  ) {
    var text = mark + "\n"
    for row in rows where !row.path.utf8.contains(10) && !row.path.utf8.contains(9) {
      let middle = "\(row.size) \(row.time) \(row.path)"
      switch row.outcome {
      case .photograph(let digest, nil): text += "\(digest) \(middle)\n"
      case .photograph(let digest, let warning?): text += "\(digest) \(middle)\t\(warning)\n"
      case .damaged(let problem): text += "! \(middle)\t\(problem)\n"
      case .foreign(let problem): text += "? \(middle)\t\(problem)\n"
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
