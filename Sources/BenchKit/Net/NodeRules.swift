import Foundation
import Support

/// The rules of a node with kube-proxy, in both of its ways: iptables' chains, and a table of nftables, each with so many Services.
/// None of them is about the benchmark's flows, as on a node where pods talk to each other straight.
struct NodeRules {
    private static let services = 100

    /// Puts them up in the namespace of the network's node.
    static func install(_ network: BenchNetwork) throws {
        try run(network, "iptables-restore", [], iptables)
        try run(network, "nft", ["-f", "-"], nftables)
    }

    /// Takes them away, with everything else that is in these tables.
    static func remove(_ network: BenchNetwork) throws { try run(network, "nft", ["flush", "ruleset"], "") }

    /// As kube-proxy's iptables mode writes it: 1.33.
    private static var iptables: String {
        let numbers = 0..<services
        let chains = numbers.map { ":KUBE-SVC-\($0) - [0:0]\n:KUBE-SEP-\($0) - [0:0]\n" }.joined()
        let rules = numbers.map { number in
            let address = "10.96.\(number / 250).\(number % 250 + 1)"
            return "-A KUBE-SERVICES -d \(address)/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-\(number)\n"
                + "-A KUBE-SVC-\(number) -j KUBE-SEP-\(number)\n"
                + "-A KUBE-SEP-\(number) -p tcp -m tcp -j DNAT --to-destination 10.250.0.\(number + 1):8080\n"
        }.joined()
        return """
            *filter
            :KUBE-FORWARD - [0:0]
            :KUBE-SERVICES - [0:0]
            -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
            -A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES
            -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
            -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
            -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            COMMIT
            *nat
            :KUBE-SERVICES - [0:0]
            :KUBE-POSTROUTING - [0:0]
            \(chains)-A PREROUTING -j KUBE-SERVICES
            -A POSTROUTING -j KUBE-POSTROUTING
            -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
            -A KUBE-POSTROUTING -j MASQUERADE
            \(rules)COMMIT

            """
    }

    /// As its nftables mode does.
    private static var nftables: String {
        let entries = (0..<services).map { "10.97.0.\($0 + 1) . tcp . 80 : goto service-\($0)" }
        let chains = (0..<services).map { "chain service-\($0) { meta l4proto tcp dnat to 10.250.0.\($0 + 1):8080; }" }
        return """
            table ip kube-proxy {
              \(chains.joined(separator: "\n  "))
              map services {
                type ipv4_addr . inet_proto . inet_service : verdict
                elements = { \(entries.joined(separator: ", ")) }
              }
              chain nat-prerouting {
                type nat hook prerouting priority dstnat;
                ip daddr . meta l4proto . th dport vmap @services
              }
              chain filter-forward {
                type filter hook forward priority -110;
                ct state new ip daddr 10.97.0.0/16 reject
              }
            }

            """
    }

    /// Runs a program in the node's namespace, with this as its input.
    static func run(_ network: BenchNetwork, _ program: String, _ arguments: [String], _ script: String) throws {
        let status = try network.routed.node.run {
            let process = Process()
            let input = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/sbin/\(program)")
            process.arguments = arguments
            process.standardInput = input
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(script.utf8))
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            return process.terminationStatus
        }
        guard status == 0 else { throw SystemError("run", program, nil, detail: "exit status \(status)") }
    }
}
