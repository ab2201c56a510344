/// Reads a grid file: structure, types and ranges, with the place of everything. What names mean is decided when it is expanded.
package struct GridReader {
  /// The text of another grid and what to call it: for `preset:NAME`, or a path relative to the file that names it.
  package typealias Loader = (_ reference: String, _ from: String) throws -> (file: String, bytes: [UInt8])

  /// How long a chain of `extends` may be.
  private static let deepest = 8

  private let load: Loader
  var problems: [GridProblem] = []

  /// - Parameter file: the path as the user typed it.
  /// - Throws: `GridRejected` with every problem.
  package static func read(_ bytes: [UInt8], file: String, load: Loader) throws(GridRejected) -> GridSpec {
    let outcome = withoutActuallyEscaping(load) { load -> Result<GridSpec, GridRejected> in
      var reader = GridReader(load: load)
      let spec = reader.members(of: GridSource(file: file, bytes: bytes), chain: []).flatMap {
        reader.spec($0)
      }
      return reader.problems.isEmpty ? .success(spec!) : .failure(GridRejected(reader.problems))
    }
    return try outcome.get()
  }

  private init(load: @escaping Loader) { self.load = load }
}

/// A value in its file.
struct GridNode {
  let json: JSONNode
  let source: GridSource

  var spot: GridSpot { GridSpot(source, json.offset) }
  var value: JSONValue { json.value }

  var elements: [GridNode]? {
    if case .array(let nodes) = json.kind { nodes.map { GridNode(json: $0, source: source) } } else { nil }
  }

  var members: [GridMember]? {
    guard case .object(let members) = json.kind else { return nil }
    return members.map {
      GridMember(
        name: $0.name, spot: GridSpot(source, $0.offset), node: GridNode(json: $0.value, source: source))
    }
  }

  var setting: GridSpec.Setting {
    var isInteger = false
    if case .number(_, let plain) = json.kind { isInteger = plain }
    return GridSpec.Setting(value: value, isInteger: isInteger, spot: spot)
  }
}

struct GridMember {
  let name: String
  let spot: GridSpot
  let node: GridNode
}

extension GridReader {
  /// The top-level members of a file, laid over those of the file that it extends.
  private mutating func members(of source: GridSource, chain: [String]) -> [GridMember]? {
    let root: JSONNode
    do throws(JSONSyntaxError) {
      root = try JSONReader.read(source.contents, allowsComments: true)
    } catch {
      let place = GridPlace(file: source.file, line: error.line, column: error.column)
      problems.append(
        GridProblem(place: place, severity: .error, message: error.problem, source: source.line(error.line)))
      return nil
    }
    let node = GridNode(json: root, source: source)
    guard let own = node.members else {
      problems.append(node.spot.problem("a grid is an object: { \"version\": 1, \"name\": … }"))
      return nil
    }
    check(own, among: GridKeys.top)
    guard let reference = own.first(where: { $0.name == "extends" }) else { return own }
    guard let name = reference.node.value.string else {
      problems.append(reference.node.spot.problem("'extends' should be \"preset:NAME\" or a path in quotes"))
      return own
    }
    let chain = chain + [source.file]
    guard chain.count <= Self.deepest else {
      problems.append(
        reference.node.spot.problem("a chain of more than \(Self.deepest) grids that extend each other"))
      return own
    }
    do {
      let (file, bytes) = try load(name, source.file)
      guard !chain.contains(file) else {
        problems.append(reference.node.spot.problem("\(file) extends itself"))
        return own
      }
      guard let extended = members(of: GridSource(file: file, bytes: bytes), chain: chain) else { return own }
      return Self.laying(own, over: extended)
    } catch {
      problems.append(reference.node.spot.problem("cannot read \(name): \(error)"))
      return own
    }
  }

  /// Key by key inside `base`, `run` and `report`, whole for everything else.
  private static func laying(_ own: [GridMember], over extended: [GridMember]) -> [GridMember] {
    var result = extended.filter { old in old.name != "extends" && !own.contains { $0.name == old.name } }
    for member in own {
      guard ["base", "run", "report"].contains(member.name), let mine = member.node.members,
        case .object(let old)? = extended.first(where: { $0.name == member.name })?.node.json.kind
      else {
        result.append(member)
        continue
      }
      // The parts keep their own sources, so both stand side by side under one name.
      let source = extended.first { $0.name == member.name }!.node.source
      let kept = old.filter { part in !mine.contains { $0.name == part.name } }
      if !kept.isEmpty {
        let rest = JSONNode(kind: .object(kept), offset: member.node.json.offset)
        result.append(
          GridMember(name: member.name, spot: member.spot, node: GridNode(json: rest, source: source)))
      }
      result.append(member)
    }
    return result
  }

  /// Complains about names that are not allowed at this place.
  mutating func check(_ members: [GridMember], among known: [String]) {
    for member in members where !known.contains(member.name) {
      let hint = NearestName.of(member.name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      problems.append(member.spot.problem("unknown key \"\(member.name)\"\(hint)"))
    }
  }

  /// Says what a value should have been; nil for convenience at the place of use.
  mutating func complain<Value>(_ node: GridNode, _ expected: String) -> Value? {
    problems.append(node.spot.problem("\(Self.shown(node.value)) where \(expected) should be"))
    return nil
  }

  /// A value for a message, cut where it is long.
  private static func shown(_ value: JSONValue) -> String {
    let text = value.description
    return text.count <= 40 ? text : "\(text.prefix(39))…"
  }

  private mutating func spec(_ members: [GridMember]) -> GridSpec? {
    func all(_ name: String) -> [GridMember] { members.filter { $0.name == name } }
    func node(_ name: String) -> GridNode? { all(name).last?.node }
    let start = members.first?.spot ?? GridSpot(GridSource(file: "", bytes: []), 0)

    if let version = node("version") {
      if version.value.integer != 1 {
        problems.append(
          version.spot.problem("version \(version.value) is not known; this program reads version 1"))
      }
    } else {
      problems.append(start.problem("there is no \"version\"; write \"version\": 1"))
    }
    let name = node("name").flatMap { self.name($0) }
    if node("name") == nil { problems.append(start.problem("there is no \"name\"")) }
    if let note = node("note"), note.value.string == nil { let _: String? = complain(note, "a text") }

    let base = all("base").reduce(into: [:]) { base, member in base.merge(settings(member.node)) { $1 } }
    let seeds = node("seeds").map { self.seeds($0) } ?? [1]
    var blocks: [GridSpec.Block] = []
    let own = members.filter { ["axes", "zip", "exclude", "include"].contains($0.name) }
    if !own.isEmpty || node("blocks") == nil {
      blocks.append(block(own, named: nil, at: own.first?.spot ?? start, base: base, seeds: seeds))
    }
    if let list = node("blocks") {
      guard let elements = list.elements, !elements.isEmpty else { return complain(list, "a list of blocks") }
      for element in elements {
        guard let parts = element.members else {
          let _: String? = complain(element, "a block")
          continue
        }
        check(parts, among: GridKeys.block)
        let title = parts.first { $0.name == "name" }
        if title?.node.value.string == nil {
          problems.append(element.spot.problem("a block needs a \"name\""))
        }
        let laid = parts.filter { $0.name == "base" }.reduce(into: base) { base, part in
          base.merge(settings(part.node)) { $1 }
        }
        blocks.append(
          block(
            parts, named: title?.node.value.string, at: element.spot, base: laid,
            seeds: parts.first { $0.name == "seeds" }.map { self.seeds($0.node) } ?? seeds))
      }
    }
    let teacherSeeds = node("teacherSeeds").flatMap { word($0, of: GridSpec.TeacherSeeds.self) } ?? .fixed
    let preferences = preferences(all("run").map(\.node), all("report").map(\.node))
    guard let name else { return nil }
    return GridSpec(
      name: name, note: node("note")?.value.string, blocks: blocks, teacherSeeds: teacherSeeds,
      run: preferences.run, report: preferences.report, reportSpots: preferences.spots)
  }

  private mutating func name(_ node: GridNode) -> String? {
    let first = Set("abcdefghijklmnopqrstuvwxyz0123456789")
    guard let name = node.value.string, (1...63).contains(name.count), first.contains(name.first!),
      name.allSatisfy({ first.contains($0) || "._-".contains($0) })
    else {
      return complain(
        node, "a name of a-z, 0-9 and . _ -, 63 characters at most, that begins with a letter or digit")
    }
    return name
  }

  private mutating func settings(_ node: GridNode) -> [String: GridSpec.Setting] {
    guard let members = node.members else { return complain(node, "an object of settings") ?? [:] }
    for member in members where member.name == "seed" || member.name == "seeds" {
      problems.append(
        member.spot.problem("seeds are replicates of every cell; write \"seeds\" beside \"base\""))
    }
    return Dictionary(members.map { ($0.name, $0.node.setting) }) { $1 }
  }

  private mutating func seeds(_ node: GridNode) -> [Int] {
    if let list = node.elements {
      let seeds = list.compactMap { element -> Int? in
        if let seed = element.value.integer, seed >= 0 { return seed }
        return complain(element, "a seed: an integer, 0 or more")
      }
      if seeds.isEmpty { problems.append(node.spot.problem("an empty list of seeds")) }
      if Set(seeds).count != seeds.count { problems.append(node.spot.problem("a seed stands here twice")) }
      return seeds
    }
    guard let members = node.members else {
      return complain(node, "a list of seeds or { \"count\": 3, \"first\": 1 }") ?? []
    }
    check(members, among: ["count", "first"])
    let count = members.first { $0.name == "count" }
    guard let number = count?.node.value.integer, number > 0, number <= 1_000_000 else {
      return complain(count?.node ?? node, "a \"count\" of seeds, 1 or more") ?? []
    }
    let start = members.first { $0.name == "first" }
    guard let first = start == nil ? 1 : start?.node.value.integer, first >= 0 else {
      return complain(start?.node ?? node, "a first seed: an integer, 0 or more") ?? []
    }
    return Array(first..<(first + number))
  }

  mutating func word<Word: RawRepresentable<String> & CaseIterable>(_ node: GridNode, of type: Word.Type)
    -> Word?
  {
    if let word = node.value.string.flatMap(Word.init) { return word }
    return complain(node, "one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
  }
}
