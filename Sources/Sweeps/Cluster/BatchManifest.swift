package import Specs

/// The stages of one submission to a cluster: written before anything is submitted, never changed.
package struct BatchManifest: CanonicallyEncodable {
  /// A stage for a task, and the attempt up to which its folder's attempts count as over.
  package struct Entry: Hashable, Sendable {
    package let key: ContentKey
    package let after: Int
    /// Runs that one process may train side by side have the same number; nil for what goes alone.
    package let group: Int?

    package init(key: ContentKey, after: Int, group: Int? = nil) {
      self.key = key
      self.after = after
      self.group = group
    }
  }

  /// Names the batch's folder and is in the job's name: what a scheduler's reused numbers cannot be.
  package let token: String
  package let sweep: String
  /// Of each array task, the stages that it begins with; when they are done it takes those of others.
  package let tasks: [[Entry]]
  /// How many stages a task runs at a time.
  package let slots: Int
  /// Seconds; nil where a task may run for ever.
  package let wallSeconds: Int?
  package let leadSeconds: Int
  /// Folder of the scheduler's commands; nil where they are on the path.
  package let bin: String?
  /// The name of the scheduler that has it.
  package let scheduler: String
  package let options: WorkerOptions

  package init(
    token: String, sweep: String, tasks: [[Entry]], slots: Int, wallSeconds: Int?, leadSeconds: Int,
    bin: String?, scheduler: String = standardScheduler, options: WorkerOptions = WorkerOptions()
  ) {
    self.scheduler = scheduler
    self.token = token
    self.sweep = sweep
    self.tasks = tasks
    self.slots = slots
    self.wallSeconds = wallSeconds
    self.leadSeconds = leadSeconds
    self.bin = bin
    self.options = options
  }

  /// The scheduler of batches whose manifests name none: the first of the catalog.
  package static let standardScheduler = Catalog.schedulers.names[0]

  package var keys: [ContentKey] { tasks.flatMap { $0.map(\.key) } }

  /// The stages in the order in which a task should look at them: its own, then its neighbours'.
  package func order(for task: Int) -> [Entry] {
    tasks.indices.flatMap { tasks[(task + $0) % tasks.count] }
  }

  package func append(to bytes: inout [UInt8]) {
    let lists = tasks.map { task in
      JSONValue.array(
        task.map { entry in
          var members: [String: JSONValue] = [
            "after": .number(DecimalNumber(entry.after)), "key": .string(entry.key.description),
          ]
          if let group = entry.group { members["group"] = .number(DecimalNumber(group)) }
          return .object(members)
        })
    }
    var object = ObjectWriter(to: &bytes)
    object.member("bin", bin.map { .string($0) }, to: &bytes)
    object.member("leadSeconds", leadSeconds, to: &bytes)
    if options != WorkerOptions() { object.member("options", to: &bytes, options.append) }
    object.member("scheduler", scheduler == Self.standardScheduler ? nil : .string(scheduler), to: &bytes)
    object.member("slots", slots, to: &bytes)
    object.member("sweep", .string(sweep), to: &bytes)
    object.member("tasks", .array(lists), to: &bytes)
    object.member("token", .string(token), to: &bytes)
    object.member("wallSeconds", wallSeconds.map { .number(DecimalNumber($0)) }, to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    var tasks: [[Entry]] = []
    for (index, task) in try object.array("tasks").enumerated() {
      guard let list = task.array else {
        throw SpecError(path: object.path("tasks[\(index)]"), expected: "a list of stages")
      }
      var entries: [Entry] = []
      for (place, entry) in list.enumerated() {
        let entry = try SpecObject(entry, at: object.path("tasks[\(index)][\(place)]"))
        entries.append(
          Entry(
            key: try entry.key("key"), after: try entry.integer("after"),
            group: try entry.optional("group", SpecObject.integer)))
      }
      tasks.append(entries)
    }
    guard !tasks.isEmpty else { throw SpecError(path: object.path("tasks"), expected: "at least one task") }
    self.init(
      token: try object.string("token"), sweep: try object.string("sweep"), tasks: tasks,
      slots: max(1, try object.integer("slots")),
      wallSeconds: try object.optional("wallSeconds", SpecObject.integer),
      leadSeconds: try object.integer("leadSeconds"), bin: try object.optional("bin", SpecObject.string),
      scheduler: try object.optional("scheduler", SpecObject.string) ?? Self.standardScheduler,
      options: try object["options"].map { value throws(SpecError) in
        try WorkerOptions(value, at: object.path("options"))
      } ?? WorkerOptions())
  }

  /// The list that a stage is on, which decides with whom it may be trained side by side.
  package func list(of entry: Entry) -> [Entry] { tasks.first { $0.contains(entry) } ?? [] }

  /// What tasks are cut by.
  package struct Cut {
    /// CPU seconds that a stage is expected to take, and of them those in which it asks its teachers.
    package var seconds: (ContentKey) -> Double
    package var teaching: (ContentKey) -> Double = { _ in 0 }
    /// How many stages a task runs at a time.
    package var slots = 1
    /// Seconds that a task should take at least, on all of its processors together.
    package var goal: Double
    /// Seconds that a task of several stages should not exceed, on all of its processors together.
    package var most = Double.infinity
    /// How many tasks there may be; more work makes longer ones.
    package var limit: Int
    /// How many tasks run at a time; nil for as many as there are.
    package var tasksAtOnce: Int?

    package init(seconds: @escaping (ContentKey) -> Double, goal: Double, limit: Int) {
      (self.seconds, self.goal, self.limit) = (seconds, goal, limit)
    }

    /// So many runs of a group a task has where the tasks that run at a time share so many stages evenly, and
    /// every round of them gives each the same.
    func share(of count: Int) -> Int {
      guard let tasksAtOnce = tasksAtOnce.map({ min($0, count) }), count > 0 else { return 1 }
      let most = tasksAtOnce * slots * Scheduler.mostTogether
      let rounds = (count + most - 1) / most
      return (count + tasksAtOnce * rounds - 1) / (tasksAtOnce * rounds)
    }
  }

  /// Fills tasks with stages, in their order but that runs of a group follow the first of them,
  /// until each has enough to do.
  package static func chunks(_ entries: [Entry], _ cut: Cut) -> [[Entry]] {
    let least = max(1, (entries.count + cut.limit - 1) / cut.limit)
    let share = cut.share(of: entries.count)
    let entries = gathered(entries)
    var (chunks, chunk, filled): ([[Entry]], [Entry], Double) = ([], [], 0)
    /// Runs of each group in the chunk.
    var members: [Int: Int] = [:]
    func close() {
      chunks.append(chunk)
      (chunk, filled, members) = ([], 0, [:])
    }
    for (place, entry) in entries.enumerated() {
      /// In each of its processes the first of a group asks for all.
      func seconds() -> Double {
        let isTold = entry.group.map { members[$0, default: 0] >= cut.slots } ?? false
        return cut.seconds(entry.key) - (isTold ? cut.teaching(entry.key) : 0)
      }
      if chunk.count >= least, filled + seconds() > cut.most { close() }
      filled += seconds()
      chunk.append(entry)
      if let group = entry.group { members[group, default: 0] += 1 }
      let next = entries.indices.contains(place + 1) ? entries[place + 1].group : nil
      let goesOn = entry.group.map { $0 == next && members[$0, default: 0] < share } ?? false
      if filled >= cut.goal, chunk.count >= least, !goesOn { close() }
    }
    if !chunk.isEmpty { chunks.append(chunk) }
    return chunks
  }

  /// Runs of a group one after the other, where the first of them was.
  private static func gathered(_ entries: [Entry]) -> [Entry] {
    let groups = Dictionary(grouping: entries.filter { $0.group != nil }, by: \.group)
    var seen: Set<Int> = []
    return entries.flatMap { entry in
      guard let group = entry.group else { return [entry] }
      return seen.insert(group).inserted ? groups[group] ?? [] : []
    }
  }
}
