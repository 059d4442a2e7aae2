import ArgumentParser
import BenchKit
import Foundation
import Glibc
import Support

/// `netpold bench-l7`.
struct BenchL7Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-l7",
        abstract: "Measure the CPU cost of an HTTP request in the proxy, beside Envoy and haproxy in the same rounds.",
        usage: "netpold bench-l7 [<options>]",
        discussion: """
            Each proxy gets the first core, and three path patterns and an access log; clients and server are on the second. \
            32 connections that stay open, bodies of 1 KB, one request at a time on each. CPU time is that of the proxy's threads, \
            with the kernel's work for them. Also its memory at 1,000 connections and, with --allocations, its allocations. \
            Needs two cores and `netpold proxy` alone; `make bench-l7` installs the others (no root needed for the measurement).
            """)

    @Option(help: "Rounds; the median is printed.")
    var rounds = 7

    @Option(help: "Requests of each kind to each proxy in a round.")
    var requests = 20_000

    @Option(help: ArgumentHelp("The program envoy; left out when not given.", valueName: "path"))
    var envoy: String?

    @Option(help: ArgumentHelp("The program haproxy; left out when not given.", valueName: "path"))
    var haproxy: String?

    @Option(help: ArgumentHelp("The built scripts/count-allocations.c; else they are not counted.", valueName: "path"))
    var allocations: String?

    func validate() throws {
        guard rounds > 0, requests >= 100 else {
            throw ValidationError("--rounds must be positive and --requests at least 100")
        }
        for path in [envoy, haproxy, allocations].compactMap(\.self) where access(path, R_OK) != 0 {
            throw ValidationError("\(path): no such file; `make bench-l7` installs what is needed")
        }
    }

    func run() throws {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let bench = L7Bench(
            rounds: rounds, requests: requests, netpold: program, envoy: envoy, haproxy: haproxy,
            allocations: allocations)
        let report = try MeasuredRun.run(needsRoot: nil) { progress in
            try bench.run(Interrupt(), progress: progress.show)
        }
        print(BenchL7Table.render(report))
    }
}
