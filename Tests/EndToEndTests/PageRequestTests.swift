import Testing

@testable import Commands

@Suite struct PageRequestTests {
  func parse(_ text: String) throws(BadRequest) -> PageRequest { try PageRequest(head: Array(text.utf8)) }

  @Test func `path, query, headers and cookies are read and decoded`() throws {
    let request = try parse(
      "GET /sweeps/a%20b/runs?q=mtkd+rl%26x&q=2&flag HTTP/1.1\r\nHost: localhost:8080\r\nCOOKIE: a=1; mtkd_sweep = x=y \r\n\r\n"
    )
    #expect(request.path == ["sweeps", "a b", "runs"])
    #expect(request.query == ["q": "mtkd rl&x", "flag": ""])
    #expect(request.headers["host"] == "localhost:8080")
    #expect(request.cookie("mtkd_sweep") == "x=y" && request.cookie("b") == nil)
  }

  @Test(arguments: [
    "", "\r\n", "GET", "GET / HTTP/1.1 x", "GET  / HTTP/1.1", "GET / HTTP/2.0", "GET http://x/ HTTP/1.1",
    "GET /../x HTTP/1.1", "GET /a/%2e%2e/b HTTP/1.1", "GET /a%2Fb HTTP/1.1", "GET /%00 HTTP/1.1",
    "GET /%zz HTTP/1.1", "GET /%4 HTTP/1.1", "GET /%ff%fe HTTP/1.1", "GET /?q=%1b HTTP/1.1",
    "GET / HTTP/1.1\r\nno colon\r\n",
  ])
  func `what no page can answer is malformed`(_ head: String) {
    #expect(throws: BadRequest.malformed) { try parse(head) }
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "get"])
  func `only reading is understood`(_ method: String) {
    #expect(throws: BadRequest.method) { try parse("\(method) / HTTP/1.1\r\n") }
  }

  @Test func `on loopback a page that was led here under another name gets nothing`() throws {
    let gate = Gate(token: nil)
    for host in ["127.0.0.1:8080", "localhost", "[::1]:99", "LOCALHOST:1"] {
      guard case .open = gate.check(try parse("GET / HTTP/1.1\r\nHost: \(host)\r\n")) else {
        Issue.record("\(host) was refused")
        continue
      }
    }
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
      guard case .refused(let response) = gate.check(try parse("GET / HTTP/1.1\r\nHost: \(host)\r\n")) else {
        Issue.record("\(host) was let in")
        continue
      }
      #expect(response.status == 403)
    }
  }

  @Test func `a token opens by address, cookie or header, and only the right one`() throws {
    let gate = Gate(token: "0123456789abcdef")
    func status(_ text: String) throws -> Int? {
      if case .refused(let response) = gate.check(try parse(text)) { response.status } else { nil }
    }
    #expect(try status("GET / HTTP/1.1\r\n") == 401)
    #expect(try status("GET /?token=0123456789abcdeX HTTP/1.1\r\n") == 401)
    #expect(try status("GET /?token= HTTP/1.1\r\n") == 401)
    #expect(try status("GET / HTTP/1.1\r\nCookie: mtkd_sweep=0123456789abcde\r\n") == 401)
    #expect(try status("GET / HTTP/1.1\r\nCookie: mtkd_sweep=0123456789abcdef\r\n") == nil)
    #expect(try status("GET / HTTP/1.1\r\nAuthorization: Bearer 0123456789abcdef\r\n") == nil)
    guard
      case .refused(let response) = gate.check(
        try parse("GET /sweeps/a%0a%20b?token=0123456789abcdef HTTP/1.1\r\n".replacing("%0a", with: "")))
    else { return #expect(Bool(false), "the token stays in the address") }
    #expect(response.status == 303)
    #expect(response.headers.contains { $0.name == "Location" && $0.value == "/sweeps/a%20b" })
    #expect(
      response.headers.contains { $0.name == "Set-Cookie" && $0.value.contains("HttpOnly; SameSite=Strict") })
  }
}
