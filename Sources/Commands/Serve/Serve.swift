import ArgumentParser
import Foundation
import Storage

/// `mtkd-sweep serve`: the store in a browser, while a sweep runs and after.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Show sweeps, workers, curves and reports in a browser.",
    discussion: """
      Reads the store and changes nothing; start it beside a `run`, or on a copy of a store. It listens on this machine only. To read from \
      another machine, use `ssh -L 8080:127.0.0.1:8080 HOST`, or --host with an address of this machine: then a token is asked for, which \
      is part of the printed address. The connection itself is not encrypted.
      """)

  @OptionGroup var location: StoreLocation

  @Option(help: "The port; 0 for any that is free.")
  var port = 8080

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(
    help:
      ArgumentHelp(
        "The token to ask for. Others on this machine see it in the list of processes: prefer "
          + "--token-file, or MTKD_SWEEP_TOKEN in the environment. (default: one is made up where --host is "
          + "not this machine's loopback)")
  )
  var token: String?

  @Option(
    help: ArgumentHelp("A file whose first line is the token; - for standard input.", valueName: "file"))
  var tokenFile: String?

  /// What the environment says where the command line does not.
  private static let variable = "MTKD_SWEEP_TOKEN"

  func validate() throws {
    if token != nil, tokenFile != nil { throw ValidationError("Give --token or --token-file, not both.") }
    if let token { try Self.check(token, from: "--token") }
  }

  private static func check(_ token: String, from place: String) throws {
    guard token.utf8.count >= 16, token.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ";") })
    else {
      throw ValidationError(
        "The token from \(place) has 16 or more letters, digits and signs, without spaces and semicolons.")
    }
  }

  /// The token that was given, wherever.
  private func givenToken() throws -> String? {
    if let token { return token }
    if let tokenFile {
      let text =
        tokenFile == "-"
        ? readLine() ?? "" : String(decoding: try AtomicFile.read(tokenFile), as: UTF8.self)
      let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
      try Self.check(line, from: "--token-file")
      return line
    }
    guard let token = ProcessInfo.processInfo.environment[Self.variable] else { return nil }
    try Self.check(token, from: Self.variable)
    return token
  }

  private var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" }

  func run() async throws {
    let gate = Gate(token: try givenToken() ?? (isLoopback ? nil : Self.madeUpToken()))
    let dashboard = Dashboard(folder: location.folder, gate: gate)
    let server = try PageServer(host: host, port: port) { await dashboard.answer($0) }
    let name = host.contains(":") ? "[\(host)]" : host
    let ending = gate.token.map { "?token=\(Gate.encoded($0))" } ?? ""
    Out.put("http://\(name):\(server.port)/\(ending)\n")
    Talk.say("Serving \(location.path); Ctrl-C ends it.")
    try await server.run()
  }

  /// 128 bits from the system.
  private static func madeUpToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let word = String(UInt32(truncatingIfNeeded: random.next()), radix: 16)
      return String(repeating: "0", count: 8 - word.count) + word
    }.joined()
  }
}
