import Foundation
import TestSupport
import Testing

/// Losses of power, by the letter of POSIX: of all that was written, what survives is the content of files
/// that were synced, under names whose folders were synced since. `Tests/Fixtures/faults/recorder.c` notes
/// what a sweep does, and the folder is made again as it would be found.
@Suite struct FaultStorePowerTests {
  /// Losses that are tried, evenly over the run.
  private static let cuts = 17

  @Test
  func `after a loss of power at any moment no announced run is lost, and the sweep ends with the same bits`()
    throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let recorder = RepositoryFile.root.appending(path: "Tests/Fixtures/faults/recorder.c").path
    let made = try Program.shell("clang -shared -fPIC -o recorder.so '\(recorder)' -ldl", in: sweep.folder)
    try #require(made.status == 0, "\(made.talk)")
    let root = sweep.folder.appending(path: "results").path
    let run = try Program.start(
      ["run", "tiny.json", "--workers", "1"], in: sweep.folder,
      environment: [
        "LD_PRELOAD": sweep.folder.appending(path: "recorder.so").path, "RECORD_ROOT": root,
        "RECORD_LOG": sweep.folder.appending(path: "journal").path,
      ]
    ).finish()
    try #require(run.status == 0, "\(run.talk)")
    let expected = try Program.run("list", "--digests", in: sweep.folder).out
    let journal = try RecordedWrites(Data(contentsOf: sweep.folder.appending(path: "journal")))
    let syncs = journal.events.indices.filter { journal.events[$0].what == "sync" }
    #expect(syncs.count > Self.cuts, "\(syncs.count) syncs")
    var (lost, announced) = (0, 0)
    for number in 1...Self.cuts {
      let end = syncs[number * (syncs.count - 1) / Self.cuts]
      let found = sweep.folder.appending(path: "found").path
      try? FileManager.default.removeItem(atPath: found)
      let survivors = RecordedWrites.Survivors(journal.events[...end])
      try survivors.write(from: root, to: found)
      // Lines such as `done  cifar_resnet(…) baseline seed 1, …`.
      let done = survivors.said.split(separator: "\n").filter { $0.contains(" done  ") }
        .compactMap { $0.firstMatch(of: #/ done  (.*?), /#).map { String($0.1) } }
      announced += done.count
      let again = try Program.run("run", "tiny.json", "--store", "found", "--events", in: sweep.folder)
      #expect(again.status == 0, "cut \(number): \(again.talk)")
      let started = again.out.split(separator: "\n").filter { $0.contains(#""event":"started""#) }
      let redone = done.filter { title in started.contains { $0.contains("\"\(title)\"") } }
      lost += redone.count
      #expect(redone == [], "cut \(number)")
      #expect(
        try Program.run("list", "--digests", "--store", "found", in: sweep.folder).out == expected,
        "cut \(number)")
      let checked = try Program.run("fsck", "--store", "found", in: sweep.folder)
      #expect(checked.status == 0, "cut \(number): \(checked.out)\(checked.talk)")
    }
    #expect(announced > Self.cuts && lost == 0, "\(lost) of \(announced) announced runs were lost")
  }
}

/// What a program did to files, in the order in which it was done.
private struct RecordedWrites {
  struct Event {
    let what: String
    let inode: UInt64
    /// For `truncate` the new length.
    let offset: Int
    let bytes: Data
    let path: String
    let other: String
  }

  let events: [Event]

  init(_ journal: Data) throws {
    var events: [Event] = []
    var rest = journal[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let fields = String(decoding: rest[..<end], as: UTF8.self).components(separatedBy: "\t")
      let count = try #require(Int(fields[3]))
      let start = rest.index(after: end)
      events.append(
        Event(
          what: fields[0], inode: try #require(UInt64(fields[1])), offset: try #require(Int(fields[2])),
          bytes: rest[start..<start + count], path: fields[4], other: fields[5]))
      rest = rest[(start + count)...]
    }
    self.events = events
  }

  /// What is there after a loss of power.
  struct Survivors {
    private enum Node {
      case file(UInt64)
      case folder(UInt64)
    }

    private(set) var said = ""
    /// The numbers that files and folders have here: a file system gives those of
    /// removed ones to others again.
    private var numbers: [UInt64: UInt64] = [:]
    private var count: UInt64 = 0
    /// What is written, and what of it was synced.
    private var content: [UInt64: Data] = [:]
    private var durableContent: [UInt64: Data] = [:]
    /// Folders by the paths that they have now.
    private var folders: [String: UInt64] = [:]
    /// Names by folder: as they are, and as they were when the folder was synced.
    private var names: [UInt64: [String: Node]] = [:]
    private var durableNames: [UInt64: [String: Node]] = [:]

    init(_ events: ArraySlice<Event>) {
      for event in events { take(event) }
    }

    /// The folder of a path, 0 for one that nobody made here, and the last part.
    private func split(_ path: String) -> (folder: UInt64, name: String) {
      let end = path.lastIndex(of: "/")!
      return (folders[String(path[..<end])] ?? 0, String(path[path.index(after: end)...]))
    }

    /// A number of its own for what has just been made.
    private mutating func made(_ inode: UInt64) -> UInt64 {
      count += 1
      numbers[inode] = count
      return count
    }

    private mutating func take(_ event: Event) {
      let (folder, name) = split(event.path)
      let inode = numbers[event.inode] ?? 0
      switch event.what {
      case "say": said += String(decoding: event.bytes, as: UTF8.self)
      case "write":
        var data = content[inode] ?? Data()
        if data.count < event.offset { data.append(Data(count: event.offset - data.count)) }
        let end = min(data.count, event.offset + event.bytes.count)
        data.replaceSubrange(event.offset..<end, with: event.bytes)
        content[inode] = data
      case "truncate":
        var data = Data((content[inode] ?? Data()).prefix(event.offset))
        if data.count < event.offset { data.append(Data(count: event.offset - data.count)) }
        content[inode] = data
      case "sync":
        if let now = names[inode] {
          durableNames[inode] = now
        } else {
          durableContent[inode] = content[inode] ?? Data()
        }
      case "create":
        // A name that is there already is only opened.
        if case .file(inode)? = names[folder]?[name] { return }
        names[folder, default: [:]][name] = .file(made(event.inode))
      case "mkdir":
        let number = made(event.inode)
        names[folder, default: [:]][name] = .folder(number)
        names[number] = [:]
        folders[event.path] = number
      case "remove": names[folder]?[name] = nil
      case "link", "rename":
        let (target, newName) = split(event.other)
        let node = names[folder]?[name]
        names[target, default: [:]][newName] = node
        guard event.what == "rename" else { return }
        names[folder]?[name] = nil
        for (path, inode) in folders where path == event.path || path.hasPrefix(event.path + "/") {
          folders[path] = nil
          folders[event.other + path.dropFirst(event.path.count)] = inode
        }
      default: break
      }
    }

    /// Makes the folder as it is found again. It was there itself before anything was done in it.
    func write(from root: String, to place: String) throws {
      try write(folder: try #require(folders[root]), to: place)
    }

    private func write(folder: UInt64, to place: String) throws {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      for (name, node) in durableNames[folder] ?? [:] {
        switch node {
        case .file(let inode):
          try (durableContent[inode] ?? Data()).write(to: URL(filePath: "\(place)/\(name)"))
        case .folder(let inode): try write(folder: inode, to: "\(place)/\(name)")
        }
      }
    }
  }
}
