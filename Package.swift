// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

func module(
  _ name: String, uses dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(of name: String, uses dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    swiftSettings: strict)
}

func system(_ name: String, _ package: String) -> Target {
  .systemLibrary(name: name, providers: [.apt([package])])
}

// Where `make build` has laid out archives of OpenBLAS and zstd: the program finds them in
// itself and starts sooner.
let archives: [LinkerSetting] = [
  .unsafeFlags(["-L\(Context.packageDirectory)/.build/static"], .when(configuration: .release))
]

let package = Package(
  name: "mtkd-sweep",
  products: [
    .executable(name: "mtkd-sweep", targets: ["mtkd-sweep"]),
    // What programs with networks, methods and so on of their own are made of: docs/extending.md.
    .library(
      name: "SweepExtensions",
      targets: [
        "Specs", "Tensors", "Networks", "Distillation", "Datasets", "Training", "Reports", "Sweeps",
        "Pipeline", "Results", "Commands",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: [
    // Roots
    system("CNettle", "nettle-dev"),
    system("COpenBLAS", "libopenblas-dev"),
    system("CZstd", "libzstd-dev"),
    system("CZlib", "zlib1g-dev"),
    // libjpeg-turbo and libpng, of the packages libjpeg62-turbo-dev and libpng-dev.
    .target(
      name: "CImages", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])],
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    // -O3 in every configuration, so that tests are fast in a debug build; no contraction,
    // because a key promises bits.
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno"])]),
    // Arguments, streams and signals as the process found them; starts of other processes.
    .target(name: "CProcesses"),
    module("Specs", uses: ["CNettle"]),
    module("Tensors", uses: ["CKernels", "COpenBLAS"]),
    // Engine
    module("Networks", uses: ["Tensors", "Specs"]),
    module("Datasets", uses: ["Evaluation", "Tensors", "Specs", "CImages", "CZlib"]),
    module("Evaluation"),
    module("Detection", uses: ["Networks", "Tensors"]),
    module("Segmentation", uses: ["Networks", "Tensors"]),
    module(
      "Transfers",
      uses: ["Detection", "Segmentation", "Evaluation", "Networks", "Datasets", "Tensors", "Specs"]),
    module("Distillation", uses: ["Networks", "Tensors", "Specs"]),
    module("Training", uses: ["Networks", "Distillation", "Datasets", "Tensors", "Specs"]),
    // Orchestration
    module("Storage", uses: ["Specs", "CZstd", .product(name: "GRDB", package: "GRDB.swift")]),
    module(
      "Sweeps",
      uses: [
        "CProcesses", "Specs", .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      // A link to sweeps/: its grids are presets.
      resources: [.embedInCode("Presets")]),
    module("Reports", uses: ["Specs"]),
    module("Results", uses: ["Storage", "Reports", "Specs"]),
    // Join
    module(
      "Pipeline",
      uses: [
        "Training", "Transfers", "Evaluation", "Networks", "Distillation", "Datasets", "Tensors", "Storage",
        "Sweeps", "Specs", "CProcesses",
      ]),
    .executableTarget(
      name: "mtkd-sweep", dependencies: ["Commands"], swiftSettings: strict, linkerSettings: archives),
    .target(
      name: "Commands",
      dependencies: [
        "Pipeline", "Reports", "Results", "Storage", "Sweeps", "Specs", "Networks", "Distillation",
        "Datasets", "Tensors", "CProcesses",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mtkd-benchmarks",
      dependencies: [
        "Pipeline", "Reports", "Storage", "Sweeps", "Training", "Transfers", "Detection", "Datasets",
        "Distillation", "Networks", "Tensors", "Specs",
      ],
      path: "Benchmarks",
      exclude: [
        "RESULTS.md", "pairs.py", "torch_steps.py", "downstream_pairs.py", "torchvision_steps.py", "peers",
      ],
      swiftSettings: strict),
    // Tests
    .target(
      name: "CTestSupport", path: "Tests/CTestSupport",
      cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])], linkerSettings: [.linkedLibrary("jpeg")]),
    .target(
      name: "TestSupport", dependencies: ["CTestSupport", "Tensors", "Specs"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(of: "Specs"),
    tests(of: "Storage", uses: ["Specs", .product(name: "GRDB", package: "GRDB.swift")]),
    tests(of: "Sweeps", uses: ["Specs"]),
    tests(of: "Tensors"),
    tests(of: "Networks", uses: ["Tensors", "Specs"]),
    tests(of: "Datasets", uses: ["Evaluation", "Tensors", "Specs"]),
    tests(of: "Detection", uses: ["Networks", "Specs", "Tensors"]),
    tests(of: "Evaluation", uses: ["Networks", "Specs", "Tensors"]),
    tests(of: "Reports", uses: ["Specs"]),
    tests(of: "Results", uses: ["Reports", "Storage", "Specs"]),
    tests(of: "Transfers", uses: ["Segmentation", "Networks", "Datasets", "Evaluation", "Tensors", "Specs"]),
    tests(of: "Distillation", uses: ["Networks", "Reports", "Tensors", "Specs"]),
    tests(
      of: "Pipeline",
      uses: ["Storage", "Sweeps", "Specs", .product(name: "GRDB", package: "GRDB.swift")]),
    tests(of: "Training", uses: ["Networks", "Distillation", "Datasets", "Tensors", "Specs"]),
    // As if it were of another package: public declarations alone.
    .testTarget(
      name: "ExtensionTests",
      dependencies: [
        "Specs", "Tensors", "Networks", "Distillation", "Datasets", "Training", "Reports", "Sweeps",
        "Pipeline", "Results", "Commands",
      ],
      packageAccess: false, swiftSettings: strict),
    .testTarget(
      name: "FuzzTests",
      dependencies: ["Specs", "Storage", "Sweeps", "Networks", "Datasets", "Evaluation"],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "TestSupport", "Reports", "Results", "Storage", "Networks", "Tensors", "Specs", "mtkd-sweep",
        "Commands",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
  ]
)
