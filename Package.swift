// swift-tools-version: 6.2
import PackageDescription

// `make` and CI set NETPOLD_STRICT; a user's plain `swift build` with a newer compiler only shows new warnings.
let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
    ] + (Context.environment["NETPOLD_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

// Set by `make fuzz` alone.
let fuzzing = Context.environment["NETPOLD_FUZZ"] != nil
let pure = strict + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])] : [])

// `make dist` names the commit; a C target holds it, so that a new commit builds one file anew.
let version: [CSetting] =
    Context.environment["NETPOLD_VERSION"].map { [.define("NETPOLD_VERSION", to: "\"\($0)\"")] } ?? []

let package = Package(
    name: "netpold",
    products: [
        .executable(name: "netpold", targets: ["netpold"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        // `make docs` alone; no target of this package uses it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // What every command and the agent need of the system and the terminal; nothing of netpold in it.
        .target(
            name: "Support", dependencies: ["CLinux", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),

        // Finds the messages of HTTP/1 in bytes. Depends on nothing.
        .target(name: "HTTPScan", swiftSettings: pure),

        // Reads DNS queries and what answers teach, as the kernel does. Depends on nothing.
        .target(name: "DNSScan", swiftSettings: pure),

        // Finds the name in a TLS ClientHello, as the kernel does. Depends on nothing.
        .target(name: "TLSScan", swiftSettings: pure),

        // Pure: no I/O, no clock, no root. (Of Support only the text style.) Dependencies go one way, in this order.
        .target(name: "NetTypes", swiftSettings: pure),
        .target(
            name: "PolicyAPI", dependencies: ["NetTypes", "CRE2", .product(name: "Yams", package: "Yams")],
            swiftSettings: pure),
        .target(name: "PolicyIR", dependencies: ["HTTPScan", "NetTypes", "PolicyAPI"], swiftSettings: pure),
        // HTTP rules compiled for requests as bytes, and the snapshot in which the agent hands them to the proxy.
        .target(
            name: "ProxyRules", dependencies: ["HTTPScan", "NetTypes", "PolicyAPI", "PolicyIR"], swiftSettings: strict),
        .target(
            name: "PolicyAnalysis",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "Support",
                .product(name: "Algorithms", package: "swift-algorithms"),
            ],
            swiftSettings: pure),
        // A C face of libre2 (C++), so that no module needs C++ interoperability.
        .target(
            name: "CRE2", cxxSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            // The second for `make dist`: a linker that reads archives once wants it behind the first.
            linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]),
        .target(name: "CNetpoldVersion", cSettings: version),
        .target(name: "CNetpoldABI", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Wpadded", "-Werror"])]),
        // Its folders depend one way: scripts/check-imports.sh --graph.
        .target(
            name: "BPFEmit",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "CNetpoldABI",
                .product(name: "Algorithms", package: "swift-algorithms"),
            ],
            swiftSettings: pure),
        // Runs emitted programs without a kernel. For tests: no product links it.
        .target(
            name: "BPFSimulate", dependencies: ["NetTypes", "PolicyAPI", "PolicyIR", "BPFEmit", "CNetpoldABI"],
            swiftSettings: pure),

        // Privileged: libbpf, netlink, namespaces. Only this target imports CLibBPF and CLibNL.
        .systemLibrary(
            name: "CLibBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev", "libelf-dev", "zlib1g-dev"])]),
        .systemLibrary(name: "CLibNL", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-route-3-dev"])]),
        // Linux calls that Swift's Glibc module leaves out.
        .systemLibrary(name: "CLinux"),
        .target(
            name: "Datapath",
            dependencies: [
                "NetTypes", "PolicyIR", "Support", "BPFEmit", "CNetpoldABI", "CLibBPF", "CLibNL", "CLinux",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Algorithms", package: "swift-algorithms"),
            ],
            swiftSettings: strict,
            plugins: ["EmbedBPF"]
        ),
        .plugin(name: "EmbedBPF", capability: .buildTool(), dependencies: ["embed-bpf"]),
        .executableTarget(name: "embed-bpf", swiftSettings: strict),

        // Daemon logic against protocols; tested without root.
        .target(
            name: "Agent",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),

        // Follows a Kubernetes API server: kubeconfig, credentials, list and watch. Knows nothing of policies' meaning.
        .target(
            name: "KubeClient",
            dependencies: [
                "PolicyAPI", "Support",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        // The objects of an API server as a source of the agent's: decodes what KubeClient brings.
        .target(
            name: "KubeObjects",
            dependencies: [
                "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "Agent", "KubeClient",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // Decides HTTP requests between a client and a server, and forwards what rules allow as it came.
        .target(
            name: "L7Proxy",
            dependencies: [
                "DNSScan", "HTTPScan", "PolicyIR", "ProxyRules", "Support",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ],
            swiftSettings: strict),

        // A Kubernetes API server in this process that behaves as a recorded one, and misbehaves on request. For tests, the lab
        // and the bench.
        .target(
            name: "KubeTestServer",
            dependencies: [
                "PolicyAPI",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
            ],
            swiftSettings: strict),

        // The protocol of CNI plugins, the notes of one, and its place in a node's configuration.
        .target(
            name: "CNIPlugin",
            dependencies: ["Support", .product(name: "SystemPackage", package: "swift-system")], swiftSettings: strict),

        // Networks of namespaces, and what is tried in them: `netpold lab`, and the kernel tests.
        .target(
            name: "LabKit",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit", "Datapath",
                "Agent", "CLinux",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        // Measurements: the `netpold bench` commands.
        .target(
            name: "BenchKit",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "Support", "BPFEmit", "CNetpoldABI", "Datapath",
                "Agent", "LabKit", "CLinux", "KubeClient", "KubeObjects", "KubeTestServer",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict,
            plugins: ["EmbedBPF"]
        ),
        .executableTarget(
            name: "netpold",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit", "Datapath", "Agent",
                "CNIPlugin", "CNetpoldVersion", "KubeClient", "KubeObjects",
                "LabKit", "BenchKit", "L7Proxy", "ProxyRules",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"), .product(name: "Yams", package: "Yams"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        .target(
            name: "NetpoldTestSupport",
            dependencies: ["NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "BPFEmit", "BPFSimulate"],
            path: "Tests/NetpoldTestSupport",
            swiftSettings: pure),
        // The smuggling corpus, and llhttp beside the scanner: the one that SwiftNIO carries for NIOHTTP1.
        .target(
            name: "HTTPTestSupport", dependencies: ["HTTPScan", .product(name: "NIOHTTP1", package: "swift-nio")],
            path: "Tests/HTTPTestSupport", swiftSettings: pure),
        .testTarget(
            name: "HTTPScanTests", dependencies: ["HTTPScan", "HTTPTestSupport", "NetpoldTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "TLSScanTests", dependencies: ["TLSScan", "NetpoldTestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ProxyRulesTests",
            dependencies: ["HTTPScan", "PolicyAPI", "PolicyIR", "ProxyRules", "NetpoldTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "L7ProxyTests",
            dependencies: [
                "DNSScan", "HTTPScan", "HTTPTestSupport", "L7Proxy", "NetTypes", "PolicyAPI", "PolicyIR", "ProxyRules",
                "Support",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ],
            exclude: ["RealServers/grpc_calls.py"],
            swiftSettings: strict),
        .testTarget(
            name: "KubeTestServerTests",
            dependencies: [
                "KubeTestServer", "PolicyAPI",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CNIPluginTests", dependencies: ["CNIPlugin", "Support", "NetpoldTestSupport"], swiftSettings: strict),
        .testTarget(name: "NetTypesTests", dependencies: ["NetTypes"], swiftSettings: strict),
        .testTarget(
            name: "PolicyAPITests",
            dependencies: ["NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "NetpoldTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "PolicyIRTests",
            dependencies: ["NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "NetpoldTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "PolicyAnalysisTests",
            dependencies: ["NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "NetpoldTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "BPFEmitTests",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "BPFEmit", "BPFSimulate", "CNetpoldABI", "NetpoldTestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "Support", "BPFEmit", "CNetpoldABI", "CLibBPF", "Datapath",
                "Agent",
                "KubeClient", "KubeTestServer", "LabKit", "netpold", "NetpoldTestSupport",
            ],
            exclude: ["L7/l7.py", "L7/frames.py", "Names/grpc_shop.py"],
            swiftSettings: strict),
        .testTarget(
            name: "DatapathTests",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "Support", "BPFEmit", "BPFSimulate", "CNetpoldABI", "Datapath",
                "LabKit", "BenchKit", "NetpoldTestSupport", "DNSScan", "TLSScan",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "LabKitTests",
            dependencies: ["NetTypes", "PolicyAPI", "PolicyIR", "Datapath", "LabKit", "NetpoldTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "NetpoldTests",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "Support", "BPFEmit", "BenchKit", "Agent", "LabKit", "netpold",
                "NetpoldTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "KubeClientTests",
            dependencies: [
                "Agent", "KubeClient", "KubeObjects", "KubeTestServer", "PolicyAPI", "PolicyIR", "Support",
                "NetpoldTestSupport",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SupportTests", dependencies: ["Support", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "NetTypes", "PolicyAPI", "PolicyIR", "PolicyAnalysis", "Support", "BPFEmit", "BPFSimulate", "Agent",
                "NetpoldTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
    ],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)

// `make fuzz` (scripts/fuzz.sh): the libFuzzer targets, and coverage in what they test.
if fuzzing {
    package.targets += [
        .systemLibrary(name: "CLibFuzzer", path: "Fuzz/CLibFuzzer"),
        // The kernel's reader of ClientHellos as a function of this machine.
        .target(name: "CHelloRead", dependencies: ["CNetpoldABI"], path: "Fuzz/CHelloRead"),
        // Its readers of DNS messages.
        .target(name: "CDNSRead", dependencies: ["CNetpoldABI"], path: "Fuzz/CDNSRead"),
        .executableTarget(
            name: "FuzzTargets",
            dependencies: [
                "CLibFuzzer", "CDNSRead", "CHelloRead", "CNetpoldABI", "DNSScan", "HTTPTestSupport",
                "NetpoldTestSupport", "TLSScan",
            ],
            path: "Fuzz/Targets",
            swiftSettings: pure, linkerSettings: [.linkedLibrary("clang_rt.fuzzer_no_main-x86_64")]),
    ]
}
