import Foundation
import Testing

/// Workers behind ssh, on a server of this test's own on loopback.
@Suite(.enabled(if: SSHServer.isHere, "sshd serves the test"), .serialized)
struct SSHTests {
  private func evidence(_ sweep: TinySweep, store: String) throws -> String {
    let report = try Program.run("report", "--store", store, "--format", "json", in: sweep.folder)
    let digests = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    #expect(report.status == 0 && digests.out.contains("final"), "\(report.talk) \(digests.talk)")
    return report.out + digests.out
  }

  private func start(_ sweep: TinySweep, _ server: SSHServer, hosts: String) throws -> Program.Running {
    try Program.start(
      ["run", "tiny.json", "--executor", "ssh", "--hosts", hosts, "--ssh-command", server.command],
      in: sweep.folder)
  }

  @Test func `two hosts and one that is not there come to the bytes of this machine`() throws {
    let (server, sweep) = (try SSHServer(), try TinySweep())
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", "--store", "calm", in: sweep.folder).status == 0)
    let output = try start(sweep, server, hosts: "nowhere,a,b:2").finish()
    #expect(output.status == 0, "\(output.talk)")
    #expect(try evidence(sweep, store: "results") == evidence(sweep, store: "calm"))
  }

  @Test func `no reachable host is said, and nothing hangs`() throws {
    let (server, sweep) = (try SSHServer(), try TinySweep())
    defer { sweep.remove() }
    let output = try start(sweep, server, hosts: "nowhere").finish()
    #expect(output.status == 1, "\(output.talk)")
    #expect(output.talk.contains("none of nowhere can be reached"), "\(output.talk)")
  }

  @Test func `an interrupt reaches workers behind ssh, and a killed coordinator takes them along`() throws {
    let long = TinySweep.grid.replacingOccurrences(of: "\"epochs\": 3", with: "\"epochs\": 4000")
    let (server, sweep) = (try SSHServer(), try TinySweep(grid: long))
    defer { sweep.remove() }
    func workers() throws -> [Int32] {
      try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter {
        let line = (try? Data(contentsOf: URL(filePath: "/proc/\($0)/cmdline"))) ?? Data()
        let words = String(decoding: line, as: UTF8.self).split(separator: "\0").map(String.init)
        return words.count > 3 && words[0].hasSuffix("mtkd-sweep") && words[1] == "worker"
          && words.contains { $0.hasPrefix(sweep.folder.path) }
      }
    }
    func startAndWait() throws -> Program.Running {
      let run = try start(sweep, server, hosts: "a,b")
      let deadline = Date.now + 120
      while try workers().isEmpty, run.process.isRunning, Date.now < deadline { usleep(10_000) }
      try #require(run.process.isRunning, "\(run.talkSoFar)")
      return run
    }
    let first = try startAndWait()
    usleep(500_000)
    first.signal(SIGINT)
    let stopped = try first.finish()
    #expect(stopped.status == 75, "\(stopped.talk)")
    #expect(try workers().isEmpty)
    let second = try startAndWait()
    second.signal(SIGKILL)
    _ = try second.finish()
    // A connection that was still being made starts its worker first, which then finds that nobody is there;
    // a leak would go on for minutes.
    let deadline = Date.now + 120
    while try !workers().isEmpty, Date.now < deadline { usleep(20_000) }
    #expect(try workers().isEmpty)
  }
}

/// A server, and two names for it in a client's configuration.
final class SSHServer {
  static let isHere: Bool = {
    ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-ssh-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.path
    let keys = try Program.shell(
      "ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f own && cp own.pub allowed; mkdir -p /run/sshd; true",
      in: folder)
    try #require(keys.status == 0, "\(keys.talk)")
    let port = Int.random(in: 20000...32000)
    try """
    Port \(port)
    ListenAddress 127.0.0.1
    HostKey \(path)/host
    AuthorizedKeysFile \(path)/allowed
    PidFile \(path)/pid
    StrictModes no
    UsePAM no
    PermitRootLogin yes
    PasswordAuthentication no
    """.write(to: folder.appending(path: "server"), atomically: false, encoding: .utf8)
    try """
    Host a b
      HostName 127.0.0.1
      Port \(port)
    Host nowhere
      HostName 127.0.0.1
      Port 1
    Host *
      IdentityFile \(path)/own
      IdentitiesOnly yes
      UserKnownHostsFile \(path)/known
      StrictHostKeyChecking accept-new
      BatchMode yes
      LogLevel ERROR
    """.write(to: folder.appending(path: "client"), atomically: false, encoding: .utf8)
    let line = Program.withoutDescriptors(
      "/usr/sbin/sshd -f \(path)/server -E \(path)/said </dev/null >/dev/null 2>&1")
    let started = try Program.start(
      executable: URL(filePath: "/bin/bash"), ["-c", line], in: folder, environment: [:]
    ).finish()
    try #require(started.status == 0)
    let deadline = Date.now + 120
    while try Program.shell("ssh -F client a true", in: folder).status != 0 {
      guard Date.now < deadline else {
        let said = try? String(contentsOf: folder.appending(path: "said"), encoding: .utf8)
        Issue.record("no ssh server: \(said ?? "")")
        break
      }
      usleep(100_000)
    }
  }

  var command: String { "ssh -F \(folder.path)/client -T" }

  deinit {
    if let text = try? String(contentsOf: folder.appending(path: "pid"), encoding: .utf8),
      let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    {
      kill(process, SIGTERM)
    }
    try? FileManager.default.removeItem(at: folder)
  }
}
