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
    help: "The token to ask for; where --host is not this machine's loopback, one is made up otherwise.")
  var token: String?

  func validate() throws {
    if let token,
      token.utf8.count < 16 || !token.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ";") })
    {
      throw ValidationError(
        "--token has 16 or more letters, digits and signs, without spaces and semicolons.")
    }
  }

  private var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" }

  func run() async throws {
    let gate = Gate(token: token ?? (isLoopback ? nil : Self.madeUpToken()))
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
