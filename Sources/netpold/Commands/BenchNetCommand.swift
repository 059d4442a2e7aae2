import ArgumentParser
import Glibc

/// `netpold bench-net`.
struct BenchNetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-net",
        abstract: "Measure the CPU cost of enforcement between two pods: nothing, netpold, nftables.",
        discussion: """
            Builds two pods in network namespaces of their own and measures CPU time per UDP datagram, per TCP \
            connection with one request, and per request on an open connection. Rounds of no policy, netpold and an \
            equivalent nftables set with conntrack alternate; each is divided by the round's own run without policy. \
            "no policy again" shows the noise. Needs root and nft (apt-get install nftables).
            """)

    @Option(help: "Rounds; the median is printed.")
    var rounds = 21

    @Option(help: "Work a round: 200 datagrams, 48 connections and 100 requests times this.")
    var scale = 50

    func validate() throws {
        guard rounds > 0, scale > 0 else { throw ValidationError("--rounds and --scale must be positive") }
    }

    func run() throws {
        guard geteuid() == 0 else {
            ErrorOutput.error("bench-net makes network namespaces: run it as root")
            throw ExitCode.machine
        }
        do {
            try measure()
        } catch let signal as Interrupt.Signalled {
            throw ExitCode(128 + signal.number)
        }
    }

    private func measure() throws {
        let progress = ProgressLine()
        let interrupt = Interrupt()
        let network = try BenchNetwork()
        defer { network.close() }
        var contenders: [any Enforcement] = [
            NoEnforcement(name: "no policy again"), try NetpoldEnforcement(network),
            NftablesEnforcement(network: network),
        ]
        let baseline = NoEnforcement(name: "no policy")
        var ratios: [String: [[Double]]] = [:]
        var plain: [LoadResult] = []
        for round in 1...rounds {
            try interrupt.check()
            progress.show("round \(round) of \(rounds)")
            let none = try measured(baseline, network)
            plain.append(none)
            for contender in contenders {
                let result = try measured(contender, network)
                ratios[contender.name, default: []].append(
                    LoadResult.columns.map { result[keyPath: $0.value] / none[keyPath: $0.value] })
            }
            // The order within a round rotates, so that no contender always runs at the same distance from the baseline.
            contenders.append(contenders.removeFirst())
        }
        progress.clear()
        print(BenchNetTable.render(plain: plain, ratios: ratios))
    }

    private func measured(_ enforcement: any Enforcement, _ network: BenchNetwork) throws -> LoadResult {
        try enforcement.install()
        let result = Result { try network.measure(scale: scale) }
        try enforcement.remove()
        return try result.get()
    }
}
