internal import Foundation
package import Specs
internal import Storage

/// Where the Python side of this program lies, and the Python that runs it.
package enum PythonSide {
  /// The folder that holds the trainers' modules: `Python` of a repository, `share/mtkd-sweep/Python` of an
  /// installation, or the folder where a wheel was unpacked. Nil where this program stands alone.
  package static func folder(
    for trainer: NamedTrainer,
    of program: String? = try? FileManager.default.destinationOfSymbolicLink(
      atPath: "/proc/self/exe")
  ) -> String? {
    var above = program.map { URL(filePath: $0).deletingLastPathComponent() }
    while let place = above {
      for candidate in ["Python", "share/mtkd-sweep/Python", "."] {
        let folder = place.appending(path: candidate).standardizedFileURL.path
        let isThere = trainer.folders.allSatisfy {
          FileManager.default.fileExists(atPath: "\(folder)/\($0)/__init__.py")
        }
        if isThere { return folder }
      }
      above = place.path == "/" ? nil : place.deletingLastPathComponent()
    }
    return nil
  }

  /// What a Python says of itself.
  package struct Interpreter: Equatable, Sendable {
    package let path: String
    package let version: String
    /// Nil where it has no torch.
    package let torch: String?
    package let devices: [String]
  }

  private static let question = """
    import json, sys
    said = {"path": sys.executable, "version": ".".join(map(str, sys.version_info[:3])), "devices": []}
    try:
        import numpy, torch
        count = torch.cuda.device_count()
        said["torch"] = torch.__version__
        said["devices"] = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(count)]
    except ImportError:
        pass
    print(json.dumps(said))
    """
  /// Seconds that loading a framework may take.
  private static let patience = 60.0

  /// The `python3` on `PATH`, which runs the trainers; nil where there is none, or where it does not answer.
  package static func interpreter() -> Interpreter? {
    guard
      let child = try? TrainerProcess(["python3", "-c", question], in: ".", saying: [], mark: "")
    else { return nil }
    defer { child.endGroup() }
    let begin = DispatchTime.now()
    var said: [String] = []
    while let lines = child.lines(isAsked: false) {
      said += lines
      if Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) * 1e-9 > patience {
        return nil
      }
    }
    guard let line = said.last, let json = try? JSONReader.read(Array(line.utf8)).value,
      let path = json.object?["path"]?.string, let version = json.object?["version"]?.string
    else { return nil }
    let devices = json.object?["devices"]?.array?.compactMap(\.string) ?? []
    return Interpreter(path: path, version: version, torch: json.object?["torch"]?.string, devices: devices)
  }
}

/// A grid names a trainer that comes with this program, and its modules are not here.
struct NoPythonSide: Error, CustomStringConvertible {
  let trainer: String
  var description: String {
    "the trainer '\(trainer)' is made of the modules in Python/, which are not beside this program: take "
      + "the program from the repository, `make install` or the wheel"
  }
}

extension TrainerFiles {
  /// A trainer of the catalog as a grid could write it.
  static func spec(named name: String) throws -> TrainerSpec {
    let trainer = try Catalog.trainers.entry(name)
    guard let folder = PythonSide.folder(for: trainer) else { throw NoPythonSide(trainer: name) }
    let files = try trainer.folders.sorted().map {
      TrainerSpec.File(name: $0, digest: try digest(of: "\(folder)/\($0)"))
    }
    var spec = TrainerSpec(command: ["python3"] + trainer.words, files: files, name: name, folder: folder)
    spec.version = 2
    return spec
  }
}
