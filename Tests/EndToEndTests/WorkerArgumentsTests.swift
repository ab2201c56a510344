import ArgumentParser
import Specs
import Testing

@testable import Commands

/// Workers read their arguments by themselves; the argument parser is the judge of what they mean.
@Suite struct WorkerArgumentsTests {
  private static let key = ContentKey(hashing: [1])

  @Test(arguments: [
    [], ["--live-teachers"],
    ["--allow-other-profile", "--niceness", "5", "--threads", "2", "--keep", "4"],
    ["--with", "\(key):4", "--with", "\(ContentKey(hashing: [2])):1"],
    ["--data-folder", "--store", "--job", "12_3"], ["--live-teachers", "--job", "7", "--data-folder", "d d"],
  ])
  func `what an executor writes means what the parser reads`(_ more: [String]) throws {
    let arguments = ["worker", "\(Self.key)", "--store", "a store", "--attempt", "3"] + more
    let job = try #require(WorkerJob(arguments))
    // A value that looks like an option is one to the parser, but executors give every option its value.
    guard !more.contains("--store") else {
      #expect(job.dataFolder == "--store" && job.store == "a store" && job.job == "12_3")
      return
    }
    let parsed = try #require(try MTKDSweep.parseAsRoot(arguments) as? WorkerCommand)
    #expect(parsed.work == job)
  }

  @Test func `anything else is left to the parser`() {
    let key = "\(Self.key)"
    for arguments in [
      [], ["worker"], ["worker", key], ["worker", "7", "--store", "s", "--attempt", "1"],
      ["worker", key, "--store", "s", "--attempt", "1", "--with", "\(key)"],
      ["worker", key, "--store", "s", "--attempt", "1", "--with", "7:1"],
      ["worker", key, "--store", "s"], ["worker", key, "--store", "s", "--attempt", "x"],
      ["worker", key, "--store", "s", "--attempt"],
      ["worker", key, "--store", "s", "--attempt", "1", "--help"],
      ["run", key, "--store", "s", "--attempt", "1"], ["worker", "--batch", "t", "--task", "1"],
    ] {
      #expect(WorkerJob(arguments) == nil, "\(arguments)")
    }
  }
}
