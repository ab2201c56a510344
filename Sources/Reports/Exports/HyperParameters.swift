internal import Specs

/// What TensorBoard's HPARAMS page reads: a run's settings at its beginning, how it went at its end.
///
/// - Source: `hparams.proto` and `plugin_data.proto` of TensorBoard 2.21, version 0 of the plugin's data.
enum HyperParameters {
  /// The settings of a run that are one number, word or truth, with the sweep's labels first in line.
  static func values(_ run: RunAccount, columns: [String]) -> [(name: String, value: JSONValue)] {
    var values: [String: JSONValue] = [:]
    flatten(run.spec, "", into: &values)
    for (column, label) in zip(columns, run.labels) where label != .null {
      values[column] = isScalar(label) ? label : .string(ReportTable.text(label))
    }
    values["seed"] = .number(DecimalNumber(run.seed))
    return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
  }

  /// A summary that says what a run was given.
  static func start(_ run: RunAccount, columns: [String], time: Int) -> WireMessage {
    var session = WireMessage()
    for (name, value) in values(run, columns: columns) {
      var entry = WireMessage()
      entry.text(1, ForeignText.line(name))
      entry.message(2, wire(value))
      session.message(1, entry)
    }
    session.text(4, run.title)
    session.double(5, Double(time))
    return summary("_hparams_/session_start_info", field: 3, session)
  }

  /// A summary that says how a run ended: 1 for a success, 2 for a failure, 3 while it is going on.
  static func end(_ run: RunAccount, time: Int) -> WireMessage {
    var session = WireMessage()
    session.integer(1, run.state == .finished ? 1 : run.state == .open ? 3 : 2)
    session.double(2, Double(time))
    return summary("_hparams_/session_end_info", field: 4, session)
  }

  private static func summary(_ tag: String, field: Int, _ session: WireMessage) -> WireMessage {
    var data = WireMessage()
    data.message(field, session)
    var plugin = WireMessage()
    plugin.text(1, "hparams")
    plugin.message(2, data)
    var metadata = WireMessage()
    metadata.message(1, plugin)
    var value = WireMessage()
    value.text(1, tag)
    value.message(9, metadata)
    // Readers want a tensor beside it, whatever it holds: one 0 of 32 bits.
    var dimension = WireMessage()
    dimension.integer(1, 1)
    var shape = WireMessage()
    shape.message(2, dimension)
    var tensor = WireMessage()
    tensor.integer(1, 1)
    tensor.message(2, shape)
    tensor.float(5, 0)
    value.message(8, tensor)
    var summary = WireMessage()
    summary.message(1, value)
    return summary
  }

  private static func wire(_ value: JSONValue) -> WireMessage {
    var message = WireMessage()
    switch value {
    case .number(let number): message.double(2, number.double)
    case .bool(let truth): message.integer(4, truth ? 1 : 0)
    case .string(let text): message.text(3, ForeignText.line(text))
    default: message.text(3, ForeignText.line(value.description))
    }
    return message
  }

  private static func isScalar(_ value: JSONValue) -> Bool {
    switch value {
    case .number, .bool, .string: true
    default: false
    }
  }

  private static func flatten(_ value: JSONValue, _ path: String, into values: inout [String: JSONValue]) {
    if let members = value.object {
      for (name, member) in members {
        flatten(member, path.isEmpty ? name : "\(path).\(name)", into: &values)
      }
    } else if isScalar(value), !path.isEmpty {
      values[path] = value
    }
  }
}
