import Foundation
import Testing

/// A page's policy names its own scripts and styles by their digests and allows no other.
@Suite struct PagePolicyTests {
  /// Python's own SHA-256 over every script and style of a page, compared with the policy in it.
  private static let check = #"""
    import base64, hashlib, html, re, sys
    page = sys.stdin.read()
    policy = html.unescape(re.search(r'Content-Security-Policy content="([^"]*)"', page).group(1))
    assert 'unsafe' not in policy, policy
    def named(text): return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
    blocks = re.findall(r'<(script|style)([^>]*)>(.*?)</\1>', page, re.S)
    bad = [t for t, a, b in blocks if 'type=' not in a and named(b) not in policy]
    attributes = re.findall(r'<[a-z][^>]*\s(?:style|on[a-z]+)=', re.sub(r'<(script|style)[^>]*>.*?</\1>', '', page, flags=re.S))
    print(len(blocks), 'blocks', bad, attributes[:3])
    sys.exit(1 if bad or attributes or not blocks else 0)
    """#

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
  func `every script and style is named by its digest, and attributes have neither`() throws {
    let sweep = try TinySweep(grid: TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1"))
    defer { sweep.remove() }
    try sweep.write(Self.check, to: "check.py")
    try #require(try Program.run("run", "tiny.json", "-q", in: sweep.folder).status == 0)
    let report = try Program.shell(
      "\"$PROGRAM\" report --format html | python3 check.py", in: sweep.folder)
    #expect(report.status == 0, "\(report.out) \(report.talk)")
    let served = try Program.shell(
      """
      "$PROGRAM" serve --port 0 > address 2> /dev/null & server=$!
      while ! [ -s address ]; do :; done
      python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' \
        "$(cat address)sweeps/tiny" | python3 check.py; code=$?
      kill $server; exit $code
      """, in: sweep.folder)
    #expect(served.status == 0, "\(served.out) \(served.talk)")
  }
}
