import Foundation
public import Support

/// CPU per request of HTTP proxies, one core each, in turn: netpold, Envoy and haproxy with the same rules and an access log.
public struct L7Bench {
    /// How allocations of the netpold process are counted: a library to preload, and the file in which it counts.
    public struct Allocations {
        let library: String
        let counter: String

        /// From the library's path and a folder for the counter.
        public init(library: String, folder: String) {
            self.library = library
            counter = "\(folder)/allocations"
            _ = FileManager.default.createFile(atPath: counter, contents: Data(count: 8))
        }

        /// The allocations so far.
        func count() -> UInt64 {
            guard let data = FileManager.default.contents(atPath: counter), data.count >= 8 else { return 0 }
            return data.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    private let rounds: Int
    private let requests: Int
    private let programs: [MeasuredProxy.Kind: String]
    private let library: String?
    private static let connections = 32
    private static let body = 1_024

    /// A benchmark of so many rounds, with so many requests of each kind to each proxy in each. `netpold`, `envoy` and `haproxy` are
    /// programs; those that are `nil` are left out. `allocations`: the library of scripts/count-allocations.c.
    public init(
        rounds: Int, requests: Int, netpold: String, envoy: String?, haproxy: String?, allocations: String?
    ) {
        self.rounds = rounds
        self.requests = requests
        library = allocations
        var programs: [MeasuredProxy.Kind: String] = [.netpold: netpold]
        programs[.envoy] = envoy
        programs[.haproxy] = haproxy
        self.programs = programs
    }

    /// Runs it. The thread stays on the second CPU, the proxies on the first. A signal ends it at the next response.
    public func run(_ interrupt: Interrupt, progress: (String) -> Void) throws -> L7BenchReport {
        try ThreadCPU.pin(to: 1)
        let folder = "\(NSTemporaryDirectory())/netpold-bench-l7-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let peer = try HTTPPeer(body: L7Bench.body, check: interrupt.check)
        var proxies: [MeasuredProxy] = []
        defer { for proxy in proxies { proxy.stop() } }
        for kind in MeasuredProxy.Kind.allCases {
            guard let program = programs[kind] else { continue }
            let proxy = try MeasuredProxy(
                kind, program: program, server: peer.port, folder: folder, allocations: nil)
            proxies.append(proxy)
            try proxy.waitUntilReady(check: interrupt.check)
        }
        var report = L7BenchReport()
        for round in 0...rounds {
            // Each is first in turn. The first round warms up.
            for index in proxies.indices {
                let proxy = proxies[(index + round) % proxies.count]
                progress("round \(round) of \(rounds): \(proxy.kind.rawValue)")
                try interrupt.check()
                let cost = try measure(proxy, peer)
                if round > 0 { report.costs[proxy.kind.rawValue, default: []].append(cost) }
            }
        }
        for proxy in proxies {
            try interrupt.check()
            try peer.connect(1_000, to: proxy.port)
            _ = try peer.run(4_000, request: L7Bench.allowed, expecting: 200)
            report.residentBytes[proxy.kind.rawValue] = proxy.residentBytes()
            try peer.connect(0, to: proxy.port)
        }
        if let library {
            progress("allocations")
            report.allocations = try countAllocations(
                Allocations(library: library, folder: folder), peer, folder, interrupt)
        }
        return report
    }

    private static let allowed = Array(
        "GET /api/v2/users/17 HTTP/1.1\r\nHost: api.shop\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n".utf8)
    private static let denied = Array(
        "GET /admin/users/17 HTTP/1.1\r\nHost: api.shop\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n".utf8)

    private func measure(_ proxy: MeasuredProxy, _ peer: HTTPPeer) throws -> L7BenchReport.Cost {
        try peer.connect(L7Bench.connections, to: proxy.port)
        var cost = L7BenchReport.Cost()
        (cost.allowed, cost.allowedKernel) = try time(proxy, peer, L7Bench.allowed, 200)
        (cost.denied, cost.deniedKernel) = try time(proxy, peer, L7Bench.denied, 403)
        try peer.connect(0, to: proxy.port)
        return cost
    }

    /// Microseconds of CPU a request, and the kernel's part of them.
    private func time(
        _ proxy: MeasuredProxy, _ peer: HTTPPeer, _ request: [UInt8], _ status: Int
    ) throws -> (all: Double, kernel: Double) {
        _ = try peer.run(requests / 10, request: request, expecting: status)
        let begin = (proxy.cpuTime(), proxy.kernelTime())
        let outcome = try peer.run(requests, request: request, expecting: status)
        let end = (proxy.cpuTime(), proxy.kernelTime())
        guard outcome.expected == outcome.responses, outcome.reconnects == 0 else {
            throw SystemError(
                "measure", proxy.kind.rawValue, nil,
                detail: "\(outcome.expected) of \(outcome.responses) responses were \(status), "
                    + "\(outcome.reconnects) connections were closed: the proxies do not do the same work")
        }
        let scale = Double(requests) * 1_000
        return (Double(end.0 - begin.0) / scale, Double(end.1 - begin.1) / scale)
    }

    private func countAllocations(
        _ allocations: Allocations, _ peer: HTTPPeer, _ folder: String, _ interrupt: Interrupt
    ) throws -> [Double] {
        guard let program = programs[.netpold] else { return [] }
        let proxy = try MeasuredProxy(
            .netpold, program: program, server: peer.port, folder: folder, allocations: allocations)
        defer { proxy.stop() }
        try proxy.waitUntilReady(check: interrupt.check)
        try peer.connect(L7Bench.connections, to: proxy.port)
        return try [(L7Bench.allowed, 200), (L7Bench.denied, 403)].map { request, status in
            _ = try peer.run(2_000, request: request, expecting: status)
            let begin = allocations.count()
            _ = try peer.run(20_000, request: request, expecting: status)
            return Double(allocations.count() - begin) / 20_000
        }
    }
}
