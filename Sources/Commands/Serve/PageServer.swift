import Specs
import FlyingSocks
import Foundation
import Synchronization

/// Answers requests for pages, one a connection. Everything that a client can stretch has an end: the length
/// and the time of a request, the time of an answer, the number of connections.
///
/// The sockets are FlyingSocks'. The heads of requests are read here, because FlyingFox 0.27 reads lines
/// without a limit and waits for them for ever.
final class PageServer: Sendable {
  struct Limits: Sendable {
    var headBytes = 8192
    var headSeconds = 5.0
    /// For each piece of an answer, so that a client that has stopped reading goes.
    var sendSeconds = 20.0
    var connections = 400
  }

  private let limits: Limits
  private let socket: Socket
  private let pool = SocketPool<ePoll>.ePoll()
  private let handler: @Sendable (PageRequest) async -> PageResponse
  private let open = Mutex(0)

  /// Listens at once; answers come with `run`.
  ///
  /// - Parameter port: 0 for any that is free.
  /// - Throws: `CannotListen`.
  init(
    host: String, port: Int, limits: Limits = Limits(),
    handler: @escaping @Sendable (PageRequest) async -> PageResponse
  ) throws {
    self.limits = limits
    self.handler = handler
    guard let number = UInt16(exactly: port) else {
      throw CannotListen(host: host, port: port, reason: "no such port")
    }
    do {
      if host.contains(":") {
        socket = try Socket(domain: AF_INET6)
        try socket.setValue(true, for: .localAddressReuse)
        try socket.bind(to: .inet6(ip6: host, port: number))
      } else {
        socket = try Socket(domain: AF_INET)
        try socket.setValue(true, for: .localAddressReuse)
        try socket.bind(to: .inet(ip4: host == "localhost" ? "127.0.0.1" : host, port: number))
      }
      try socket.listen()
    } catch {
      throw CannotListen(host: host, port: port, reason: error.localizedDescription)
    }
  }

  /// The one in use, where any was asked for.
  var port: Int {
    switch try? socket.sockname() {
    case .ip4(_, let port), .ip6(_, let port): Int(port)
    case .unix, nil: 0
    }
  }

  /// Until the task is cancelled.
  func run() async throws {
    let listener = try AsyncSocket(socket: socket, pool: pool)
    try await pool.prepare()
    defer { try? socket.close() }
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { [pool] in try await pool.run() }
      while true {
        let connection: AsyncSocket
        do {
          connection = try await listener.accept()
        } catch is CancellationError {
          throw CancellationError()
        } catch {
          // No file descriptor is free, or the client went before it was taken in:
          // neither is a reason to end.
          try await Task.sleep(for: .milliseconds(50))
          continue
        }
        group.addTask {
          await self.answer(connection)
          try? connection.socket.close()
        }
      }
    }
  }

  private func answer(_ connection: AsyncSocket) async {
    let isOne = open.withLock { count in
      guard count < limits.connections else { return false }
      count += 1
      return true
    }
    guard isOne else {
      return await send(
        .text("Too many connections. Close a page and try again.\n", status: 503), nil, connection)
    }
    defer { open.withLock { $0 -= 1 } }
    do {
      let request = try await head(of: connection)
      await send(await handler(request), request, connection)
    } catch let error as BadRequest {
      await send(error.response, nil, connection)
    } catch {
      // The client has gone.
    }
  }

  /// Reads to the empty line, or to a limit.
  private func head(of connection: AsyncSocket) async throws -> PageRequest {
    let limit = limits.headBytes
    let bytes = try await within(limits.headSeconds, else: BadRequest.tooSlow) { () -> [UInt8] in
      var bytes: [UInt8] = []
      while true {
        bytes += try await connection.read(atMost: 2048)
        if let end = Self.end(of: bytes) { return Array(bytes[..<end]) }
        guard bytes.count < limit else { throw BadRequest.tooLong }
      }
    }
    return try PageRequest(head: bytes)
  }

  /// Where the empty line begins.
  private static func end(of bytes: [UInt8]) -> Int? {
    var isLineEmpty = false
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "\n") {
        if isLineEmpty { return index }
        isLineEmpty = true
      } else if byte != UInt8(ascii: "\r") {
        isLineEmpty = false
      }
    }
    return nil
  }

  private func send(_ response: PageResponse, _ request: PageRequest?, _ connection: AsyncSocket) async {
    do {
      try await write(response.head, to: connection)
      if request?.method == "HEAD" { return }
      switch response.body {
      case .bytes(let bytes):
        for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
          try await write(Array(bytes[start..<min(bytes.count, start + 1 << 16)]), to: connection)
        }
      case .events(let events):
        for await event in events { try await write(Array(event.utf8), to: connection) }
      }
      try await drain(connection)
    } catch {
      // The client has gone, or reads too slowly to be waited for.
    }
  }

  private func write(_ bytes: [UInt8], to connection: AsyncSocket) async throws {
    try await within(limits.sendSeconds, else: SocketError.disconnected) {
      try await connection.write(Data(bytes))
    }
  }

  /// Closing with unread bytes would make the kernel throw away what the client has not read yet.
  private func drain(_ connection: AsyncSocket) async throws {
    shutdown(connection.socket.file.rawValue, Int32(SHUT_WR))
    try await within(1, else: SocketError.disconnected) {
      for _ in 0..<64 {
        guard try await !connection.read(atMost: 4096).isEmpty else { return }
      }
    }
  }
}

/// The address cannot be had.
struct CannotListen: UserError {
  var exitStatus: ExitStatus { .unavailable }
  let host: String
  let port: Int
  let reason: String
  var description: String {
    "Cannot listen on \(host), port \(port): \(reason). Choose another with --port, or 0 for "
      + "any that is free."
  }
}

/// What `body` returns, if that comes within so many seconds.
private func within<Value: Sendable>(
  _ seconds: Double, else error: any Error, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: .seconds(seconds))
      throw error
    }
    defer { group.cancelAll() }
    return try await group.next()!
  }
}
