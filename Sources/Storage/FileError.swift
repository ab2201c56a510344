package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// A call to the file system that did not succeed.
package struct FileError: UserError, Equatable {
  package var exitStatus: ExitStatus {
    if isAbsent { return .missingInput }
    if isReadOnly { return .cannotCreate }
    return isDenied ? .permission : .inputOutput
  }
  /// What was tried, as a verb: "write", "rename".
  package let action: String
  package let path: String
  /// The system's number for the reason.
  package let code: Int32
  /// The reason in words, where the system's own words would not say it.
  let reason: String?

  package init(_ action: String, _ path: String, code: Int32 = errno, reason: String? = nil) {
    self.action = action
    self.path = path
    self.code = code
    self.reason = reason
  }

  init(_ action: String, _ path: String, _ problem: CheckedFile.Problem) {
    self.init(action, path, code: problem.code, reason: "\(problem)")
  }

  package var isFull: Bool { code == ENOSPC || code == EDQUOT }
  package var isReadOnly: Bool { code == EROFS }
  package var isDenied: Bool { code == EACCES || code == EPERM }
  package var isAbsent: Bool { code == ENOENT }
  /// Whether the same call may succeed later: descriptors or memory have run out.
  package var isPassing: Bool { [EMFILE, ENFILE, ENOMEM, EAGAIN].contains(code) }

  package var description: String {
    "Cannot \(action) \(ForeignText.line(path)): \(reason ?? String(cString: strerror(code))).\(advice)"
  }

  private var advice: String {
    if isFull { return " Make room there and run the same command again: what was finished is kept." }
    if isReadOnly { return " Name a folder that can be written with --store." }
    if isDenied { return " Ask for permission, or name another folder with --store." }
    return ""
  }
}
