import Specs
import Synchronization

#if canImport(Glibc)
  import Dispatch
  import Glibc
#endif

/// Digests of files by size and time of their last change, so that only new files are read.
///
/// A text, a line a file: `digest WIDTHxHEIGHT size nanoseconds path`, with ` TAB note` behind it where there
/// is one, such as a decoder's complaint; `! 0x0 size nanoseconds path TAB problem` for a damaged picture,
/// `? …` for a file that is no picture. A cache that does not read is as good as none.
enum PhotoCache {
  private static let mark = "mtkd-photos-3"
  /// Of versions that took warnings for damage, or did not note sizes. Their files
  /// are whole and are not used.
  private static let oldMarks = ["mtkd-photos-1", "mtkd-photos-2"]

  /// What a file holds.
  enum Outcome: Sendable {
    case photograph(ContentKey, PixelSize, note: String?)
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

  /// - Parameters:
  ///   - purpose: what is looked for; another purpose has another memory, and is given another file.
  ///   - outcome: looks at a file whose path is given. By default for photographs.
  static func look(
    at paths: [String], below root: String, cache: String?, progress: (@Sendable (Int, Int) -> Void)?,
    purpose: String = "",
    _ outcome: @escaping @Sendable (String) throws(DatasetError) -> Outcome = photograph
  ) throws(DatasetError) -> [Outcome] {
    let memoryName = purpose + root
    let known = memory.withLock { $0[memoryName] } ?? cache.flatMap { read($0, marks: [mark]) } ?? [:]
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
      let result = Result { () throws(DatasetError) in try outcome(path) }
      let done = results.withLock { results in
        results[fresh[position]] = result
        return results.count
      }
      if done % 64 == 0 || done == fresh.count { progress?(done, fresh.count) }
    }
    for (index, result) in results.withLock({ $0 }) { outcomes[index] = try result.get() }
    let all = outcomes.compactMap(\.self)
    memory.withLock { memory in
      memory[memoryName] = Dictionary(
        zip(paths, zip(stats, all)).map { ($0, Known(size: $1.0.size, time: $1.0.time, outcome: $1.1)) }
      ) { $1 }
    }
    if let cache { write(zip(paths, zip(stats, all)).map { ($0, $1.0.size, $1.0.time, $1.1) }, to: cache) }
    return all
  }

  /// Large files that neither are nor claim to be pictures are not read.
  @Sendable static func photograph(_ path: String) throws(DatasetError) -> Outcome {
    if !FileListing.Entry(bytes: Array(path.utf8)).looksLikePhotograph {
      let beginning = try DataFile.beginning(of: path, count: 8)
      guard DecodedImage.isKnown(beginning) else { return .foreign("not a picture") }
    }
    let file = try DataFile(reading: path)
    do throws(UndecodableImage) {
      let image = try DecodedImage(file.bytes)
      let size = PixelSize(height: image.height, width: image.width)
      return .photograph(ContentKey(hashing: file.bytes), size, note: image.warning)
    } catch {
      return .damaged(error.problem)
    }
  }

  /// Whether a file is one of these, whole.
  static func isWhole(_ path: String) -> Bool { read(path, marks: oldMarks + [mark]) != nil }

  /// Nil where it does not read.
  private static func read(_ path: String, marks: [String]) -> [String: Known]? {
    guard let file = try? DataFile(reading: path) else { return nil }
    var lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")[...]
    guard let first = lines.popFirst(), marks.contains(String(first)) else { return nil }
    // Lines of older versions have no sizes.
    let hasSizes = first == mark
    var known: [String: Known] = [:]
    for line in lines {
      var parts = line.split(separator: " ", maxSplits: hasSizes ? 4 : 3)[...]
      guard let word = parts.popFirst(), let pixels = hasSizes ? parts.popFirst() : "0x0" else { return nil }
      guard parts.count == 3, let size = Int(parts[parts.startIndex]),
        let time = Int(parts[parts.startIndex + 1]), let pixelSize = PixelSize(pixels)
      else { return nil }
      let halves = parts[parts.startIndex + 2].split(separator: "\t", maxSplits: 1).map(String.init)
      guard let path = halves.first else { return nil }
      let text = halves.count == 2 ? halves[1] : nil
      let outcome: Outcome
      if let digest = ContentKey(word) {
        outcome = .photograph(digest, pixelSize, note: text)
      } else if let text {
        outcome = word == "?" ? .foreign(text) : .damaged(text)
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
      let end = "\(row.size) \(row.time) \(row.path)"
      switch row.outcome {
      case .photograph(let digest, let size, let note):
        text += "\(digest) \(size) \(end)\(note.map { "\t\($0)" } ?? "")\n"
      case .damaged(let problem): text += "! 0x0 \(end)\t\(problem)\n"
      case .foreign(let problem): text += "? 0x0 \(end)\t\(problem)\n"
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

/// Height and width of an image in pixels; written `WIDTHxHEIGHT`, and for people `WIDTH × HEIGHT pixels`.
struct PixelSize: Hashable, Sendable, CustomStringConvertible {
  let height: Int
  let width: Int

  init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  init?(_ text: Substring) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
    self.init(height: height, width: width)
  }

  var description: String { "\(width)x\(height)" }
  var phrase: String { "\(width) × \(height) pixels (width × height)" }
}
