internal import Specs

/// The file store of MLflow: an experiment for the sweep, a run for each run.
///
/// - Source: what MLflow 3.17 reads with `MLFLOW_ALLOW_FILE_STORE=true`; its `migrate-filestore` command
///   takes the tree into its database.
package struct MLflowFiles: ExportFormat {
  package static let name = "mlflow"
  package static let summary = """
    A file store of MLflow with the sweep as an experiment: labels, seed and resolved settings as parameters, every metric with the number \
    of finished epochs as its step, state and provenance as tags. For `MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri DIR`. \
    MLflow writes absolute places into its files: export again instead of moving the folder.
    """
  package static let isFolder = true
  private let sweep: ExportedSweep
  private let experiment: String

  package init(_ sweep: ExportedSweep) {
    self.sweep = sweep
    let digest = ContentKey(hashing: Array("mlflow experiment \(sweep.name)".utf8)).digest
    let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // Eighteen digits, as MLflow's own have.
    experiment = "\(100_000_000_000_000_000 + number % 900_000_000_000_000_000)"
  }

  package func head() -> [ExportedFile] {
    let time = sweep.time * 1000
    return [
      ExportedFile(path: ".trash/", ""),
      ExportedFile(
        path: "\(experiment)/meta.yaml",
        """
        artifact_location: \(Self.yaml(place))
        creation_time: \(time)
        experiment_id: '\(experiment)'
        last_update_time: \(time)
        lifecycle_stage: active
        name: \(Self.yaml(sweep.name))

        """),
    ]
  }

  package func pieces(of run: RunAccount) throws(UnwritableExport) -> [ExportedFile] {
    guard run.state != .open || !run.epochs.isEmpty else { return [] }
    // The same run may belong to several experiments of one store, where its identifier has to differ.
    let id = String(ContentKey(hashing: Array("\(experiment) \(run.key)".utf8)).description.prefix(32))
    let folder = "\(experiment)/\(id)"
    let last = sweep.time + (run.epochs.last?.epoch ?? -1) + 1
    let status =
      switch run.state {
      case .finished: 3
      case .failed, .blocked: 4
      case .open: 1
      }
    var files = [
      ExportedFile(path: "\(folder)/artifacts/", ""),
      ExportedFile(
        path: "\(folder)/meta.yaml",
        """
        artifact_uri: \(Self.yaml("\(place)/\(id)/artifacts"))
        end_time: \(status == 1 ? "null" : "\(last * 1000)")
        entry_point_name: ''
        experiment_id: '\(experiment)'
        lifecycle_stage: active
        run_id: \(Self.yaml(id))
        run_name: \(Self.yaml(run.title))
        run_uuid: \(Self.yaml(id))
        source_name: ''
        source_type: 4
        source_version: ''
        start_time: \(sweep.time * 1000)
        status: \(status)
        tags: []
        user_id: mtkd-sweep

        """),
    ]
    files += try metrics(of: run).map { ExportedFile(path: "\(folder)/metrics/\($0.name)", $0.text) }
    files += try parameters(of: run).map { ExportedFile(path: "\(folder)/params/\($0.name)", $0.text) }
    files += tags(of: run).map { ExportedFile(path: "\(folder)/tags/\($0.name)", $0.text) }
    return files
  }

  private typealias Entry = (name: String, text: String)

  /// One line a point: milliseconds, value, step.
  private func metrics(of run: RunAccount) throws(UnwritableExport) -> [Entry] {
    var lines: [String: String] = [:]
    func add(_ metrics: Metrics, _ epoch: Int) {
      for metric in metrics.values {
        lines[metric.name, default: ""] +=
          "\((sweep.time + epoch) * 1000) \(metric.value.description) \(epoch)\n"
      }
    }
    for epoch in run.epochs { add(RunAccount.numbers(of: epoch), epoch.epoch + 1) }
    add(run.exportedTotals, (run.epochs.last?.epoch ?? -1) + 1)
    return try Self.checked(lines.map { ($0.key, $0.value) })
  }

  private func parameters(of run: RunAccount) throws(UnwritableExport) -> [Entry] {
    var entries: [Entry] = [("seed", "\(run.seed)")]
    for (name, label) in zip(sweep.columns, run.labels) where label != .null {
      entries.append((name, ReportTable.text(label)))
    }
    Self.flatten(run.spec, "settings", to: &entries)
    return try Self.checked(entries.map { ($0.name, String($0.text.prefix(6000))) })
  }

  private func tags(of run: RunAccount) -> [Entry] {
    var entries: [Entry] = [
      ("mlflow.runName", run.title), ("mlflow.user", "mtkd-sweep"), ("mtkd.run", run.key.description),
      ("mtkd.state", run.state.word),
    ]
    if let reason = run.state.reason { entries.append(("mtkd.reason", reason)) }
    if let made = run.provenance {
      entries += [
        ("mtkd.version", made.version), ("mtkd.blas", made.blas), ("mtkd.cpu", made.cpu),
        ("mtkd.profile", made.profile),
      ]
      if let commit = made.commit { entries.append(("mtkd.commit", commit)) }
      if let threads = made.threads { entries.append(("mtkd.threads", "\(threads)")) }
    }
    return entries.map { ($0.name, String($0.text.prefix(8000))) }
  }

  /// Every leaf of the settings under its path: `settings.recipe.epochs`.
  private static func flatten(_ value: JSONValue, _ path: String, to entries: inout [Entry]) {
    if let members = value.object, !members.isEmpty {
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        flatten(member, "\(path).\(name)", to: &entries)
      }
    } else if let list = value.array, list.contains(where: { $0.object != nil }) {
      for (index, member) in list.enumerated() { flatten(member, "\(path).\(index)", to: &entries) }
    } else {
      entries.append((path, value.string ?? value.description))
    }
  }

  /// Sorted, without the names that MLflow or a file system would take for something else.
  private static func checked(_ entries: [Entry]) throws(UnwritableExport) -> [Entry] {
    for entry in entries {
      let isPlain = entry.name.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-. :".unicodeScalars.contains($0))
      }
      guard isPlain, !entry.name.isEmpty, entry.name.utf8.count <= 250, entry.name != ".", entry.name != ".."
      else {
        throw UnwritableExport(format: name, reason: "it has no place for the name '\(entry.name)'.")
      }
    }
    return entries.sorted { $0.name < $1.name }
  }

  private var place: String { Self.url("\(sweep.location)/\(experiment)") }

  private static func url(_ path: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
    let digits = Array("0123456789ABCDEF")
    let escaped = path.utf8.map { byte in
      plain.contains(byte)
        ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
    return "file://" + escaped.joined()
  }

  /// A quoted scalar on one line.
  private static func yaml(_ text: String) -> String {
    var bytes: [UInt8] = []
    // A JSON string is a double-quoted scalar of YAML.
    CanonicalJSON.append(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
