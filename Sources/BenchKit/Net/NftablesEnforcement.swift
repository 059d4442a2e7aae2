import Datapath

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

    private func nft(_ script: String) throws { try NodeRules.run(network, "nft", ["-f", "-"], script) }
}
