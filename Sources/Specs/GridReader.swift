/// Reads a grid file: structure, types and ranges, with the place of everything. What names mean is
/// decided when it is expanded.
package struct GridReader {
  /// The text of another grid and what to call it: for `preset:NAME`, or a path relative
  /// to the file that names it.
  package typealias Loader = (_ reference: String, _ from: String) throws -> (file: String, bytes: [UInt8])

  /// How long a chain of `extends` may be.
  private static let deepest = 8

  private let load: Loader
  /// Names whose objects hold settings: `transfer`, where there is a `transfer.detector`.
  let groups: Set<String>
  var problems: [GridProblem] = []

  /// - Parameters:
  ///   - file: the path as the user typed it.
  ///   - groups: of the catalog of settings.
  /// - Returns: what could be read, with every problem of how it is written.
  package static func draft(
    _ bytes: [UInt8], file: String, groups: Set<String> = [], load: Loader
  ) -> GridDraft {
    withoutActuallyEscaping(load) { load in
      var reader = GridReader(load: load, groups: groups)
      let members = reader.members(of: GridSource(file: file, bytes: bytes), chain: [])
      let grid = members.map { reader.spec($0) }
      return GridDraft(file: file, grid: grid, problems: reader.problems)
    }
  }

  /// A grid without regard to what its names mean.
  ///
  /// - Parameter file: the path as the user typed it.
  /// - Throws: `GridRejected` with every problem of how it is written.
  package static func read(_ bytes: [UInt8], file: String, load: Loader) throws(GridRejected) -> GridSpec {
    let draft = draft(bytes, file: file, load: load)
    guard let grid = draft.grid, draft.problems.isEmpty else { throw GridRejected(draft.problems) }
    return grid
  }

  private init(load: @escaping Loader, groups: Set<String>) {
    self.load = load
    self.groups = groups
  }
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

  /// The integer, where one is written without point and exponent: `5.0` is none.
  var integer: Int? { setting.isInteger ? value.integer : nil }

  var setting: GridSpec.Setting {
    var isInteger = false
    if case .number(_, let plain) = json.kind { isInteger = plain }
    var setting = GridSpec.Setting(value: value, isInteger: isInteger, spot: spot)
    let names = elements ?? members?.first { $0.name == "pool" }?.node.elements
    if let names { setting.elementSpots = names.map(\.spot) }
    return setting
  }
}

struct GridMember {
  let name: String
  let spot: GridSpot
  let node: GridNode

  var setting: GridSpec.Setting {
    var setting = node.setting
    setting.nameSpot = spot
    return setting
  }
}

extension GridReader {
  /// The top-level members of a file, laid over those of the file that it extends.
  private mutating func members(of source: GridSource, chain: [String]) -> [GridMember]? {
    let root: JSONNode
    do throws(JSONSyntaxError) {
      root = try JSONReader.read(source.contents, allowsComments: true)
    } catch {
      let place = GridPlace(file: source.file, line: error.line, column: error.column)
      let hint = source.isYAML ? "; this looks like YAML, and a grid is JSON: { \"version\": 1, … }" : ""
      problems.append(
        GridProblem(
          place: place, severity: .error, message: error.problem + hint, source: source.line(error.line)))
      return nil
    }
    let node = GridNode(json: root, source: source)
    guard let own = node.members else {
      problems.append(node.spot.problem("a grid is an object: { \"version\": 1, \"name\": … }"))
      return nil
    }
    check(own, among: GridKeys.top)
    checkHead(own, of: source, isFirst: chain.isEmpty)
    guard let reference = own.first(where: { $0.name == "extends" }) else { return own }
    guard let name = reference.node.value.string else {
      problems.append(reference.node.spot.problem("'extends' should be \"preset:NAME\" or a path in quotes"))
      return own
    }
    let chain = chain + [source.file]
    guard chain.count <= Self.deepest else {
      problems.append(
        reference.node.spot.problem(
          "more than \(Self.deepest) grids extend one another; write some of it here"))
      return own
    }
    do {
      let (file, bytes) = try load(name, source.file)
      guard !chain.contains(where: { $0.hasBytes(of: file) }) else {
        problems.append(reference.node.spot.problem("\(file) extends itself"))
        return own
      }
      guard let extended = members(of: GridSource(file: file, bytes: bytes), chain: chain) else { return own }
      return laying(own, over: extended)
    } catch {
      problems.append(reference.node.spot.problem("cannot read \(name): \(error)"))
      return own
    }
  }

  /// Key by key inside `base`, `run` and `report`, whole for everything else.
  private func laying(_ own: [GridMember], over extended: [GridMember]) -> [GridMember] {
    var kept: [GridMember] = []
    for old in extended where old.name != "extends" {
      let new = own.filter { $0.name == old.name }
      guard !new.isEmpty else {
        kept.append(old)
        continue
      }
      // Parts keep their own sources, so several of one name stand side by side.
      guard ["base", "run", "report"].contains(old.name), case .object(let parts) = old.node.json.kind else {
        continue
      }
      // Members of a group are settings of their own.
      let replaced = Set(new.flatMap { $0.node.members?.map(\.name) ?? [] }).subtracting(groups)
      let rest = JSONNode(
        kind: .object(parts.filter { !replaced.contains($0.name) }), offset: old.node.json.offset)
      kept.append(
        GridMember(name: old.name, spot: old.spot, node: GridNode(json: rest, source: old.node.source)))
    }
    return kept + own
  }

  /// A grid says its version and its name itself, whatever it extends.
  private mutating func checkHead(_ members: [GridMember], of source: GridSource, isFirst: Bool) {
    let start = members.first?.spot ?? GridSpot(source, 0)
    let version = members.first { $0.name == "version" }
    if let version, version.node.integer != 1 {
      problems.append(
        version.node.spot.problem("version \(version.node.value) is not known; this program reads version 1"))
    }
    guard isFirst else { return }
    if version == nil { problems.append(start.problem("there is no \"version\"; write \"version\": 1")) }
    if !members.contains(where: { $0.name == "name" }) {
      problems.append(start.problem("there is no \"name\"; write \"name\": \"…\""))
    }
  }

  /// Complains about names that are not known at this place.
  mutating func check(_ members: [GridMember], among known: [String]) {
    for member in members where !known.contains(member.name) {
      let hint = NearestName.of(member.name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      problems.append(member.spot.problem("unknown key \"\(member.name)\"\(hint)"))
    }
  }

  /// Says what was expected in a value's place; returns nil for convenience at the place of use.
  mutating func complain<Value>(_ node: GridNode, _ expected: String) -> Value? {
    let found = node.spot.written(node.value)
    problems.append(
      node.spot.problem("expected \(expected), found \(found.count <= 40 ? found : "\(found.prefix(39))…")"))
    return nil
  }

  private mutating func spec(_ members: [GridMember]) -> GridSpec {
    func all(_ name: String) -> [GridMember] { members.filter { $0.name == name } }
    func node(_ name: String) -> GridNode? { all(name).last?.node }
    let start = members.first?.spot ?? GridSpot(GridSource(file: "", bytes: []), 0)

    let name = node("name").flatMap { self.name($0) }
    if let note = node("note"), note.value.string == nil { let _: String? = complain(note, "a text") }

    let base = all("base").reduce(into: [:]) { base, member in base.merge(settings(member.node)) { $1 } }
    let common = node("seeds").map { self.seeds($0) } ?? SeedList(first: [1])
    let seeds = common.first + common.more
    var ownSeeds: [GridSpot] = []
    var blocks: [GridSpec.Block] = []
    let own = members.filter { ["axes", "zip", "exclude", "include"].contains($0.name) }
    // Where "blocks" is no list, what stands beside it is judged all the same.
    let listed = node("blocks")?.elements ?? []
    if !own.isEmpty || listed.isEmpty {
      var whole = block(own, named: nil, at: own.first?.spot ?? start, base: base, seeds: seeds)
      whole.isBesideBlocks = !listed.isEmpty
      blocks.append(whole)
    }
    if let list = node("blocks") {
      if listed.isEmpty { let _: String? = complain(list, "a list of blocks") }
      var titles: Set<String> = []
      for element in listed {
        guard let parts = element.members else {
          let _: String? = complain(element, "a block")
          continue
        }
        check(parts, among: GridKeys.block)
        let title = self.title(of: parts, at: element.spot, among: &titles)
        let laid = parts.filter { $0.name == "base" }.reduce(into: base) { base, part in
          base.merge(settings(part.node)) { $1 }
        }
        let own = parts.first { $0.name == "seeds" }
        let ownList = own.map { self.seeds($0.node) }
        if let spot = ownList?.limitSpot ?? ownList?.stepSpot {
          problems.append(
            spot.problem("seeds grow for the whole grid: write this in the \"seeds\" at the top level"))
        }
        if let own { ownSeeds.append(own.spot) }
        blocks.append(
          block(
            parts, named: title, at: element.spot, base: laid,
            seeds: ownList?.first ?? seeds))
      }
    }
    let teacherSeeds = node("teacherSeeds").flatMap { word($0, of: GridSpec.TeacherSeeds.self) } ?? .fixed
    let preferences = preferences(all("run").map(\.node), all("report").map(\.node))
    let claims = claims(node("claims"), common, ownSeeds: ownSeeds)
    return GridSpec(
      name: name ?? "", note: node("note")?.value.string, blocks: blocks, teacherSeeds: teacherSeeds,
      run: preferences.run, report: preferences.report, claims: claims, reportSpots: preferences.spots)
  }

  /// A block's name, which no other has; nil where it has none.
  private mutating func title(
    of block: [GridMember], at spot: GridSpot, among titles: inout Set<String>
  ) -> String? {
    guard let title = block.first(where: { $0.name == "name" }), let name = title.node.value.string else {
      problems.append(spot.problem("a block needs a \"name\""))
      return nil
    }
    if !titles.insert(name).inserted {
      problems.append(title.node.spot.problem("two blocks are called \"\(name)\""))
    }
    return name
  }

  private mutating func name(_ node: GridNode) -> String? {
    guard let name = node.value.string, SweepName.isValid(name) else { return complain(node, SweepName.rule) }
    return name
  }

  private mutating func settings(_ node: GridNode) -> [String: GridSpec.Setting] {
    guard let members = node.members else { return complain(node, "an object of settings") ?? [:] }
    for member in members where member.name == "seed" || member.name == "seeds" {
      problems.append(
        member.spot.problem("seeds are replicates of every cell; write \"seeds\" beside \"base\""))
    }
    return Dictionary(flattened(members).map { ($0.name, $0.setting) }) { $1 }
  }

  /// `"transfer": { "detector": … }` as `transfer.detector`; everything else as it is.
  func flattened(_ members: [GridMember]) -> [GridMember] {
    if groups.isEmpty { return members }
    return members.flatMap { member -> [GridMember] in
      guard groups.contains(member.name), let parts = member.node.members else { return [member] }
      return parts.map { GridMember(name: "\(member.name).\($0.name)", spot: $0.spot, node: $0.node) }
    }
  }

  mutating func word<Word: RawRepresentable<String> & CaseIterable>(_ node: GridNode, of type: Word.Type)
    -> Word?
  {
    if let word = node.value.string.flatMap(Word.init) { return word }
    return complain(node, "one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
  }
}
