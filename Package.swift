// swift-tools-version: 6.2
// The arrows between targets are those of Sources/README.md: Heating knows nobody, only executables and HomePage join modules,
// and nothing hearthd depends on may reach librdkafka, libcurl or full Foundation (scripts/check-linkage proves it).
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    .enableUpcomingFeature("ExistentialAny"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = ["NIOPosix", "NIOHTTP1"].map { Target.Dependency.product(name: $0, package: "swift-nio") }
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

let package = Package(
    name: "hearth",
    products: [
        .executable(name: "hearthd", targets: ["hearthd"]),
        .executable(name: "hearth", targets: ["hearth"]),
        .executable(name: "hearth-web", targets: ["hearth-web"]),
        .executable(name: "hearth-cloud", targets: ["hearth-cloud"]),
        .executable(name: "hearth-sim", targets: ["hearth-sim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CMosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CRdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

        .target(
            name: "Heating", exclude: ["README.md"], swiftSettings: swiftSettings),
        // The floor: clocks, threads, descriptors, errno's words. Heating is pure and does not stand on it.
        .target(name: "Machine", dependencies: ["CLinux"], swiftSettings: swiftSettings),
        .target(name: "Compression", dependencies: ["Heating", "CZlib"], swiftSettings: swiftSettings),
        .target(
            name: "Journal", dependencies: ["Machine", "CSQLite"], exclude: ["README.md"], swiftSettings: swiftSettings),
        // Compiled C: what must lie between libmosquitto and Swift. See its header.
        .target(name: "CMosquittoGuard"),
        .target(
            name: "MQTT", dependencies: ["Machine", "CMosquitto", "CMosquittoGuard"], exclude: ["README.md"],
            swiftSettings: swiftSettings),
        .target(
            name: "EventLog", dependencies: ["Machine", "Journal", "CRdkafka"], exclude: ["README.md"],
            swiftSettings: swiftSettings),
        .target(
            name: "Influx", dependencies: ["Machine", "Heating", "CCurl", "CZlib"], exclude: ["README.md"],
            swiftSettings: swiftSettings),

        // Compiled C: the page's files as bytes of the program; a bundle beside it would bring full Foundation with it. See its header.
        .target(name: "CPage"),
        // What hearth-web serves, without its TLS: the tests need not compile that.
        .target(
            name: "HomePage",
            dependencies: [
                "Machine", "Heating", "Compression", "GatewayClient", "HTTP", "Prometheus", "CPage", logging, metrics,
            ],
            exclude: ["Page"], swiftSettings: swiftSettings),
        .target(name: "GatewayClient", dependencies: ["Machine", "Heating"], swiftSettings: swiftSettings),
        .target(name: "LogLines", dependencies: ["Machine", "Heating", logging], swiftSettings: swiftSettings),
        .target(name: "HTTP", dependencies: [nioCore] + nioHTTP, swiftSettings: swiftSettings),
        .target(name: "Prometheus", dependencies: [metrics], swiftSettings: swiftSettings),

        .executableTarget(
            name: "hearthd",
            dependencies: [
                "CLinux", "Machine", "Heating", "Compression", "Journal", "LogLines", "MQTT", argumentParser, logging,
                lifecycle,
                toml,
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings,
            // The static Swift library is linked with every symbol exported, for plug-ins that we have none of; the tables
            // are read at each start and stay in memory (measured: 1.2 MB of 21).
            // At a fixed address the tables of pointers stay as they are in the file, shared by both processes, where each would
            // have a relocated copy of its own (Sources/DECISIONS.md). Libraries, heap and stacks keep their random addresses.
            linkerSettings: [
                .unsafeFlags(["-Xlinker", "--no-export-dynamic"], .when(platforms: [.linux])),
                .unsafeFlags(["-Xclang-linker", "-no-pie"], .when(platforms: [.linux], configuration: .release)),
            ]),
        .executableTarget(
            name: "hearth", dependencies: ["Machine", "Heating", "GatewayClient", argumentParser],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "hearth-web",
            dependencies: [
                "HomePage", "Machine", "HTTP", "LogLines", argumentParser, logging, lifecycle, nioCore, nioSSL,
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "hearth-cloud",
            dependencies: [
                "Machine", "Heating", "Compression", "MQTT", "EventLog", "Influx", "HTTP", "LogLines", "Prometheus",
                argumentParser,
                logging,
                lifecycle, metrics,
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "hearth-sim", dependencies: ["Machine", "Heating", "Compression", "MQTT", argumentParser, logging],
            exclude: ["README.md"], swiftSettings: swiftSettings),

        // What several suites share: broker processes on free ports, scripted peers, a wire-reading proxy.
        .target(
            name: "TestSupport", dependencies: ["Heating"], path: "Tests/TestSupport", swiftSettings: swiftSettings),
        // Simulated worlds around the pure parts, run by the tests for a moment and by `simulate` for a million histories.
        .target(
            name: "SimulationModel", dependencies: ["Heating"], path: "Tests/Simulation/Model",
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "simulate", dependencies: ["SimulationModel", "Heating", argumentParser],
            path: "Tests/Simulation/Program",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "HeatingTests", dependencies: ["Heating", "Compression", "SimulationModel"],
            swiftSettings: swiftSettings),
        .testTarget(name: "MachineTests", dependencies: ["Machine"], swiftSettings: swiftSettings),
        // An SQLite VFS that fails, stalls and records; used by the journal's tests and by crash-images.
        .target(
            name: "FaultyDisk", dependencies: ["CSQLite"], path: "Tests/FaultyDisk", swiftSettings: swiftSettings),
        .executableTarget(
            name: "crash-images",
            dependencies: ["Journal", "FaultyDisk", "CSQLite", "SimulationModel", argumentParser],
            path: "Tests/CrashImages", swiftSettings: swiftSettings),
        .testTarget(
            name: "JournalTests", dependencies: ["Machine", "Journal", "FaultyDisk", "CSQLite", "SimulationModel"],
            swiftSettings: swiftSettings),
        .testTarget(name: "MQTTTests", dependencies: ["Machine", "MQTT", "TestSupport"], swiftSettings: swiftSettings),
        // librdkafka's in-process broker in a process of its own, taking commands: the Kafka peer of the tests.
        .executableTarget(
            name: "mock-kafka", dependencies: ["EventLog", "CRdkafka"], path: "Tests/MockKafka",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "EventLogTests",
            dependencies: [
                "Machine", "EventLog", "Journal", "FaultyDisk", "CSQLite", "TestSupport", "SimulationModel",
                "mock-kafka",
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "InfluxTests",
            dependencies: ["Influx", "Heating", "CCurl", "CZlib", "TestSupport", "SimulationModel"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "hearth-cloudTests",
            dependencies: [
                "hearth-cloud", "Machine", "TestSupport", "SimulationModel", "Compression", "Heating", "EventLog",
                "HTTP", "Influx",
                "MQTT",
                "Prometheus",
                logging,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "hearthTests", dependencies: ["hearth", "GatewayClient", "Heating", "Machine"],
            swiftSettings: swiftSettings),
        .testTarget(name: "PrometheusTests", dependencies: ["Prometheus", metrics], swiftSettings: swiftSettings),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HomePageTests",
            dependencies: [
                "HomePage", "Compression", "HTTP", "GatewayClient", "Heating", "LogLines", "Prometheus", logging,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "hearthdTests", dependencies: ["hearthd", "Heating", "Machine"], swiftSettings: swiftSettings),
        .testTarget(name: "hearth-simTests", dependencies: ["hearth-sim"], swiftSettings: swiftSettings),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "Machine", "Heating", "Compression", "MQTT", "TestSupport", "SimulationModel", "mock-kafka",
            ],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)

// libFuzzer brings a main of its own, so this target is only there when asked for: scripts/fuzz puts the files of
// Tests/Fuzz there, and beside them those of hearthd that it shall read.
if Context.environment["HEARTH_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: ["Machine", "Heating", "Compression", "Influx", "GatewayClient", "Journal", "MQTT", toml],
            path: ".build-fuzz/sources",
            swiftSettings: swiftSettings + [.unsafeFlags(["-parse-as-library"])]))
}
