package import Specs

/// The stages of one submission to a cluster: written before anything is submitted, never changed.
package struct BatchManifest: CanonicallyEncodable {
  /// A stage for a task, and the attempt up to which its folder's attempts count as over.
  package struct Entry: Hashable, Sendable {
    package let key: ContentKey
    package let after: Int

    package init(key: ContentKey, after: Int) {
      self.key = key
      self.after = after
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
        task.map { ["after": .number(DecimalNumber($0.after)), "key": .string($0.key.description)] })
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
        entries.append(Entry(key: try entry.key("key"), after: try entry.integer("after")))
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

  /// Fills tasks with stages in their order until each has enough to do.
  ///
  /// - Parameters:
  ///   - seconds: what a stage is expected to take.
  ///   - goal: seconds that a task should take at least, on all of its processors together.
  ///   - limit: how many tasks there may be; more work makes longer ones.
  package static func chunks(
    _ entries: [Entry], seconds: (ContentKey) -> Double, goal: Double, limit: Int
  ) -> [[Entry]] {
    let least = max(1, (entries.count + limit - 1) / limit)
    var (chunks, chunk, filled): ([[Entry]], [Entry], Double) = ([], [], 0)
    for entry in entries {
      chunk.append(entry)
      filled += seconds(entry.key)
      if filled >= goal, chunk.count >= least {
        chunks.append(chunk)
        (chunk, filled) = ([], 0)
      }
    }
    if !chunk.isEmpty { chunks.append(chunk) }
    return chunks
  }
}
