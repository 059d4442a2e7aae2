import Datapath
import Foundation
import Support

/// The same policy as an nftables set with conntrack in the node's namespace, as a CNI would write it: default drop,
/// established and related accepted first, then one rule per port.
struct NftablesEnforcement: Enforcement {
    let name = "nftables + conntrack"
    let network: BenchNetwork

    func install() throws {
        let tcp = network.tcpPorts.map(String.init).joined(separator: ", ")
        try nft(
            """
            table inet netpold_bench {
              chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                ip saddr \(network.client) ip daddr \(network.server) udp dport \(network.udpPort) accept
                ip saddr \(network.client) ip daddr \(network.server) tcp dport { \(tcp) } accept
              }
            }

            """)
    }

    func remove() throws { try nft("delete table inet netpold_bench\n") }

    private func nft(_ script: String) throws {
        let status = try network.routed.node.run {
            let process = Process()
            let input = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/sbin/nft")
            process.arguments = ["-f", "-"]
            process.standardInput = input
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(script.utf8))
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            return process.terminationStatus
        }
        guard status == 0 else { throw SystemError("run", "nft -f -", nil, detail: "exit status \(status)") }
    }
}
