import Commands

/// `mtkd-sweep`: the program with the catalogs of this package and no others.
@main
enum Main {
  static func main() async { await SweepProgram.main() }
}
