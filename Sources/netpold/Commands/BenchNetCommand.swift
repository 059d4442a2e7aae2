import ArgumentParser
import BenchKit
import Glibc
import Support

/// `netpold bench-net`.
struct BenchNetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-net",
        abstract: "Measure the CPU cost of enforcement between two pods: nothing, netpold, nftables.",
        discussion: """
            Builds two pods in network namespaces of their own and measures CPU time per UDP datagram, per TCP \
            connection with one request, and per request on an open connection. Rounds of no policy, netpold without and with \
            flows past the node's stack (--fast-path), and an equivalent nftables set with conntrack alternate; each is divided by \
            the round's own run without policy. "no policy again" shows the noise; hooks that return at once, and programs that forward past \
            the stack and ask no policy, show what no policy engine can go below. Then the same on a node with rules like \
            kube-proxy's, with --fast-path auto. Needs root and nft (apt-get install nftables).
            """)

    @Option(help: "Rounds; the median is printed.")
    var rounds = 21

    @Option(help: "Work a round: 200 datagrams, 48 connections and 100 requests times this.")
    var scale = 50

    func validate() throws {
        guard rounds > 0, scale > 0 else { throw ValidationError("--rounds and --scale must be positive") }
    }

    func run() throws {
        let report = try MeasuredRun.run(needsRoot: "bench-net makes network namespaces") { progress in
            try NetBench(rounds: rounds, scale: scale).run(Interrupt(), progress: progress.show)
        }
        print(BenchNetTable.render(report))
    }
}
