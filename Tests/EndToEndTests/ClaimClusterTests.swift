import Foundation
import Testing

/// Claims on a cluster: each look is a batch, and what is asked for next depends on results alone.
@Suite(.enabled(if: Testbed.isHere, "a Slurm cluster is brought up on loopback"))
struct ClaimClusterTests {
  @Test func `a cluster asks for the seeds that this machine asks for`() throws {
    let bed = try Testbed(site: #"{"pollSeconds": 1, "chunkMinutes": 0}"#)
    let seeds = #""seeds": { "count": 2 }"#
    #expect(TinySweep.grid.contains(seeds))
    try bed.write(
      TinySweep.grid.replacing(
        seeds, with: #""seeds": { "count": 2, "upTo": 4 }, "claims": [{ "compare": "mtkd-rl - baseline" }]"#),
      to: "claims.json")
    let local = try bed.run("run", "claims.json", "--store", "local", "--workers", "2")
    #expect(local.status == 0 && local.out.contains("mtkd-rl - baseline"), "\(local.talk)")
    let cluster = try bed.run("run", "claims.json", "--executor", "slurm", "--site", "site.json", "--wait")
    #expect(cluster.status == 0, "\(cluster.talk)")
    #expect(cluster.out == local.out)
    #expect(
      cluster.talk.contains("1 of 1 claim open after 1 look"), "a look after the first runs: \(cluster.talk)")
    let list = { (store: String) in
      try bed.run("list", "tiny", "--store", store).out.split(separator: "\n").sorted()
    }
    #expect(try list("results") == list("local"))
    #expect(try list("local").count == 8)
  }
}
