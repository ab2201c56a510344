import Reports
/// The head of a request, as far as pages need it.
struct PageRequest: Equatable, Sendable {
  let method: String
  /// The path's parts, decoded: none is empty, `.` or `..`, none holds a slash or a control character.
  let path: [String]
  /// Decoded; of a name that comes twice the first.
  let query: [String: String]
  /// By names in lower case; of a name that comes twice the first.
  let headers: [String: String]

  /// - Parameter head: everything before the empty line.
  init(head: [UInt8]) throws(BadRequest) {
    var lines = head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
    guard !lines.isEmpty else { throw .malformed }
    let words = lines.removeFirst().split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard words.count == 3, words[2].starts(with: "HTTP/1.".utf8) else { throw .malformed }
    method = String(decoding: words[0], as: UTF8.self)
    guard method == "GET" || method == "HEAD" else { throw .method }
    let parts = words[1].split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0].first == UInt8(ascii: "/") else { throw .malformed }
    path = try Self.path(parts[0])
    query = parts.count > 1 ? try Self.query(parts[1]) : [:]
    var headers: [String: String] = [:]
    for line in lines where !line.isEmpty {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed }
      let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
      let value = String(decoding: line[line.index(after: colon)...], as: UTF8.self)
      if headers[name] == nil { headers[name] = Self.trimmed(value) }
    }
    self.headers = headers
  }

  private static func path(_ bytes: ArraySlice<UInt8>) throws(BadRequest) -> [String] {
    var parts: [String] = []
    for part in bytes.split(separator: UInt8(ascii: "/")) {
      let text = try decoded(part, plusIsSpace: false)
      guard text != ".", text != "..", !text.contains("/") else { throw .malformed }
      parts.append(text)
    }
    return parts
  }

  private static func query(_ bytes: ArraySlice<UInt8>) throws(BadRequest) -> [String: String] {
    var query: [String: String] = [:]
    for pair in bytes.split(separator: UInt8(ascii: "&")) {
      let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let name = try decoded(halves[0], plusIsSpace: true)
      let value = halves.count > 1 ? try decoded(halves[1], plusIsSpace: true) : ""
      if query[name] == nil { query[name] = value }
    }
    return query
  }

  private static func decoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) throws(BadRequest) -> String {
    func digit(_ byte: UInt8) -> UInt8? {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
      default: nil
      }
    }
    var plain: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        plain.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
        throw .malformed
      }
      plain.append(high << 4 | low)
    }
    guard let text = String(validating: plain, as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
    else { throw .malformed }
    return text
  }

  private static func trimmed(_ text: String) -> String {
    String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }

  /// The value of a cookie.
  func cookie(_ name: String) -> String? {
    for pair in (headers["cookie"] ?? "").split(separator: ";") {
      let halves = pair.split(separator: "=", maxSplits: 1).map { Self.trimmed(String($0)) }
      if halves.count == 2, halves[0] == name { return halves[1] }
    }
    return nil
  }
}

/// Why a request gets no page.
enum BadRequest: Error, Equatable {
  case malformed
  /// Pages are read: GET and HEAD.
  case method
  /// The head is longer than anybody needs.
  case tooLong
  /// The head did not come in time.
  case tooSlow
}

/// What goes back.
struct PageResponse: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Server-sent events, each the text of one; the connection stays.
    case events(AsyncStream<String>)
  }

  var status: Int
  var type: String
  var headers: [(name: String, value: String)] = []
  var body: Body

  static func html(_ text: String, status: Int = 200) -> PageResponse {
    PageResponse(status: status, type: "text/html; charset=utf-8", body: .bytes(Array(text.utf8)))
  }

  static func text(_ text: String, status: Int = 200) -> PageResponse {
    PageResponse(status: status, type: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
  }

  static func json(_ text: String) -> PageResponse {
    PageResponse(status: 200, type: "application/json", body: .bytes(Array(text.utf8)))
  }

  /// The head, with the headers that every page has.
  var head: [UInt8] {
    var lines = ["HTTP/1.1 \(status) \(Self.phrase(status))", "Content-Type: \(type)"]
    if case .bytes(let bytes) = body { lines.append("Content-Length: \(bytes.count)") }
    lines += [
      "Connection: close", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
      "Referrer-Policy: no-referrer",
      "Content-Security-Policy: \(PagePolicy.text); frame-ancestors 'none'; base-uri 'none'; "
        + "form-action 'none'",
    ]
    lines += headers.map { "\($0.name): \($0.value)" }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  private static func phrase(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 303: "See Other"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 431: "Request Header Fields Too Large"
    case 503: "Service Unavailable"
    default: "Internal Server Error"
    }
  }
}

extension BadRequest {
  var response: PageResponse {
    switch self {
    case .malformed: .text("This is no request that a page can answer.\n", status: 400)
    case .method: .text("Pages are only read here: GET and HEAD.\n", status: 405)
    case .tooLong: .text("The request is too long.\n", status: 431)
    case .tooSlow: .text("The request did not come in time.\n", status: 408)
    }
  }
}
